"""Turns the lines of a ledger into spans of time: in service, out of service, or not known, and why not.

Within one run, durations are those of the monotonic clock, and the newest line of the run says which time of day that
was: a clock that is set back while the responder runs makes no outage longer or shorter. Where the time of day leaps
ahead of the monotonic clock, which stands still while the host is suspended, the leap is not known, and the lines
before it keep the time of day that they were written with. Between two runs there is only the time of day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .ledger_lines import LEAP_SECONDS, LedgerLine, LineKind, NodeState, parse_ledger_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NOBODY_RAN = "no responder ran, or none that could write its history"
NOBODY_ASKED = "nobody asked the responder"
SUSPENDED = "the host was suspended, or its clock was set forward"
LINES_LOST = "what was seen could not be written, or not read"
BEFORE = "nothing is recorded so far back"
SINCE_THEN = "nothing is recorded since"
_REMEDY = "move the file away: it is no history, and the responder makes a new one"


class Span(NamedTuple):
    """A stretch of time, in seconds since 1970. state is None where it is not known; then cause says why.

    gap: before its first look nobody had looked for so long, in seconds: it may have begun so much earlier.
    """

    start: float
    end: float
    state: NodeState | None
    cause: str = ""
    gap: float = 0.0

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.start


class MembersWord(NamedTuple):
    """Who the members were, by the node's own word, until its next word, in seconds since 1970; None: none yet."""

    until: float | None
    members: tuple[str, ...]


class NodeHistory(NamedTuple):
    """What one ledger tells: spans that follow each other, the members it named, oldest first, and its newest run.

    unreadable: lines that are none. before, after: why nothing is known before its first span and after its last one.
    cause: why there is nothing, "" where there is.
    """

    name: str
    spans: tuple[Span, ...] = ()
    memberships: tuple[MembersWord, ...] = ()
    run: str = ""
    unreadable: int = 0
    before: str = BEFORE
    after: str = SINCE_THEN
    cause: str = ""
    remedy: str = ""

    def members_since(self, since: float) -> tuple[str, ...]:
        """Return all who were members at any moment from then on, those of now first: who left counts, too."""
        told = [one.members for one in reversed(self.memberships) if one.until is None or one.until > since]
        return tuple(dict.fromkeys(member for members in told for member in members))


class _Change(NamedTuple):
    """From here on, by the monotonic clock, it is so."""

    mono: float
    state: NodeState | None
    cause: str = ""
    gap: float = 0.0


def parse_ledger(text: str, name: str) -> NodeHistory:
    """Return the history in the text of a ledger. Lines that cannot be read make the time around them unknown."""
    runs: list[list[LedgerLine | None]] = [[]]
    memberships: list[MembersWord] = []
    newest, unreadable = "", 0
    for row in text.splitlines():
        try:
            line = parse_ledger_line(row)
        except ValueError:
            unreadable += 1
            runs[-1].append(None)
            continue
        if line.kind is LineKind.RUN:
            newest = line.run
            runs.append([])
        if line.members:
            if memberships:
                memberships[-1] = memberships[-1]._replace(until=line.at)
            memberships.append(MembersWord(None, line.members))
        runs[-1].append(line)
    spans: list[Span] = []
    before, after = BEFORE, SINCE_THEN
    for run in runs:
        found = _spans_of_run(run)
        torn = bool(run) and run[0] is None
        if found and not spans:
            before = LINES_LOST if torn or after == LINES_LOST else BEFORE
        elif found and found[0].start > spans[-1].end:
            lost = LINES_LOST if after == LINES_LOST else NOBODY_RAN
            spans.append(Span(spans[-1].end, found[0].start, None, lost))
        spans += found
        if run:
            after = LINES_LOST if run[-1] is None else SINCE_THEN
    history = NodeHistory(name, tuple(spans), tuple(memberships), newest, unreadable, before, after)
    if unreadable and not spans:
        return history._replace(before=LINES_LOST, cause=f"none of its {unreadable} lines can be read", remedy=_REMEDY)
    return history


def without_own(own: NodeHistory, told: Iterable[NodeHistory]) -> list[NodeHistory]:
    """Return this host's history and what others told; it takes the name by which its own responder was asked.

    That is the responder of the same run. A host that was cloned from this one has older runs in common with it.
    """
    kept = [own]
    for one in told:
        if own.run and own.run == one.run:
            kept[0] = own._replace(name=one.name)
        else:
            kept.append(one)
    return kept


