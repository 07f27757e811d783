"""Decides from the last readings and the commit probe whether this node commits, and whether it stops the others.

Status tells which node stalls the cluster, and a write tells what status cannot (measured: docs/commits.md).
What is not known never makes a node red: it is a warning, or `commits: not known` with its cause.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .codes import Code
from .commits import PROVEN_SECONDS, Commits, Limits, ProbeState, proves_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .commits import LastProbe, Moment, Room

# Flow control is a warning where it held for half of so many seconds.
_FLOW_SECONDS = 10.0
# A queue that stands for less than this is the usual back and forth of flow control.
_STANDS_SECONDS = 1.0
# Nothing moved since a reading that is at least so much older.
_STILL_SECONDS = 0.4
_LOW_SHARE, _NO_ROOM = 0.05, 1 << 20
_DEFAULTS = Limits()
# A write set counts as large from so many bytes, and this much of it is certified in a second at least. A usual one is
# not larger than this on average, whatever went before.
_LARGE_BYTES, _CERTIFIED_BYTES, _USUAL_BYTES = 1 << 20, 512 << 10, 64 << 10
_OTHERS = "other commits succeed"


def judge_commits(
    looks: Sequence[Moment], probe: LastProbe, rooms: Sequence[Room], now: float, limits: Limits = _DEFAULTS
) -> Commits:
    """Return what is known. looks: the readings of this server, the oldest first. now: seconds of the same clock."""
    disks = tuple(_disk_warning(room) for room in rooms if room.free < room.size * _LOW_SHARE)
    full = [str(room) for room in rooms if room.free < _NO_ROOM]
    named = f"; no room on {', '.join(full)}" if full else ""
    age = None if probe.done_at is None else now - probe.done_at
    seen = Commits(None, "", disks, "", age, probe.seconds, tuple(rooms))
    stalled, stall_warning = judge_stall(looks, limits.stall_after)
    failed, late_warning = _judge_probe(looks, probe, now, limits)
    if failed:
        return seen._replace(code=Code.CANNOT_COMMIT, detail=failed + named)
    if stalled:
        return seen._replace(code=Code.STALLING, detail=stalled + named)
    warning = stall_warning or late_warning
    warning = warning + named if warning else _flow_warning(looks)
    return seen._replace(warnings=(*filter(None, [warning]), *disks), unknown=_unknown(looks, probe, now))


def _disk_warning(room: Room) -> str:
    """Say what a disk without room comes to, as far as it is known.

    In a full data directory a table is refused rows (1114) from its next page on, and takes them as long as it has free
    ones. Neither status nor the probe's row, which needs no page, tells which tables these are (docs/commits.md).
    """
    said = f"the disk is nearly full: {room}"
    datadir = room.free < _NO_ROOM and any(name.startswith("datadir ") for name in room.names)
    return (
        f"{said}: rows that need a new page are refused (error 1114), in which tables is not known" if datadir else said
    )


def judge_stall(looks: Sequence[Moment], stall_after: float) -> tuple[str, str]:
    """Return (why this node is stalling or "", a warning or ""): it requests flow control, and applies nothing."""
    tail = find_standing(looks)
    if not tail or tail[-1].at - tail[0].at < _STANDS_SECONDS:
        return "", ""
    last, stands = tail[-1], tail[-1].at - tail[0].at
    seen = f"{last.queue} write sets wait since {stands:.0f} s, and the applied position stands at {last.position}"
    if stands < stall_after:
        return "", f"this node's flow control stops the whole cluster: {seen}"
    moves = _moves(tail) or _large_excuse(looks)
    if moves:
        return "", f"this node's flow control stops the whole cluster: {seen}; it is not called stalling: {moves}"
    return seen, ""


def find_standing(looks: Sequence[Moment]) -> Sequence[Moment]:
    """Return the last looks in which queue and applied position stood while this node requested flow control."""
    last = looks[-1] if looks else None
    if last is None or not last.requested or not last.queue or last.position is None:
        return ()
    tail = [last]
    for look in reversed(looks[:-1]):
        if not look.requested or not look.queue or look.position != last.position:
            break
        tail.insert(0, look)
    return tail


def is_stopped(looks: Sequence[Moment]) -> bool:
    """Return whether flow control stops this node's commits, whoever requests it, and has for longer than usual."""
    last = looks[-1] if looks else None
    if last is None or not (last.active or last.requested):
        return False
    since = last.at
    for look in reversed(looks):
        if not (look.active or look.requested) or look.position != last.position:
            break
        since = look.at
    return last.at - since >= _STANDS_SECONDS


def _moves(tail: Sequence[Moment]) -> str:
    """Return what may be working on what stands at the front, "" if nothing does."""
    first, last = tail[0], tail[-1]
    if last.working is None:
        return "the account may not see the appliers (GRANT PROCESS, docs/commits.md)"
    known = [look.working for look in tail if look.working is not None]
    ddl = next((one.ddl for one in known if one.ddl), "")
    if ddl:
        return f"a statement runs that changes a definition ({ddl})"
    busy = next((one.rows for one in known if one.rows), "")
    if busy and (None in last.rows or None in first.rows):
        return f"an applier works ({busy}), and the server does not count its rows"
    if busy and (last.rows != first.rows or last.written != first.written):
        return f"an applier works on a large transaction ({busy})"
    return ""


