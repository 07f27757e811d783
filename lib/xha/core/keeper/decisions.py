"""From what the election decides to what the keeper does: the effects of each decision, with their guards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..election.decision import Bootstrap, Join, Refuse, RestoreView, Revive, Step, Wait
from ..election.facts import GrantKind, Host, Probe, Token
from ..election.obstacles import name_nodes
from ..election.position_report import State
from ..galera.lineage import History
from ..galera.node_record import NodeRecord
from ..galera.position import Kind, Position
from ..monitor.keeper_status import Phase
from ..pacemaker.guards import Allowed, Confirmed, HoldsToken, TokenNotElsewhere
from .children import is_fit, tell_creation
from .effects import (
    ConsumeGrants,
    Create,
    Discard,
    Launch,
    LogLine,
    MakePrimary,
    NoteServer,
    Publish,
    RecordLine,
    SetViewAside,
    TakeToken,
    VoidToken,
    WriteGrastate,
    WriteJoining,
)
from .memory import Launching
from .results import give_up
from .server.ending import stop_server
from .server.join_queue import waits_to_join

if TYPE_CHECKING:
    from ..election.decision import Decision
    from ..pacemaker.guards import Guard
    from .memory import Plan
    from .turn import Turn

# How long after it asked a node says so, before it says what follows from the answers that are missing.
ANSWER_SECONDS = 5.0
# How long after it asked a node forms no cluster without a member whose host is heard: its keeper may be starting.
ARRIVAL_SECONDS = 3.0
# How long nobody joins while a server runs somewhere without a keeper: the next monitor there launches one.
KEEPER_SECONDS = 15.0
CREATION_SECONDS = 300.0
_FORM, _RESTORE = "forming the cluster", "forming the last view again"


def decide(turn: Turn, *, overdue: bool = False) -> Decision:
    """Return what this node does next, and why."""
    if turn.cluster.ambiguous:
        remedy = "name each host once: cluster_host_map=NODE:HOST;..."
        return Refuse(turn.cluster.ambiguous[0], (turn.me,), remedy)
    return turn.facts(overdue=overdue).elect()


def act(turn: Turn, decision: Decision) -> None:
    """Do what was decided, or the first part of it."""
    turn.note(refused=isinstance(decision, Refuse), decision=decision)
    if turn.memory.plan is not None:
        _use_token(turn, turn.memory.plan, decision)
    elif isinstance(decision, (Wait, Refuse)):
        _hold(turn, decision)
    elif isinstance(decision, Join):
        _join(turn, decision)
    elif isinstance(decision, RestoreView):
        _restore(turn, decision)
    else:
        _take_token(turn, decision)


# --- waiting


def _hold(turn: Turn, decision: Wait | Refuse) -> None:
    memory = turn.memory
    refusing = isinstance(decision, Refuse)
    reason = f"{decision.reason}; {decision.remedy}" if decision.remedy else decision.reason
    starting = memory.server is not None and memory.is_pending
    phase = Phase.REFUSING if refusing else memory.server_phase if starting else Phase.WAITING
    if memory.is_unknown and not refusing:
        phase, reason = Phase.UNKNOWN, memory.standing.cause if memory.standing else ""
    silent = turn.facts().unanswered
    if not memory.is_unknown and _asks_running(turn):
        return
    if silent and not decision.first and turn.age < ANSWER_SECONDS and phase is not Phase.UNKNOWN:
        phase, reason = memory.server_phase, f"asking {name_nodes(silent)}"
    elif starting and not refusing and not decision.first:
        reason = _tell_start(turn) or reason
    if decision.first is None:
        turn.say(phase, reason)
    elif turn.may(decision.first.value):
        turn.say(phase, reason)
        _take_first(turn, decision.first)


def _tell_start(turn: Turn) -> str:
    """Return why the server was started, as far as that still holds; "" where no keeper started it."""
    memory = turn.memory
    joins = memory.launched is not None and memory.launched.phase is Phase.STARTING
    if joins and memory.why and not memory.primary_at:
        return f"{turn.me} was started to join a Primary component, and no member reports one any more"
    return memory.why


def _asks_running(turn: Turn) -> bool:
    """Return whether a server runs somewhere whose keeper is still to come: it may be a Primary of its own."""
    facts, probes = turn.facts(), turn.cluster.probes.items()
    unheard = tuple(node for node, one in probes if one.result is Probe.ACCEPTED and not facts.has_answered(node))
    if not unheard or turn.memory.server is not None or turn.age > KEEPER_SECONDS:
        return False
    turn.say(Phase.RECOVERING, f"asking {name_nodes(unheard)}, where a server runs")
    return True


def _take_first(turn: Turn, first: Step) -> None:
    allowed = Allowed(first.value)
    if first is Step.STOP:
        stop_server(turn, allowed)
    elif first is Step.SET_VIEW_ASIDE:
        turn.do(SetViewAside(), allowed)
    else:
        turn.do(ConsumeGrants(("discard",)), allowed)
        turn.log("a grant gives up the data here: they are not deleted, the next join replaces them", warning=True)
        kept = next((one for one in turn.others(State.PRIMARY).values() if one.position.real), None)
        discard(turn, line=RecordLine(kept.line, kept.position.uuid) if kept is not None else None)


def discard(turn: Turn, *guards: Guard, line: RecordLine | None = None) -> None:
    """Give up the data here, after the server's end, and record the line of what is kept."""
    acts = (Discard(), line) if line is not None else (Discard(),)
    if turn.memory.server is not None:
        stop_server(turn, *guards, behind=acts)
        return
    turn.do(acts[0], *guards)
    for one in acts[1:]:
        turn.do(one)


