"""Renders a history: for a person, as JSON (docs/schema-1.json), and as a line for Nagios."""

from __future__ import annotations

import math
import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, NamedTuple

from ...node.report import SCHEMA, nagios_text
from ...node.verdict import NagiosCode
from ...text.ages import render_age
from ...text.escape import clean
from .outages import CLUSTER, count_nines

if TYPE_CHECKING:
    from typing import Any

    from .outages import Availability, HistoryView, Outage

_LONGEST = 1000
# What is in no label of Nagios' performance data.
_NO_LABEL = r"[^A-Za-z0-9_.:-]"
_HEADINGS = ("WHO", "AVAILABLE", "NINES", "UNPLANNED", "PLANNED", "OUT", "WORST RTO", "UNKNOWN", "AT LEAST")
_OUTAGE_HEADINGS = ("START", "END", "RTO", "WHO", "KIND", "CAUSE")


class HistoryText(NamedTuple):
    """What a person reads: a table of who was how available, one of the outages, and sentences below.

    no_outage: what to say where there is no table of outages.
    """

    table: tuple[tuple[str, ...], ...]
    outages: tuple[tuple[str, ...], ...]
    below: tuple[str, ...]
    no_outage: str


def render_history_text(view: HistoryView) -> HistoryText:
    """Return the rows of both tables, headings first, and the sentences."""
    everybody = (view.cluster, *view.nodes)
    outages = sorted((one for each in everybody for one in each.outages), key=lambda one: (one.start, one.who))
    below = []
    for one in everybody:
        causes = dict.fromkeys(span.cause for span in one.spans if span.state is None and span.cause)
        cause = one.cause or "; ".join(causes)
        if cause and one.totals.unknown:
            remedy = f"; to do: {one.remedy}" if one.remedy else ""
            below.append(f"{one.who}: {_length(one.totals.unknown)} are not known: {cause}{remedy}")
        if one.unreadable:
            below.append(f"{one.who}: {one.unreadable} lines of its history cannot be read")
    unknown = any(one.totals.unknown for one in everybody)
    affected = [f"{_instant(one.start)} {one.who}: {one.affected}{_then(one)}" for one in outages]
    return HistoryText(
        (_HEADINGS, *(_cells(one) for one in everybody)),
        (_OUTAGE_HEADINGS, *(_outage_cells(one) for one in outages)) if outages else (),
        tuple(clean(line, _LONGEST) for line in (*affected, *below)),
        "no outage is known" if unknown else "no outage",
    )


def _cells(one: Availability) -> tuple[str, ...]:
    totals = one.totals
    cells = (
        one.who,
        _percent(totals.availability),
        _nines(totals.availability),
        _length(totals.unplanned),
        _length(totals.planned),
        str(len(one.outages)),
        _worst(one),
        _length(totals.unknown),
        _percent(totals.at_least),
    )
    return tuple(clean(cell, _LONGEST) for cell in cells)


def _worst(one: Availability) -> str:
    known = [each.rto for each in one.outages if each.rto is not None]
    return _length(max(known)) if known else "-"


def _outage_cells(one: Outage) -> tuple[str, ...]:
    begin = "" if one.begun else "before "
    end = "lasts" if one.lasts else _instant(one.end) if one.end is not None else "not known"
    rto = "-" if one.rto is None else _length(one.rto)
    kind = _kind(one)
    cells = (f"{begin}{_instant(one.start)}", end, rto, one.who, kind, " > ".join(one.codes))
    return tuple(clean(cell, _LONGEST) for cell in cells)


def _kind(one: Outage) -> str:
    if not one.planned:
        return "unplanned"
    return "planned, then not" if one.unplanned else "planned"


def _then(one: Outage) -> str:
    told = f"; it may have begun {render_age(one.noticed)} earlier" if one.noticed >= 1 else ""
    return told if one.end is not None or not one.then else f"{told}; its end was not seen: {one.then}"


def _percent(share: float | None) -> str:
    """Return a share, rounded down: 99.9999 is never shown as 100."""
    return "-" if share is None else f"{math.floor(share * 100 * 10**4 + 1e-6) / 10**4:.4f} %"


