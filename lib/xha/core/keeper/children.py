"""Recovery, creation, stop and the look at the host: each is a child that is begun, looked at and heard.

One runs at a time, and what it comes to counts only for the data and the server that it was begun for. It has a time
limit of its own; one that does not keep it is ended. While it runs the node is announced and answers the others, and
nothing is decided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..galera.position import Kind, Standing
from ..monitor.keeper_status import Phase
from .effects import CheckHost, CheckStorage, Create, EndChild, Recover, Stop
from .outcomes import Done, EffectFailed, EffectResult, FailureCause, Recovered, Unfit
from .results import GRACE_SECONDS, TOKEN_PATIENCE, begin_anew, forget_server, give_up, note_failure, note_recovered

if TYPE_CHECKING:
    from ..pacemaker.guards import Guard
    from .memory import KeeperChild
    from .observation import ChildSeen
    from .outcomes import EffectOutcome
    from .turn import Turn

# The server's own crash recovery may take long.
RECOVERY_SECONDS = 3600.0
# A recovery of data that were closed takes 1 to 2 s (measured); the others are told of one that takes longer.
SHORT_SECONDS = 3.0
# The server lists its options within 10 s, or not (adapters/mysqld/program.py).
CHECK_SECONDS = 20.0
# For how long a host that was found fit counts as one.
FIT_SECONDS = 5.0
# How long after a write to the storage of an evicted server that was refused, as by a full disk, the next one is tried.
STORAGE_PAUSE = 5.0
STOPPING = "stopping mysqld"


def hear(turn: Turn) -> None:
    """Take note of what the child has come to. One that nobody knows, as after a fault, is ended."""
    child, seen = turn.memory.child, turn.seen.child
    if seen is not None and seen.outcome is None and (child is None or child.number != seen.number):
        turn.do(EndChild())
    outcome = None if child is None else _find_outcome(child, turn.seen.child)
    if child is None or outcome is None:
        return
    turn.note(child=None)
    if isinstance(child.act, Recover):
        _hear_recovery(turn, child, outcome)
    elif isinstance(child.act, CheckStorage):
        _hear_storage(turn, child, outcome)
    elif not isinstance(outcome, Done):
        turn.note(plan=None)
        failed = outcome if isinstance(outcome, EffectFailed) else EffectFailed(FailureCause.BUSY, outcome.text)
        note_failure(turn, failed.cause, failed.text, EffectResult(child.act, failed))
        turn.fails = True
    elif isinstance(outcome.value, Unfit):
        turn.note(plan=None, unfit=outcome.value.text)
        if outcome.value.permanent:
            give_up(turn, outcome.value.text)
        turn.fails = True
    elif isinstance(child.act, Stop):
        forget_server(turn)
        begin_anew(turn)
        turn.note(behind=child.act.behind)
    else:
        _go_on_behind(turn, child.act, outcome)


def _go_on_behind(turn: Turn, act: CheckHost | Create, outcome: Done) -> None:
    """Go on with what a look at the host, or a creation, was a part of."""
    if isinstance(act, CheckHost):
        turn.note(fit_at=outcome.at, unfit="")
    if turn.memory.plan is not None:
        turn.note(plan=turn.memory.plan._replace(until=turn.now + TOKEN_PATIENCE))


def _find_outcome(child: KeeperChild, seen: ChildSeen | None) -> EffectOutcome | None:
    """Return what the child has come to, None while it runs. Another one's outcome says nothing of it."""
    if seen is None or seen.number != child.number:
        return EffectFailed(FailureCause.BUSY, "nobody knows what became of its process")
    return seen.outcome


def _hear_recovery(turn: Turn, child: KeeperChild, outcome: EffectOutcome) -> None:
    if isinstance(outcome, Done) and isinstance(outcome.value, Recovered):
        if turn.seen.child is not None and turn.seen.child.directory != child.directory:
            turn.log(f"{turn.seen.datadir} is another directory by now: its data are looked at anew", warning=True)
            return
        note_recovered(turn, outcome.value)
        return
    text = outcome.text if isinstance(outcome, EffectFailed) else "it has no result"
    if turn.now - child.since > child.act.seconds:
        text = f"it did not end within {child.act.seconds:.0f} s"
    note_recovered(turn, Recovered(Standing(Kind.UNKNOWN, cause=f"the recovery came to nothing: {text}")))


def _hear_storage(turn: Turn, child: KeeperChild, outcome: EffectOutcome) -> None:
    """Only a write that was done proves anything, and only of the server that it was done for."""
    text = outcome.text if not isinstance(outcome, Done) else ""
    if isinstance(outcome, Done) and isinstance(outcome.value, Unfit):
        text = outcome.value.text
    at = outcome.at if isinstance(outcome, Done) and outcome.value is None else 0.0
    stall = turn.memory.stall._replace(proven_at=at, proven=child.server, unproven=text)
    turn.note(stall=stall._replace(again_at=turn.now + (0.0 if at else STORAGE_PAUSE)))


