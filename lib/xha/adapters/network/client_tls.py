"""TLS of the checks: contexts from the files of a section, and what a failed handshake says about its settings.

A certificate that this host does not trust, another name in it, a file that cannot be read, a client certificate that
is missing: all of these are settings of the check, and say nothing about the service.
"""

from __future__ import annotations

import socket
import ssl
from typing import NamedTuple

from ...core.services.model.reach import Unmet
from ...core.text.escape import clean
from ..files.whole_file import read_whole
from .causes import causes
from .tls import verifying_tls

_LONGEST = 100
_MAX_BYTES = 4 << 20  # a bundle of all authorities has 0.3 MiB
_EXPIRED, _NOT_YET = 10, 9  # X509_V_ERR_* (openssl/x509_vfy.h)
_NAMES = (62, 64)
# What a server answers whose rule is to see the client's certificate; the first since TLS 1.3, the second before.
_WANTS_CERTIFICATE = ("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE", "ALERT_UNKNOWN_CA", "ALERT_BAD_CERTIFICATE")
_NOT_TLS = (
    "WRONG_VERSION_NUMBER",
    "UNKNOWN_PROTOCOL",
    "RECORD_LAYER_FAILURE",
    "HTTP_REQUEST",
    "PACKET_LENGTH_TOO_LONG",
)


class TlsFiles(NamedTuple):
    """The files of one section: whom the check trusts, and its own certificate with its key."""

    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None


def client_context(files: TlsFiles) -> ssl.SSLContext:
    """Return a context that verifies the server's name. :raises Unmet: naming the file that cannot be used."""
    _require_readable(files.ca_file, "ca_file")
    _require_readable(files.cert_file, "cert_file")
    _require_readable(files.key_file, "key_file")
    try:
        context = verifying_tls(files.ca_file)
    except (ssl.SSLError, OSError) as error:
        raise Unmet(f"another ca_file: {files.ca_file} has no certificate ({_reason(error)})") from None
    if files.cert_file:
        try:
            # without a function OpenSSL would ask on the terminal for the password of a key
            context.load_cert_chain(files.cert_file, files.key_file, password=lambda: b"")
        except (ssl.SSLError, OSError) as error:
            where = files.key_file or files.cert_file
            said = f"another cert_file or key_file: {files.cert_file} with the key in {where} cannot be used"
            raise Unmet(f"{said} ({_reason(error)})") from None
    return context


def _require_readable(path: str | None, key: str) -> None:
    if path is None:
        return
    try:
        read_whole(path, _MAX_BYTES)
    except OSError as error:
        raise Unmet(f"a {key} that it may read: {path}: {(error.strerror or 'unreadable').lower()}") from None


def unmet_by(error: BaseException) -> str:
    """Return what the check needs, from the error of a handshake or of what follows it; "" if it is no error of TLS.

    With TLS 1.3 the refusal of a client's certificate arrives after the handshake.
    """
    found = list(causes(error))
    for one in found:
        if isinstance(one, ssl.SSLCertVerificationError):
            return _unverified(one)
    # The end of the stream is no setting. pika keeps only the text of an error that it meets after the handshake.
    ended = (ssl.SSLEOFError, ssl.SSLZeroReturnError)
    words = [str(one.reason or one) for one in found if isinstance(one, ssl.SSLError) and not isinstance(one, ended)]
    words += [text for text in map(str, found) if "SSLError(" in text]
    return _describe(words[0]) if words else ""


def _unverified(error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code in _NAMES:
        return "the host name that its certificate is for: it is for another one"
    if error.verify_code == _EXPIRED:
        return "a certificate of the server that is valid: it has expired"
    if error.verify_code == _NOT_YET:
        return "a certificate of the server that is valid: it is not valid yet, by this host's clock"
    return f"a ca_file: its certificate is not trusted ({(error.verify_message or 'unverified').lower()})"


def _describe(reason: str) -> str:
    if any(word in reason for word in _WANTS_CERTIFICATE):
        return "a cert_file and key_file that it trusts: it refuses this client's TLS"
    if any(word in reason for word in _NOT_TLS):
        return "a port that speaks TLS: it speaks none"
    return f"other settings of TLS ({clean(reason.lower().replace('_', ' '), _LONGEST)})"


def _reason(error: OSError) -> str:
    text = getattr(error, "reason", None) or error.strerror or "unreadable"
    return str(text).lower().replace("_", " ")


def speaks_tls(host: str, port: int, seconds: float) -> bool:
    """Return whether a server begins a TLS handshake. It is asked if it closes a connection in the clear."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), timeout=seconds) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return True
    except ssl.SSLError as error:
        # An alert is an answer in TLS, for example if it wants a certificate of this client.
        return "ALERT" in str(error.reason or "")
    except OSError:
        return False


def unmet_without_words(host: str, port: int, files: TlsFiles, seconds: float) -> str:
    """Return what a server needs that ends a conversation in TLS; "" if it waits for the first word, as most do.

    With TLS 1.3 its refusal of a client without a certificate comes after the handshake, and a reset may overtake it
    where the client has written something (measured, RabbitMQ 3.10): so nothing is written here.
    """
    try:
        context = client_context(files)
        with (
            socket.create_connection((host, port), timeout=seconds) as plain,
            context.wrap_socket(plain, server_hostname=host) as connection,
        ):
            connection.recv(1)
    except Unmet as unmet:
        return str(unmet)
    except OSError as error:
        return unmet_by(error)
    return ""
