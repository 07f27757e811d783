"""Requests that no proxy would send, and clients that break off: each is closed properly and costs no other client."""

from __future__ import annotations

import os
import random
import time

import pytest

from responder.client import PROBE, connect, exchange, read_to_end, request, vanish
from responder.conftest import Flapped
from responder.process import Responder

REQUEST_SECONDS = 5.0
DRAIN_SECONDS = 1.0


@pytest.mark.parametrize(
    "rubbish",
    [
        b"\r\n\r\n\r\n",
        b"\n\n",
        b" / HTTP/1.0\r\n\r\n",
        b"GET\r\n\r\n",
        b"POST /\r\n\r\n",
        b"GET / HTTP/2.0\r\n\r\n",
        b"GET / HTTPS/1.0\r\n\r\n",
        b"GET  / HTTP/1.0\r\n\r\n",
        b"GET / / HTTP/1.0\r\n\r\n",
        b"GET /\x00 HTTP/1.0\r\n\r\n",
        b"GET /\xc3\xa4 HTTP/1.0\r\n\r\n",
        b"GET / HTTP/1.0\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.0\r\nspace before : colon\r\n\r\n",
        b"GET / HTTP/1.0\r\n: no name\r\n\r\n",
        b"GET / HTTP/1.0\r\nName: \x00\r\n\r\n",
        b"GET / HTTP/1.0\r\nName: folded\r\n line\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS: a proxy with check-ssl
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n",
        b"\x0d\x0a\x0d\x0a\x00\x0d\x0a\x51\x55\x49\x54\x0a\x31",  # PROXY protocol, version 3
        b"\x10\x00\x00\x01\x8d\xa6\x0f\x00",  # MySQL's own handshake response: `option mysql-check`
    ],
    ids=repr,
)
def test_what_is_not_http_gets_400(shared: Responder, rubbish: bytes) -> None:
    assert exchange(shared.address, rubbish).status == 400


def test_binary_rubbish_is_answered_or_closed_and_never_ends_the_responder(shared: Responder) -> None:
    chance = random.Random(49000)
    for _ in range(200):
        rubbish = chance.randbytes(chance.randrange(1, 9000))
        with connect(shared.address) as sock:
            sock.sendall(rubbish)
            sock.shutdown(1)
            assert read_to_end(sock)[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 431", b"HTTP/1.1 405", b"HTTP/1.1 404")


def test_a_request_line_of_9_kib_gets_431(shared: Responder) -> None:
    assert exchange(shared.address, b"GET /" + b"a" * 9000).status == 431


def test_9_kib_of_headers_get_431_even_when_they_end(shared: Responder) -> None:
    headers = b"".join(b"X-%d: %s\r\n" % (number, b"y" * 90) for number in range(100))
    assert exchange(shared.address, b"GET / HTTP/1.0\r\n" + headers + b"\r\n").status == 431


def test_a_request_of_just_under_8_kib_is_answered(shared: Responder) -> None:
    line = b"GET /?"
    rest = b" HTTP/1.0\r\n\r\n"
    assert exchange(shared.address, line + b"q" * (8192 - len(line) - len(rest)) + rest).status == 200


def test_a_client_that_connects_and_sends_nothing_gets_408_after_5_s(shared: Responder) -> None:
    answer = exchange(shared.address)
    assert answer.status == 408
    assert REQUEST_SECONDS * 0.9 < answer.seconds < REQUEST_SECONDS + 10


def test_one_byte_a_second_and_a_request_that_never_ends_get_408_after_5_s_while_others_are_served(
    shared: Responder,
) -> None:
    began = time.monotonic()
    with connect(shared.address) as slow, connect(shared.address) as endless:
        endless.sendall(b"GET / HTTP/1.0\r\n")
        alive = {slow: b"", endless: b""}
        for byte in b"GET / HT":
            slow.sendall(bytes([byte]))
            endless.sendall(b"X-More: and more\r\n")
            assert exchange(shared.address, PROBE).status == 200
            if time.monotonic() - began > REQUEST_SECONDS - 2:
                break
            time.sleep(1)
        for sock in alive:
            assert read_to_end(sock).startswith(b"HTTP/1.1 408 ")
    assert REQUEST_SECONDS * 0.9 < time.monotonic() - began < REQUEST_SECONDS + 10


def test_a_request_that_stops_before_its_blank_line_gets_400(shared: Responder) -> None:
    with connect(shared.address) as sock:
        sock.sendall(b"GET / HTTP/1.0\r\n")
        sock.shutdown(1)
        assert read_to_end(sock).startswith(b"HTTP/1.1 400 ")


def test_a_client_that_half_closes_after_its_request_is_answered(shared: Responder) -> None:
    with connect(shared.address) as sock:
        sock.sendall(PROBE)
        sock.shutdown(1)
        assert read_to_end(sock).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("size", [1, 1000, 60_000])
def test_rubbish_behind_the_request_is_drained_and_does_not_reset_the_answer(shared: Responder, size: int) -> None:
    assert exchange(shared.address, PROBE + os.urandom(size)).status == 200


def test_a_second_request_in_one_connection_gets_no_second_answer(shared: Responder) -> None:
    assert exchange(shared.address, PROBE * 20).raw.count(b"HTTP/1.1") == 1


def test_a_client_that_sends_without_end_is_cut_off(shared: Responder) -> None:
    with connect(shared.address) as sock:
        sock.sendall(PROBE)
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            sock.sendall(b"x" * 50_000_000)


def test_a_client_that_never_closes_is_closed_after_the_drain_time(shared: Responder) -> None:
    with connect(shared.address) as sock:
        sock.sendall(PROBE)
        assert read_to_end(sock).startswith(b"HTTP/1.1 200 ")
        with shared.no_growth():  # waits for the descriptor, although this end stays open
            pass


def test_clients_that_vanish_with_a_reset_at_any_point_leave_nothing(shared: Responder) -> None:
    for number in range(200):
        sock = connect(shared.address)
        if number % 4:
            sock.sendall((b"", PROBE[:7], PROBE, request("/node"))[number % 4])
        if number % 8 >= 6:
            sock.recv(10)
        vanish(sock)
    assert shared.ask().status == 200


def test_clients_that_vanish_while_the_database_is_asked_leave_nothing(shared: Responder) -> None:
    for _ in range(20):
        shared.outlive_reading()
        for _ in range(10):
            sock = connect(shared.address)
            sock.sendall(PROBE)
            vanish(sock)
    assert shared.ask().status == 200


def test_300_probes_in_a_row_meet_not_one_reset(shared: Responder) -> None:
    assert {exchange(shared.address, PROBE).raw for _ in range(300)} == {shared.ask().raw}


def test_a_late_request_and_one_in_pieces_meet_no_reset(shared: Responder) -> None:
    pieces = [PROBE[at : at + 1] for at in range(len(PROBE))]
    for _ in range(10):
        assert exchange(shared.address, PROBE, pause=0.15).status == 200
        assert exchange(shared.address, *pieces, pause=0.002).status == 200


def test_a_flood_of_bad_requests_is_one_log_line_and_a_count(flapped: Flapped) -> None:
    assert len(flapped.lines("not HTTP")) == 1
    assert flapped.count("xha_complaints_total") == flapped.complaints


def test_a_state_that_flaps_is_one_log_line_for_each_state(flapped: Flapped) -> None:
    # On a slow machine a state may have stood for a minute, and is told again: with how often it was.
    told = [line for line in flapped.log.read_text().splitlines() if "(said " not in line]
    assert sum("out of service: disabled" in line for line in told) == 1
    assert sum(": in service: synced" in line for line in told) == 1
