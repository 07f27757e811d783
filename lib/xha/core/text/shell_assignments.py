"""Parses the shell assignments of /etc/sysconfig/clustercheck and /etc/default/clustercheck without executing them."""

from __future__ import annotations

import re

_ASSIGNMENT = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=(.*?)\r?", re.DOTALL)
# The parts of a shell word: 'literal', "with escapes", an escaped character, plain characters. shlex would begin a
# comment at any #, and so cut a password short.
_PART = re.compile(r"""'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^ \t'"\\;&|<>()]+)""", re.DOTALL)
_ESCAPED_IN_QUOTES = re.compile(r"""\\([$`"\\])""")


def parse_sysconfig(text: str) -> dict[str, str]:
    """Return the KEY=VALUE lines. Quotes and comments are those of a shell. Other lines are ignored."""
    assignments = (_ASSIGNMENT.fullmatch(line) for line in text.split("\n"))
    return {each[1]: _first_word(each[2]) for each in assignments if each}


def _first_word(text: str) -> str:
    value, part, end = "", _PART.match(text), 0
    while part:
        literal, quoted, escaped, plain = part.groups()
        value += _ESCAPED_IN_QUOTES.sub(r"\1", quoted) if quoted is not None else literal or escaped or plain or ""
        end = part.end()
        part = _PART.match(text, end)
    # With an open quote the value ends with the line.
    return value + text[end + 1 :] if text[end : end + 1] in ("'", '"') else value
