"""All settings and counters of a server, what its tables lack, and its accounts: read by xha-check doctor, once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ...core.doctor.facts import ServerFacts
from ..network.channel import Allowance
from .session import Session

if TYPE_CHECKING:
    from typing import Any

    from .login_target import Target

# MariaDB 10.11 sends 60 KiB of each (measured). The tables of a schema are asked for the first ones only.
_MOST_BYTES = 8 << 20
_WRITTEN = ("wsrep_replicated_bytes", "wsrep_received_bytes")
_SYSTEM = "'mysql', 'sys', 'information_schema', 'performance_schema'"


class Survey:
    """A connection that only reads. seconds: for each question.

    :raises ReadError: from the constructor and from every method.
    """

    def __init__(self, target: Target, seconds: float) -> None:
        self._target, self._seconds = target, seconds
        self._session = Session(target, self._allowance())

    def read_server(self, sample: float) -> ServerFacts:
        """Return what the server says of itself, and what is written a second, counted over `sample` seconds."""
        before, began = self._pairs("SHOW GLOBAL STATUS"), time.monotonic()
        variables = self._pairs("SHOW GLOBAL VARIABLES")
        time.sleep(max(0.0, sample - (time.monotonic() - began)))
        after, took = self._pairs("SHOW GLOBAL STATUS"), time.monotonic() - began
        return ServerFacts(str(self._target), variables, after, _rate(before, after, took))

    def ask(self, statement: str, *parameters: object) -> tuple[tuple[str, ...], ...]:
        """Return the rows of a question, as texts; NULL is ""."""
        rows: tuple[tuple[Any, ...], ...] = self._session.execute(statement, self._allowance(), *parameters)
        return tuple(tuple("" if cell is None else str(cell) for cell in row) for row in rows)

    def close(self) -> None:
        """Log out."""
        self._session.close()

    def _pairs(self, statement: str) -> dict[str, str]:
        return {row[0].lower(): row[1] for row in self.ask(statement) if len(row) == 2}

    def _allowance(self) -> Allowance:
        return Allowance(self._seconds, _MOST_BYTES)


def _rate(before: dict[str, str], after: dict[str, str], seconds: float) -> float | None:
    try:
        written = sum(int(after[name]) - int(before[name]) for name in _WRITTEN)
    except (KeyError, ValueError):
        return None
    return max(0.0, written / seconds) if seconds > 0 else None