def finish_child(turn: Turn) -> bool:
    """Do what is left to do with a child, whatever can be seen; return whether that is all of this step.

    One that is overdue is ended: what it came to is seen by a later look. What follows a stop is done where no server
    runs by now.
    """
    child, behind = turn.memory.child, turn.memory.behind
    if child is not None and isinstance(child.act, CheckStorage) and _has_ended(turn):
        turn.do(EndChild())  # it may wait as long as its file system is frozen, and what it comes to is of no server
        turn.note(child=None)
    elif child is not None and turn.now - child.since > child.act.seconds + GRACE_SECONDS:
        turn.do(EndChild())
    turn.note(behind=())
    if behind and turn.memory.server is not None:
        turn.log("a server was started meanwhile: the data here are not given up", warning=True)
    elif behind:
        for act in behind:
            turn.do(act)
        return True
    return turn.fails


def _has_ended(turn: Turn) -> bool:
    """Return whether no server runs by this look."""
    return turn.seen.server is not None and turn.memory.server is None


def attend(turn: Turn, child: KeeperChild) -> None:
    """Announce the node while a child runs, and answer the others.

    A server that is being stopped is not asked, so its node answers no question that is newer than its last reading.
    """
    if isinstance(child.act, Stop):
        turn.stops = True
        turn.say(turn.memory.server_phase, STOPPING)
        turn.set_ready(False)
        return
    if isinstance(child.act, CheckStorage):
        turn.publish()
        say_evicted(turn)
        turn.set_ready(False)
        return
    decided = isinstance(child.act, CheckHost) and turn.memory.standing is not None
    if isinstance(child.act, Create) or decided or turn.now - child.since > SHORT_SECONDS:
        turn.publish()
    if isinstance(child.act, CheckHost):
        _say_check(turn)
    elif isinstance(child.act, Create):
        turn.say(turn.memory.server_phase, tell_creation(turn))
    elif turn.memory.halted:
        turn.say(Phase.ENDED, turn.memory.halted)
    elif turn.memory.standing is not None:
        turn.say(Phase.UNKNOWN, turn.memory.standing.cause)
    else:
        say_recovery(turn)


def say_evicted(turn: Turn) -> None:
    """Say why an evicted server is not restarted yet: one that waits for its storage cannot be ended."""
    stall = turn.memory.stall
    reason = "waiting until its storage takes writes: a server that waits for that cannot be ended"
    if turn.memory.is_proven(turn.now):
        reason = "its storage takes writes: it is restarted, to join again"
    elif stall.unproven:
        reason = f"it is restarted once its storage takes writes: {stall.unproven}"
    turn.say(Phase.EVICTED, reason)


def tell_creation(turn: Turn) -> str:
    """Return in words that a database is being created."""
    return f"creating a database in {turn.seen.datadir}"


def say_recovery(turn: Turn) -> None:
    """Say that where the data end is being found out."""
    turn.say(Phase.RECOVERING, "finding out where the data end")


def is_fit(turn: Turn, *guards: Guard) -> bool:
    """Return whether a server may be started on this host; where nobody has looked just now, begin to."""
    if turn.memory.fit_at and turn.now - turn.memory.fit_at <= FIT_SECONDS:
        return True
    _say_check(turn, *guards)
    turn.do(CheckHost(CHECK_SECONDS), *guards)
    return False


def _say_check(turn: Turn, *guards: Guard) -> None:
    memory = turn.memory
    reason = memory.unfit or "looking whether a server can run on this host"
    if memory.is_unknown and memory.standing is not None:
        turn.say(Phase.UNKNOWN, memory.standing.cause)
    elif memory.plan is not None:
        turn.say(Phase.FORMING, reason, *guards)
    else:
        turn.say(Phase.RECOVERING, reason, *guards)


def take_recovery(turn: Turn) -> bool:
    """Go by what the keeper before this one found out, if nothing has written there since; return whether it did."""
    found = turn.data.recovered
    if found is None or turn.memory.standing is not None or turn.memory.halted:
        return False
    turn.log("the keeper before this one has found out where the data end, and nothing has written there since")
    note_recovered(turn, found)
    return True


def recover(turn: Turn) -> None:
    """Begin to find out where the data end, on a host that is fit for that."""
    turn.report()  # should the keeper give up, its last report names the history that it knows
    act = Recover(RECOVERY_SECONDS)
    if turn.memory.halted:
        turn.do(act)
        return
    if not is_fit(turn):
        return
    if not turn.memory.is_unknown:  # then the status goes on saying why
        say_recovery(turn)
    turn.do(act)
