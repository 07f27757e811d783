"""What the keeper makes of what it sees of its server; and what to look at follows from that, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...election.position_report import State
from ...galera.reading import LocalState, Reading, has_left_group, is_serving
from ...node.commit_rules import is_stopped
from ...node.commits import KEPT_SECONDS, take_look
from ...node.verdict import Code
from ..effects import CheckHost
from ..memory import Ending

if TYPE_CHECKING:
    from ...node.verdict import Verdict
    from ..memory import Memory
    from ..observation import ServerSeen

# A server that did not answer is asked again this much later: every connection waits in its backlog.
SILENCE_SECONDS = 10.0
# How long a joiner waits for a Primary that nobody reports any more.
LONELY_SECONDS = 8.0


def looks_for_server(memory: Memory) -> bool:
    """Return whether to look for a server that this keeper does not know.

    While a child holds the data directory, nobody else can start one. What a creation runs is no server.
    """
    held = memory.child is not None and not isinstance(memory.child.act, CheckHost)
    return memory.server is None and memory.ending is None and not held


def looks_for_transfer(memory: Memory) -> bool:
    """Return whether to look for a state transfer: a member that serves has none, but for a donor."""
    status = memory.reading.status if memory.reading else None
    donates = status is not None and status.wsrep_local_state == LocalState.DONOR
    return memory.state is not State.PRIMARY or donates


def asks_server(memory: Memory, now: float) -> bool:
    """Return whether to ask the server that this keeper knows. One that is being stopped serves nobody."""
    if memory.is_stopping:
        return False
    silent = memory.asked_at > memory.answered_at
    return not (silent and now - memory.asked_at < SILENCE_SECONDS)


def looks_for_errors(memory: Memory, seen: ServerSeen, now: float) -> bool:
    """Return whether to read what the server complained of: it has left its group, by its last answer."""
    return note_server(memory, seen, now).has_left


def looks_for_stalls(memory: Memory) -> bool:
    """Return whether to read what the others say of a stall: commits are stopped here, whoever stops them."""
    return memory.state is State.PRIMARY and is_stopped(memory.stall.looks)


def looks_for_recovery(memory: Memory) -> bool:
    """Return whether to look for what the keeper before this one has found out: where the data end."""
    return memory.server is None and memory.standing is None and memory.child is None and not memory.halted


def looks_at_contents(memory: Memory) -> bool:
    """Return whether to look whether a database was created: before a Primary is formed here, whatever the data are.

    Rows that a person has chosen may have no position either, and nothing is created over them.
    """
    return memory.server is None and memory.plan is not None


def note_server(memory: Memory, seen: ServerSeen, now: float) -> Memory:
    """Return the memory with what was seen of the server. Of one that is being stopped, the child tells the end."""
    if memory.is_stopping and seen.server is None:
        return memory
    if memory.server is not None and seen.server is None:
        # What it was is gone with it; the record beside the data stays.
        return _lose(memory, seen)
    if seen.server is None:
        return memory
    if memory.server is None:
        if memory.ending is not None:
            return memory
        # Ours know where to tell their state, also after another keeper launched them.
        memory = memory._replace(standing=None, served=False, newcomer=not seen.ours, met_at=now)
    before = memory.server
    known = seen.server if before is None else seen.server._replace(argv=before.argv, mark=before.mark)
    memory = memory._replace(server=known)
    moved = seen.transfer and (memory.transfer is None or memory.transfer.progress != seen.transfer.progress)
    memory = memory._replace(transfer=seen.transfer, progress_at=now if moved else memory.progress_at)
    return _note_reading(memory, seen, now) if seen.asked else memory


def _lose(memory: Memory, seen: ServerSeen) -> Memory:
    ending = Ending(memory.served, memory.launched, seen.errors, memory.server_identity)
    return memory.without_server()._replace(ending=ending)


def _note_reading(memory: Memory, seen: ServerSeen, now: float) -> Memory:
    memory = memory._replace(verdict=seen.verdict)
    if isinstance(seen.reading, Reading):
        served = memory.served or is_serving(seen.reading)
        recent = (look for look in memory.stall.looks if now - look.at <= KEPT_SECONDS)
        weight = memory.stall.weight if seen.weight is None else seen.weight
        out = is_shut_out(seen.reading, seen.verdict)
        stall = memory.stall._replace(looks=(*recent, take_look(seen.reading, now, 0)), weight=weight, shut_out=out)
        return memory._replace(reading=seen.reading, answered_at=now, asked_at=now, served=served, stall=stall)
    # One that never answered may not listen yet.
    return memory._replace(asked_at=now) if memory.answered_at else memory


def is_shut_out(reading: Reading, verdict: Verdict | None) -> bool:
    """Return whether the group has evicted the server, by what it answers.

    One that has left, and does not know it yet, is one: what tells it waits behind what it cannot apply.
    """
    if verdict is None:
        return False
    unaware = has_left_group(reading.status) and reading.status.wsrep_cluster_status == "Primary"
    return verdict.code is Code.EVICTED or (verdict.code is Code.DISCONNECTED and unaware)


def is_deaf(memory: Memory) -> bool:
    """Return whether nobody listens where the server should: it waits for its group, and serves nothing."""
    return memory.verdict is not None and memory.verdict.code in (Code.SERVER_DOWN, Code.STARTING)


def is_lost(memory: Memory, now: float) -> bool:
    """Return whether a server that was to join has left the group instead, and not only not come there yet."""
    waits = memory.is_pending and memory.has_left and memory.launched is not None
    return waits and now - max(memory.met_at, memory.progress_at) > LONELY_SECONDS


def is_overdue(memory: Memory, view_timeout: float, now: float) -> bool:
    """Return whether what was started should have become Primary by now. A server that serves, but not us, is not."""
    if not memory.is_pending or memory.transfer or not (is_deaf(memory) or memory.reading):
        return False
    # Without a Primary there is nothing to join: then a joiner only keeps the survivors from reviving theirs.
    hopeless = memory.state is State.STARTING and not memory.forming_since and not memory.primary_at
    patience = min(LONELY_SECONDS, view_timeout) if hopeless else view_timeout
    return now - max(memory.met_at, memory.progress_at) > patience
