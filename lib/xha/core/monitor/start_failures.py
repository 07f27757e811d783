"""Failed starts of one node: after the third failure of one kind within ten minutes there is no fourth attempt.

With start-failure-is-fatal=false Pacemaker starts again at once. A start that failed immediately ran 144 times in 15 s
(measured).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..text.numbers import parse_json, parse_moment, parse_number

if TYPE_CHECKING:
    from collections.abc import Iterable

SCHEMA = 1
WITHIN = 600.0
_ENOUGH, _KEPT = 3, 20


class Failure(NamedTuple):
    """One failure. at: CLOCK_MONOTONIC, in seconds. what: a word for its kind, so that details do not matter."""

    at: float
    what: str


def add_failure(failures: Iterable[Failure], failure: Failure) -> tuple[Failure, ...]:
    """Return the failures to store after one more failure. Those older than ten minutes are dropped."""
    recent = [one for one in failures if 0 <= failure.at - one.at <= WITHIN]
    return (*recent, failure)[-_KEPT:]


def is_hopeless(failures: Iterable[Failure], now: float) -> bool:
    """Return whether the last failure was the third of its kind within ten minutes."""
    recent = [one for one in failures if 0 <= now - one.at <= WITHIN]
    return bool(recent) and sum(one.what == recent[-1].what for one in recent) >= _ENOUGH


def render_failures(failures: Iterable[Failure]) -> str:
    """Return the failures as one line of JSON."""
    import json

    return json.dumps({"schema": SCHEMA, "failures": list(failures)})


def parse_failures(text: str) -> tuple[Failure, ...]:
    """Return the failures of render_failures' text; none for a text that is torn or of another schema."""
    try:
        said = parse_json(text)
        if parse_number(said["schema"]) != SCHEMA:
            return ()
        failures = tuple(Failure(parse_moment(at), what) for at, what in said["failures"])
    except (ValueError, KeyError, TypeError):
        return ()
    return failures if all(isinstance(one.what, str) for one in failures) else ()
