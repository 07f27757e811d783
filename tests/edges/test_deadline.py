"""The timer of a check: a whole conversation ends in time, whatever it waits for."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest

from xha.adapters.process.alarm import Overdue, limit, seconds_left, start_timer, stop_timer


@pytest.fixture(autouse=True)
def timer() -> Iterator[None]:
    start_timer(30)
    yield
    stop_timer()


def wait(seconds: float = 20) -> None:
    """Many short waits, each of which ends in time, like a peer that sends a byte now and then."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.01)


def test_a_part_ends_by_a_time_out_and_what_is_left_is_left() -> None:
    with pytest.raises(TimeoutError, match="the time for it is up"), limit(0.1):
        wait()
    assert 20 < seconds_left() < 30


def test_one_that_is_ready_in_time_leaves_no_timer_behind() -> None:
    with limit(0.2):
        pass
    wait(0.4)


def test_no_library_swallows_it() -> None:
    with pytest.raises(TimeoutError), limit(0.1), contextlib.suppress(Exception):
        wait()


def test_a_part_of_a_part_gets_no_more_than_what_is_left() -> None:
    with pytest.raises(TimeoutError), limit(0.1), limit(20):
        wait()
    with limit(20):
        with pytest.raises(TimeoutError), limit(0.1):
            wait()
        assert 5 < seconds_left() < 20


def test_the_check_s_own_end_comes_first() -> None:
    start_timer(0.1)
    with pytest.raises(Overdue), limit(20):
        wait()
    start_timer(0.1)
    with pytest.raises(Overdue), limit(0.1), limit(0.2):
        wait()


def test_no_time_at_all() -> None:
    with pytest.raises(TimeoutError), limit(-1):
        wait()


def test_a_wait_for_a_socket_is_ended_too() -> None:
    one, another = socket.socketpair()
    one.settimeout(20)
    with one, another, pytest.raises(TimeoutError, match="the time for it is up"), limit(0.1):
        one.recv(1)


def test_without_a_timer_there_is_no_end() -> None:
    stop_timer()
    assert seconds_left() == float("inf")
    with limit(10):
        assert seconds_left() <= 10
    assert seconds_left() == float("inf")
