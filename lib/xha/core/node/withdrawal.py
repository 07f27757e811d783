"""The files that take a node out of service, disabled or drained: who, why, and until when."""

from __future__ import annotations

from ..text.escape import clean
from ..text.light_typing import NamedTuple

MAX_BYTES = 4096


class Withdrawal(NamedTuple):
    """A node taken out of service. until is RFC 3339 with a zone; None means until `xha-check enable`.

    drains: only new connections go elsewhere (404: HAProxy's `http-check disable-on-404`); else all do (503).
    """

    by: str | None = None
    why: str | None = None
    until: str | None = None
    drains: bool = False


def parse_withdrawal(text: str, now: float, drains: bool = False) -> Withdrawal | None:
    """Return who withdrew the node, or None if the time has run out. now is in seconds since 1970.

    A file that does not parse still counts: the person who wrote it wanted the node out of service.
    """
    from ..text.numbers import parse_json

    try:
        fields = parse_json(text)
        by, why, until = (fields.get(name) for name in ("by", "why", "until"))
        ends = None if until is None else parse_instant(until)
        by, why, until = (None if field is None else clean(str(field)) for field in (by, why, until))
    except (ValueError, AttributeError, RecursionError):
        return unclear_withdrawal("is not one JSON object {by, why, until}", drains)
    return None if ends is not None and ends <= now else Withdrawal(by, why, until, drains)


def unclear_withdrawal(why: str, drains: bool) -> Withdrawal:
    """Return what a file that says nothing counts as. why is the end of the sentence that begins with the file."""
    name, counts = ("drain", "draining") if drains else ("disabled", "disabled")
    return Withdrawal(why=f"the {name} file {why}; it counts as {counts}", drains=drains)


def render_withdrawal(withdrawal: Withdrawal) -> str:
    """Return the text of the file."""
    import json

    return json.dumps({"by": withdrawal.by, "why": withdrawal.why, "until": withdrawal.until}) + "\n"


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
