"""Text as roff for man pages (macros of groff_man(7)): escaped, in short lines, each sentence on a line of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_WIDTH = 78
_END = re.compile(r"[.!?][)\"]*$")


def escape(text: str) -> str:
    """Return the text so that roff shows it as it is, and a hyphen can be searched for and copied."""
    return text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")


def header(name: str, section: int, version: str, volume: str, date: str) -> list[str]:
    """Return the first lines of a page. date: YYYY-MM-DD of the last change."""
    return [
        f'.TH {name.upper()} {section} "{date}" "xha {escape(version)}" "{volume}"',
        ".nh",  # no hyphenation: a broken name cannot be searched for or copied
        ".ad l",
    ]


def title(name: str, short: str) -> list[str]:
    """Return the section NAME, by which man -k finds the page."""
    return [".SH NAME", *_fill(f"{escape(name)} \\- {escape(short)}")]


def text(words: str) -> list[str]:
    """Return a paragraph's lines, none of which roff can take for a request."""
    return _fill(escape(words))


def _fill(escaped: str) -> list[str]:
    lines, line = [], ""
    for word in escaped.split():
        if line and (len(line) + 1 + len(word) > _WIDTH or _END.search(line)):
            lines.append(line)
            line = ""
        line = f"{line} {word}" if line else word
    return [_shield(one) for one in [*lines, line]]


def paragraphs(words: Iterable[str]) -> list[str]:
    """Return paragraphs, as they stand below a heading."""
    lines: list[str] = []
    for one in words:
        lines += [*([".PP"] if lines else []), *text(one)]
    return lines


def verbatim(lines: Iterable[str]) -> list[str]:
    """Return lines that are shown as they are, one below the other."""
    return [".nf", *(_shield(escape(line)) for line in lines), ".fi"]


def term(macro: str, name: str, meaning: str) -> list[str]:
    """Return a term and what it means. macro: B or I, bold or italic."""
    return [".TP", f".{macro} {escape(name)}", *text(meaning)]


def _shield(line: str) -> str:
    # At the beginning of a line these characters would start a request.
    return f"\\&{line}" if line[:1] in (".", "'") else line
