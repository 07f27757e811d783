"""The file with which an operator takes a node out of service: who, why, and until when."""

from __future__ import annotations

from ..light_typing import NamedTuple
from ..text.escape import clean

MAX_BYTES = 4096


class Disabled(NamedTuple):
    """A node taken out of service by hand. until is RFC 3339 with a zone; None means until `xha-check enable`."""

    by: str | None = None
    why: str | None = None
    until: str | None = None


def parse_disabled(text: str, now: float) -> Disabled | None:
    """Return who disabled the node, or None if the time has run out. now is in seconds since 1970.

    A file that does not parse still disables the node: the person who wrote it wanted the node out of service.
    """
    from ..text.numbers import parse_json

    try:
        fields = parse_json(text)
        by, why, until = (fields.get(name) for name in ("by", "why", "until"))
        ends = None if until is None else parse_instant(until)
        said = Disabled(*(None if field is None else clean(str(field)) for field in (by, why, until)))
    except (ValueError, AttributeError, RecursionError):
        return Disabled(why="the disabled file is not one JSON object {by, why, until}; it counts as disabled")
    return None if ends is not None and ends <= now else said


def render_disabled(disabled: Disabled) -> str:
    """Return the text of the disabled file."""
    import json

    return json.dumps({"by": disabled.by, "why": disabled.why, "until": disabled.until}) + "\n"


def parse_instant(text: str) -> float:
    """Return the seconds since 1970 of an ISO 8601 date and time with a zone.

    :raises ValueError: naming the text, if it has no zone or is anything else.
    """
    from datetime import datetime

    if not isinstance(text, str):
        raise ValueError(f"{text!r} is not an ISO 8601 time with a zone")
    try:
        # Python before 3.11 does not parse the Z of RFC 3339.
        instant = datetime.fromisoformat(text[:-1] + "+00:00" if text[-1:] in ("Z", "z") else text)
        if instant.tzinfo is not None:
            return instant.timestamp()
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"{text!r} is not an ISO 8601 time with a zone, as 2026-01-31T22:00:00+01:00")
