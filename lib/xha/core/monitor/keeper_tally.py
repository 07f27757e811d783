"""What a node's keeper has decided and done, counted: RUN/tally.json, for the responder's metrics of the keeper.

The keeper (root) writes it where it changes, and goes on with the counts of the keeper before it, until the host boots:
to Prometheus an increase from 0 to 1 is none if no scrape has seen the 0. It is no part of keeper.json: an older
monitor takes a status with an unknown field for torn. No effect of the keeper's step stands for it: results are counted
behind the step. The reason of a phase is in no metric, for it names hosts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..text.escape import clean
from ..text.numbers import parse_count, parse_json, parse_moment
from .keeper_status import Phase

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .keeper_status import KeeperStatus

SCHEMA = 1
# Of this file, and of the status beside it.
MAX_BYTES = 16384
# A keeper that lives writes its status every 1.5 s.
SPOKE_SECONDS = 30.0
# A keeper that has ended says this last, and no word of it is expected afterwards.
_ENDS = (Phase.ENDED, Phase.FAILED)
# What a decision is called, by the name of its class in core/election/decision.py.
DECISIONS = {
    "Join": "join",
    "RestoreView": "restore-view",
    "Revive": "revive",
    "Bootstrap": "bootstrap",
    "Wait": "wait",
    "Refuse": "refuse",
}
# The metrics of a keeper that count, each with the field below and its help text.
COUNTERS = {
    "elections": "how often this node took the token to form a Primary component",
    "formed": "how often this node told its server to form a Primary component, or to be one again",
    "evictions": "how often this node had another member shut out that stopped all commits",
    "starts": "how often the keeper started mysqld",
}


class KeeperTally(NamedTuple):
    """decision: the kind of the last one, "" before the first; decided_at: since when, in seconds since 1970."""

    decision: str = ""
    decided_at: float = 0.0
    elections: int = 0
    formed: int = 0
    evictions: int = 0
    starts: int = 0


def render_keeper_tally(tally: KeeperTally) -> str:
    """Return the tally as one line of JSON."""
    import json

    return json.dumps({"schema": SCHEMA, **tally._asdict()})


def parse_keeper_tally(text: str) -> KeeperTally | None:
    """Return the tally, or None for a text that is torn, of another schema, or has a value of another type."""
    try:
        said = parse_json(text)
        if parse_count(said["schema"]) != SCHEMA:
            return None
        decision = said["decision"]
        if decision not in ("", *DECISIONS.values()):
            return None
        counts = {name: parse_count(said[name]) for name in COUNTERS}
        return KeeperTally(decision, parse_moment(said["decided_at"]), **counts)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


class KeeperSeen(NamedTuple):
    """What is known of one resource's keeper on this host; None: nothing that can be read."""

    resource: str
    status: KeeperStatus | None
    tally: KeeperTally | None


def tell_phase(status: KeeperStatus | None, now: float) -> str:
    """Return the phase for a metric. now: seconds of the monotonic clock.

    `unreadable`: its file is there and cannot be read. `silent`: its last word is too old to be how it is now.
    """
    if status is None:
        return "unreadable"
    if status.phase not in _ENDS and not 0 <= now - status.at <= SPOKE_SECONDS:
        return "silent"
    return status.phase.value


def render_keeper_metrics(keepers: Iterable[KeeperSeen], now: float) -> str:
    """Return the Prometheus text of the keepers of this host; "" without any. now: seconds of the monotonic clock."""
    phases, ages, decisions, times = [], [], [], []
    counts: dict[str, list[str]] = {name: [] for name in COUNTERS}
    for resource, status, tally in keepers:
        label = 'resource="{}"'.format(clean(resource).replace("\\", "\\\\").replace('"', '\\"'))
        phases.append(f'xha_keeper_phase{{{label},phase="{tell_phase(status, now)}"}} 1')
        if status is not None:
            ages.append(f"xha_keeper_age_seconds{{{label}}} {max(0.0, now - status.at):.3f}")
        if tally is None:
            continue
        if tally.decision:
            decisions.append(f'xha_keeper_decision{{{label},decision="{tally.decision}"}} 1')
            times.append(f"xha_keeper_decision_timestamp_seconds{{{label}}} {tally.decided_at:.3f}")
        for name, rows in counts.items():
            rows.append(f"xha_keeper_{name}_total{{{label}}} {getattr(tally, name)}")
    families = (
        ("xha_keeper_phase", "gauge", "what the keeper is doing, as a label", phases),
        ("xha_keeper_age_seconds", "gauge", "age of the keeper's last word", ages),
        ("xha_keeper_decision", "gauge", "the kind of the last decision of the election, as a label", decisions),
        ("xha_keeper_decision_timestamp_seconds", "gauge", "since when it decides so, in seconds since 1970", times),
        *((f"xha_keeper_{name}_total", "counter", text, counts[name]) for name, text in COUNTERS.items()),
    )
    return "".join(
        f"# HELP {name} {text}\n# TYPE {name} {kind}\n" + "\n".join(rows) + "\n"
        for name, kind, text, rows in families
        if rows
    )
