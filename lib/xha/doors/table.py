"""The table of nodes on a terminal and in a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.reading import Reading
from ..core.verdict import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from ..core.reading import Value
    from ..core.verdict import Unreadable, Verdict

HEADINGS = ("NODE", "SERVICE", "REASON", "STATE", "SIZE", "CONF", "SEQNO", "QUEUE", "MESSAGE")

_COLOURS = {ExitCode.OK: 32, ExitCode.WARNING: 33, ExitCode.CRITICAL: 31, ExitCode.UNKNOWN: 35}


def colour(text: str, verdict: Verdict, stream: TextIO) -> str:
    """Return the text in the verdict's colour if the stream is a terminal, else as it is."""
    return f"\x1b[{_COLOURS[verdict.exit_code]}m{text}\x1b[0m" if stream.isatty() else text


def row(name: str, verdict: Verdict, reading: Reading | Unreadable) -> tuple[str, ...]:
    """Return one node's cells, in the order of HEADINGS."""
    facts: tuple[Value, ...] = (None,) * 5
    if isinstance(reading, Reading):
        status = reading.status
        facts = (
            status.wsrep_local_state_comment,
            status.wsrep_cluster_size,
            status.wsrep_cluster_conf_id,
            status.wsrep_last_committed,
            status.wsrep_local_recv_queue,
        )
    service = "in" if verdict.available else "out"
    return (name, service, verdict.code.value, *("-" if one is None else str(one) for one in facts), verdict.message)


def lines(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows below their headings, in columns."""
    table = [HEADINGS, *rows]
    widths = [max(len(cells[column]) for cells in table) for column in range(len(HEADINGS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip() for cells in table]
