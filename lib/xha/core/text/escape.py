"""Makes text of other accounts and programs fit for one line of a log, a terminal or a record."""

from __future__ import annotations

LINE = 200


def blank(text: str, instead: str = " ") -> str:
    """Return the text with something else for each character that is not printable: none steers a terminal."""
    return "".join(char if char.isprintable() else instead for char in text)


def clean(text: str, limit: int = LINE) -> str:
    """Return the text on one line, without control characters, and cut at limit characters."""
    return blank(text)[:limit].strip()