def _spans_of_run(run: Sequence[LedgerLine | None]) -> list[Span]:
    lines = [line for line in run if line is not None]
    if not lines:
        return []
    offsets = iter(_offsets(lines))
    offset = _offsets(lines)[0]
    spans: list[Span] = []
    last = _Change(lines[0].mono, None, NOBODY_ASKED if lines[0].kind is LineKind.RUN else BEFORE)
    read, torn = lines[0].mono, False
    for line in run:
        if line is None:
            torn = True
            continue
        was, offset = offset, next(offsets)
        if offset - was > LEAP_SECONDS:
            _add(
                spans, Span(last.mono + was, read + was, last.state, last.cause, last.gap), empty=last.state is not None
            )
            _add(spans, Span(read + was, line.mono + offset, None, LINES_LOST if torn else SUSPENDED))
            # No line in between says that it changed: at this look it is what it was.
            last, read = last._replace(mono=line.mono, gap=0.0), line.mono
        changes = [_Change(read, None, LINES_LOST)] if torn else []  # a change may have been among them
        if line.kind is LineKind.STATE:
            changes.append(_Change(line.mono, line.state, gap=line.gap))
        elif line.kind in (LineKind.BLIND, LineKind.LOST):
            changes.append(_Change(line.mono, None, NOBODY_ASKED if line.kind is LineKind.BLIND else LINES_LOST))
        for change in changes:
            _add(spans, Span(last.mono + offset, change.mono + offset, last.state, last.cause, last.gap))
            last = change._replace(mono=max(last.mono, change.mono))
        read, torn = max(read, line.mono), False
    # Its last state counts even if no time has passed since: it may be how an outage ended.
    _add(spans, Span(last.mono + offset, read + offset, last.state, last.cause, last.gap), empty=last.state is not None)
    return spans


def _offsets(lines: Sequence[LedgerLine]) -> list[float]:
    """Return, for each line of a run, what is added to its monotonic time: the newest between two leaps ahead."""
    stretches: list[list[float]] = []
    lowest = 0.0
    for line in lines:
        offset = line.at - line.mono
        if not stretches or offset - lowest > LEAP_SECONDS:
            stretches.append([])
            lowest = offset
        lowest = min(lowest, offset)
        stretches[-1].append(offset)
    return [stretch[-1] for stretch in stretches for _ in stretch]


def _add(spans: list[Span], span: Span, *, empty: bool = False) -> None:
    """Add a span that is not empty, or may be; one that goes on as the last did makes that one longer."""
    if span.end < span.start or (span.end == span.start and not empty):
        return
    last = spans[-1] if spans else None
    if last is not None and (last.state, last.cause) == (span.state, span.cause) and last.end >= span.start:
        spans[-1] = last._replace(end=span.end)
    else:
        spans.append(span)


def clip(history: NodeHistory, since: float, until: float, *, fresh: float) -> tuple[Span, ...]:
    """Return the spans of a window, without gaps: what is before the first or after the last is not known.

    fresh: the newest span is still true if it ended so few seconds before `until`: the next look is not marked yet. Not
    so behind a line that cannot be read: a change may have been there.
    Where the clock was set back between two runs, spans overlap: the later run counts, and the time is counted once.
    """
    kept: list[Span] = []
    for span in history.spans:
        while kept and kept[-1].end > span.start:
            last = kept.pop()
            if last.start < span.start:
                kept.append(last._replace(end=span.start))
        _add(kept, span, empty=True)
    clipped: list[Span] = []
    for span in kept:
        if span.end > since and span.start < until:
            inside = span._replace(start=max(span.start, since), end=min(span.end, until))
            clipped.append(inside._replace(gap=span.gap if span.start >= since else 0.0))
    if not clipped:
        return (Span(since, until, None, history.after if kept and kept[-1].end <= since else history.before),)
    if clipped[0].start > since:
        clipped.insert(0, Span(since, clipped[0].start, None, history.before))
    left = until - clipped[-1].end
    if left > (fresh if history.after == SINCE_THEN else 0.0):
        clipped.append(Span(clipped[-1].end, until, None, history.after))
    elif left > 0:
        clipped[-1] = clipped[-1]._replace(end=until)
    return tuple(clipped)


def merge_nodes(nodes: Sequence[Sequence[Span]]) -> tuple[Span, ...]:
    """Return the spans of the cluster, of nodes whose spans cover the same window.

    It is in service while any member is known to be; out of service while all are known to be out; else not known.
    """
    edges = sorted({edge for spans in nodes for span in spans for edge in (span.start, span.end)})
    places = [0] * len(nodes)
    merged: list[Span] = []
    for start, end in zip(edges, edges[1:]):
        now = []
        for number, spans in enumerate(nodes):
            while places[number] < len(spans) - 1 and spans[places[number]].end <= start:
                places[number] += 1
            now.append(spans[places[number]])
        _add(merged, _together(now, start, end))
    return tuple(merged)


def _together(now: Sequence[Span], start: float, end: float) -> Span:
    known = [span.state for span in now if span.state is not None]
    if any(state.available for state in known):
        return Span(start, end, NodeState(True, "in service"))
    if known and len(known) == len(now):
        codes = ", ".join(dict.fromkeys(state.code for state in known))
        gap = max(span.gap for span in now if span.start == start) if any(span.start == start for span in now) else 0.0
        return Span(start, end, NodeState(False, codes, all(state.planned for state in known)), gap=gap)
    causes = dict.fromkeys(span.cause for span in now if span.state is None)
    return Span(start, end, None, "; ".join(causes) or NOBODY_RAN)
