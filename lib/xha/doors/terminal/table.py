"""The table of nodes, on a terminal and in a pipe."""

from __future__ import annotations

import sys
from shutil import get_terminal_size
from typing import TYPE_CHECKING, NamedTuple

from ...core.galera.reading import Reading
from ...core.node.verdict import NagiosCode
from ...core.text.escape import clean
from .frame import wrap_texts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from ...core.galera.reading import Value
    from ...core.node.verdict import Unreadable, Verdict

FACTS = ("STATE", "SIZE", "CONF", "SEQNO", "QUEUE")
HEADINGS = ("NODE", "SERVICE", "REASON", *FACTS, "MESSAGE")
# The last column of a table that is a sentence.
TEXTS = ("MESSAGE", "WHY")
# A sentence in fewer characters is hard to read: it stands below its row.
_LEAST_TEXT = 24
# What a healthy node changes all the time is no news.
QUIET = ("SEQNO", "QUEUE", "AGE")
_WIDEST = 1000

_COLOURS = {NagiosCode.OK: 32, NagiosCode.WARNING: 33, NagiosCode.CRITICAL: 31, NagiosCode.UNKNOWN: 35}


def colour(text: str, verdict: Verdict, stream: TextIO) -> str:
    """Return the text in the verdict's colour if the stream is a terminal, otherwise unchanged."""
    return paint(text, verdict.exit_code, stream)


def paint(text: str, code: NagiosCode, stream: TextIO) -> str:
    """Return the text in the exit code's colour if the stream is a terminal, otherwise unchanged."""
    return f"\x1b[{_COLOURS[code]}m{text}\x1b[0m" if stream.isatty() else text


class Row(NamedTuple):
    """The cells of one node, below headings of the same number. message: what is said beside or below the table."""

    cells: tuple[str, ...]
    exit_code: NagiosCode
    headings: tuple[str, ...] = HEADINGS
    message: str = ""

    @property
    def news(self) -> tuple[str, ...]:
        """What makes a new line of --watch where it changes."""
        named = zip(self.headings, self.cells)
        return (*(cell for heading, cell in named if heading not in QUIET), self.message)


def row(name: str, verdict: Verdict, reading: Reading | Unreadable) -> Row:
    """Return the row of one node."""
    service = "in" if verdict.available else "out"
    facts = fact_cells(reading if isinstance(reading, Reading) else None)
    return Row(clean_cells(name, service, verdict.code.value, *facts, verdict.message), verdict.exit_code)


def fact_cells(reading: Reading | None) -> tuple[str, ...]:
    """Return the cells of FACTS, `-` for what is not known."""
    facts: tuple[Value, ...] = (None,) * len(FACTS)
    if reading is not None:
        status = reading.status
        facts = (
            status.wsrep_local_state_comment,
            status.wsrep_cluster_size,
            status.wsrep_cluster_conf_id,
            status.wsrep_last_committed,
            status.wsrep_local_recv_queue,
        )
    return tuple("-" if one is None else str(one) for one in facts)


def clean_cells(*cells: str) -> tuple[str, ...]:
    """Return cells that hold no control characters: text from another host must not control this terminal."""
    return tuple(clean(cell, _WIDEST) for cell in cells)


def lines(rows: Sequence[Row], stream: TextIO, width: int | None = None) -> list[str]:
    """Return the rows below their headings, in columns, and in colour if the stream is a terminal.

    width: of the terminal. Columns of facts that do not fit are left out as a whole, from the right, and a sentence at
    the end of a row is continued in the next line: nothing is cut.
    """
    if not rows:
        return []
    table = [rows[0].headings, *(one.cells for one in rows)]
    if not width or max(map(len, columns(table))) <= width:
        folded = [[line] for line in columns(table)]
    elif table[0][-1] in TEXTS:
        folded = _fold([cells[:-1] for cells in table], [cells[-1] for cells in table], width)
    else:
        folded = [[line] for line in columns(_narrow(table, width))]
    codes = [one.exit_code for one in rows]
    return [*folded[0], *(paint(line, code, stream) for group, code in zip(folded[1:], codes) for line in group)]


def _narrow(table: Sequence[Sequence[str]], width: int) -> Sequence[Sequence[str]]:
    while table[0][-1] in FACTS and max(map(len, columns(table))) > width:
        table = [cells[:-1] for cells in table]
    return table


def _fold(table: Sequence[Sequence[str]], texts: Sequence[str], width: int) -> list[list[str]]:
    """Return for each row its lines: the sentence beside the columns, or below them where too little is left."""
    indent = max(map(len, columns(table))) + 2
    if width - indent < _LEAST_TEXT:
        left = columns(_narrow(table, width))
        return [[left[0]], *([one, *wrap_texts([text], width, "  ", "  ")] for one, text in zip(left[1:], texts[1:]))]
    beside = [wrap_texts([text], width - indent) or [""] for text in texts]
    return [
        [f"{one.ljust(indent)}{told[0]}".rstrip(), *(" " * indent + more for more in told[1:])]
        for one, told in zip(columns(table), beside)
    ]


def terminal_width() -> int | None:
    """Return the width of the terminal that stdout is, None where it is none."""
    return get_terminal_size().columns if sys.stdout.isatty() else None


def columns(table: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows of a table as lines with aligned columns."""
    widths = [max(map(len, cells)) for cells in zip(*table)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip() for cells in table]
