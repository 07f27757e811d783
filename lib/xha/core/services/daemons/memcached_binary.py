"""memcached's binary protocol, as far as a check needs it (protocol-binary.txt). Pure.

A memcached with SASL (-S) speaks nothing else: it closes a connection that begins with text.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import NamedTuple

_HEADER = struct.Struct("!BBHBBHIIQ")
HEADER_BYTES = _HEADER.size
_REQUEST, _RESPONSE = 0x80, 0x81
_MECHANISM = b"PLAIN"
# A set has flags and an expiration of ten seconds: what a check leaves behind goes by itself.
_SET_EXTRAS = struct.pack("!II", 0, 10)


class Opcode(IntEnum):
    """The requests that a check makes."""

    GET = 0x00
    SET = 0x01
    DELETE = 0x04
    VERSION = 0x0B
    STAT = 0x10
    SASL_AUTH = 0x21


class BinaryStatus(IntEnum):
    """The answers that a check tells apart; others are quoted by their number."""

    OK = 0x00
    NOT_FOUND = 0x01
    NOT_AUTHENTICATED = 0x20  # also: the account is refused
    UNKNOWN = 0xFFFF


class BinaryHead(NamedTuple):
    """The fixed head of an answer. length: of the body, in bytes; skipped: how many of them precede the value."""

    opcode: int
    status: int
    length: int
    skipped: int
    key_length: int


def encode_request(opcode: Opcode, key: bytes = b"", value: bytes = b"") -> bytes:
    """Return one request."""
    extras = _SET_EXTRAS if opcode is Opcode.SET else b""
    length = len(extras) + len(key) + len(value)
    return _HEADER.pack(_REQUEST, opcode, len(key), len(extras), 0, 0, length, 0, 0) + extras + key + value


def encode_login(username: str, password: str) -> bytes:
    """Return a login by SASL PLAIN (RFC 4616)."""
    return encode_request(Opcode.SASL_AUTH, _MECHANISM, f"\0{username}\0{password}".encode())


def decode_head(data: bytes) -> BinaryHead:
    """Return the head of an answer. :raises ValueError: for other bytes than a head's."""
    if len(data) != HEADER_BYTES:
        raise ValueError("no head of memcached's binary protocol")
    magic, opcode, key_length, extras_length, _, status, length, _, _ = _HEADER.unpack(data)
    if magic != _RESPONSE or key_length + extras_length > length:
        raise ValueError("no head of memcached's binary protocol")
    return BinaryHead(opcode, status, length, extras_length + key_length, key_length)
