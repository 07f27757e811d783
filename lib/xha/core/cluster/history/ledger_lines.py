"""The lines of the availability ledger: one for each change of a node's state, as its resident responder saw it.

Each line is one JSON object with `kind`, `at` (seconds since 1970) and `mono` (seconds of the host's monotonic clock):

- `run`: a responder begins. What was before it, since the last line of the one before, nobody saw.
- `state`: from now on the node is in service or not, with this code. `gap`: seconds since the look before.
- `blind`: this was the last look; the next line is more than BLIND_SECONDS later, in which nobody asked, or the host
  was suspended in between.
- `lost`: from now until the next line, changes could not be written.
- `members`: who is in the cluster, by the node's own word.
- `mark`: the last look, nothing changed. The writer overwrites it in place: there is one, at the end of the file.
"""

from __future__ import annotations

import json
from enum import Enum
from typing import NamedTuple

from ...node.codes import Code
from ...text.escape import clean
from ...text.numbers import parse_json, parse_moment

# A look is believed for so long, in seconds. HAProxy asks every second or two.
BLIND_SECONDS = 30.0
# So much the time of day may gain on the monotonic clock, in seconds; more is a host that was suspended, or a clock
# that was set forward. Both clocks are read one after the other, on a host that may be busy.
LEAP_SECONDS = 5.0
# How often the last look is marked, in seconds: what a killed responder has seen since is not known.
MARK_SECONDS = 10.0
# The file is halved when it is as large: 8000 changes.
MAX_BYTES = 1 << 20
# What `/history` tells: fits, with its headers, what is read of a responder (adapters/network/channel.py).
TOLD_BYTES = 56 << 10
# A mark is padded to this, so that the next one fits in its place.
MARK_BYTES = 80
_LONGEST, _MOST_MEMBERS = 100, 100
# After a withdrawal, a server that is away or comes back is still out of service as planned.
_COMING_BACK = (Code.SERVER_DOWN, Code.STARTING, Code.JOINING, Code.JOINED)


class LineKind(str, Enum):
    """What a line tells."""

    RUN = "run"
    STATE = "state"
    BLIND = "blind"
    LOST = "lost"
    MEMBERS = "members"
    MARK = "mark"


_MEMBERS = f'"kind": "{LineKind.MEMBERS.value}"'


class NodeState(NamedTuple):
    """What load balancers were told of a node. planned: a person, or a planned stop, took it out of service."""

    available: bool
    code: str
    planned: bool = False


class LedgerLine(NamedTuple):
    """One line. at: seconds since 1970; mono: of the host's monotonic clock, which runs evenly within one run."""

    kind: LineKind
    at: float
    mono: float
    run: str = ""
    node: str = ""
    state: NodeState | None = None
    gap: float = 0.0
    members: tuple[str, ...] = ()


def is_planned(code: Code, withdrawn: bool, before: NodeState | None) -> bool:
    """Return whether a node that is out of service is so by plan.

    withdrawn: it is disabled or drained. before: its state until now. A planned stop drains the node, and its drain
    ends with the stop: a server that is away then, or comes back, is still the planned stop.
    """
    if withdrawn or code is Code.MAINTENANCE:
        return True
    return before is not None and before.planned and not before.available and code in _COMING_BACK


def render_ledger_line(line: LedgerLine) -> str:
    """Return the text of a line, without its end. A mark has MARK_BYTES - 1 characters."""
    fields: dict[str, object] = {"kind": line.kind.value, "at": round(line.at, 3), "mono": round(line.mono, 3)}
    if line.kind is LineKind.RUN:
        fields["run"] = line.run
    elif line.kind is LineKind.STATE and line.state is not None:
        fields.update(available=line.state.available, code=line.state.code, planned=line.state.planned)
        fields["gap"] = round(line.gap, 3)
    elif line.kind is LineKind.MEMBERS:
        fields.update(node=line.node, members=list(line.members))
    text = json.dumps(fields)
    return text.ljust(MARK_BYTES - 1) if line.kind is LineKind.MARK else text


def parse_ledger_line(text: str) -> LedgerLine:
    """Return the line of a text. :raises ValueError: saying what is wrong, for anything else."""
    fields = parse_json(text)
    if not isinstance(fields, dict):
        raise ValueError("it is not one JSON object")
    try:
        kind = LineKind(fields.get("kind"))
        at, mono = parse_moment(fields.get("at")), parse_moment(fields.get("mono"))
        gap = parse_moment(fields.get("gap", 0.0))
    except (TypeError, ValueError):
        raise ValueError("kind, at, mono or gap is none") from None
    line = LedgerLine(kind, at, mono, gap=gap)
    if kind is LineKind.RUN:
        return line._replace(run=_text(fields.get("run")))
    if kind is LineKind.MEMBERS:
        members = fields.get("members")
        if not isinstance(members, list):
            raise ValueError("members is no list")
        return line._replace(node=_text(fields.get("node")), members=tuple(map(_text, members[:_MOST_MEMBERS])))
    if kind is not LineKind.STATE:
        return line
    available, planned = fields.get("available"), fields.get("planned")
    if not isinstance(available, bool) or not isinstance(planned, bool):
        raise ValueError("available or planned is neither true nor false")
    code = _text(fields.get("code"))
    if not code:
        raise ValueError("code is empty")
    return line._replace(state=NodeState(available, code, planned))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("a text is none")
    return clean(value, _LONGEST)


def keep_newest(text: str, most: int) -> str:
    """Return the newest whole lines of a ledger that have at most `most` bytes together."""
    data = text.encode()
    if len(data) <= most:
        return text
    return data[-most:].partition(b"\n")[2].decode("utf-8", "replace")


def halve_ledger(text: str, most: int) -> str:
    """Return the newest whole lines, and before them who the members were then: that is written at a change alone."""
    kept = keep_newest(text, most)
    dropped = text[: len(text) - len(kept)].splitlines(keepends=True)
    return next((row for row in reversed(dropped) if _MEMBERS in row), "") + kept


def without_addresses(text: str) -> str:
    """Return the lines of a ledger as another host may read them: who is a member is told on its host."""
    return "".join(line for line in text.splitlines(keepends=True) if _MEMBERS not in line)
