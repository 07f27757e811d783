"""Byte strings in one message: each as its length in digits, a colon, the bytes, and a comma (cr.yp.to, netstrings)."""

from __future__ import annotations

MOST = 1024


def parse_netstrings(data: bytes) -> tuple[bytes, ...]:
    """Return the strings of a message. :raises ValueError: for anything else, and for more than MOST strings."""
    found: list[bytes] = []
    start = 0
    while start < len(data):
        colon = data.find(b":", start, start + 8)
        digits = data[start:colon] if colon > 0 else b""
        if not digits.isdigit() or len(found) == MOST:
            raise ValueError("no message of strings with their lengths")
        end = colon + 1 + int(digits)
        if data[end : end + 1] != b",":
            raise ValueError("a string of another length than it says")
        found.append(data[colon + 1 : end])
        start = end + 1
    return tuple(found)
