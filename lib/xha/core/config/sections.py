"""The sections of xha.conf, before anybody asks what their keys mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..text.values import ConfigError

if TYPE_CHECKING:
    import configparser
    from collections.abc import Collection

SERVICE_SECTION = "service "


class ServiceSection(NamedTuple):
    """A `[service NAME]` as it stands in the file at path. core/services/settings.py knows what it means.

    fault says why its lines are no keys and values, without quoting one: then there are no items.
    """

    path: str
    title: str
    items: tuple[tuple[str, str], ...] = ()
    fault: str = ""


def read_sections(
    text: str, path: str, keys: Collection[str]
) -> tuple[configparser.ConfigParser, list[ServiceSection]]:
    """Return the sections of a text, and beside them the services' ones that stand in the way of reading the rest.

    keys: what may be named to help with a line that is none. :raises ConfigError: where the rest cannot be read.
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
    """Return the text with empty lines for each service's section that is broken or begun before, and those sections.

    Whatever begins with a bracket ends a section here: it may begin another one.
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
    """Return the section that a part of a text is; before: how many lines of the text precede it."""
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
    """Say where, and not what: configparser's own words quote the line, and a wrong file may hold a secret."""
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
