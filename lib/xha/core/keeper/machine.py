"""The keeper of one node, as a function: `step(memory, observation) -> (memory, effects)`.

It is pure and total: it looks at nothing, changes nothing, and raises nothing. Time and fresh ids come with the
observation. Whoever calls it looks, steps, and does the effects in their order; an effect is done only if its guards
hold by a fresh look at that moment. The first that fails drops the rest, but for writing down which server runs,
ending the child, giving back the token and ending the keeper (`ALWAYS`), and a step without a look follows at once:
it says what failed. What came of the effects is seen in the next observation, and only then remembered: what is not
done is not known.

The order of the effects within a step, and why:

1. What was learnt from the last ones (LogLine, Say): it is true already.
2. Retract, before anything else is said of a server that has ended: the others must not count a Primary that is gone.
3. Publish of an ordinary look comes before the decision's effects: those who count this node's report see what it
   decides by.
4. TakeToken opens an epoch of its own, which is published by the next step: every answer to it is younger than the
   token.
5. ConsumeGrants comes before what the grant allows: a grant is used once, also if its effect is interrupted.
6. WriteRecord, WriteJoining and SetViewAside come before the report that builds on them: what others rely on stands on
   the disk. A joiner writes the generations of its Primary down before it starts, and a node that forms one before it
   is formed: a crash between leaves a node that knows too much, and none that looks diverged.
7. RecordLine comes before the Primary is formed: from then on everybody knows of the generation, and nobody forms one
   without it. Of a brand-new history it comes after: a first start that fails must leave no record that a cluster ever
   existed. WriteGrastate follows it: the flag is the last thing that is written before the launch.
8. Say, DeleteStop, Publish and NoteServer come before Launch: the stop record and the old report promise that no server
   runs, and the directory is known even if the keeper is killed right after it. Launch is in a later step, once
   everybody can see the new report (`Confirmed`), and looks once more at the token: where it forms a Primary, the token
   is still this node's (`HoldsToken`); where it restores a view, it is nobody else's (`TokenNotElsewhere`).
9. CheckHost, Create, Recover and Stop begin a child, and nothing that depends on its end is in the same step: what is
   planned waits for a look at the host and for a creation, and what follows a stop comes with it (`Stop.behind`) and is
   done when that has ended.
10. SetReady and ForgetDegraded, which nobody's data depend on. TellFailure comes after the report that says where the
   data of the server end that has ended: Pacemaker stops this keeper then.
11. EndChild, before the keeper's end, or where one is overdue: its own process must not write once another keeper may.
12. NoteServer, of a server that was found, was launched by the last step, or is gone; whatever came before.
13. ReleaseToken, whenever no Primary is being formed here, whatever came before: it binds all others.
14. End, after all that has to be done before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..election.compose_report import is_unreplicated
from ..election.position_report import PositionReport, State, render_position_report
from ..galera.error_log import tell
from ..galera.lineage import begin_by_hand
from ..galera.node_record import NodeRecord
from ..galera.position import NO_UUID
from ..galera.server_options import find_bootstrap
from ..monitor.keeper_status import Phase
from ..node.verdict import Code
from ..pacemaker.telling import Telling
from .children import attend, finish_child, hear, recover, take_recovery
from .decisions import act, decide
from .effects import ForgetDegraded, RecordLine
from .results import learn, note_failure
from .server.ending import count_failure, note_end, stop_server, tell_pacemaker
from .server.join_queue import waits_its_turn
from .server.looks import is_lost, is_overdue, note_server
from .settling import settle
from .turn import Turn
from .writer import attend_writer

if TYPE_CHECKING:
    from ..galera.known_servers import ServerProcess
    from .effects import Effect
    from .memory import Launching, Memory
    from .observation import Observation

# More than the interval of monitor: then the last one has said that all is well. And how often that is looked at again.
WELL_SECONDS, WELL_AGAIN_SECONDS = 12.0, 30.0


def step(memory: Memory, seen: Observation) -> tuple[Memory, tuple[Effect, ...]]:
    """Return what the keeper remembers from now on, and what it does, in that order."""
    turn = Turn(memory, seen)
    if not memory.epoch:
        turn.open_epoch()
        turn.note(calm_since=turn.now)
    _learn(turn)
    _take(turn)
    attend_writer(turn)
    turn.finish()
    return turn.memory, tuple(turn.effects)


def learnt(memory: Memory, seen: Observation) -> Memory:
    """Return what the keeper knows before it looks: whoever looks goes by what came of the last effects."""
    turn = Turn(memory, seen)
    _learn(turn)
    return turn.memory


def _learn(turn: Turn) -> None:
    learn(turn)
    hear(turn)


def _take(turn: Turn) -> None:
    memory, seen = turn.memory, turn.seen
    if not seen.in_charge:
        turn.log(f"{seen.run} was removed: the next monitor starts another keeper", warning=True)
    if seen.ending or memory.giving_up or not seen.in_charge:
        return
    if seen.reloaded:
        turn.note(pause=0.0, again_at=0.0)
    if seen.server is not None and seen.data is not None:
        _look(turn)
    if finish_child(turn):
        return
    if seen.trouble is not None:
        note_failure(turn, seen.trouble.cause, seen.trouble.text)
        return
    if seen.server is None or seen.data is None or seen.cluster is None:
        return
    token = seen.cluster.cib.book.records.token
    turn.note(has_token=token is not None and token.node == turn.me)
    if turn.memory.child is not None:
        attend(turn, turn.memory.child)
    elif turn.memory.ending is not None:
        note_end(turn, turn.memory.ending)
    elif is_lost(turn.memory, turn.now):
        _give_up_join(turn)
    elif turn.memory.server is None and turn.memory.is_due(turn.now) and not take_recovery(turn):
        recover(turn)
    else:
        _go_on(turn)


def _look(turn: Turn) -> None:
    """Take note of what was seen of this host."""
    before = turn.memory
    turn.memory = note_server(turn.memory, turn.server, turn.now)
    memory = turn.memory
    if before.server is not None and memory.server is None:
        turn.note(record=turn.data.record or before.record)
    if before.state is State.PRIMARY and memory.state is State.NON_PRIMARY:
        turn.open_epoch()  # what a Primary's members answered before says nothing of where they are now
    if memory.server is not None and memory.record is None:
        turn.note(record=turn.data.record)
    readable = memory.server is not None and not turn.trouble
    if readable and is_unreplicated(memory.reading) and not turn.record.inconsistent:
        turn.log("mysqld runs without replication: its data are in doubt from now on", warning=True)
        turn.remember(turn.record._replace(inconsistent=True, clean_stop=None))
    elif readable and memory.transfer is None and turn.data.record is None:
        turn.remember(turn.record)  # a state transfer swept it away


def _go_on(turn: Turn) -> None:
    """Do at most one thing, as it is decided."""
    memory = turn.memory
    if memory.launching is not None:
        _launch(turn, memory.launching)
        return
    if memory.halted and memory.server is not None:
        # As systemd does with a server of its own that it found killed. Nobody else brings it into the cluster.
        turn.log("a server was started here, and not by Pacemaker: going on with it", warning=True)
        turn.note(halted="", telling=Telling())
    elif memory.halted:
        turn.say(Phase.ENDED, memory.halted)
        turn.publish()
        tell_pacemaker(turn)
        return
    if turn.trouble and not memory.is_unknown:
        turn.say(memory.server_phase, turn.trouble)
        return
    if memory.newcomer and memory.server is not None:
        _adopt(turn, memory.server)
    refused = memory.revive_refused
    turn.note(revive_refused="")
    if refused and memory.state is not State.PRIMARY:  # only the answer may have been lost
        turn.log(f"pc.bootstrap could not be set ({refused}): stopping, to form the cluster anew", warning=True)
        stop_server(turn)
        return
    if not settle(turn):
        turn.set_ready(False)
        return
    _note_primary(turn)
    turn.publish()
    overdue = is_overdue(turn.memory, turn.seen.settings.view_timeout, turn.now)
    act(turn, decide(turn, overdue=overdue))
    turn.set_ready(turn.memory.state is State.PRIMARY)
    _tidy(turn)


def _launch(turn: Turn, launching: Launching) -> None:
    """Start the server once the report that says so is what the cluster hands back. No step waits for that."""
    if turn.memory.server is not None:
        turn.log("a server was started here meanwhile: none is started by the keeper", warning=True)
        turn.note(launching=None)
        return
    phase, seen = launching.act.phase, is_handed_back(turn, launching.report)
    turn.begins = seen
    if phase is Phase.STARTING and seen and waits_its_turn(turn, turn.memory.why):
        return
    turn.say(phase, turn.memory.why)
    if seen:
        turn.note(queued_at=0.0)
        turn.do(launching.act, *launching.guards)


def is_handed_back(turn: Turn, report: PositionReport) -> bool:
    """Return whether the cluster shows this report as this node's: then everybody sees it before all that follows."""
    seen = turn.cluster.reports.get(turn.me)
    return isinstance(seen, PositionReport) and render_position_report(seen) == render_position_report(report)


# --- what became of the server


def _adopt(turn: Turn, server: ServerProcess) -> None:
    """Take charge of a server that no keeper launched; whoever bootstrapped it began a history of its own."""
    record, saved = turn.record, turn.data.grastate
    turn.note(finishing=("newcomer",))
    turn.delete_stop()
    told = find_bootstrap(server.argv)
    origin = told if told is not None and told.real else record.clean_stop
    # Of data that no keeper ever had in its charge nothing is known that this could be told from.
    if told is not None and origin is not None and saved and saved.uuid == origin.uuid and record != NodeRecord():
        line = begin_by_hand(turn.me, record.line, origin.seqno, server.mark)
        if line != record.line:
            turn.log(
                f"{server.title} was bootstrapped by hand at {origin}: a history of its own begins there", warning=True
            )
            turn.do(RecordLine(line, origin.uuid))
        turn.remember(record._replace(line=line, clean_stop=None))


def _give_up_join(turn: Turn) -> None:
    """Stop a server that came up outside of the group, as when its transfer failed at the end; then begin anew."""
    errors = turn.server.errors
    said = f": {tell(errors)}" if errors else ""
    if count_failure(turn, f"mysqld has left the group while it joined{said}", errors):
        stop_server(turn)


def _note_primary(turn: Turn) -> None:
    """Note since when another member has been in a Primary component of this node's history."""
    memory = turn.memory
    uuid = (memory.standing.position if memory.standing else memory.position).uuid
    others = (one for one in turn.others(State.PRIMARY).values() if uuid in (one.position.uuid, NO_UUID))
    if memory.state is State.PRIMARY or next(others, None) is None:
        turn.note(primary_at=0.0)
    elif not memory.primary_at:
        turn.note(primary_at=turn.now)


def _tidy(turn: Turn) -> None:
    """While the node has been well for longer than a monitor's interval, nothing of its past is a failure."""
    memory = turn.memory
    synced = memory.verdict is not None and memory.verdict.code is Code.SYNCED
    if not synced or memory.phase is not Phase.RUNNING:
        turn.note(calm_since=turn.now)
    elif turn.now - memory.calm_since > WELL_SECONDS:
        turn.note(calm_since=turn.now + WELL_AGAIN_SECONDS - WELL_SECONDS)
        turn.do(ForgetDegraded())
