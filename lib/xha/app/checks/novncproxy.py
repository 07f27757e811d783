"""The check of nova-novncproxy: its page, and a WebSocket whose token it must look up (RFC 6455)."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ...adapters.network.addresses import require_address
from ...adapters.network.client_tls import TlsFiles, client_context, unmet_by
from ...adapters.process.alarm import begin_step, finish_within
from ...core.services.api.judge import judge_cause
from ...core.services.model.reach import Unmet
from ...core.services.model.result import Level, failed, passed, unknown
from .http import check_levels, find_endpoint

if TYPE_CHECKING:
    from ...core.services.api.judge import HttpSettings
    from ...core.services.model.result import Result

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_MAX_HEADERS = 16384
# As in http.py: the cause is asked for with each WebSocket.
LIBRARIES = {"http.client": Level.PROTOCOL, "mysql.anonymous_ping": Level.DEEP}


def check(settings: HttpSettings, level: Level) -> Result:
    """Check the console proxy at one level, and return the result."""
    return check_levels(settings, level, _check_socket)


def _check_socket(settings: HttpSettings, proved: str) -> Result:
    begin_step("a WebSocket", proved=proved)
    # Each part is shorter than the check's own deadline, so that the result says which part hangs.
    try:
        connection = finish_within(settings.patience, lambda: _connect(settings))
        with connection:
            fault = finish_within(settings.patience, lambda: _open(connection, settings))
            if fault:
                return failed(settings.name, Level.DEEP, fault, proved=proved)
            proved = "a WebSocket is opened"
            closed = _wait_close(connection, settings.patience)
    except Unmet as unmet:
        return unknown(settings.name, Level.DEEP, f"needs {unmet}", proved=proved)
    except socket.gaierror as error:
        said = f"needs a host name that is known: a WebSocket: {error.strerror}"
        return unknown(settings.name, Level.DEEP, said, proved=proved)
    except OSError as error:
        unmet_setting = unmet_by(error)
        if unmet_setting:
            return unknown(settings.name, Level.DEEP, f"needs {unmet_setting}: a WebSocket", proved=proved)
        return failed(settings.name, Level.DEEP, f"a WebSocket: {error.strerror or 'no answer'}".lower(), proved=proved)
    from ...adapters.mysql.anonymous_ping import find_cause

    cause = find_cause(settings)
    if closed and not cause.database:
        return passed(settings.name, Level.DEEP, "a WebSocket is opened, and a token that does not exist refused")
    fault = "a token cannot have been looked up" if closed else "no decision on a token that does not exist"
    return judge_cause(settings.name, fault, proved, cause)


def _connect(settings: HttpSettings) -> socket.socket:
    endpoint = find_endpoint(settings)
    address = require_address(endpoint.host, settings.patience)
    connection = socket.create_connection((address, endpoint.port), timeout=settings.patience)
    if settings.url.startswith("https:"):
        try:
            context = client_context(TlsFiles(settings.ca_file, settings.cert_file, settings.key_file))
            return context.wrap_socket(connection, server_hostname=endpoint.host)
        except BaseException:
            connection.close()
            raise
    return connection


def _open(connection: socket.socket, settings: HttpSettings) -> str:
    """Open a WebSocket with a token that does not exist, and return what is wrong with the answer."""
    url = urlsplit(settings.url)
    key = base64.b64encode(os.urandom(16)).decode()
    token = f"xha-probe-{os.urandom(8).hex()}"
    request = (
        f"GET {url.path}/?token={token} HTTP/1.1",
        f"Host: {url.netloc}",
        f"Origin: {url.scheme}://{url.netloc}",  # nova compares it with the host since CVE-2015-0259
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: binary",
        f"Cookie: token={token}",
        "User-Agent: xha",
    )
    connection.sendall("\r\n".join((*request, "", "")).encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        chunk = connection.recv(4096)
        if not chunk:
            return "a WebSocket: the connection is closed without an answer"
        answer += chunk
        if len(answer) > _MAX_HEADERS:
            return f"a WebSocket is answered with more than {_MAX_HEADERS >> 10} KiB of headers"
    head = answer.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    if not head[0].startswith("HTTP/1.1 101"):
        return f"a WebSocket is answered {head[0][9:12]}, not 101"
    accept = base64.b64encode(hashlib.sha1((key + _GUID).encode(), usedforsecurity=False).digest()).decode()
    if not any(line.lower().startswith("sec-websocket-accept:") and line.endswith(accept) for line in head[1:]):
        return "a WebSocket is answered 101 by a server that does not speak it"
    return ""


def _wait_close(connection: socket.socket, seconds: float) -> bool:
    """Return whether the other side closes the connection within `seconds`. What it sends before is ignored."""
    begin_step("the refusal of a token that does not exist", proved="a WebSocket is opened")
    try:
        finish_within(seconds, lambda: _drain(connection))
    except (TimeoutError, socket.timeout):
        return False
    except OSError:
        return True
    return True


def _drain(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass
