"""What the resident responder logs: changes and errors one by one, and floods only as a sum."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...core.node.verdict import Code, Verdict
from ...core.text.throttle import Throttle

if TYPE_CHECKING:
    from ...adapters.host.log import Log
    from ..node.reader import Snapshot


_DIGITS = dict.fromkeys(map(ord, "0123456789"))


@dataclass
class EventLog:
    """Writes one log line for each change of state, and a summary of a flood."""

    log: Log
    _last: Verdict | None = None
    _warnings: frozenset[str] = frozenset()
    _changes: Throttle = field(default_factory=lambda: Throttle(burst=10, period=60))
    _cautions: Throttle = field(default_factory=lambda: Throttle(burst=10, period=60))
    _complaints: Throttle = field(default_factory=lambda: Throttle(burst=5, period=60))

    def note(self, snapshot: Snapshot, now: float) -> None:
        """Log a verdict or a warning that differs from the last one."""
        self.summarise(now)
        verdict, last = snapshot.verdict, self._last
        self._last = verdict
        if (last is None or _state(verdict) != _state(last)) and self._changes.admit(now):
            self._log_verdict(verdict)
        warnings = {_without_numbers(warning): warning for warning in snapshot.warnings}
        for kind, warning in warnings.items():
            if kind not in self._warnings and self._cautions.admit(now):
                self.log.warning(warning)
        self._warnings = frozenset(warnings)

    def complain(self, host: str, why: str, now: float) -> None:
        """Log a connection that got no regular answer, a few times a minute."""
        self.summarise(now)
        if self._complaints.admit(now):
            self.log.warning(f"{host}: {why}")

    def summarise(self, now: float) -> None:
        """Log, once its minute is over, how many lines of a flood were suppressed, and the present state."""
        changes = self._changes.take_quiet(now)
        if changes and self._last:
            self.log.warning(f"{changes} more changes of state in the last minute; the present one follows")
            self._log_verdict(self._last)
        for throttle, what in ((self._cautions, "warnings"), (self._complaints, "connections that came to nothing")):
            quiet = throttle.take_quiet(now)
            if quiet:
                self.log.warning(f"{quiet} more {what} in the last minute")

    def _log_verdict(self, verdict: Verdict) -> None:
        service = "in service" if verdict.available else "out of service"
        remedy = f"; {verdict.remedy}" if verdict.remedy else ""
        write = self.log.info if verdict.code is Code.SYNCED else self.log.warning
        write(f"{service}: {verdict.code.value}: {verdict.message}{remedy}")


def _without_numbers(text: str) -> str:
    # A queue that grows and a disk that fills are told once.
    return text.translate(_DIGITS)


def _state(verdict: Verdict) -> tuple[object, ...]:
    # Another error in the configuration is logged: whoever corrected the first one needs to know the next.
    return verdict.code, verdict.available, verdict.message if verdict.code is Code.CONFIG_ERROR else None
