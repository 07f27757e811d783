"""MySQL option files (my.cnf), parsed as the servers' own clients parse them.

The rules are those of MariaDB's mysys/my_default.c; a test compares them with `my_print_defaults`. They cover
end-of-line comments outside quotes, backslash escapes, one pair of quotes around a value, and includes. The last value
wins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

GROUPS = ("client", "client-server", "client-mariadb")
# What the program `mysql`, by its newer name `mariadb`, reads beside them.
PROGRAM_GROUPS = ("mysql", "mariadb-client", *GROUPS)

_SPACE = " \t\n\v\f\r"
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "s": " ", '"': '"', "'": "'", "\\": "\\"}


class Option(NamedTuple):
    """One `name=value` line of one group; value is None for a line without `=`."""

    group: str
    name: str
    value: str | None


class Include(NamedTuple):
    """A `!include FILE` or `!includedir DIR` line."""

    path: str
    directory: bool


class OptionFileError(ValueError):
    """A line that MySQL's own clients refuse too. The text names the number of the line, and not its content."""


def parse_option_file(text: str) -> Iterator[Option | Include]:
    """Yield options and includes in the order of the file.

    :raises OptionFileError: for an option before the first group, a group without its bracket, or an empty include.
    """
    group = None
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.lstrip(_SPACE)
        if not line or line[0] in "#;":
            continue
        if line[0] == "!":
            include = _parse_include(line[1:].lstrip(_SPACE))
            if include and not include.path:
                raise OptionFileError(f"line {number}: an include that names nothing")
            if include:
                yield include
            continue
        if line[0] == "[":
            name, bracket, _ = line[1:].partition("]")
            if not bracket:
                raise OptionFileError(f"line {number}: a group without its closing bracket")
            group = name.rstrip(_SPACE)
            continue
        if group is None:
            raise OptionFileError(f"line {number}: an option before the first [group]")
        yield _parse_option(group, _without_comment(line))


def _parse_include(directive: str) -> Include | None:
    for word in ("includedir", "include"):
        rest = directive[len(word) :]
        if directive.startswith(word) and rest[:1] in ("", *_SPACE):
            return Include(rest.strip(_SPACE), word == "includedir")
    return None


def _without_comment(line: str) -> str:
    quote, escaped = "", False
    for index, char in enumerate(line):
        if char in "'\"" and not escaped:
            if not quote:
                quote = char
            elif quote == char:
                quote = ""
        if not quote and char == "#":
            return line[:index]
        escaped = bool(quote) and char == "\\" and not escaped
    return line


def _parse_option(group: str, line: str) -> Option:
    name, equals, value = line.partition("=")
    name = name.rstrip(_SPACE)
    if not equals:
        return Option(group, name, None)
    value = value.strip(_SPACE)
    if len(value) > 1 and value[0] in "'\"" and value[0] == value[-1]:
        value = value[1:-1]
    return Option(group, name, _unescape(value))


def _unescape(value: str) -> str:
    parts, index = [], 0
    while index < len(value):
        char = value[index]
        # A backslash at the very end stands for itself.
        if char == "\\" and index + 1 < len(value):
            index += 1
            char = _ESCAPES.get(value[index], "\\" + value[index])
        parts.append(char)
        index += 1
    return "".join(parts)


def client_options(options: Iterable[Option], groups: Collection[str] = GROUPS) -> dict[str, str]:
    """Return the options of a client's groups, which are named in lower case.

    The last value wins. Names have dashes, and `loose-` is removed. An option without a value is "".
    """
    found: dict[str, str] = {}
    for option in options:
        if option.group.lower() in groups:  # as my_print_defaults compares them
            name = option.name.replace("_", "-")
            found[name[6:] if name.startswith("loose-") else name] = option.value or ""
    return found
