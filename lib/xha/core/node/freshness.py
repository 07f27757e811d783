"""Decides which reading answers a probe: a finished one, the one in flight, or none because the server is overdue.

This is pure bookkeeping for one reader of one database. Times are seconds of any monotonic clock. The rules are in
docs/architecture.md, "Freshness":

1. A finished reading answers a probe if its query was sent at most max_age before the probe arrived.
2. Otherwise the reading in flight answers it.
3. Once the reading in flight is overdue, `hung` answers it at once.
"""

from __future__ import annotations

from enum import Enum
from typing import Generic, TypeVar

Snapshot = TypeVar("Snapshot")

MAX_READINGS_PER_SECOND = 12


class Due(Enum):
    """How a probe is answered now."""

    FINISHED = "finished"
    WAIT = "wait"
    HUNG = "hung"


class Freshness(Generic[Snapshot]):
    """The state of one reader. It is no dataclass: the import of that takes a resident process 1 MB."""

    def __init__(self, max_age: float, deadline: float) -> None:
        """max_age and deadline are in seconds."""
        self.max_age, self.deadline = max_age, deadline
        self.snapshot: Snapshot | None = None
        self.asked_at = self.finished_asked_at = float("-inf")
        self.in_flight = self.hung = False

    def due(self, now: float) -> Due:
        """Return how to answer a probe that waits or arrives now. Sets `hung` once the reading in flight is overdue."""
        # This must be the same sum as in overdue_at. With other rounding a reading could be overdue there and not here.
        if self.in_flight and self.asked_at + self.deadline <= now:
            self.hung = True
        fresh = now - self.finished_asked_at <= self.max_age
        if self.hung and (self.in_flight or fresh):
            return Due.HUNG
        # This also holds if the reader gave up: then it is not known whether the server would answer the next query.
        return Due.FINISHED if fresh else Due.WAIT

    def may_ask_at(self) -> float | None:
        """Return when the next query may be sent, or None while one is in flight."""
        return None if self.in_flight else self.asked_at + 1 / MAX_READINGS_PER_SECOND

    def age(self, now: float) -> float:
        """Return the seconds since the query behind the present answer was sent; for hung, since the unanswered one."""
        return now - (self.asked_at if self.hung else self.finished_asked_at)

    def overdue_at(self) -> float | None:
        """Return when the reading in flight becomes overdue, or None if nothing waits for that."""
        return self.asked_at + self.deadline if self.in_flight and not self.hung else None

    def asked(self, now: float) -> None:
        """Note that a query was sent."""
        self.asked_at, self.in_flight, self.hung = now, True, False

    def finished(self, snapshot: Snapshot, answered: bool) -> None:
        """Note the end of the query. answered is False if the reader gave up waiting."""
        self.snapshot, self.in_flight = snapshot, False
        self.finished_asked_at = self.asked_at
        self.hung = not answered
