"""The words of HAProxy's configuration file, its numbers and its times, and what cannot be evaluated from the file.

Sources: HAProxy configuration manual 2.6 and 3.0, sections 2.2 (quoting, escaping), 2.3 (environment variables), 2.5
(time format). HAProxy puts the value of `${NAME}` in double quotes; its environment is not this process's.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_TIME = re.compile(r"(\d{1,9})(us|ms|s|m|h|d)?", re.ASCII)
_COUNT = re.compile(r"\d{1,9}", re.ASCII)
_VARIABLE = re.compile(r"\$(\{|[A-Za-z_])")
# A run of plain characters; an escape; the blanks between words; a quote; a comment; a \ at the end.
_TOKEN = re.compile(
    r"""(?P<plain>[^\s\\'"#]+)|(?P<escape>\\.)|(?P<blank>\s+)|(?P<quote>['"])|(?P<end>#)|\\""", re.DOTALL
)
_QUOTED = {"'": re.compile(r"[^']*'?"), '"': re.compile(r'(?:[^"\\]|\\.|\\\Z)*"?', re.DOTALL)}
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


class NotUnderstood(Exception):
    """Raised for what is in the file, and whose value cannot be told from it. It is not the same as an absent one."""


class Line(NamedTuple):
    """The words of one line, and its number in the file."""

    number: int
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"line {self.number}, {' '.join(self.words)[:200]}"

    def starts(self, *words: str) -> bool:
        """Whether the line begins with these words."""
        return self.words[: len(words)] == words


def has_variable(word: str) -> bool:
    """Whether a word has a variable of HAProxy's environment."""
    return _VARIABLE.search(word) is not None


def parse_haproxy_time(text: str) -> float | None:
    """Return a time as `10s` in seconds, a number alone being milliseconds (section 2.5); None for others."""
    found = _TIME.fullmatch(text)
    return int(found[1]) * _UNITS[found[2] or "ms"] if found else None


def parse_haproxy_count(text: str) -> int | None:
    """Return a number as HAProxy reads it (atol): of `2s` it is 2. None where there is none, or a variable follows."""
    found = _COUNT.match(text)
    return int(found[0]) if found and not has_variable(text) else None


def split_words(line: str) -> tuple[str, ...]:
    r"""Return the words of a line: blanks separate them, quotes and \ keep what they quote, # begins a comment."""
    words: list[str] = []
    parts: list[str] | None = None
    at = 0
    while at < len(line):
        found = _TOKEN.match(line, at)
        if found is None:  # every character begins a token
            break
        at, kind, text = found.end(), found.lastgroup, found[0]
        if kind in ("blank", "end"):
            if parts is not None:
                words.append("".join(parts))
                parts = None
            if kind == "end":
                break
            continue
        parts = [] if parts is None else parts
        if kind == "quote":
            rest = _QUOTED[text].match(line, at)
            inside = rest[0] if rest else ""
            at += len(inside)
            parts.append(_inside(inside, text))
        else:
            parts.append(text[1:] if kind == "escape" else text)
    if parts is not None:
        words.append("".join(parts))
    return tuple(words)


def _inside(text: str, quote: str) -> str:
    r"""Return what quotes keep, from what follows the first one. In double quotes, \ keeps what follows it."""
    if quote == "'":
        return text[:-1] if text.endswith("'") else text
    closed = re.fullmatch(r'(?:[^"\\]|\\.|\\\Z)*"', text, re.DOTALL) is not None
    return _ESCAPE.sub(r"\1", text[:-1] if closed else text)
