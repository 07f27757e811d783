"""Text of other accounts and programs, made fit for one line of a log, a terminal or a record."""

from __future__ import annotations

LINE = 200


def clean(text: str, limit: int = LINE) -> str:
    """Return the text on one line, without control characters and cut at limit characters."""
    return "".join(char if char.isprintable() else " " for char in text)[:limit].strip()
