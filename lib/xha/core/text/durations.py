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


_PERIOD = re.compile(r"P(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9}(?:\.\d{1,9})?)S)?)?", re.ASCII)
_SECONDS_ALONE = re.compile(r"\d{1,9}(?:\.\d{1,9})?", re.ASCII)


def parse_galera_period(text: str) -> float:
    """Return the seconds of a time as Galera writes it: `PT5S`, `PT1M30S`, `P1DT12H`, or a number of seconds.

    Years and months, which no timeout has, are refused.
    :raises ValueError: naming the text.
    """
    word = text.strip()
    if _SECONDS_ALONE.fullmatch(word):
        return float(word)
    found = _PERIOD.fullmatch(word)
    if found is None or not any(found.groups()):
        raise ValueError(f"{text!r} is no time as Galera writes it, as PT5S")
    return sum(float(each or 0) * scale for each, scale in zip(found.groups(), (86400, 3600, 60, 1)))
