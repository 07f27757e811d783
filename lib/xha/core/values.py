"""The values that keys of xha.conf have in common: text in, a value or a ValueError that names the text out."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from .durations import parse_duration

if TYPE_CHECKING:
    from enum import Enum
    from typing import Callable

    E = TypeVar("E", bound=Enum)


def parse_words(text: str) -> list[str]:
    """Return the words of a list that blanks or commas separate."""
    return text.replace(",", " ").split()


def parse_positive_duration(text: str) -> float:
    """Return a duration in seconds that is not 0. :raises ValueError: naming the text."""
    seconds = parse_duration(text)
    if seconds <= 0:
        raise ValueError(f"{text!r} must be more than 0")
    return seconds


def parse_choice(kind: type[E]) -> Callable[[str], E]:
    """Return a parser for one of an enumeration's values. It raises ValueError, naming the text and the values."""

    def parse(text: str) -> E:
        try:
            return kind(text)
        except ValueError:
            raise ValueError(f"{text!r} is none of {', '.join(one.value for one in kind)}") from None

    return parse


def parse_path(text: str) -> str:
    """Return an absolute path. :raises ValueError: naming the text."""
    if not text.startswith("/"):
        raise ValueError(f"{text!r} is not an absolute path")
    if "\0" in text:
        raise ValueError(f"{text!r} holds a null byte")
    return text


def parse_text(text: str) -> str:
    """Return text that is not empty. :raises ValueError: for none."""
    if not text:
        raise ValueError("a value is missing")
    return text
