"""The header of the PROXY protocol, versions 1 and 2, before a request (haproxy.org, doc/proxy-protocol.txt, 2.1, 2.2).

HAProxy sends it with `check-send-proxy` and `http-check connect send-proxy`. It is skipped, whether it is expected or
not, because the address in it is never used: who asks is the peer of the socket.
"""

from __future__ import annotations

import re

_NAME = b"PROXY "
_MAX_LINE = 107  # version 1, with its CRLF
_V4 = rb"\d{1,3}(?:\.\d{1,3}){3}"
_V6 = rb"[0-9a-fA-F]{0,4}(?::[0-9a-fA-F.]{0,15}){2,8}"
# Only the shape of the addresses is checked, since nobody uses them.
_LINE = re.compile(
    rb"PROXY (?:TCP4 %b %b \d{1,5} \d{1,5}|TCP6 %b %b \d{1,5} \d{1,5}|UNKNOWN(?: [^\r\n]*)?)\r\n" % (_V4, _V4, _V6, _V6)
)

_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_FIXED = 16  # version 2: the signature, version and command, family and protocol, two bytes of length
_LOCAL, _PROXY = 0x20, 0x21
# The bytes that the addresses of each family have: unspecified, IPv4, IPv6, unix sockets.
_ADDRESS_BYTES = (0, 12, 36, 216)
_PROTOCOLS = 3


def parse_proxy_header(data: bytes) -> int | None:
    """Return how many bytes the header at the beginning has: 0 without one, None while it may still become one.

    :raises ValueError: for bytes that begin like a header and can become none.
    """
    if data[:1] == b"P":
        return _line_length(data)
    if data[:1] == b"\r":
        return _block_length(data)
    return 0 if data else None


def is_silence(data: bytes) -> bool:
    """Return whether a client has sent no part of a request: nothing at all, or the header alone.

    :raises ValueError: as parse_proxy_header.
    """
    return not data or parse_proxy_header(data) == len(data)


def _line_length(data: bytes) -> int | None:
    start = data[: len(_NAME)]
    if start != _NAME:
        return None if _NAME.startswith(start) else 0
    end = data.find(b"\n", 0, _MAX_LINE) + 1
    if not end and len(data) < _MAX_LINE:
        return None
    if not end or not _LINE.fullmatch(data[:end]):
        raise ValueError("the line of the PROXY protocol, version 1, is malformed")
    return end


def _block_length(data: bytes) -> int | None:
    start = data[: len(_SIGNATURE)]
    if start != _SIGNATURE:
        return None if _SIGNATURE.startswith(start) else 0
    command = data[12] if len(data) > 12 else _LOCAL
    # With LOCAL, what the header says of the connection is ignored.
    family, protocol = divmod(data[13], 16) if command == _PROXY and len(data) > 13 else (0, 0)
    wrong = command not in (_LOCAL, _PROXY) or family >= len(_ADDRESS_BYTES) or protocol >= _PROTOCOLS
    if not wrong and len(data) < _FIXED:
        return None
    length = int.from_bytes(data[14:_FIXED], "big")
    # What follows the addresses are extensions (type, length, value), which a receiver may skip.
    if wrong or length < _ADDRESS_BYTES[family]:
        raise ValueError("the header of the PROXY protocol, version 2, is malformed")
    return _FIXED + length if len(data) >= _FIXED + length else None
