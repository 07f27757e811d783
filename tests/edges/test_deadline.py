"""The timer of a check: a whole conversation ends in time, whatever it waits for."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest

from xha.adapters.process.alarm import Overdue, finish_within, seconds_left, start_timer, stop_timer


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
    with pytest.raises(TimeoutError, match="the time for it is up"):
        finish_within(0.1, wait)
    assert 20 < seconds_left() < 30


def test_one_that_is_ready_in_time_leaves_no_timer_behind() -> None:
    assert finish_within(1.0, lambda: "done") == "done"
    wait(1.2)


def test_no_library_swallows_it() -> None:
    def swallow() -> None:
        with contextlib.suppress(Exception):
            wait()

    with pytest.raises(TimeoutError):
        finish_within(0.1, swallow)


def test_a_part_of_a_part_gets_no_more_than_what_is_left() -> None:
    with pytest.raises(TimeoutError):
        finish_within(0.1, lambda: finish_within(20, wait))

    def hold() -> float:
        with pytest.raises(TimeoutError):
            finish_within(0.1, wait)
        return seconds_left()

    assert 5 < finish_within(20, hold) < 20


def test_the_check_s_own_end_comes_first() -> None:
    start_timer(0.1)
    with pytest.raises(Overdue):
        finish_within(20, wait)
    start_timer(0.1)
    with pytest.raises(Overdue):
        finish_within(0.1, lambda: finish_within(0.2, wait))


def test_the_check_s_own_end_comes_once() -> None:
    """The handling of it would be ended by a second one: the check would die, and be taken for a fault."""
    start_timer(0.1)
    with pytest.raises(Overdue):
        finish_within(20, wait)
    wait(0.1)
    start_timer(0.1)
    with pytest.raises(Overdue):
        wait_and_clean_up()


def wait_and_clean_up() -> None:
    """What a library does in `finally` has no end of its own any more: the parent's."""
    try:
        wait()
    finally:
        finish_within(0.01, lambda: wait(0.1))


def test_no_time_at_all() -> None:
    with pytest.raises(TimeoutError):
        finish_within(-1, wait)


def test_a_limit_that_ends_while_it_begins_or_ends_is_a_time_out_as_well() -> None:
    """Of 20,000 limits of at most 0.2 ms, a context manager let 29 end the check (measured on 3.10)."""
    late = 0
    for number in range(20_000):
        try:
            finish_within(number % 200 * 1e-6, lambda: sum(range(number % 150)))  # noqa: B023 - called at once
        except TimeoutError:
            late += 1
    assert 0 < late < 20_000


def test_a_wait_for_a_socket_is_ended_too() -> None:
    one, another = socket.socketpair()
    one.settimeout(20)
    with one, another, pytest.raises(TimeoutError, match="the time for it is up"):
        finish_within(0.1, lambda: one.recv(1))


def test_without_a_timer_there_is_no_end() -> None:
    stop_timer()
    assert seconds_left() == float("inf")
    assert finish_within(10, seconds_left) <= 10
    assert seconds_left() == float("inf")
