"""The last hour of each cluster, a letter a minute: what earlier runs of `xha-check fleet --html` left beside the page.

A minute in which nobody looked is a gap, never what was before it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from ...text.numbers import parse_json
from .standing import FleetStanding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .standing import ClusterStanding

MINUTES = 60
MAX_BYTES = 1 << 20
GAP = "."
LETTERS = {
    FleetStanding.OUT: "x",
    FleetStanding.SPLIT: "s",
    FleetStanding.UNKNOWN: "u",
    FleetStanding.DEGRADED: "d",
    FleetStanding.OK: "o",
}
_KNOWN = frozenset([*LETTERS.values(), GAP])


class ClusterSamples(NamedTuple):
    """minutes: MINUTES letters, the newest last. since: the minute (of 1970) since when each look came to the newest.

    seen_change: whether an earlier look came to something else; else it may be so for longer.
    """

    minutes: str
    since: int
    seen_change: bool = False


def parse_samples(text: str) -> tuple[int, dict[str, ClusterSamples]]:
    """Return the minute of the last look, and each cluster's samples.

    :raises ValueError: saying what is wrong, for any other text.
    """
    fields = parse_json(text)
    if not isinstance(fields, dict) or not _is_minute(fields.get("minute")):
        raise ValueError("it is not one JSON object with a minute")
    clusters = fields.get("clusters")
    if not isinstance(clusters, dict):
        raise ValueError("clusters is no object")
    found = {}
    for name, one in clusters.items():
        if not isinstance(one, dict) or not _is_minute(one.get("since")):
            raise ValueError("a cluster has no since")
        minutes, seen = one.get("minutes"), one.get("seen_change")
        if not isinstance(minutes, str) or not _KNOWN.issuperset(minutes) or not isinstance(seen, bool):
            raise ValueError("a cluster has no minutes")
        found[name] = ClusterSamples(minutes[-MINUTES:].rjust(MINUTES, GAP), one["since"], seen)
    return fields["minute"], found


def _is_minute(value: object) -> bool:
    return type(value) is int and 0 <= value < 10**9


def render_samples(minute: int, samples: Mapping[str, ClusterSamples]) -> str:
    """Return the text of the file."""
    return json.dumps({"minute": minute, "clusters": {name: one._asdict() for name, one in samples.items()}}) + "\n"


def add_look(
    before: Mapping[str, ClusterSamples], last: int, minute: int, clusters: Iterable[ClusterStanding]
) -> dict[str, ClusterSamples]:
    """Return the samples after a look. last: the minute of the look before. A second look in a minute replaces it."""
    found = {}
    passed = minute - last
    for one in clusters:
        letter, known = LETTERS[one.standing], before.get(one.name)
        if known is None or passed < 0:  # nothing is known, or the clock was set back
            found[one.name] = ClusterSamples(letter.rjust(MINUTES, GAP), minute)
            continue
        kept = known.minutes[:-1] if passed == 0 else known.minutes + GAP * min(passed - 1, MINUTES)
        newest = known.minutes[-1]
        if letter == newest and passed <= MINUTES:
            since, seen = known.since, known.seen_change
        else:
            since, seen = minute, newest != GAP and passed <= MINUTES
        found[one.name] = ClusterSamples((kept + letter)[-MINUTES:].rjust(MINUTES, GAP), since, seen)
    return found
