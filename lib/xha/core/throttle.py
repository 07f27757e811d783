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

    def admit(self, now: float) -> tuple[bool, int]:
        """Return whether to tell of an event, and how many were kept quiet in the period that has just ended."""
        quiet = 0
        if now - self._period_began >= self.period:
            quiet = max(0, self._events - self.burst)
            self._period_began, self._events = now, 0
        self._events += 1
        return self._events <= self.burst, quiet