def _nines(share: float | None) -> str:
    if share is None:
        return "-"
    nines = count_nines(share)
    return "all" if nines is None else f"{math.floor(nines * 10) / 10:.1f}"


def _length(seconds: float) -> str:
    return "0 s" if seconds <= 0 else render_age(seconds)


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M:%SZ")


def history_document(view: HistoryView) -> dict[str, Any]:
    """Return the JSON object of kind history."""
    return {
        "schema": SCHEMA,
        "kind": "history",
        "since": _rfc3339(view.since),
        "until": _rfc3339(view.until),
        "cluster": _availability_document(view.cluster),
        "nodes": [_availability_document(one) for one in view.nodes],
    }


def _availability_document(one: Availability) -> dict[str, Any]:
    totals = one.totals
    causes = dict.fromkeys(span.cause for span in one.spans if span.state is None and span.cause)
    return {
        "who": clean(one.who, _LONGEST),
        "availability": totals.availability,
        "availability_unplanned": totals.unplanned_availability,
        "availability_at_least": totals.at_least,
        "nines": count_nines(totals.availability),
        "up_seconds": round(totals.up, 3),
        "planned_seconds": round(totals.planned, 3),
        "unplanned_seconds": round(totals.unplanned, 3),
        "unknown_seconds": round(totals.unknown, 3),
        "unknown": clean(one.cause or "; ".join(causes), _LONGEST) or None,
        "remedy": clean(one.remedy, _LONGEST) or None,
        "outages": [_outage_document(each) for each in one.outages],
    }


def _outage_document(one: Outage) -> dict[str, Any]:
    return {
        "start": _rfc3339(one.start) if one.begun else None,
        "seen_from": _rfc3339(one.start),
        "seen_until": _rfc3339(one.seen_until),
        "end": None if one.end is None else _rfc3339(one.end),
        "lasts": one.lasts,
        "rto_seconds": None if one.rto is None else round(one.rto, 3),
        "noticed_within_seconds": round(one.noticed, 3),
        "cause": one.codes[0],
        "codes": list(one.codes),
        "planned": one.planned,
        "unplanned_seconds": round(one.unplanned, 3),
        "affected": clean(one.affected, _LONGEST),
        "end_unknown": clean(one.then, _LONGEST) or None if one.end is None else None,
    }


def _rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds")


def history_exit_code(view: HistoryView) -> NagiosCode:
    """Return 2 for an unplanned outage of the cluster, 1 for one of a node.

    Without one: 3 where of the cluster, or of a node, more of the time is unknown than is known, and 0 else.
    """
    if any(one.unplanned for one in view.cluster.outages):
        return NagiosCode.CRITICAL
    if any(one.unplanned for node in view.nodes for one in node.outages):
        return NagiosCode.WARNING
    dark = any(one.totals.unknown > (view.until - view.since) / 2 for one in (view.cluster, *view.nodes))
    return NagiosCode.UNKNOWN if dark else NagiosCode.OK


def render_nagios_history(view: HistoryView) -> str:
    """Return the status line with performance data. Whoever is not known for some of the time is named."""
    totals, word, everybody = view.cluster.totals, history_exit_code(view).name, (view.cluster, *view.nodes)
    faults = [f"{one.who} {len(one.outages)} outages" for one in everybody if one.outages]
    unknown = [f"{one.who} {_length(one.totals.unknown)} not known" for one in everybody if one.totals.unknown]
    text = f"{CLUSTER} available {_percent(totals.availability)}, nines {_nines(totals.availability)}"
    line = nagios_text(f"HISTORY {word}: {', '.join([text, *faults, *unknown])}")
    share = "U" if totals.availability is None else f"{totals.availability * 100:.6f}%"
    nodes = [(f"unknown_{re.sub(_NO_LABEL, '_', one.who)}", one.totals.unknown) for one in view.nodes]
    seconds = [("unplanned", totals.unplanned), ("planned", totals.planned), ("unknown", totals.unknown), *nodes]
    return f"{line} | availability={share} " + " ".join(f"{name}={value:.3f}s" for name, value in seconds)
