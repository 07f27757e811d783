"""One response in the frames of HTTP/2 (RFC 9113), for a client that speaks nothing else. Its requests are not read."""

from __future__ import annotations

_DATA, _HEADERS, _SETTINGS, _GOAWAY = 0, 1, 4, 7
_END_STREAM, _END_HEADERS = 1, 4
_FIRST_STREAM = 1  # of a client's streams (5.1.1): its request came right behind the preface
_HTTP_1_1_REQUIRED = 13  # section 7: the endpoint requires HTTP/1.1
# Names of the static table of HPACK (RFC 7541, appendix A), in fields that are not indexed (6.2.2).
_STATUS, _CONTENT_TYPE = b"\x08", b"\x0f\x10"


def render_http2_refusal(status: str, body: str) -> bytes:
    """Return a response with this status and text on the client's first stream, and the end of the connection."""
    fields = _field(_STATUS, status) + _field(_CONTENT_TYPE, "text/plain")
    last = _FIRST_STREAM.to_bytes(4, "big") + _HTTP_1_1_REQUIRED.to_bytes(4, "big")
    return (
        _frame(_SETTINGS, 0, 0, b"")  # 3.4: a server's first frame
        + _frame(_HEADERS, _END_HEADERS, _FIRST_STREAM, fields)
        + _frame(_DATA, _END_STREAM, _FIRST_STREAM, body.encode())
        + _frame(_GOAWAY, 0, 0, last)
    )


def _field(name: bytes, value: str) -> bytes:
    return name + bytes([len(value)]) + value.encode()


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload
