"""Which answers HAProxy's HTTP check takes for a healthy server (`http-check expect`, `http-check disable-on-404`).

Source: HAProxy configuration manual 2.6 and 3.0, section 4.2, `http-check expect`: without any, 2xx and 3xx are good.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .haproxy_cfg import Proxy

# Words of `http-check expect` before the match that have a value of their own.
_BEFORE = ("min-recv", "comment", "ok-status", "error-status", "tout-status", "on-success", "on-error", "status-code")


class Taken(Enum):
    """What HAProxy makes of an answer. DRAINED: no new connections. UNKNOWN: its text or a header decides."""

    UP = "up"
    DOWN = "down"
    DRAINED = "drained"
    UNKNOWN = "unknown"


def take_status(proxy: Proxy, status: int) -> Taken:
    """Return what the section makes of an HTTP answer with this status."""
    if status == 404 and proxy.having("http-check", "disable-on-404"):
        return Taken.DRAINED
    expected = [_match(line.words[2:], status) for line in proxy.having("http-check", "expect")]
    if not expected:
        return Taken.UP if 200 <= status < 400 else Taken.DOWN
    if False in expected:
        return Taken.DOWN
    return Taken.UNKNOWN if None in expected else Taken.UP


def _match(words: tuple[str, ...], status: int) -> bool | None:
    """Return whether one expectation is met, None if the text or a header decides."""
    rest = list(words)
    while rest and rest[0] in _BEFORE:
        rest = rest[2:]
    negated = rest[:1] == ["!"]
    rest = rest[negated:]
    if len(rest) < 2:
        return None
    met: bool | None = None
    if rest[0] == "status":
        met = _among(rest[1], status)
    elif rest[0] == "rstatus":
        try:
            met = re.search(rest[1], str(status)) is not None
        except re.error:
            return None
    return met if met is None else met != negated


def _among(ranges: str, status: int) -> bool | None:
    """Return whether a status is in a list as 200-399,404; None if that is none."""
    found = False
    for word in ranges.split(","):
        low, _, high = word.partition("-")
        if not low.isdigit() or not (high or low).isdigit():
            return None
        found = found or int(low) <= status <= int(high or low)
    return found
