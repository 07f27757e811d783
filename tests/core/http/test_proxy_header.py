"""The header of the PROXY protocol before a request: skipped where it is one, refused where it only begins like one."""

from __future__ import annotations

import contextlib
import ipaddress
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xha.core.http.limits import MAX_REQUEST
from xha.core.http.message import BAD_REQUEST, TOO_LARGE, BadRequest, Request, parse_request
from xha.core.http.proxy_header import is_silence, parse_proxy_header

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
REQUEST = b"OPTIONS / HTTP/1.0\r\n\r\n"


def block(command: int, family: int, payload: bytes) -> bytes:
    """A header of version 2."""
    return SIGNATURE + bytes([command, family]) + struct.pack(">H", len(payload)) + payload


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 49000\r\n", id="1: HAProxy, check-send-proxy over IPv4"),
        pytest.param(b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", id="1: the longest over IPv4"),
        pytest.param(b"PROXY TCP6 fd00::1 fd00::2 56324 49000\r\n", id="1: over IPv6"),
        pytest.param(b"PROXY TCP6 ::1 ::ffff:192.0.2.1 1 2\r\n", id="1: an IPv4 address as IPv6"),
        pytest.param(
            b"PROXY TCP6 " + b"ffff:" * 7 + b"ffff " + b"ffff:" * 7 + b"ffff 65535 65535\r\n", id="1: longest"
        ),
        pytest.param(b"PROXY UNKNOWN\r\n", id="1: unknown, the short form"),
        pytest.param(b"PROXY UNKNOWN anything \xff at all\r\n", id="1: unknown, and what is ignored"),
        pytest.param(block(0x20, 0x00, b""), id="2: LOCAL, as HAProxy's own checks"),
        pytest.param(block(0x20, 0xFF, b"xyz"), id="2: LOCAL, whose family is ignored"),
        pytest.param(block(0x21, 0x11, bytes(12)), id="2: over IPv4"),
        pytest.param(block(0x21, 0x21, bytes(36)), id="2: over IPv6"),
        pytest.param(block(0x21, 0x31, bytes(216)), id="2: over a unix socket"),
        pytest.param(block(0x21, 0x00, b""), id="2: unspecified"),
        pytest.param(block(0x21, 0x11, bytes(12) + b"\x03\x00\x04abcd"), id="2: extensions behind the addresses"),
        pytest.param(block(0x21, 0x11, bytes(MAX_REQUEST - 16 - len(REQUEST))), id="2: as long as leaves room"),
    ],
)
def test_a_header_is_skipped_wherever_it_is_cut(header: bytes) -> None:
    for end in range(len(header)):
        assert parse_proxy_header(header[:end]) is None
        assert parse_request(header[:end]) is None
    assert parse_proxy_header(header) == parse_proxy_header(header + REQUEST) == len(header)
    for end in range(len(REQUEST)):
        assert parse_request(header + REQUEST[:end]) is None
    assert parse_request(header + REQUEST) == Request("OPTIONS", "/")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n", id="1: a bare newline"),
        pytest.param(b"PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n", id="1: a port is missing"),
        pytest.param(b"PROXY TCP4 192.0.2.1  192.0.2.2 1 2\r\n", id="1: two blanks"),
        pytest.param(b"PROXY TCP4 fd00::1 fd00::2 1 2\r\n", id="1: addresses of another family"),
        pytest.param(b"PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n", id="1: no family"),
        pytest.param(b"PROXY / HTTP/1.0\r\n\r\n", id="1: a method of this name"),
        pytest.param(b"PROXY UNKNOWN" + b"x" * 94, id="1: longer than 107 bytes"),
        pytest.param(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nPROXY UNKNOWN\r\n" + REQUEST, id="1: two of them"),
        pytest.param(SIGNATURE + b"\x10", id="2: another version, at its byte"),
        pytest.param(SIGNATURE + b"\x22", id="2: another command"),
        pytest.param(SIGNATURE + b"\x21\x41", id="2: another family"),
        pytest.param(SIGNATURE + b"\x21\x13", id="2: another protocol"),
        pytest.param(block(0x21, 0x11, bytes(11)), id="2: too short for its addresses"),
        pytest.param(block(0x20, 0x00, b"") * 2 + REQUEST, id="2: two of them"),
        pytest.param(SIGNATURE[:5] + REQUEST, id="2: a broken signature"),
    ],
)
def test_what_begins_like_a_header_and_is_none_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(BadRequest) as refusal:
        parse_request(data)
    assert refusal.value.status == BAD_REQUEST
    assert str(refusal.value)


