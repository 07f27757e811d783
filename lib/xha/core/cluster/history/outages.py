"""The outages in a history, and its availability: 1 - downtime / (downtime + uptime), of the time that is known.

The formula is that of the guide to OpenStack's high availability, and the nines are its too: 99.99 % has four.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from .timeline import Span, clip, merge_nodes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .timeline import NodeHistory

# The last mark may be so old, in seconds, and the responder looks all the same.
FRESH_SECONDS = 30.0
CLUSTER = "cluster"


class Outage(NamedTuple):
    """A time out of service, of a node or the cluster. Times are in seconds since 1970.

    codes: its reasons one after the other; the first is its cause. end: the next look that found it in service, None
    where that is not known: it lasts, or `then` says why nobody knows. begun: whether its begin was seen.
    noticed: it may have begun so many seconds earlier. unplanned: seconds of it that were not planned.
    """

    who: str
    start: float
    seen_until: float
    codes: tuple[str, ...]
    planned: bool
    unplanned: float
    begun: bool = True
    end: float | None = None
    then: str = ""
    noticed: float = 0.0
    affected: str = ""

    @property
    def lasts(self) -> bool:
        """Whether it is still going on."""
        return self.end is None and not self.then

    @property
    def rto(self) -> float | None:
        """How long it took to restore service, in seconds (recovery time); None where that is not known."""
        return None if self.end is None or not self.begun else self.end - self.start


class Totals(NamedTuple):
    """How much of a window was what, in seconds."""

    up: float = 0.0
    planned: float = 0.0
    unplanned: float = 0.0
    unknown: float = 0.0

    @property
    def availability(self) -> float | None:
        """1 - downtime / (downtime + uptime), planned downtime included; None where nothing is known."""
        return _ratio(self.planned + self.unplanned, self.up)

    @property
    def unplanned_availability(self) -> float | None:
        """The same without the planned downtime."""
        return _ratio(self.unplanned, self.up)

    @property
    def at_least(self) -> float:
        """The availability if the node was out of service in all of the time that is not known."""
        return _ratio(self.planned + self.unplanned + self.unknown, self.up) or 0.0


def _ratio(down: float, up: float) -> float | None:
    return None if down + up <= 0 else 1 - down / (down + up)


def count_nines(availability: float | None) -> float | None:
    """Return the nines of an availability, 4.0 for 99.99 %; None where it is not known, or there was no downtime."""
    if availability is None or availability >= 1:
        return None
    return -math.log10(1 - availability)


class Availability(NamedTuple):
    """A node, or the cluster, in a window. unreadable: lines of its whole ledger that are none."""

    who: str
    spans: tuple[Span, ...]
    totals: Totals
    outages: tuple[Outage, ...]
    cause: str = ""
    remedy: str = ""
    unreadable: int = 0


class HistoryView(NamedTuple):
    """The cluster and its nodes in one window."""

    since: float
    until: float
    cluster: Availability
    nodes: tuple[Availability, ...]


def judge_history(histories: Sequence[NodeHistory], since: float, until: float) -> HistoryView:
    """Return how available each node, and the cluster of them, was from `since` to `until`."""
    windows = [clip(one, since, until, fresh=FRESH_SECONDS) for one in histories]
    names = [one.name for one in histories]
    nodes = []
    for history, spans in zip(histories, windows):
        others = [(name, window) for name, window in zip(names, windows) if name != history.name]
        outages = [one._replace(affected=_affected(one, others)) for one in _find_outages(history.name, spans)]
        told = (history.cause, history.remedy, history.unreadable)
        nodes.append(Availability(history.name, spans, _count(spans), tuple(outages), *told))
    merged = merge_nodes(windows)
    every = f"every client: none of {', '.join(names)} was in service"
    outages = [one._replace(affected=every) for one in _find_outages(CLUSTER, merged)]
    return HistoryView(since, until, Availability(CLUSTER, merged, _count(merged), tuple(outages)), tuple(nodes))


def _count(spans: Sequence[Span]) -> Totals:
    def total(wanted: object) -> float:
        return sum(span.seconds for span in spans if _kind(span) == wanted)

    return Totals(total("up"), total("planned"), total("unplanned"), total("unknown"))


def _kind(span: Span) -> str:
    if span.state is None:
        return "unknown"
    if span.state.available:
        return "up"
    return "planned" if span.state.planned else "unplanned"


def _find_outages(who: str, spans: Sequence[Span]) -> list[Outage]:
    found: list[Outage] = []
    before: Span | None = None
    open_outage = False
    for span in spans:
        out = span.state is not None and not span.state.available
        if out and span.state is not None:
            unplanned = 0.0 if span.state.planned else span.seconds
            if open_outage:
                last = found[-1]
                codes = last.codes if last.codes[-1] == span.state.code else (*last.codes, span.state.code)
                found[-1] = last._replace(codes=codes, seen_until=span.end, unplanned=last.unplanned + unplanned)
            else:
                seen = before is not None and before.state is not None
                codes, planned = (span.state.code,), span.state.planned
                gap = span.gap if seen else 0.0
                found.append(Outage(who, span.start, span.end, codes, planned, unplanned, begun=seen, noticed=gap))
        elif open_outage:
            found[-1] = found[-1]._replace(end=span.start if span.state else None, then=span.cause)
        before, open_outage = span, out
    return found


def _affected(outage: Outage, others: Sequence[tuple[str, Sequence[Span]]]) -> str:
    """Return whom the outage of a node affected, by what the other members were at that time."""
    serving, doubtful, alone = set(), set(), 0.0
    for name, spans in others:
        inside = [span for span in spans if span.end > outage.start and span.start < outage.seen_until]
        if inside and all(span.state is not None and span.state.available for span in inside):
            serving.add(name)
        elif any(span.state is None for span in inside) or not inside:
            doubtful.add(name)
    if serving:
        return f"clients of {outage.who}; {', '.join(sorted(serving))} served"
    merged = merge_nodes([spans for _, spans in others]) if others else ()
    for span in merged:
        if span.state is not None and not span.state.available:
            alone += max(0.0, min(span.end, outage.seen_until) - max(span.start, outage.start))
    if doubtful:
        return f"clients of {outage.who}; whether {', '.join(sorted(doubtful))} served is not known"
    if not others:
        return f"clients of {outage.who}; it is the only member that is known"
    if alone > 0:
        return f"every client for {alone:.1f} s: no other member was in service"
    return f"clients of {outage.who}; the others served by turns"
