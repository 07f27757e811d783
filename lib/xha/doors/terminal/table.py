"""The table of nodes, on a terminal and in a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ...core.galera.reading import Reading
from ...core.node.verdict import NagiosCode
from ...core.text.escape import clean

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from ...core.galera.reading import Value
    from ...core.node.verdict import Unreadable, Verdict

HEADINGS = ("NODE", "SERVICE", "REASON", "STATE", "SIZE", "CONF", "SEQNO", "QUEUE", "MESSAGE")
_WIDEST = 1000

_COLOURS = {NagiosCode.OK: 32, NagiosCode.WARNING: 33, NagiosCode.CRITICAL: 31, NagiosCode.UNKNOWN: 35}


def colour(text: str, verdict: Verdict, stream: TextIO) -> str:
    """Return the text in the verdict's colour if the stream is a terminal, otherwise unchanged."""
    return paint(text, verdict.exit_code, stream)


def paint(text: str, code: NagiosCode, stream: TextIO) -> str:
    """Return the text in the exit code's colour if the stream is a terminal, otherwise unchanged."""
    return f"\x1b[{_COLOURS[code]}m{text}\x1b[0m" if stream.isatty() else text


class Row(NamedTuple):
    """The cells of one node, in the order of HEADINGS."""

    cells: tuple[str, ...]
    verdict: Verdict


def row(name: str, verdict: Verdict, reading: Reading | Unreadable) -> Row:
    """Return the row of one node."""
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
    cells = (name, service, verdict.code.value, *("-" if one is None else str(one) for one in facts), verdict.message)
    # Text from another host's server must not control this terminal.
    return Row(tuple(clean(cell, _WIDEST) for cell in cells), verdict)


def lines(rows: Sequence[Row], stream: TextIO) -> list[str]:
    """Return the rows below their headings, in columns, and in colour if the stream is a terminal."""
    text = columns([HEADINGS, *(one.cells for one in rows)])
    return [text[0], *(colour(line, one.verdict, stream) for line, one in zip(text[1:], rows))]


def columns(table: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows of a table as lines with aligned columns."""
    widths = [max(map(len, cells)) for cells in zip(*table)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip() for cells in table]
