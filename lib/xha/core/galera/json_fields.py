"""Parsers for the JSON fields that reports and records have in common. A value of the wrong type is never converted.

Every parser raises ValueError, TypeError or KeyError for a value of another shape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..text.json_types import parse_flag, parse_text, parse_texts
from ..text.numbers import parse_number
from .lineage import Generation
from .position import Position, View, parse_position
from .server_options import Ports

if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "parse_flag",
    "parse_known_position",
    "parse_line",
    "parse_number",
    "parse_ports",
    "parse_text",
    "parse_texts",
    "parse_view",
]


def parse_known_position(value: object) -> Position:
    """Return the position that the text names."""
    position = parse_position(parse_text(value))
    if position is None:
        raise ValueError(f"{value!r} is no position")
    return position


def parse_ports(value: object) -> Ports | None:
    """Return the ports of a server, or None for null."""
    if value is None:
        return None
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list")
    ports = tuple(parse_number(port) for port in value)
    if len(ports) != len(Ports._fields) or not all(0 < port < 65536 for port in ports):
        raise ValueError(f"{value!r} are no ports")
    return Ports(*ports)


def parse_view(value: Any) -> View | None:
    """Return a view, or None for null."""
    return None if value is None else View(parse_text(value["id"]), parse_texts(value["members"]))


def parse_line(value: object) -> tuple[Generation, ...]:
    """Return a line of generations, newest first. Each generation must be the child of the next one."""
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list")
    line = tuple(
        Generation(
            parse_text(one["id"]),
            parse_text(one["parent"]),
            parse_number(one["position"]),
            parse_texts(one["founders"]),
            parse_flag(one["by_hand"]) if "by_hand" in one else False,
        )
        for one in value
    )
    if any(newer.parent != older.id for newer, older in zip(line, line[1:])):
        raise ValueError("the generations are no line")
    return line
