"""What a user experienced, computed from the writers' journal. Pure: it reads no clock and no cluster."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

# Longer than any writer waits by itself, so a gap of this length is caused by the cluster.
OUTAGE_SECONDS = 1.0

# How a writer connects (lab/writers.py).
PERSISTENT, FRESH, POOL = "persistent", "fresh", "pool"

Row = tuple[int, int]


@dataclass(frozen=True)
class Attempt:
    """One write. `at` is when it ended (seconds, monotonic). `error` is None if the server acknowledged it.

    `unknown`: it failed, and may be committed all the same.
    """

    at: float
    row: Row
    style: str
    error: str | None
    unknown: bool = False


@dataclass(frozen=True)
class Kind:
    """What the writers of one kind experienced. `unknown`: the rows that may be committed, though nobody said so."""

    acknowledged: int
    errors: int
    longest_gap: float
    unknown: frozenset[Row]


@dataclass(frozen=True)
class Felt:
    """The attempts of one period in numbers. Times are in seconds.

    `acknowledged`: the rows that must be on every node.
    `longest_gap`: the longest time without an acknowledged write.
    `back_after`: from the beginning of the period until writes continued after its first outage (0.0: it had none).
    `silent`: the sum of all outages.
    `usual_gap`: the longest time without an acknowledged write before the period, when nothing was wrong.
      None if there were too few to have one.
    """

    acknowledged: frozenset[Row]
    errors: dict[str, int]
    longest_gap: float
    back_after: float
    silent: float
    usual_gap: float | None
    by_kind: dict[str, Kind]

    @property
    def error_count(self) -> int:
        return sum(self.errors.values())


def parse_journal(lines: Iterable[str]) -> list[Attempt]:
    """The attempts in the order in which they ended. An incomplete line is left out."""
    attempts = []
    for line in lines:
        if line.startswith("{") and line.endswith("}\n"):
            said = json.loads(line)
            row = (said["writer"], said["row"])
            attempts.append(Attempt(said["at"], row, said["style"], said["error"], said["unknown"]))
    return sorted(attempts, key=lambda attempt: attempt.at)


def judge_attempts(attempts: Iterable[Attempt], begin: float, end: float) -> Felt:
    """What a user experienced from `begin` to `end` (monotonic). A row acknowledged before `begin` counts too."""
    attempts = [attempt for attempt in attempts if attempt.at <= end]
    within = [attempt for attempt in attempts if attempt.at >= begin]
    good = [attempt for attempt in within if attempt.error is None]
    gaps = find_gaps([attempt.at for attempt in good], begin, end)
    before = [attempt.at for attempt in attempts if attempt.at < begin and attempt.error is None]
    outages = [(since, until) for since, until in gaps if until - since >= OUTAGE_SECONDS]
    return Felt(
        acknowledged=frozenset(attempt.row for attempt in attempts if attempt.error is None),
        errors=dict(Counter(attempt.error for attempt in within if attempt.error is not None)),
        longest_gap=longest(gaps),
        back_after=outages[0][1] - begin if outages else 0.0,
        silent=sum(until - since for since, until in outages),
        usual_gap=longest(list(zip(before, before[1:]))) if len(before) > 1 else None,
        by_kind={
            kind: judge_kind([attempt for attempt in within if attempt.style == kind], begin, end)
            for kind in sorted({attempt.style for attempt in within})
        },
    )


def judge_kind(attempts: list[Attempt], begin: float, end: float) -> Kind:
    good = [attempt.at for attempt in attempts if attempt.error is None]
    return Kind(
        acknowledged=len(good),
        errors=len(attempts) - len(good),
        longest_gap=longest(find_gaps(good, begin, end)),
        unknown=frozenset(attempt.row for attempt in attempts if attempt.unknown),
    )


def find_gaps(times: list[float], begin: float, end: float) -> list[tuple[float, float]]:
    """The gaps between neighbours among `times`, the period's two ends included."""
    marks = [begin, *times, end]
    return list(zip(marks, marks[1:]))


def longest(gaps: list[tuple[float, float]]) -> float:
    return max((until - since for since, until in gaps), default=0.0)
