"""What a Primary component has come to, once it has: written down, or left where it is not the one set out for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..election.compose_report import is_unreplicated, note_view
from ..election.position_report import State
from ..galera.lineage import History, Order, agree, compare, find_line
from ..pacemaker.guards import Allowed
from .decisions import discard
from .effects import RecordLine, WriteFailures, WriteJoining
from .eviction import attend_stall

if TYPE_CHECKING:
    from ..galera.lineage import Generation
    from .turn import Turn


def settle(turn: Turn) -> bool:
    """Write down what this node's component is; return False where the node leaves it, and nothing else is to be done.

    While it is in none, a Primary that did not come about in its time is taken for one that does not.
    """
    if not attend_stall(turn):
        return False
    memory = turn.memory
    if memory.state is not State.PRIMARY:
        late = memory.forming_since and turn.now - memory.forming_since > turn.seen.settings.view_timeout
        if late and memory.state is State.NON_PRIMARY:
            turn.note(forming_since=0.0)
        if memory.state is State.NON_PRIMARY and memory.reading is not None:
            # A view may come and go between two looks, and a clean stop removes what the server kept of it.
            turn.remember(note_view(turn.record, turn.data.gvwstate, memory.reading))
        return True
    view, forming, position = turn.data.gvwstate, memory.forming_since > 0, memory.position
    assert memory.reading is not None
    before = turn.record
    record = note_view(before, view, memory.reading)
    if forming or (turn.cluster.cib.book.records.cluster != position.uuid and position.real):
        turn.do(RecordLine(before.line if forming else None, position.uuid))
    component = view.view if view else None
    beside = (
        ()
        if forming or view is None
        else tuple(one.line for one in turn.others(State.PRIMARY).values() if one.component == component)
    )
    line = find_line(record.line, beside)
    if line is None and turn.data.joining is not None:
        if not _lies_behind(turn, beside[0]):
            return not _leave_strangers(turn)
        line = beside[0]
    line = record.line if line is None else line
    if view is not None and len(beside) == len(turn.cluster.members) - 1:
        line = agree(line)
    # Rows that only this node has are gone once it was given a copy, or are everybody's once it formed the cluster.
    strayed = record.inconsistent and not (forming or turn.data.joining)
    strayed = strayed or is_unreplicated(memory.reading)
    turn.remember(record._replace(line=line, clean_stop=None, superseded=False, discarded=False, inconsistent=strayed))
    if turn.data.joining is not None and (beside or view is None or len(view.view.members) == 1):
        turn.do(WriteJoining(None))
    if turn.data.failures:
        turn.do(WriteFailures(()))
    return True


def _lies_behind(turn: Turn, line: tuple[Generation, ...]) -> bool:
    """Return whether all that the data held before they joined is in a component with such a line."""
    came_with = turn.memory.came_with
    if came_with is None:
        return False
    here = History(turn.memory.position, line)
    return not came_with.position.real or compare(came_with, here) in (Order.EQUAL, Order.BEHIND)


def _leave_strangers(turn: Turn) -> bool:
    """Leave a component that this node did not set out for: its own rows, and those of that one, may not agree.

    Nothing is lost: it set out for another one, which holds all that it had. False where an operator forbids it.
    """
    what = Allowed("leaving the Primary component of others")
    if not turn.may(what.what):
        return False
    turn.log("this server came into another Primary component than the one it was to join: it leaves", warning=True)
    discard(turn, what)
    return True
