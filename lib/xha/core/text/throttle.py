"""Limits how many events are written to the log."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Throttle:
    """Admits the first `burst` events of every `period` (in seconds) and counts the rest."""

    burst: int
    period: float
    _period_began: float = float("-inf")
    _events: int = 0

    def admit(self, now: float) -> bool:
        """Return whether to log an event that happens now."""
        if now - self._period_began >= self.period:
            self._period_began, self._events = now, 0
        self._events += 1
        return self._events <= self.burst

    def take_quiet(self, now: float) -> int:
        """Return how many events of a period that is over were not logged. Each of them is counted once."""
        if now - self._period_began < self.period:
            return 0
        quiet, self._events = max(0, self._events - self.burst), 0
        return quiet