def test_a_header_counts_among_the_bytes_of_a_request() -> None:
    header = block(0x21, 0x11, bytes(MAX_REQUEST - 16 - len(REQUEST) + 1))
    for data in (
        header + REQUEST,
        block(0x21, 0x00, bytes(9000)) + REQUEST,
        block(0x21, 0, bytes(65535))[:MAX_REQUEST],
    ):
        with pytest.raises(BadRequest) as refusal:
            parse_request(data)
        assert refusal.value.status == TOO_LARGE


@pytest.mark.parametrize("more", [b"", b"\n", b"\r\n"])
def test_a_header_that_leaves_no_room_is_refused_before_a_request_comes(more: bytes) -> None:
    for size in (MAX_REQUEST - len(more), MAX_REQUEST, 2 * MAX_REQUEST):
        with pytest.raises(BadRequest) as caught:
            parse_request(block(0x20, 0, bytes(size - 16)) + more)
        assert caught.value.status == TOO_LARGE


@pytest.mark.parametrize(
    ("data", "silent"),
    [
        (b"", True),
        (b"PROXY UNKNOWN\r\n", True),
        (block(0x20, 0, b""), True),
        (b"PROXY UNKNOWN\r", False),
        (b"PROXY UNKNOWN\r\nG", False),
        (b"\r\n", False),
        (b"G", False),
    ],
)
def test_nothing_or_the_header_alone_is_silence(data: bytes, silent: bool) -> None:
    assert is_silence(data) is silent


PORTS = st.integers(0, 65535)
V4 = st.tuples(st.just(b"TCP4"), st.ip_addresses(v=4), st.ip_addresses(v=4))
V6 = st.tuples(st.just(b"TCP6"), st.ip_addresses(v=6), st.ip_addresses(v=6))


@given(V4 | V6, st.tuples(PORTS, PORTS), st.booleans(), st.binary(max_size=40), st.data())
def test_any_addresses_and_extensions_are_skipped(
    addresses: tuple[bytes, ipaddress.IPv4Address, ipaddress.IPv4Address],
    ports: tuple[int, int],
    binary: bool,
    extensions: bytes,
    data: st.DataObject,
) -> None:
    family, one, other = addresses
    if binary:
        payload = one.packed + other.packed + struct.pack(">HH", *ports) + extensions
        header = block(0x21, 0x11 if family == b"TCP4" else 0x21, payload)
    else:
        header = b"PROXY %b %b %b %d %d\r\n" % (family, str(one).encode(), str(other).encode(), *ports)
    whole = header + REQUEST
    assert parse_request(whole[: data.draw(st.integers(0, len(whole) - 1))]) is None
    assert parse_request(whole) == Request("OPTIONS", "/")


@given(
    st.sampled_from([b"", b"PROXY ", b"PROXY TCP4 1.1.1.1 ", SIGNATURE, SIGNATURE + b"\x21"]), st.binary(max_size=80)
)
def test_any_bytes_are_a_header_or_part_of_one_or_none_or_refused(start: bytes, rest: bytes) -> None:
    length: int | None = None
    with contextlib.suppress(ValueError):
        length = parse_proxy_header(start + rest)
    assert length is None or 0 <= length <= len(start + rest)
