"""What the resident responder logs: changes of state, warnings, and connections that got no regular answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.node.verdict import Code, Verdict

if TYPE_CHECKING:
    from ...adapters.host.log import Log
    from ..node.reader import Snapshot


_DIGITS = dict.fromkeys(map(ord, "0123456789"))


class EventLog:
    """Writes one log line for each change of state. The log itself repeats none without news."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self._last: Verdict | None = None
        self._warnings: frozenset[str] = frozenset()

    def note(self, snapshot: Snapshot) -> None:
        """Log a verdict or a warning that differs from the last one."""
        verdict, last = snapshot.verdict, self._last
        self._last = verdict
        if last is None or _state(verdict) != _state(last):
            self._log_verdict(verdict)
        warnings = {_without_numbers(warning): warning for warning in snapshot.warnings}
        for kind, warning in warnings.items():
            if kind not in self._warnings:
                self.log.warning(warning, kind=kind)
        self._warnings = frozenset(warnings)

    def complain(self, host: str, why: str) -> None:
        """Log a connection that got no regular answer. Any number of hosts can bring the same about."""
        self.log.warning(f"{host}: {why}", kind=f"a connection: {why}")

    def _log_verdict(self, verdict: Verdict) -> None:
        service = "in service" if verdict.available else "out of service"
        remedy = f"; {verdict.remedy}" if verdict.remedy else ""
        write = self.log.info if verdict.code is Code.SYNCED else self.log.warning
        said = f"{service}: {verdict.code.value}: {verdict.message}{remedy}"
        write(said, about="the node", kind=" ".join(map(str, _state(verdict))))


def _without_numbers(text: str) -> str:
    # A queue that grows and a disk that fills are told once.
    return text.translate(_DIGITS)


def _state(verdict: Verdict) -> tuple[object, ...]:
    # Another error in the configuration is logged: whoever corrected the first one needs to know the next.
    return verdict.code, verdict.available, verdict.message if verdict.code is Code.CONFIG_ERROR else None
