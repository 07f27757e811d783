"""The operations of a resource in Pacemaker's configuration, with their times."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from .attribute_sets import every_pair, first_pairs, sorted_sets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from xml.etree.ElementTree import Element

# What Pacemaker uses where neither the operation nor op_defaults says a timeout (pcmk__default_action_timeout).
DEFAULT_TIMEOUT = 20.0
_TIME = re.compile(r"(\d{1,12})\s*(msec|ms|usec|us|min|sec|hr|s|m|h)?", re.ASCII)
_UNITS = {"ms": 1e-3, "msec": 1e-3, "us": 1e-6, "usec": 1e-6, "m": 60.0, "min": 60.0, "h": 3600.0, "hr": 3600.0}


class Operation(NamedTuple):
    """An operation of a resource. interval and timeout in seconds; 0.0 is an interval that is not repeated.

    timeout: that of op_defaults, or Pacemaker's own, where the operation has none. on_fail: that of op_defaults where
    the operation has none, "" where neither says any. on_fails: every value that may hold in its place, for the rules
    of sets are not evaluated.
    """

    ident: str
    name: str
    interval: float = 0.0
    timeout: float = DEFAULT_TIMEOUT
    role: str = ""
    on_fail: str = ""
    enabled: bool = True
    on_fails: tuple[str, ...] = ()


def parse_pacemaker_time(text: str) -> float | None:
    """Return the seconds of an interval or timeout as `10s`, `20000ms`, `5min` or `20`; None for another text."""
    found = _TIME.fullmatch(text.strip())
    return int(found[1]) * _UNITS.get(found[2] or "s", 1.0) if found else None


def read_operations(
    primitives: Iterable[Element], defaults: Sequence[Element], lookup: Mapping[str, Element]
) -> tuple[Operation, ...]:
    """Return the operations of a primitive and its template.

    defaults: the sets of op_defaults, in Pacemaker's order. lookup: the elements by their id.
    """
    return tuple(
        _read(one, defaults, lookup) for primitive in primitives for one in primitive.iterfind("operations/op")
    )


def _read(element: Element, defaults: Sequence[Element], lookup: Mapping[str, Element]) -> Operation:
    # An operation may have each of them among its meta attributes.
    own = sorted_sets(element.iterfind("meta_attributes"))
    pairs, usual = first_pairs(own, lookup), first_pairs(defaults, lookup)
    said = {**usual, **pairs, **element.attrib}
    seconds = parse_pacemaker_time(pairs.get("timeout", "") if element.get("timeout") is None else said["timeout"])
    default = parse_pacemaker_time(usual.get("timeout", ""))
    every = (value for name, value in every_pair((*own, *defaults), lookup) if name == "on-fail")
    return Operation(
        ident=element.get("id", ""),
        name=element.get("name", ""),
        interval=parse_pacemaker_time(element.get("interval", "0")) or 0.0,
        timeout=(DEFAULT_TIMEOUT if default is None else default) if seconds is None else seconds,
        role=element.get("role", ""),
        on_fail=said.get("on-fail", ""),
        enabled=element.get("enabled", "true").lower() in ("true", "yes", "on", "1", "y"),
        on_fails=tuple(every) if element.get("on-fail") is None else (),
    )