# --- starting a server plainly


def _join(turn: Turn, decision: Join) -> None:
    memory = turn.memory
    if memory.server is not None:
        running = memory.state is State.PRIMARY
        turn.say(memory.server_phase, (memory.stall.words if running else memory.why) or decision.reason)
        return
    if _asks_running(turn) or not turn.may("joining") or not is_fit(turn) or waits_to_join(turn, decision.reason):
        return
    intact = memory.standing is not None and memory.standing.kind is Kind.INTACT
    held = memory.standing.position if memory.standing and intact else Position()
    turn.note(came_with=History(held, turn.record.line))
    turn.do(SetViewAside(), Allowed("joining"))
    turn.view = None
    # What it came with is in the Primary, as far as it came with anything: without data it is not asked for more.
    empty = memory.standing is not None and memory.standing.kind is Kind.EMPTY
    record = turn.record._replace(line=decision.line, clean_stop=None)
    turn.remember(record._replace(superseded=True) if empty else record)
    turn.do(WriteJoining(NodeRecord(line=decision.line)))
    _launch(turn, Phase.STARTING, decision.reason)


def _restore(turn: Turn, decision: RestoreView) -> None:
    if turn.memory.server is not None:
        turn.say(Phase.RESTORING, decision.reason)
    elif turn.may(_RESTORE) and is_fit(turn):
        _launch(turn, Phase.RESTORING, decision.reason, Allowed(_RESTORE))


def _launch(turn: Turn, phase: Phase, reason: str, *guards: Guard) -> None:
    """Say that a server starts. It is started by a later step: once the cluster hands back that report."""
    bootstrap = phase is Phase.FORMING
    state = State.RESTORING if phase is Phase.RESTORING else State.STARTING
    turn.begins = True
    turn.note(why=reason)
    turn.say(phase, reason, *guards)
    turn.delete_stop()
    report = turn.report(state, forming=bootstrap)
    turn.do(Publish(report))
    turn.do(NoteServer(None))  # whatever becomes of the keeper: the directory is known from now on
    standing = turn.memory.standing
    position = standing.position if standing and standing.position.real else None
    copied = not bootstrap and standing is not None and standing.kind is not Kind.INTACT
    seen: tuple[Guard, ...] = (Confirmed(report),)
    if bootstrap:  # a person may have given the token's holder up meanwhile: then another node may form a Primary
        seen = (*seen, HoldsToken(turn.memory.epoch))
    elif phase is Phase.RESTORING:
        seen = (*seen, TokenNotElsewhere())
    turn.note(launching=Launching(Launch(phase, position, bootstrap, copied), report, seen, turn.now))


# --- forming a Primary


