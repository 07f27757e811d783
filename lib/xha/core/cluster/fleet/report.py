"""Renders a fleet: a row a cluster, JSON (docs/schema-1.json), and a line for Nagios."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ...node.report import SCHEMA, nagios_text
from ...text.escape import clean
from .standing import FleetStanding, fleet_exit_code

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .standing import ClusterStanding, FleetMember

HEADINGS = ("CLUSTER", "STANDING", "IN", "WHY")
# How much of why stands in a row, and how many clusters a line of Nagios names.
_ROW, _LONGEST, _MOST_NAMED = 160, 2000, 10


def fleet_cells(one: ClusterStanding) -> tuple[str, ...]:
    """Return the cells of a cluster's row, below HEADINGS."""
    serving = f"{one.serving}/{len(one.members)}"
    return tuple(clean(cell, _ROW) for cell in (one.name, one.standing.value, serving, one.why))


def fleet_document(time: str, clusters: Sequence[ClusterStanding]) -> dict[str, Any]:
    """Return the JSON object of kind fleet. clusters: worst first. time: RFC 3339."""
    return {
        "schema": SCHEMA,
        "kind": "fleet",
        "time": time,
        "exit_code": int(fleet_exit_code(clusters)),
        "clusters": [
            {
                "name": one.name,
                "standing": one.standing.value,
                "exit_code": int(one.exit_code),
                "serving": one.serving,
                "why": clean(one.why, _LONGEST),
                "to_do": clean(one.to_do, _LONGEST),
                "members": [_member_document(each) for each in one.members],
            }
            for one in clusters
        ],
    }


def _member_document(one: FleetMember) -> dict[str, Any]:
    age = one.answer.age
    return {
        "member": one.name,
        "service": one.service,
        "code": one.code,
        "why": one.why,
        "remedy": clean(one.answer.remedy, _LONGEST),
        "since": one.since,
        "age_ms": None if age is None else round(age * 1000),
    }


def render_nagios_fleet(clusters: Sequence[ClusterStanding]) -> str:
    """Return the status line with performance data. clusters: worst first."""
    counts = Counter(one.standing for one in clusters)
    ill = [f"{one.name} {one.standing.value}" for one in clusters if one.standing is not FleetStanding.OK]
    more = [f"{len(ill) - _MOST_NAMED} more"] if len(ill) > _MOST_NAMED else []
    text = ", ".join([f"{counts[FleetStanding.OK]} of {len(clusters)} clusters ok", *ill[:_MOST_NAMED], *more])
    perfdata = " ".join(f"{one.value}={counts[one]};;;0;{len(clusters)}" for one in FleetStanding)
    return f"{nagios_text(f'FLEET {fleet_exit_code(clusters).name}: {text}')} | {perfdata}"
