"""What the keeper learns from what came of its effects: the memory changes here, and not before they are done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..election.position_report import State
from ..galera.position import Kind
from ..monitor.keeper_status import Phase
from ..monitor.keeper_tally import DECISIONS, KeeperTally
from ..node.verdict import Code, Policy, Unreadable, judge
from ..pacemaker.guards import Allowed, HoldsToken
from .effects import (
    CheckHost,
    CheckStorage,
    Create,
    Discard,
    Evict,
    ForgetDegraded,
    Launch,
    MakePrimary,
    NoteServer,
    Publish,
    PublishStall,
    RecordLine,
    Recover,
    ReleaseToken,
    Retract,
    Say,
    SetReady,
    Stop,
    TakeToken,
    TellFailure,
    TellWriter,
    WriteRecord,
)
from .memory import KeeperChild, Launched, Plan
from .outcomes import Begun, Done, EffectFailed, FailureCause, GuardFailed, Recovered, Started
from .turn import lasting

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..election.decision import Decision
    from .outcomes import EffectResult
    from .turn import Turn

# How long the holder of the token waits for everybody to answer again.
TOKEN_PATIENCE = 20.0
# How long a child may be overdue: it ends by itself before, and knows better why.
GRACE_SECONDS = 15.0
# How long after a look at the data that failed the next one comes: twice as long each time.
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 30.0
# No server's pid and start time.
_NOT_NOTED = (-1, -1)


def learn(turn: Turn) -> None:
    """Take note of the results of the last effects, the failures last."""
    results = turn.seen.results
    # Which server runs is written down once more with each look, until it is: nothing else waits for that.
    done = all(isinstance(one.outcome, Done) or isinstance(one.act, NoteServer) for one in results)
    if not done:
        turn.note(giving_up="", launching=None)  # what it followed from is not done
    for result in results:
        if isinstance(result.outcome, Done):
            _note_done(turn, result, result.outcome)
        elif isinstance(result.act, Publish):
            turn.note(told=None)  # it may have arrived
        elif isinstance(result.act, TellWriter):  # this host's responder may know of a claim that nobody else does
            writer = turn.memory.writer
            turn.note(writer=writer._replace(post=writer.post._replace(record=None)))
        elif isinstance(result.act, MakePrimary) and isinstance(result.outcome, EffectFailed):
            turn.note(forming_since=result.outcome.at)  # the server may have been told
    if results and done:
        if "newcomer" in turn.memory.finishing:
            turn.note(newcomer=False)
        if "ending" in turn.memory.finishing:
            turn.note(ending=None)
    turn.note(finishing=())
    for result in results:
        if isinstance(result.outcome, GuardFailed):
            _note_refusal(turn, result.outcome)
        elif isinstance(result.outcome, EffectFailed):
            note_failure(turn, result.outcome.cause, result.outcome.text, result)


def _note_done(turn: Turn, result: EffectResult, done: Done) -> None:  # noqa: PLR0912 - a branch for each effect
    act, value = result.act, done.value
    if isinstance(act, Say):
        turn.note(phase=act.keeper_status.phase)
    elif isinstance(act, SetReady):
        turn.note(ready=act.ready)
    elif isinstance(act, TellWriter):
        clients = value if type(value) is int else act.post.clients
        turn.note(writer=turn.memory.writer._replace(post=act.post._replace(clients=clients)))
    elif isinstance(act, Publish):
        turn.note(told=lasting(act.report))
    elif isinstance(act, Retract):
        turn.note(told=None)
    elif isinstance(act, (PublishStall, Evict)):
        _note_stall(turn, act, str(value or ""))
    elif isinstance(act, TakeToken) and act.evicts is not None:
        evicting = turn.memory.stall._replace(evicting=act.evicts, until=turn.now + TOKEN_PATIENCE)
        turn.note(has_token=True, stall=evicting)
    elif isinstance(act, TakeToken):
        turn.note(has_token=True, plan=Plan(act.token.digest, turn.now + TOKEN_PATIENCE))
    elif isinstance(act, ReleaseToken):
        turn.note(has_token=False)
        if value:
            turn.log("no Primary is being formed here any more: the token is given back")
    elif isinstance(act, RecordLine):
        _note_formed(turn, act)
    elif isinstance(act, TellFailure):
        turn.note(telling=turn.memory.telling._replace(done=True))
        turn.log(str(value) or "Pacemaker is told that the server has ended: it starts the node anew")
    elif isinstance(act, ForgetDegraded) and value:
        turn.log("well again: what was degraded leaves Pacemaker's list of failures")
    elif isinstance(act, NoteServer):
        turn.note(noted=(act.server.pid, act.server.started) if act.server else (0, 0))
    elif isinstance(act, WriteRecord):
        turn.note(record=act.record)
    elif isinstance(act, Discard):
        turn.note(standing=None, record=None)
    elif isinstance(act, (CheckHost, CheckStorage, Create, Recover, Stop)) and isinstance(value, Begun):
        _note_begun(turn, act, value, done.at)
    elif isinstance(act, Launch) and isinstance(value, Started):
        _note_started(turn, act, value)
    elif isinstance(act, MakePrimary):
        turn.note(forming_since=done.at, revive_refused=str(value or ""))


def _note_stall(turn: Turn, act: PublishStall | Evict, refusal: str) -> None:
    if isinstance(act, PublishStall):
        turn.note(stall=turn.memory.stall._replace(told=act.report, told_at=turn.now))
    elif refusal:
        turn.log(f"{act.eviction.node} could not be evicted ({refusal}): no other try within 10 minutes", warning=True)
    else:
        turn.log(f"{act.eviction.node} is evicted: its keeper restarts it once its storage takes writes")


def _note_begun(turn: Turn, act: CheckHost | CheckStorage | Create | Recover | Stop, begun: Begun, at: float) -> None:
    """A child is under way. A plan waits for a look at the host and for a creation, which are parts of it."""
    turn.note(child=KeeperChild(act, begun.number, at, begun.directory, turn.memory.server_identity))
    if isinstance(act, (CheckHost, Create)) and turn.memory.plan is not None:
        turn.note(plan=turn.memory.plan._replace(until=at + act.seconds + GRACE_SECONDS + TOKEN_PATIENCE))


def _note_formed(turn: Turn, act: RecordLine) -> None:
    """A Primary that was begun here is there, and everybody knows."""
    if turn.memory.forming_since and turn.memory.state is State.PRIMARY and act.line is not None:
        turn.note(forming_since=0.0)
        node = turn.memory.report.node if turn.memory.report else "this node"
        turn.log(f"{node} has formed the cluster: {turn.memory.position}")


def forget_server(turn: Turn) -> None:
    """Nothing that was known of the server, or of the data before it ran, holds any more."""
    turn.memory = turn.memory.without_server()


def begin_anew(turn: Turn) -> None:
    """The server has ended, and what was asked before does not count any more."""
    turn.note(plan=None, forming_since=0.0, came_with=None, revive_refused="")
    turn.open_epoch()


def _note_started(turn: Turn, act: Launch, value: Started) -> None:
    turn.note(
        server=value.server,
        newcomer=False,
        launching=None,
        launched=Launched(act.phase, value.at, value.log_from, value.free, value.view),
        ending=None,
        served=False,
        answered_at=0.0,
        asked_at=0.0,
        met_at=value.at,
        progress_at=value.at,
        forming_since=value.at if act.bootstrap else 0.0,
    )


def note_recovered(turn: Turn, value: Recovered) -> None:
    """What cannot be found out is looked for again after a pause that grows; where somebody uses the data, a short one.

    That may be over at any moment.
    """
    standing, pause = value.standing, 0.0
    if standing.kind is Kind.UNKNOWN:
        pause = FIRST_PAUSE if value.busy else min(2 * turn.memory.pause or FIRST_PAUSE, LONGEST_PAUSE)
    else:
        turn.log(f"the data are {standing.kind.value}, and end at {standing.position}")
    turn.note(
        standing=standing,
        record=value.record,
        safe_to_bootstrap=value.safe_to_bootstrap,
        unmendable=value.unmendable,
        pause=pause,
        again_at=turn.now + pause,
    )
    if value.unmendable and not turn.memory.halted:
        give_up(turn, f"{standing.cause}: mend it, then pcs resource cleanup")


def _note_refusal(turn: Turn, outcome: GuardFailed) -> None:
    if isinstance(outcome.guard, HoldsToken):
        turn.note(plan=None)
        turn.log("the token is not this node's any more: nothing is formed")
    elif isinstance(outcome.guard, Allowed):
        turn.hold(outcome.guard, outcome.text)


def note_failure(turn: Turn, cause: FailureCause, text: str, result: EffectResult | None = None) -> None:
    """Say why something failed; end where no second try helps. A fault of xha's own ends what was planned.

    It says nothing of the server, so the status says no more than that: monitor calls the node degraded, not failed,
    and neither hung nor stalled by what was seen before. Nobody else may form a Primary as long as this node only
    tries again. Where nobody could look whether a server runs, nobody knows where the data end, whatever was known.
    """
    unseen = result is None and turn.seen.server is None and turn.memory.server is None
    phase = Phase.UNKNOWN if unseen else turn.memory.server_phase
    if turn.memory.halted and turn.memory.server is None and not unseen:  # the monitor tells of this end all the same
        phase = Phase.ENDED
    if cause is FailureCause.UNFORESEEN:
        said = f"the keeper has a fault of its own, and tries again: {text}; see its log"
        verdict = judge(Unreadable(Code.CONFIG_ERROR, said), Policy())
        turn.note(plan=None, verdict=verdict, transfer=None)
        turn.say(phase, said)
    elif cause is FailureCause.SURVIVES:
        give_up(turn, "mysqld does not end, not even by SIGKILL", permanent=False)
    elif cause is FailureCause.UNUSABLE and result and isinstance(result.act, (Launch, Create)):
        give_up(turn, text)
    elif cause is FailureCause.SYSTEM and result and isinstance(result.act, Launch):
        give_up(turn, f"mysqld cannot be started: {text}", permanent=False)
    elif result and isinstance(result.act, NoteServer) and (turn.memory.server or turn.memory.halted):
        if turn.memory.noted != _NOT_NOTED:  # once; it says nothing of the node
            turn.log(f"which server runs cannot be written down: {text}", warning=True)
        turn.note(noted=_NOT_NOTED)
    else:
        said = f"Pacemaker does not answer: {text}" if cause is FailureCause.UNREACHABLE else text
        turn.say(phase, said)


def give_up(turn: Turn, reason: str, *, permanent: bool = True) -> None:
    """End with a failure, once the effects of this step are done; where one of them is not, go on."""
    turn.note(giving_up=reason, permanent=permanent)


def count_results(
    tally: KeeperTally, results: Iterable[EffectResult], decision: Decision | None, now: float
) -> KeeperTally:
    """Return the counts with what came of a step's effects, and its decision. now: seconds since 1970."""
    done = [(one.act, one.outcome.value) for one in results if isinstance(one.outcome, Done)]
    kind = DECISIONS[type(decision).__name__] if decision is not None else tally.decision
    if kind != tally.decision:
        tally = tally._replace(decision=kind, decided_at=now)
    for act, value in done:
        if isinstance(act, TakeToken) and act.evicts is None:
            tally = tally._replace(elections=tally.elections + 1)
        elif isinstance(act, Launch):
            tally = tally._replace(starts=tally.starts + 1, formed=tally.formed + act.bootstrap)
        elif isinstance(act, MakePrimary) and not value:
            tally = tally._replace(formed=tally.formed + 1)
        elif isinstance(act, Evict) and not value:
            tally = tally._replace(evictions=tally.evictions + 1)
    return tally
