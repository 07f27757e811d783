"""The HTTP of health checks (RFC 9112, and HTTP/1.0 as HAProxy sends it): bytes in, bytes out.

What the scripts answer that xha replaces is answered too: a request without a version, and one empty line before it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from .limits import MAX_REQUEST

OK = "200 OK"
BAD_REQUEST = "400 Bad Request"
FORBIDDEN = "403 Forbidden"
NOT_FOUND = "404 Not Found"
METHOD_NOT_ALLOWED = "405 Method Not Allowed"
REQUEST_TIMEOUT = "408 Request Timeout"
TOO_LARGE = "431 Request Header Fields Too Large"
UNAVAILABLE = "503 Service Unavailable"
VERSION_NOT_SUPPORTED = "505 HTTP Version Not Supported"

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb") ([\x21-\x7e]+) HTTP/1\.[0-9]")
# As in HTTP/0.9 (RFC 1945, 5.1): the line is the whole request. Blanks may follow the target, and methods that HTTP/0.9
# did not have may come before it.
_SIMPLE_REQUEST = re.compile(rb"(GET|HEAD|OPTIONS) ([\x21-\x7e]+)[ \t]*")
# One repetition matches the value together with its blanks. Two repetitions that both match blanks would take seconds
# on a line full of them.
_HEADER = re.compile(rb"(" + _TOKEN + rb"):([^\x00-\x08\x0a-\x1f\x7f]*)")
_STARTS_LIKE_A_METHOD = re.compile(_TOKEN + rb"(?: |\Z)")
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_EMPTY_LINE = re.compile(rb"\r?\n")
# What a client sends first that speaks HTTP/2 only (RFC 9113, 3.4).
_HTTP_2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_SCHEME_AND_AUTHORITY = re.compile(r"https?://[^/?]*", re.IGNORECASE)


class BadRequest(ValueError):
    """A request that cannot be answered. status: code and reason of the status line."""

    def __init__(self, status: str, why: str) -> None:
        super().__init__(why)
        self.status = status


class Request(NamedTuple):
    """The parts of a request that xha uses. server_state: HAProxy's X-Haproxy-Server-State, None without it."""

    method: str
    path: str
    server_state: str | None = None


# What a client asks that sends nothing, where `answer_silent` is set.
SILENT_REQUEST = Request("GET", "/")


def parse_request(data: bytes) -> Request | None:
    """Return the request, or None while it has not arrived. A header of the PROXY protocol before it is skipped.

    :raises BadRequest: for bytes that cannot become a valid request any more.
    """
    skipped = _skip(data) if data[:1] in (b"P", b"\r", b"\n") else 0
    if (len(data) if skipped is None else skipped) >= MAX_REQUEST:
        raise BadRequest(TOO_LARGE, f"no request within {MAX_REQUEST} bytes")
    return None if skipped is None else _parse(data[skipped:], MAX_REQUEST - skipped)


def _skip(data: bytes) -> int | None:
    """Return how many bytes come before the request; None while that is not known."""
    from .proxy_header import parse_proxy_header

    try:
        header = parse_proxy_header(data)
    except ValueError as error:
        raise BadRequest(BAD_REQUEST, str(error)) from None
    if header is None:
        return None
    # RFC 9112, 2.2: a server should ignore at least one empty line before the request.
    empty_line = _EMPTY_LINE.match(data, header)
    if empty_line:
        return empty_line.end()
    return None if data[header:] == b"\r" else header


# HAProxy sends the same bytes in every probe, so the cache saves nearly all parsing. It holds at most 64 x 8 KiB.
@lru_cache(maxsize=64)
def _parse(data: bytes, limit: int) -> Request | None:
    simple_request = _SIMPLE_REQUEST.fullmatch(data.partition(b"\n")[0].rstrip(b"\r")) if b"\n" in data else None
    if simple_request and data.index(b"\n") < limit:
        return Request(simple_request[1].decode(), _path(simple_request[2].decode()))
    if _HTTP_2_PREFACE.startswith(data[: len(_HTTP_2_PREFACE)]):
        if len(data) < len(_HTTP_2_PREFACE):
            return None
        raise BadRequest(VERSION_NOT_SUPPORTED, "HTTP/2 is not spoken here: ask with HTTP/1.1 or HTTP/1.0")
    end = _BLANK_LINE.search(data)
    if end is None:
        if len(data) >= limit:
            raise BadRequest(TOO_LARGE, f"no blank line within {MAX_REQUEST} bytes")
        if data and not _STARTS_LIKE_A_METHOD.match(data):
            raise BadRequest(BAD_REQUEST, "not HTTP")
        return None
    if end.end() > limit:
        raise BadRequest(TOO_LARGE, f"more than {MAX_REQUEST} bytes of headers")
    lines = [line[:-1] if line.endswith(b"\r") else line for line in data[: end.start()].split(b"\n")]
    request_line = _REQUEST_LINE.fullmatch(lines[0])
    if request_line is None:
        raise BadRequest(BAD_REQUEST, "the request line is not METHOD TARGET HTTP/1.x")
    server_state = None
    for line in lines[1:]:
        header = _HEADER.fullmatch(line)
        if header is None:
            raise BadRequest(BAD_REQUEST, "a header line is not NAME: VALUE")
        if header[1].lower() == b"x-haproxy-server-state":
            server_state = header[2].decode("latin-1").strip()
    return Request(request_line[1].decode(), _path(request_line[2].decode()), server_state)


def _path(target: str) -> str:
    if target == "*":  # `OPTIONS *`, as many HAProxy configurations have it, asks for the server as a whole
        return "/"
    origin_form = _SCHEME_AND_AUTHORITY.sub("", target, count=1) if target[:1] != "/" else target
    return origin_form.partition("?")[0] or "/"


def render_response(
    status: str, body: str, *, head: bool = False, content_type: str = "text/plain", headers: str = ""
) -> bytes:
    """Return the complete response. The three headers and their order are those of percona-clustercheck."""
    payload = body.encode("utf-8", "backslashreplace")
    text = (
        f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nConnection: close\r\n"
        f"Content-Length: {len(payload)}\r\n{headers}\r\n"
    )
    return text.encode() + (b"" if head else payload)


def render_refusal(error: BadRequest) -> bytes:
    """Return the complete response to what cannot be answered: its status, and why."""
    if error.status != VERSION_NOT_SUPPORTED:
        return render_response(error.status, f"{error}\n")
    # A client of HTTP/2 takes a response of HTTP/1.1 for none: curl says "Empty reply from server" (measured, 7.88).
    from .http2_refusal import render_http2_refusal

    return render_http2_refusal(error.status[:3], f"{error}\n")


def render_fault(*, head: bool = False) -> bytes:
    """Return the response for a fault of the responder itself. The responder's log says what the fault was."""
    return render_response(UNAVAILABLE, "this could not be answered: the log of xha-responder says why\n", head=head)