def _judge_probe(looks: Sequence[Moment], probe: LastProbe, now: float, limits: Limits) -> tuple[str, str]:
    """Return (why the node cannot commit or "", a warning or "")."""
    if probe.state is ProbeState.FAILED:
        return f"a commit failed: {probe.text}", ""
    waits = now - probe.since
    if probe.state is not ProbeState.WAITING or waits < limits.late:
        return "", ""
    said = f"a commit waits since {waits:.1f} s"
    since = [look for look in looks if look.at >= probe.since]
    if probe.convicted:
        cause = _work_excuse(since)
        return ("", f"{said}: {cause}") if cause else (said, "")
    cause = _excuse(since, probe.since + limits.late) or _group_excuse(since[-1], probe.ordered) or _large_excuse(looks)
    return ("", f"{said}: {cause}") if cause else (said, "")


def _excuse(looks: Sequence[Moment], late_at: float) -> str:
    """Return why a late commit proves nothing against this node, "" if it does. looks: those since it was sent.

    Commits are made in one order on all nodes. So a healthy node's commit waits while an applier works on a large
    transaction, and while a definition changes (measured: 2.7 s behind a DELETE of 150,000 rows, without flow control).
    """
    if not looks:
        return "no reading of the server since"
    last = looks[-1]
    flowing = [look for look in looks if look.active or look.requested]
    if flowing:
        return "this node's own flow control" if flowing[-1].requested else "another node's flow control stops it"
    if last.active is None or last.requested is None or last.position is None:
        return "the server does not say whether flow control is active"
    if last.position != looks[0].position:
        return _OTHERS
    before = [look for look in looks if look.at <= last.at - _STILL_SECONDS]
    if last.at < late_at or not before:
        return "it has not been late for long enough"
    moves = _moves(looks)
    if moves:
        return moves
    if None in last.written:
        return "the server does not say whether it writes"
    if last.sending or last.written != before[-1].written:
        return "the server still writes: a large commit may be before it"
    return ""


def _work_excuse(looks: Sequence[Moment]) -> str:
    """Return what takes back that a commit was found late: something moves after all, "" if nothing does."""
    if looks and looks[-1].position != looks[0].position:
        return _OTHERS
    return _moves(looks) if looks and looks[-1].working is not None else ""


def _large_excuse(looks: Sequence[Moment]) -> str:
    """Return that the last write sets before the position stood were large ones, "" if they were not.

    A write set is certified key by key, on each node and before all later commits. No counter and no state tells of it
    (measured: 3 to 5 s for the 12 MB of a DELETE of 400,000 rows, on all nodes at once).
    """
    last = looks[-1]
    before = [look for look in looks if look.position != last.position] or [looks[0]]
    first, edge = looks[0], before[-1]
    if None in (first.sets, first.size, edge.sets, edge.size, last.sets, last.size):
        return "the server does not say how large the last write sets were"
    usual_sets, usual_size = _grown(first, edge)
    usual = min(usual_size / usual_sets, _USUAL_BYTES) if usual_sets > 0 else _USUAL_BYTES
    sets, size = _grown(edge, last)
    large = size - sets * usual
    if large < _LARGE_BYTES or last.at - edge.at > _STANDS_SECONDS + large / _CERTIFIED_BYTES:
        return ""
    return f"a write set of {large / _LARGE_BYTES:.0f} MiB may be before it"


def _grown(one: Moment, other: Moment) -> tuple[int, int]:
    """Return how many write sets were delivered between two readings, and their bytes."""
    return (other.sets or 0) - (one.sets or 0), (other.size or 0) - (one.size or 0)


def _group_excuse(last: Moment, ordered: int | None) -> str:
    """Return why a late commit may be the group's own stall, "" if this node's write set has its place in the order.

    A member that dies without a word holds up the commits of all members until they exclude it, evs.suspect_timeout
    later. Meanwhile they are Synced and Primary, and no flow control is active (measured: 6 s, all members alike).
    """
    if last.members == 1:
        return ""
    if ordered is None or last.ordered is None:
        return "it is not known whether the group has ordered it"
    return "" if last.ordered > ordered else "the group orders no write set: another member may not answer"


def _flow_warning(looks: Sequence[Moment]) -> str:
    last = looks[-1] if looks else None
    if last is None or last.paused_ns is None:
        return ""
    first = next(look for look in looks if look.at >= last.at - _FLOW_SECONDS)
    paused = (last.paused_ns - first.paused_ns) / 1e9 if first.paused_ns is not None else 0.0
    if paused < _FLOW_SECONDS / 2:
        return ""
    who = "this node requests it" if last.requested else "xha-check cluster shows whose queue is long"
    return f"flow control stopped all commits for {paused:.0f} of the last {last.at - first.at:.0f} s: {who}"


def _unknown(looks: Sequence[Moment], probe: LastProbe, now: float) -> str:
    """Return why it is not known whether the node commits; "" where a commit has proven it."""
    probed = probe.state is not ProbeState.NONE and probe.done_at is not None
    if probed and now - (probe.done_at or 0.0) <= PROVEN_SECONDS:
        return ""
    if proves_itself([look for look in looks if now - look.at <= PROVEN_SECONDS]):
        return ""
    if probe.state is ProbeState.WAITING:
        return f"the probe waits since {now - probe.since:.1f} s"
    return probe.text or "the last probe is too old"