def _take_token(turn: Turn, decision: Bootstrap | Revive) -> None:
    """Take the one right to form a Primary, and ask everybody again."""
    if turn.memory.has_token:  # it is used already, or given back at the end of this step
        if turn.memory.forming_since:
            turn.say(Phase.REVIVING, decision.reason)
        return
    if not turn.may(_FORM):
        return
    facts = turn.facts()
    shown, counted, token = facts.digest(), facts.counted(), facts.records.token
    if isinstance(decision, Bootstrap) and _awaits_keepers(turn, counted.missing):
        return
    if (
        token is not None
        and token.node != turn.me
        and (counted.granted(GrantKind.FORGET, token.node) or counted.granted(GrantKind.BOOTSTRAP))
    ):
        turn.do(VoidToken(token), Allowed(_FORM))
    turn.open_epoch(turn.seen.fresh.token)
    turn.do(TakeToken(Token(turn.me, turn.memory.epoch, shown)), Allowed(_FORM))
    turn.say(Phase.FORMING, f"{decision.reason}; asking everybody once more")


def _awaits_keepers(turn: Turn, missing: tuple[str, ...]) -> bool:
    """Return whether a keeper may still come: of three that start, one took the token early, and gave it back."""
    hosts = turn.cluster.cib.hosts
    late = tuple(node for node in missing if hosts.get(node) is Host.ONLINE)
    if not late or turn.age >= ARRIVAL_SECONDS:
        return False
    turn.say(turn.memory.server_phase, f"waiting for the keeper of {name_nodes(late)}")
    return True


def _use_token(turn: Turn, plan: Plan, decision: Decision) -> None:
    """Act if all that was seen still stands; give the token back if it does not."""
    facts = turn.facts()
    same = isinstance(decision, (Bootstrap, Revive)) and facts.digest() == plan.shown
    if not same and facts.unanswered and turn.now < plan.until:
        return
    turn.note(plan=None)
    if isinstance(decision, (Bootstrap, Revive)) and same:
        if turn.may(_FORM) and not _create(turn, plan, decision) and _can_run(turn, plan, decision):
            _form(turn, decision)
    elif facts.unanswered:
        turn.log(f"{name_nodes(facts.unanswered)} did not answer in time since the token was taken")
    else:
        turn.log(f"the reports have changed since the token was taken: {decision.reason}")


def _create(turn: Turn, plan: Plan, decision: Bootstrap | Revive) -> bool:
    """Begin to create a database where none is, and return whether that was necessary: the plan waits for it.

    What grants the Primary is used up when that is formed, and not before.
    """
    if isinstance(decision, Revive) or decision.position.real or turn.data.created:
        return False
    guards = (HoldsToken(turn.memory.epoch), Allowed(_FORM))
    if turn.seen.settings.enable_creation:
        turn.say(Phase.FORMING, tell_creation(turn), *guards)
        turn.do(Create(CREATION_SECONDS))
        turn.note(plan=plan)
        return True
    datadir = turn.seen.datadir
    reason = f"{datadir} holds no database: restore one there, or set enable_creation=1 to have one created"
    turn.do(LogLine(reason, warning=True), *guards)
    give_up(turn, reason)
    return True


def _can_run(turn: Turn, plan: Plan, decision: Bootstrap | Revive) -> bool:
    """Return whether the host is fit for the server; while that is found out, the plan waits for it."""
    turn.note(plan=plan)
    if not isinstance(decision, Revive) and not is_fit(turn, HoldsToken(turn.memory.epoch), Allowed(_FORM)):
        return False
    turn.note(plan=None)
    return True


def _form(turn: Turn, decision: Bootstrap | Revive) -> None:
    turn.begins = True
    # The first effect looks; where it is refused, the rest is dropped.
    guards: tuple[Guard, ...] = (HoldsToken(turn.memory.epoch), Allowed(_FORM))
    if decision.grants:
        turn.do(ConsumeGrants(tuple(sorted({grant.kind.value for grant in decision.grants}))), *guards)
        guards = ()
    line = decision.founding.line(turn.seen.fresh.generation)
    turn.remember(turn.record._replace(line=line, clean_stop=None, discarded=False), *guards)
    if isinstance(decision, Revive):
        turn.do(RecordLine(line, turn.memory.position.uuid))
        turn.say(Phase.REVIVING, decision.reason)
        turn.log(decision.reason, warning=True)
        turn.do(MakePrimary())
        return
    turn.do(SetViewAside())
    turn.view = None
    if decision.position.real:
        turn.do(RecordLine(line, decision.position.uuid))
    # Without a position it begins a history of its own: with a UUID that nobody has yet.
    turn.do(WriteGrastate(decision.position))
    _launch(turn, Phase.FORMING, decision.reason)
