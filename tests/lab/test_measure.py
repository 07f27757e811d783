"""What a user experienced, from hand-written journals."""

from __future__ import annotations

import json

import pytest

from lab.cluster import Galera
from lab.faults import FAULTS
from lab.measure import Attempt, Kind, judge_attempts, parse_journal
from lab.place import HOSTS
from lab.watch import Look, synced_after


def attempt(at: float, row: int, error: str | None = None, style: str = "fresh", unknown: bool = False) -> Attempt:
    return Attempt(at, (0, row), style, error, unknown)


def line(at: float, row: int, error: str | None = None) -> str:
    entry = {"at": at, "writer": 0, "row": row, "style": "fresh", "error": error, "unknown": bool(error)}
    return json.dumps(entry) + "\n"


def test_only_what_the_server_acknowledged_must_be_there() -> None:
    felt = judge_attempts([attempt(1, 1), attempt(2, 2, "2013 Lost connection"), attempt(3, 3)], 0, 4)
    assert felt.acknowledged == {(0, 1), (0, 3)}
    assert felt.errors == {"2013 Lost connection": 1}


def test_rows_from_before_the_fault_must_be_there_too_but_their_errors_are_not_its_errors() -> None:
    felt = judge_attempts([attempt(1, 1), attempt(2, 2, "1040 Too many"), attempt(11, 3)], 10, 12)
    assert felt.acknowledged == {(0, 1), (0, 3)}
    assert felt.error_count == 0


def test_the_longest_gap_counts_from_the_fault_and_to_the_end() -> None:
    assert judge_attempts([attempt(9, 1), attempt(14, 2), attempt(15, 3)], 10, 16).longest_gap == 4
    assert judge_attempts([attempt(11, 1)], 10, 20).longest_gap == 9
    assert judge_attempts([], 10, 20).longest_gap == 10


def test_a_client_that_never_stopped_writing_was_back_after_nothing() -> None:
    felt = judge_attempts([attempt(at / 10, at) for at in range(200)], 10, 19.9)
    assert (felt.back_after, felt.silent) == (0.0, 0)


def test_two_outages_are_both_counted_as_silence_and_the_first_one_ends_when_writes_go_on() -> None:
    felt = judge_attempts([attempt(10, 1), attempt(13, 2), attempt(13.5, 3), attempt(18.5, 4), attempt(19, 5)], 10, 19)
    assert (felt.back_after, felt.silent, felt.longest_gap) == (3, 8, 5)


def test_each_kind_of_writer_is_counted_by_itself_with_what_it_cannot_know() -> None:
    attempts = [
        attempt(11, 1),
        attempt(12, 2, style="pool"),
        attempt(13, 3, "1213 Deadlock", "pool"),
        attempt(14, 4, "2013 Lost connection", "pool", unknown=True),
        attempt(15, 5),
    ]
    assert judge_attempts(attempts, 10, 16).by_kind == {
        "fresh": Kind(acknowledged=2, errors=0, longest_gap=4, unknown=frozenset()),
        "pool": Kind(acknowledged=1, errors=2, longest_gap=4, unknown=frozenset({(0, 4)})),
    }


def test_the_usual_gap_is_that_of_the_time_before_the_fault() -> None:
    assert judge_attempts([attempt(7, 1), attempt(9, 2), attempt(9.5, 3), attempt(14, 4)], 10, 15).usual_gap == 2
    assert judge_attempts([attempt(14, 4)], 10, 15).usual_gap is None


def test_a_journal_cut_short_at_either_end_is_read_without_the_torn_line() -> None:
    journal = [line(1, 1)[5:], line(3, 3), line(2, 2), line(4, 4)[:20]]
    assert [each.row[1] for each in parse_journal(journal)] == [2, 3]


def looks(*sizes: int) -> list[Look]:
    """One look a second, from second 1 on. All three nodes are in a component of the given size (0: down)."""
    return [
        Look(second, dict.fromkeys(HOSTS, Galera("Synced", "Primary", True, size, "u") if size else Galera()))
        for second, size in enumerate(sizes, 1)
    ]


def test_synced_after_counts_to_the_last_time_that_it_was_not_so() -> None:
    assert synced_after(looks(3, 3, 3), HOSTS, 0) == 0
    assert synced_after(looks(3, 0, 3, 2, 3, 3), HOSTS, 0) == 5
    assert synced_after(looks(0, 0, 3), HOSTS, 0) == 3
    assert synced_after(looks(3, 3, 0), HOSTS, 0) == float("inf")


NEEDLESS = {
    "one start of each server that was killed is needed": ("kill-two", {"h1": 1, "h2": 1, "h3": 0}, (), 0),
    "a second start of one is not": ("kill-two", {"h1": 2, "h2": 1, "h3": 0}, (), 1),
    "nor is one of a server that was not killed": ("kill-two", {"h1": 1, "h2": 0, "h3": 1}, (), 1),
    "a host that was shot for its silence starts its server again": ("cut-active", {"h1": 1}, ("h1",), 0),
    "one that kept its power need not": ("cut-active", {"h1": 1}, (), 1),
    "nor need one that was shot for something else": ("cut-active", {"h1": 0, "h2": 1}, ("h2",), 1),
    "of two bootstraps one has to go, whichever": ("two-bootstraps", {"h1": 1, "h2": 2, "h3": 1}, (), 0),
    "and not both": ("two-bootstraps", {"h1": 2, "h2": 2, "h3": 1}, (), 1),
}


@pytest.mark.parametrize(("fault", "starts", "booted", "needless"), NEEDLESS.values(), ids=NEEDLESS)
def test_needless_are_the_starts_that_a_fault_did_not_ask_for(
    fault: str, starts: dict[str, int], booted: tuple[str, ...], needless: int
) -> None:
    assert FAULTS[fault].count_needless(starts, booted) == needless
