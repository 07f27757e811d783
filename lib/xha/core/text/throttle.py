"""Keeps a flood of events from becoming a flood of log lines."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Throttle:
    """Lets burst events through in every period of seconds and counts the rest."""

    burst: int
    period: float
    _period_began: float = float("-inf")
    _events: int = 0

    def admit(self, now: float) -> bool:
        """Return whether to tell of an event that happens now."""
        if now - self._period_began >= self.period:
            self._period_began, self._events = now, 0
        self._events += 1
        return self._events <= self.burst

    def take_quiet(self, now: float) -> int:
        """Return how many events were kept quiet in a period that is over; each is counted once."""
        if now - self._period_began < self.period:
            return 0
        quiet, self._events = max(0, self._events - self.burst), 0
        return quiet
