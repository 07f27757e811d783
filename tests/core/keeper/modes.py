"""The states of a keeper, by what it remembers: docs/keeper.md shows how each follows from another."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from xha.core.election.position_report import State
from xha.core.keeper.effects import Create
from xha.core.monitor.keeper_status import Phase

if TYPE_CHECKING:
    from xha.core.keeper.memory import Memory


class Mode(Enum):
    """What a keeper is at. The value says it for people."""

    LOOKING = "no server runs, and where its data end is still to be found out"
    UNKNOWN = "where the data end could not be found out; it looks again by itself"
    WAITING = "the data are known, and others are waited for, or asked"
    REFUSING = "a person has to decide"
    ASKING = "it has the token, and asks everybody once more"
    CREATING = "it has the token, and a database is being created"
    LAUNCHING = "a server is about to be started, once everybody can see that"
    JOINING = "a server runs that is to join a Primary, or came from somebody else"
    RESTORING = "a server runs that forms the last view again, with all others of it"
    FORMING = "a server runs that was told to form a Primary"
    REVIVING = "a server without a Primary was told to be one"
    EVICTED = "the group has shut the server out, which is restarted once its storage takes writes"
    APART = "a server lives without a Primary"
    SERVING = "the server is in a Primary component"
    STOPPING = "the server is being stopped"
    BEREFT = "the server has ended by itself, and others are not told yet"
    HALTED = "its server has ended by itself: it only reports, until Pacemaker starts the node anew"
    OVER = "the keeper ends: only Pacemaker or a person can mend what it says"


def mode_of(memory: Memory) -> Mode:
    """Return what a keeper is at."""
    if memory.giving_up:
        return Mode.OVER
    if memory.ending is not None:
        return Mode.BEREFT
    if memory.halted:
        return Mode.HALTED
    if memory.launching is not None:
        return Mode.LAUNCHING
    if memory.plan is not None:
        creates = memory.child is not None and isinstance(memory.child.act, Create)
        return Mode.CREATING if creates else Mode.ASKING
    if memory.server is None:
        return _without_server(memory)
    state = memory.state
    if memory.is_stopping:
        return Mode.STOPPING
    if memory.phase is Phase.EVICTED and memory.has_left:
        return Mode.EVICTED
    if state is State.PRIMARY:
        return Mode.SERVING
    if state is State.NON_PRIMARY:
        return Mode.REVIVING if memory.forming_since else Mode.APART
    if state is State.RESTORING:
        return Mode.RESTORING
    return Mode.FORMING if memory.forming_since else Mode.JOINING


def _without_server(memory: Memory) -> Mode:
    if memory.standing is None:
        return Mode.LOOKING
    if memory.is_unknown:
        return Mode.UNKNOWN
    return Mode.REFUSING if memory.refused else Mode.WAITING
