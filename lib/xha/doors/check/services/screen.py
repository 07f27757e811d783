"""What a terminal shows of services: first what is not well, with its message in full; then the others.

Nothing is cut at the edge: what does not fit beside the others is left out as a whole. A table of 18 services whose
messages stand at the end of a line shows at 80 columns that something is wrong, and not what.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ....core.services.model.result import Status, exit_code, worst_first
from ....core.text.escape import clean
from ...terminal.frame import wrap_texts
from ...terminal.table import columns, paint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ....core.services.model.result import Result

_WELL = (Status.OK, Status.NOT_APPLICABLE)
_INDENT = "    "
_LONGEST = 1000


def screen_lines(results: Sequence[Result], width: int, height: int) -> list[str]:
    """Return the lines for a terminal of this size. More than height only if more is not well than it can show.

    The worst comes first: a dead database makes a warning of each API, and is itself one of the last in the catalogue.
    """
    sick = sorted((one for one in results if one.status not in _WELL), key=lambda one: worst_first(exit_code(one)))
    well = [one for one in results if one.status in _WELL]
    # What was proved is left out first: the message says what to do.
    told = _tell(sick, width, with_proof=True)
    if len(told) > height - 2:
        told = _tell(sick, width, with_proof=False)
    room = height - len(told) - (1 if told and well else 0)
    return [*told, *([""] if told and well else []), *_list(well, width, room)]


def _tell(sick: Sequence[Result], width: int, *, with_proof: bool) -> list[str]:
    """Return the results that are not well: a line each, and below it the message."""
    lines = []
    for one in sick:
        blame = f", {one.blame}" if one.blame else ""
        head = f"{one.name}  {one.status.value}{blame}  ({one.level.word}, {one.duration_ms} ms)"
        lines += [paint(line, exit_code(one), sys.stdout) for line in _wrap(head, width, "")]
        texts = [one.message, f"proved: {one.proved}" if with_proof and one.proved else ""]
        for text in filter(None, texts):
            lines += _wrap(text, width, _INDENT, _INDENT)
    return lines


def _list(well: Sequence[Result], width: int, height: int) -> list[str]:
    """Return the results that are well: with what was proved, or without it, or their names alone."""
    if not well:
        return []
    rows = [(one.name, one.status.value, one.level.word, f"{one.duration_ms} ms") for one in well]
    proofs = [clean(one.proved or one.message, _LONGEST) for one in well]
    for table in ([(*row, proof) for row, proof in zip(rows, proofs)], rows):
        lines = columns(table)
        if max(map(len, lines)) <= width and len(lines) <= height:
            return [paint(line, exit_code(one), sys.stdout) for line, one in zip(lines, well)]
    names = ", ".join(one.name if one.status is Status.OK else f"{one.name} ({one.status.value})" for one in well)
    return _wrap(f"well: {names}", width, "", "      ")


def _wrap(text: str, width: int, first: str, following: str = "") -> list[str]:
    return wrap_texts([clean(text, _LONGEST)], width, first, following)
