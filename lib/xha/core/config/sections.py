"""Splits xha.conf into sections, without knowing what their keys mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..text.values import ConfigError

if TYPE_CHECKING:
    import configparser
    from collections.abc import Collection

SERVICE_SECTION = "service "


class ServiceSection(NamedTuple):
    """A section `[service NAME]` as it stands in the file at path.

    core/services/settings.py knows the meaning of its keys. fault: why its lines cannot be parsed, without quoting any
    of them. Then items is empty.
    """

    path: str
    title: str
    items: tuple[tuple[str, str], ...] = ()
    fault: str = ""


def read_sections(
    text: str, path: str, keys: Collection[str]
) -> tuple[configparser.ConfigParser, list[ServiceSection]]:
    """Return the sections of a text, and separately those service sections that would prevent parsing the rest.

    keys: the names of keys that an error message may mention. :raises ConfigError: if the rest cannot be parsed.
    """
    import configparser

    try:
        return _parse(text), []
    except configparser.Error:
        rest, services = _take_out_services(text, path, keys)
    try:
        return _parse(rest), services
    except configparser.Error as error:
        raise ConfigError(f"{path}: {_tell_fault(error, keys)}") from None


def _parse(text: str) -> configparser.ConfigParser:
    import configparser

    parser = configparser.ConfigParser(interpolation=None, default_section="", empty_lines_in_values=False)
    parser.read_string(text)
    return parser


def _take_out_services(text: str, path: str, keys: Collection[str]) -> tuple[str, list[ServiceSection]]:
    """Return the text without the service sections that are broken or repeated, and those sections.

    Their lines are replaced by empty lines, so that line numbers stay the same. Every line that begins with a bracket
    ends the section before it, because it may begin another one.
    """
    import re

    taken: list[ServiceSection] = []
    parts = re.split(r"^(?=[^\S\n]*\[)", text, flags=re.MULTILINE)
    titles: set[str] = set()
    before = 0
    for number, part in enumerate(parts):
        lines = part.count("\n")
        if part.startswith(f"[{SERVICE_SECTION}"):
            section = _read_service(part, path, before, keys)
            if section.fault or section.title in titles:
                taken.append(section)
                parts[number] = "\n" * lines
            titles.add(section.title)
        before += lines
    return "".join(parts), taken


def _read_service(part: str, path: str, before: int, keys: Collection[str]) -> ServiceSection:
    """Return the service section in this part of the text. before: the number of lines before the part."""
    import configparser

    title, closed, _ = part[1:].partition("\n")[0].partition("]")
    if not closed:
        return ServiceSection(path, title, fault=f"[{title}: line {before + 1}: the bracket at its end is missing")
    try:
        parser = _parse(part)
    except configparser.Error as error:
        return ServiceSection(path, title, fault=_tell_fault(error, keys, before, f"[{title}]: "))
    title = parser.sections()[0]
    return ServiceSection(path, title, tuple(parser[title].items()))


def _tell_fault(error: configparser.Error, keys: Collection[str], before: int = 0, where: str = "") -> str:
    """Return where the fault is, without the line itself: configparser quotes the line, and it may hold a secret."""
    import configparser

    if isinstance(error, configparser.MissingSectionHeaderError):
        return f"line {error.lineno}: a line before the first [section]"
    if isinstance(error, configparser.ParsingError):
        number, line = error.errors[0]
        key = next((key for key in keys if key in line), "")
        said = f"{where}line {number + before}: neither a [section] nor KEY = VALUE"
        return f"{said}: {key} lacks its value" if key else said
    if isinstance(error, configparser.DuplicateOptionError):
        return f"[{error.section}] {error.option}: said twice, the second time on line {(error.lineno or 0) + before}"
    if isinstance(error, configparser.DuplicateSectionError):
        return f"[{error.section}]: begun twice, the second time on line {error.lineno}"
    return type(error).__name__
