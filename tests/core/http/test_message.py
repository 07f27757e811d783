"""The HTTP of health checks: requests of HAProxy and others, in pieces, and the responses."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xha.core.http.limits import MAX_REQUEST
from xha.core.http.message import (
    BAD_REQUEST,
    OK,
    TOO_LARGE,
    UNAVAILABLE,
    VERSION_NOT_SUPPORTED,
    BadRequest,
    Request,
    parse_request,
    render_response,
)

HAPROXY_DEFAULT = b"OPTIONS / HTTP/1.0\r\n\r\n"
STATE = "UP 2/3; name=bck/srv2; node=lb1; weight=1/2; scur=13/22; qcur=0"


@pytest.mark.parametrize(
    ("data", "request_"),
    [
        pytest.param(HAPROXY_DEFAULT, Request("OPTIONS", "/"), id="HAProxy: option httpchk, byte for byte"),
        pytest.param(b"GET /ready HTTP/1.0\r\n\r\n", Request("GET", "/ready"), id="HAProxy: option httpchk GET /ready"),
        pytest.param(
            b"OPTIONS / HTTP/1.1\r\nHost:\\ mysql\r\n\r\n",
            Request("OPTIONS", "/"),
            id="HAProxy before 2.2: a header in the version, its blank escaped",
        ),
        pytest.param(
            b"GET /live HTTP/1.1\r\nhost: mysql\r\nuser-agent: lb\r\n\r\n",
            Request("GET", "/live"),
            id="HAProxy 2.2 and later: http-check send meth GET uri /live ver HTTP/1.1 hdr host mysql",
        ),
        pytest.param(
            b"OPTIONS / HTTP/1.0\r\nX-Haproxy-Server-State: " + STATE.encode() + b"\r\n\r\n",
            Request("OPTIONS", "/", STATE),
            id="HAProxy: http-check send-state",
        ),
        pytest.param(
            b"HEAD / HTTP/1.0\r\nx-haproxy-server-state:UP\t \r\n\r\n",
            Request("HEAD", "/", "UP"),
            id="blanks around a value do not count, nor does case in a name",
        ),
        pytest.param(b"GET / HTTP/1.1\n\n", Request("GET", "/"), id="bare newlines, as a person types them"),
        pytest.param(b"GET /?x=1&y=/live HTTP/1.1\r\n\r\n", Request("GET", "/"), id="a query string is ignored"),
        pytest.param(b"GET ?x HTTP/1.1\r\n\r\n", Request("GET", "/"), id="nothing but a query is the root"),
        pytest.param(b"GET http://db1:49000/live?x HTTP/1.1\r\n\r\n", Request("GET", "/live"), id="absolute form"),
        pytest.param(b"GET HTTP://db1:49000 HTTP/1.1\r\n\r\n", Request("GET", "/"), id="absolute form without a path"),
        pytest.param(b"OPTIONS * HTTP/1.1\r\n\r\n", Request("OPTIONS", "/"), id="asterisk form: the server as a whole"),
        pytest.param(b"BREW /pot HTTP/1.1\r\n\r\n", Request("BREW", "/pot"), id="any method parses"),
        pytest.param(b"GET / HTTP/1.1\r\nA:\r\nB: \xff\x80\r\n\r\n", Request("GET", "/"), id="odd values"),
        pytest.param(b"GET /\r\n", Request("GET", "/"), id="no version: the line is the whole request"),
        pytest.param(b"GET /ready\n", Request("GET", "/ready"), id="no version, as a person types it"),
        pytest.param(b"OPTIONS / \r\n\r\n", Request("OPTIONS", "/"), id="no version, a blank behind the target"),
        pytest.param(b"GET /\r\nHost: a\r\n\r\n", Request("GET", "/"), id="no version: what follows is no header"),
        pytest.param(b"\r\nGET / HTTP/1.1\r\n\r\n", Request("GET", "/"), id="one empty line before it, RFC 9112, 2.2"),
        pytest.param(b"\nGET /live\n", Request("GET", "/live"), id="a bare newline before it"),
        pytest.param(b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", Request("POST", "/"), id="a body is not read"),
    ],
)
def test_a_request_is_read(data: bytes, request_: Request) -> None:
    assert parse_request(data) == request_


@pytest.mark.parametrize(
    ("data", "status"),
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01", BAD_REQUEST, id="TLS at a plain port, at its first bytes"),
        pytest.param(b"\x00", BAD_REQUEST, id="a zero byte"),
        pytest.param(b"\r\n\r\nG", BAD_REQUEST, id="two empty lines"),
        pytest.param(b"\n\n", BAD_REQUEST, id="two bare newlines"),
        pytest.param(b" GET / HTTP/1.0", BAD_REQUEST, id="a blank before the method"),
        pytest.param(b"GET\n", BAD_REQUEST, id="a method and no target"),
        pytest.param(b"POST /\r\n\r\n", BAD_REQUEST, id="a method without a version that changes something"),
        pytest.param(b"GET /\x7f\r\n\r\n", BAD_REQUEST, id="no version, a control character in the target"),
        pytest.param(b"GET  / HTTP/1.0\r\n\r\n", BAD_REQUEST, id="two blanks"),
        pytest.param(b"GET / HTTP/2.0\r\n\r\n", BAD_REQUEST, id="HTTP/2"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", VERSION_NOT_SUPPORTED, id="HTTP/2, with prior knowledge"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nXX", BAD_REQUEST, id="half the preface of HTTP/2"),
        pytest.param(b"GET / HTTP/1.10\r\n\r\n", BAD_REQUEST, id="a version of two digits"),
        pytest.param(b"GET /\x7f HTTP/1.0\r\n\r\n", BAD_REQUEST, id="a control character in the target"),
        pytest.param(b"GET / HTTP/1.0\r\nno colon\r\n\r\n", BAD_REQUEST, id="a line that is no header"),
        pytest.param(b"GET / HTTP/1.0\r\n: x\r\n\r\n", BAD_REQUEST, id="a header without a name"),
        pytest.param(b"GET / HTTP/1.0\r\nA : x\r\n\r\n", BAD_REQUEST, id="a blank before the colon"),
        pytest.param(b"GET / HTTP/1.0\r\nA: x\r\n folded\r\n\r\n", BAD_REQUEST, id="a folded header"),
        pytest.param(b"GET / HTTP/1.0\r\nA: \x00\r\n\r\n", BAD_REQUEST, id="a zero byte in a value"),
        pytest.param(b"GET / HTTP/1.0\r\nA: x\ry\r\n\r\n", BAD_REQUEST, id="a bare carriage return"),
        pytest.param(b"GET /" + b"a" * MAX_REQUEST, TOO_LARGE, id="a request that never ends"),
        pytest.param(b"GET / HTTP/1.0\r\nA: " + b"a" * MAX_REQUEST + b"\r\n\r\n", TOO_LARGE, id="too many headers"),
    ],
)
def test_what_is_no_request_is_refused(data: bytes, status: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        parse_request(data)
    assert refusal.value.status == status
    assert str(refusal.value)


@pytest.mark.parametrize("size", [MAX_REQUEST - 1, MAX_REQUEST, MAX_REQUEST + 1])
def test_eight_kib_are_enough_and_one_byte_more_is_too_much(size: int) -> None:
    start, end = b"GET / HTTP/1.0\r\nA: ", b"\r\n\r\n"
    data = start + b"a" * (size - len(start) - len(end)) + end
    if size <= MAX_REQUEST:
        assert parse_request(data) == Request("GET", "/")
    else:
        with pytest.raises(BadRequest):
            parse_request(data)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"GET / HTTP/1.0\r\nA:" + b" " * 8000 + b"\x01\r\n\r\n", id="blanks in a header"),
        pytest.param(b"GET / HTTP/1.0\r\n" + b"a" * 8000 + b"\r\n\r\n", id="a name without its colon"),
        pytest.param(b"A" * 8190, id="a method without its end"),
        pytest.param(b"GET " + b"/" * 8000 + b" HTTP/1.x\r\n\r\n", id="a long target"),
        pytest.param(b"GET / HTTP/1.0\r\n" + b"\r" * 8000 + b"\n\n", id="carriage returns"),
    ],
)
def test_no_request_holds_up_the_others(data: bytes) -> None:
    """One loop serves every client, so one request may take a few hundred microseconds of it at most."""
    began = time.process_time()
    with contextlib.suppress(BadRequest):
        parse_request(data)
    assert time.process_time() - began < 0.1


TOKENS = st.text("ABCXYZabc-!#$%&'*+.^_`|~019", min_size=1, max_size=12)
TARGETS = st.text("/abc%20?=&:.*@", min_size=1, max_size=30)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=255, blacklist_characters="\x7f"), max_size=30)
NEWLINES = st.sampled_from(["\r\n", "\n"])


@st.composite
def requests(draw: st.DrawFn) -> tuple[bytes, str, str | None]:
    """A valid request, its method, and the value of its last X-Haproxy-Server-State."""
    method = draw(TOKENS)
    lines = [f"{method} {draw(TARGETS)} HTTP/1.{draw(st.integers(0, 9))}"]
    state = None
    names = TOKENS | st.sampled_from(["Host", "X-Haproxy-Server-State", "x-haproxy-server-STATE"])
    for name, value in draw(st.lists(st.tuples(names, VALUES), max_size=6)):
        lines.append(f"{name}:{draw(st.sampled_from(['', ' ', '  ']))}{value}")
        if name.lower() == "x-haproxy-server-state":
            state = value.strip()
    newline = draw(NEWLINES)
    lines = ["", *lines] if draw(st.booleans()) else lines
    return newline.join([*lines, "", ""]).encode("latin-1"), method, state


@given(requests())
def test_a_valid_request_may_arrive_in_any_pieces(example: tuple[bytes, str, str | None]) -> None:
    data, method, state = example
    for end in range(len(data)):
        assert parse_request(data[:end]) is None
    request = parse_request(data)
    assert request is not None
    assert (request.method, request.server_state) == (method, state)
    assert request.path
    assert "?" not in request.path


@given(st.sampled_from([b"", b"\r\n", b"PRI * ", b"PROXY ", b"GET ", b"GET / HTTP/1.0\r\n"]), st.binary(max_size=200))
def test_any_bytes_are_a_request_or_part_of_one_or_refused(start: bytes, data: bytes) -> None:
    try:
        request = parse_request(start + data)
    except BadRequest as refusal:
        request = None
        refused_as = refusal.status
    else:
        refused_as = BAD_REQUEST
    assert request is None or isinstance(request, Request)
    assert refused_as in (BAD_REQUEST, TOO_LARGE, VERSION_NOT_SUPPORTED)


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_what_is_refused_stays_refused(begin: bytes, more: bytes) -> None:
    """A refused text cannot become a valid request: more bytes do not change that."""
    try:
        parse_request(begin)
    except BadRequest:
        with pytest.raises(BadRequest):
            parse_request(begin + more)


@given(st.sampled_from([OK, UNAVAILABLE]), st.text(st.characters(blacklist_categories=("Cs",))), st.booleans())
def test_a_response_is_as_long_as_it_says(status: str, body: str, head: bool) -> None:
    data = render_response(status, body, head=head)
    header, blank, payload = data.partition(b"\r\n\r\n")
    fields = dict(line.split(b": ", 1) for line in header.split(b"\r\n")[1:])
    assert blank
    assert header.startswith(b"HTTP/1.1 " + status.encode() + b"\r\n")
    assert int(fields[b"Content-Length"]) == len(body.encode())
    assert payload == (b"" if head else body.encode())
    assert fields[b"Connection"] == b"close"
