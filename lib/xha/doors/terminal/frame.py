"""What fits a terminal of a given size: texts in lines, and how many lines are left out. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def wrap_texts(texts: Iterable[str], width: int, first: str = "", following: str = "") -> list[str]:
    """Return texts in lines of at most `width` characters. A name or a path is not broken at its hyphens."""
    from textwrap import wrap

    return [
        line
        for text in texts
        for line in wrap(text, width, initial_indent=first, subsequent_indent=following, break_on_hyphens=False)
    ]


def fit_lines(lines: Sequence[str], height: int, command: str) -> list[str]:
    """Return the lines that fit `height`, and how many do not. command: the one that shows all of them."""
    if len(lines) <= height:
        return list(lines)
    shown = max(0, height - 1)
    return [*lines[:shown], f"... and {len(lines) - shown} more lines: {command} shows all"]


def fit_frame(
    table: Sequence[str], below: Iterable[str], width: int, height: int, command: str
) -> tuple[list[str], list[str]]:
    """Return the lines of a table, and of the sentences below it, which together fit `height`.

    Where they do not fit, each has half of it, or what the other leaves.
    """
    sentences = wrap_texts(below, width)
    for_table = max(height - len(sentences), height // 2)
    rows = fit_lines(table, for_table, command)
    return rows, fit_lines(sentences, height - len(rows), command)
