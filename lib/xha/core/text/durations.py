"""Durations as people write them in xha.conf and on the command line: `100ms`, `1s`, `2h`."""

from __future__ import annotations

import re

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*(ms|s|m|h|d)", re.ASCII)


def parse_duration(text: str) -> float:
    """Return the duration in seconds.

    :raises ValueError: naming the text and the possible units.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a duration: write a number and a unit, as 100ms, 1s, 10m, 2h or 1d")
    return float(match[1]) * _SECONDS[match[2]]
