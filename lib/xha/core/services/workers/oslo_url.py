"""Parses transport URLs as oslo_messaging/transport.py does, and kombu after it. Pure.

A URL contains passwords, so no message of this module quotes one.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ..rabbitmq.login import PORT, Login

_SCHEME = re.compile(r"(?:[a-z0-9_.]+\+)?(?:rabbit|kombu|amqp)", re.IGNORECASE)
# What kombu takes for what a URL does not say (kombu/transport/pyamqp.py, default_connection_params).
_HOST, _ACCOUNT = "localhost", "guest"
_TRUE, _FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}


class TlsOptions(NamedTuple):
    """The options of oslo_messaging_rabbit for TLS."""

    ssl: bool = False
    ssl_ca_file: str | None = None
    ssl_cert_file: str | None = None
    ssl_key_file: str | None = None

    def apply(self, login: Login) -> Login:
        """Return the login with these options; without TLS, no file counts."""
        if not self.ssl:
            return login
        ca_file, cert_file, key_file = (path or None for path in self[1:])
        return login._replace(tls=True, ca_file=ca_file, cert_file=cert_file, key_file=key_file)


PLAIN = TlsOptions()


def parse_transport(url: str, tls: TlsOptions = PLAIN) -> tuple[Login, ...]:
    """Return the brokers of `rabbit://USER:PASSWORD@HOST:PORT,USER:PASSWORD@HOST:PORT/VHOST?ssl=1`, in that order.

    Account and virtual host are percent-encoded; the virtual host twice, because kombu decodes it once more. What the
    query says of TLS comes before the options. Without a port it is 5672, with TLS too.

    :raises ValueError: without the URL, which contains passwords.
    """
    scheme, found, rest = re.sub(r"[\t\r\n]", "", url.strip()).partition(":")
    if not found or not _SCHEME.fullmatch(scheme):
        raise ValueError("transport_url: not rabbit://USER:PASSWORD@HOST:PORT/VHOST")
    netlocs, path, query = _split(rest)
    tls = _query_tls(query, tls)
    vhost = (unquote(unquote(path[1:])) if path.startswith("/") else "") or "/"
    brokers = [_parse_netloc(netloc, vhost, tls) for netloc in netlocs.split(",") if netloc]
    return tuple(brokers) or (tls.apply(Login(_HOST, PORT, _ACCOUNT, _ACCOUNT, vhost)),)


def _split(rest: str) -> tuple[str, str, str]:
    """Return hosts, path and query of a URL: hosts begin after `//` and end at one of `/?#` (urllib.parse.urlsplit)."""
    netlocs = ""
    if rest.startswith("//"):
        end = next((place for place, char in enumerate(rest) if char in "/?#" and place > 1), len(rest))
        netlocs, rest = rest[2:end], rest[end:]
    rest = rest.partition("#")[0]
    if ("[" in netlocs) is not ("]" in netlocs):
        raise ValueError("transport_url: a bracket of an IPv6 address is missing")
    path, _, query = rest.partition("?")
    return netlocs, path, query


def _parse_netloc(netloc: str, vhost: str, tls: TlsOptions) -> Login:
    account, _, address = netloc.rpartition("@")
    username, _, password = account.partition(":")
    host, port = parse_host_port(address, PORT, "transport_url")
    if "/" in unquote(account):  # it encodes the account again, all but a slash, and kombu then finds no host
        raise ValueError("transport_url: a slash in an account in it, which oslo.messaging cannot pass on")
    return tls.apply(Login(host, port, unquote(username) or _ACCOUNT, unquote(password) or _ACCOUNT, vhost))


def _query_tls(query: str, tls: TlsOptions) -> TlsOptions:
    pairs = [pair.partition("=") for pair in query.split("&")]
    asked = {_unquote_plus(name): _unquote_plus(value) for name, _, value in pairs if value}
    if "ssl" in asked:
        tls = tls._replace(ssl=parse_truth(asked["ssl"], "transport_url: ssl in it"))
    files = (asked.get(name, getattr(tls, name)) for name in TlsOptions._fields[1:])
    return TlsOptions(tls.ssl, *files)


def parse_truth(text: str, name: str) -> bool:
    """Return a truth value (oslo_config/types.py, Boolean). :raises ValueError: naming the option."""
    if text.lower() in _TRUE | _FALSE:
        return text.lower() in _TRUE
    raise ValueError(f"{name}: no truth value")


def unquote(text: str) -> str:
    """Return the text with its percent-encoded bytes as characters."""
    encoded = text.encode("utf-8", "surrogateescape")
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes([int(match[1], 16)]), encoded).decode("utf-8", "replace")


def _unquote_plus(text: str) -> str:
    return unquote(text.replace("+", " "))


def parse_host_port(address: str, default: int, option: str) -> tuple[str, int]:
    """Return host and port of `HOST`, `HOST:PORT`, `[IPV6]:PORT` or `IPV6` (oslo_utils/netutils.py, parse_host_port).

    No host is kombu's localhost.

    :raises ValueError: naming the option, without its value.
    """
    match = re.fullmatch(r"\[([0-9A-Fa-f:.%]+)\](?::(\d{1,5}))?|([^\[\]/@\s]*)", address)
    if not match:
        raise ValueError(f"{option}: a broker in it is not HOST:PORT")
    host, port = match[1], match[2]
    if host is None:
        host, colon, port = match[3].partition(":") if match[3].count(":") == 1 else (match[3], "", None)
        if colon and not re.fullmatch(r"\d{1,5}", port or "", re.ASCII):
            raise ValueError(f"{option}: a broker in it is not HOST:PORT")
    number = int(port) if port else default
    if not 0 < number < 65536:
        raise ValueError(f"{option}: a broker in it is not HOST:PORT")
    return host or _HOST, number
