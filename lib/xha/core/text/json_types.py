"""Parsers for a text, a flag and a list of texts in JSON. A value of the wrong type is a TypeError, never converted."""

from __future__ import annotations


def parse_text(value: object) -> str:
    """Return a text. :raises TypeError: for anything else."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def parse_flag(value: object) -> bool:
    """Return true or false. :raises TypeError: for anything else, a number too."""
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value


def parse_texts(value: object) -> tuple[str, ...]:
    """Return a list of texts. :raises TypeError: for anything else."""
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list")
    return tuple(parse_text(word) for word in value)
