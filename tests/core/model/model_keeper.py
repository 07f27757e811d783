"""One keeper of a model cluster: the real step, and what it sees and does in the model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Callable

from core.model.galera_world import Lost, Node
from xha.core.cluster.election_inputs import gather
from xha.core.election import compose_report as local
from xha.core.election.decision import Bootstrap, Decision
from xha.core.election.decision import Revive as ReviveDecision
from xha.core.election.facts import Records
from xha.core.election.position_report import PositionReport, State
from xha.core.galera.known_servers import ServerProcess, StateTransfer
from xha.core.galera.node_record import NodeRecord
from xha.core.galera.position import NO_SEQNO, NO_UUID, GraState, GvwState, Kind, Position, Standing
from xha.core.galera.reading import Departure, LocalState, Reading, Variables, WsrepStatus
from xha.core.keeper import effects as acts
from xha.core.keeper.machine import learnt, step
from xha.core.keeper.memory import Memory
from xha.core.keeper.observation import ChildSeen, ClusterSeen, DataSeen, Fresh, Observation, ServerSeen
from xha.core.keeper.outcomes import (
    Begun,
    Done,
    EffectFailed,
    EffectOutcome,
    EffectResult,
    FailureCause,
    GuardFailed,
    Recovered,
    Started,
)
from xha.core.keeper.server.looks import looks_at_contents, looks_for_recovery
from xha.core.node.verdict import Code, Policy, Unreadable, judge
from xha.core.ocf.galera_settings import Settings
from xha.core.pacemaker import cib as configuration
from xha.core.pacemaker import guards
from xha.core.pacemaker.cib_records import Book
from xha.core.pacemaker.operations import Operation

if TYPE_CHECKING:
    from core.model.cluster_world import World

NOW = 1000.0
# How many seconds of its own clock a look takes; five of them are a keeper's patience.
TICK = 4.0
SETTINGS = Settings(view_timeout=5 * TICK, enable_creation=True)
DEAF = judge(Unreadable(Code.SERVER_DOWN), Policy())
META = {"target-role": "Started"}
MONITORS = (Operation("monitor", "monitor", 10.0),)
_NUMBERS = count(1)


@dataclass
class ModelChild:
    """A recovery, a creation or a stop that a keeper has begun.

    outcome: what it has come to, None where that is still to be done; it is heard when slow is over.
    """

    number: int
    act: acts.Act
    work: Callable[[], EffectOutcome]
    outcome: EffectOutcome | None = None


@dataclass
class Agent:
    """What one host's keeper has.

    known: the reports that reached its host. pending: what of its last step it has not done yet; results: what came of
    the rest. child: what runs in a process of its own. now: its clock. keeper: its name.
    """

    known: dict[str, PositionReport] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)
    pending: list[acts.Effect] = field(default_factory=list)
    results: list[EffectResult] = field(default_factory=list)
    child: ModelChild | None = None
    now: float = 0.0
    # Pacemaker knows from it that its server has ended; and for how many looks it has waited for that.
    told: bool = False
    halted: int = 0
    keeper: str = field(default_factory=lambda: str(next(_NUMBERS)))

    @property
    def is_recovering(self) -> bool:
        """Whether its recovery runs, or has ended unheard."""
        return self.child is not None and isinstance(self.child.act, acts.Recover)

    @property
    def last(self) -> Decision | None:
        """What it decided last."""
        return self.memory.decision


class ModelKeeper:
    """A keeper for one look: the loop, the observer and the performer."""

    def __init__(self, world: World, node: Node, agent: Agent, late: Iterable[str] = ()) -> None:
        self.world, self.node, self.agent, self.late = world, node, agent, set(late)

    # --- the loop

    def look_and_act(self, held: int | None) -> None:
        """Look and act; when a child has ended, or a report is back, the next look comes at once."""
        for _ in range(8):
            before = self.agent.child
            seen = self.look()
            self._step(seen)
            self._perform(self._moment() if held is None else held)
            waits = self.agent.child in (None, before) and self.agent.memory.launching is None
            if waits or self.node.slow or self.agent.pending or self.is_replaced:
                return

    def go_on(self, held: int | None) -> None:
        """Do what was pending: its guards look again."""
        self._perform(None if held is None else len(self.agent.results) + held)

    @property
    def is_replaced(self) -> bool:
        """Whether another keeper has taken over, as where this one's host died."""
        return self.world.agents[self.node.name] is not self.agent

    def _step(self, seen: Observation) -> None:
        self.agent.memory, effects = step(self.agent.memory, seen)
        if self.agent.memory.child is None:
            self.agent.child = None
        self.agent.pending, self.agent.results = list(effects), []

    def _moment(self) -> int | None:
        """Where something may happen every time: before a Primary is formed, and before a view is restored."""
        for index, effect in enumerate(self.agent.pending):
            if begins_primary(effect.act) or isinstance(effect.act, acts.WriteGrastate):
                return 0
            if isinstance(effect.act, acts.Launch) and effect.act.phase.value == "restoring":
                return index
        return None

    def _perform(self, held: int | None) -> None:
        agent = self.agent
        while agent.pending and (held is None or len(agent.results) < held):
            effect = agent.pending.pop(0)
            if self._dies_before(effect.act):
                return
            outcome = self._try(effect)
            if self.is_replaced:
                return
            agent.results.append(EffectResult(effect.act, outcome))
            if self._dies_behind(effect.act):
                return
            if not isinstance(outcome, Done):
                self._say_failure()
                return

    def _say_failure(self) -> None:
        """Drop the rest, but for what is done in any case, and step without a look."""
        agent = self.agent
        for effect in agent.pending:
            if isinstance(effect.act, acts.ALWAYS):
                agent.results.append(EffectResult(effect.act, self._try(effect)))
        self._step(self._seen())
        agent.results = [EffectResult(one.act, self._try(one)) for one in agent.pending]
        agent.pending = []

    def _dies_before(self, act: acts.Act) -> bool:
        """Let whoever is doomed die between writing down what it begins and beginning it."""
        if not begins_primary(act) or self.node.name not in self.world.doomed:
            return False
        self.world.doomed.discard(self.node.name)
        self.world.tally.add("died forming")
        self.world.restart_agent(self.node)
        self.world.kill([self.node])
        return True

    def _dies_behind(self, act: acts.Act) -> bool:
        """Let a keeper that is cut short die as soon as it has begun a Primary: another one takes over its server."""
        if not begins_primary(act) or self.node.name not in self.world.cut_short:
            return False
        self.world.cut_short.discard(self.node.name)
        self.world.restart_agent(self.node)
        return True

    # --- the observer

    def _seen(self) -> Observation:
        fresh = Fresh(self.world.uuid(), self.world.uuid(), self.world.uuid())
        child, where = self.agent.child, (0, self.node.disk.number)
        if child is not None and not self.node.slow:
            child.outcome = child.outcome or child.work()
        seen = ChildSeen(child.number, None if self.node.slow else child.outcome, where) if child else None
        return Observation(self.agent.now, fresh, SETTINGS, tuple(self.agent.results), seen, keeper=self.agent.keeper)

    def look(self) -> Observation:
        """Return what the keeper sees, once it knows what came of its effects."""
        node, server = self.node, self.node.server
        if server is None or server.state is State.NON_PRIMARY:
            node.apply()
        seen = self._seen()
        memory = learnt(self.agent.memory, seen)
        data = DataSeen(
            node.disk.record,
            GvwState(*node.disk.gvwstate) if node.disk.gvwstate else None,
            node.disk.grastate,
            created=looks_at_contents(memory) and (bool(node.disk.history) or node.disk.created),
            joining=node.joining,
            recovered=self._find_handed() if server is None and looks_for_recovery(memory) else None,
        )
        return seen._replace(server=self._see_server(memory.server), data=data, cluster=self.see_cluster())

    def _see_server(self, known: ServerProcess | None) -> ServerSeen:
        server = self.node.server
        if server is None or (known is not None and known.pid != server.pid):
            return ServerSeen()
        found = ServerProcess(server.pid, 1, argv=server.argv, mark=f"mark {server.pid}")
        transfer = StateTransfer("joiner", int(self.agent.now)) if server.transferring else None
        reading = self._read()
        verdict = None if reading else DEAF
        if reading and server.evicted:
            status = reading.status._replace(wsrep_cluster_status="Disconnected", wsrep_connected=False)
            status = status._replace(wsrep_gcomm_uuid=None)
            reading = reading._replace(status=status, departure=Departure(evicted=True))
            verdict = judge(reading, Policy())
        return ServerSeen(found, not server.argv, (), transfer, True, verdict, reading)

    def _read(self) -> Reading | None:
        """A server that waits for its group listens to nobody."""
        server, disk = self.node.server, self.node.disk
        assert server
        view = server.component
        if server.state not in (State.PRIMARY, State.NON_PRIMARY) or view is None or server.transferring:
            return None
        names = {one.server.uuid: one.name for one in self.world.nodes.values() if one.server}
        addresses = ",".join(names.get(uuid, "gone") for uuid in view.members)
        primary = server.state is State.PRIMARY
        index = view.members.index(server.uuid) if server.uuid in view.members else None
        return _reading(
            primary, disk.uuid, len(disk.history), len(server.queue), len(view.members), addresses, index, server.uuid
        )

    def see_cluster(self) -> ClusterSeen:
        """Return what Pacemaker says on this host."""
        world, cib = self.world, self.world.cib(self.node)
        hosts = {name: world.host(self.node, other) for name, other in world.nodes.items()}
        records = Records(dict(cib.stops), cib.line, cib.token, cib.cluster)
        seen = configuration.Cib(
            tuple(world.nodes),
            hosts,
            world.quorate(self.node),
            world.two_node,
            exists=True,
            meta=META,
            operations=MONITORS,
            book=Book(records, tuple(cib.grants)),
        )
        return ClusterSeen(self.node.name, dict(self.agent.known), seen, tuple(world.nodes), clock=NOW)

    def digest(self) -> str:
        """Return what a person who looks on this host is shown."""
        seen, memory = self.see_cluster(), self.agent.memory
        mine = {self.node.name: memory.report} if memory.report else {}
        reports = {**seen.reports, **mine}
        return gather(
            seen.me, memory.epoch, seen.cib, reports, seen.members, probes={}, arbitrators={}, clock=NOW
        ).digest()

    # --- the performer

    def _try(self, effect: acts.Effect) -> EffectOutcome:
        for guard in effect.guards:
            if not self.holds(guard):
                return GuardFailed(guard)
        act = effect.act
        how: dict[type, Callable[[], EffectOutcome]] = {
            acts.Publish: self._publish,
            acts.Retract: lambda: self._plainly(self.world.retract(self.node)),
            acts.VoidToken: self._void_token,
            acts.TakeToken: self._take_token,
            acts.ReleaseToken: lambda: Done(value=self.world.release_token(self.node)),
            acts.ConsumeGrants: self._consume_grants,
            acts.RecordLine: self._record_line,
            acts.DeleteStop: self._delete_stop,
            acts.WriteRecord: self._write_record,
            acts.WriteJoining: self._write_joining,
            acts.SetViewAside: self._set_view_aside,
            acts.WriteGrastate: self._write_grastate,
            acts.Discard: self._discard,
            acts.CheckStorage: lambda: self._begin(lambda: Done(self.agent.now)),
            acts.CheckHost: lambda: self._begin(lambda: Done(self.agent.now)),
            acts.Recover: lambda: self._begin(self._recover),
            acts.Create: lambda: self._begin(self._create),
            acts.TellFailure: self._tell_failure,
            acts.Stop: lambda: self._begin(self._stop),
            acts.EndChild: self._end_child,
            acts.Launch: self._launch,
            acts.MakePrimary: self._revive,
        }
        self._act = act
        return how[type(act)]() if type(act) in how else Done(self.agent.now)

    def holds(self, guard: guards.Guard) -> bool:
        """Return whether what must hold does, by a fresh look."""
        token = self.world.cib(self.node).token
        if isinstance(guard, guards.HoldsToken):
            return token is not None and (token.node, token.epoch) == (self.node.name, guard.epoch)
        if isinstance(guard, guards.TokenNotElsewhere):
            return token is None or token.node == self.node.name
        if isinstance(guard, guards.Confirmed):
            self.world.deliver(self.node)
            return self.world.reports.get(self.node.name) == guard.report
        return True

    def finds_no_token(self) -> bool:
        """Return whether the token can be created."""
        return self.world.cib(self.node).token is None

    @staticmethod
    def _plainly(_: None) -> EffectOutcome:
        return Done()

    def _publish(self) -> EffectOutcome:
        assert isinstance(self._act, acts.Publish)
        self.world.reports[self.node.name] = self._act.report
        self.world.deliver(self.node, self.late)
        return Done()

    def _void_token(self) -> EffectOutcome:
        assert isinstance(self._act, acts.VoidToken)
        for cib in self.world.write(self.node):
            if cib.token == self._act.token:
                cib.token = None
        return Done()

    def _take_token(self) -> EffectOutcome:
        assert isinstance(self._act, acts.TakeToken)
        if not self.finds_no_token():
            return GuardFailed(None)
        for cib in self.world.write(self.node):
            cib.token = self._act.token
        return Done()

    def _consume_grants(self) -> EffectOutcome:
        assert isinstance(self._act, acts.ConsumeGrants)
        used = [one for one in self.world.cib(self.node).grants if one.kind.value in self._act.kinds]
        if not used:
            return GuardFailed(None)
        self.world.consume(self.node, used)
        return Done()

    def _record_line(self) -> EffectOutcome:
        assert isinstance(self._act, acts.RecordLine)
        for cib in self.world.write(self.node):
            cib.line, cib.cluster = cib.line if self._act.line is None else self._act.line, self._act.cluster
        return Done()

    def _delete_stop(self) -> EffectOutcome:
        for cib in self.world.write(self.node):
            cib.stops.pop(self.node.name, None)
        return Done()

    def _write_record(self) -> EffectOutcome:
        assert isinstance(self._act, acts.WriteRecord)
        self.node.disk.record = self._act.record
        return Done()

    def _write_joining(self) -> EffectOutcome:
        assert isinstance(self._act, acts.WriteJoining)
        self.node.joining = self._act.record
        return Done()

    def _set_view_aside(self) -> EffectOutcome:
        self.node.disk.gvwstate = None
        return Done()

    def _write_grastate(self) -> EffectOutcome:
        assert isinstance(self._act, acts.WriteGrastate)
        if self.node.server is None:
            self.node.disk.grastate = GraState(self._act.position.uuid, self._act.position.seqno, True)
        return Done()

    def _discard(self) -> EffectOutcome:
        disk = self.node.disk
        record = disk.record or NodeRecord()
        disk.record = record._replace(discarded=True, superseded=True, clean_stop=None)
        disk.grastate, disk.gvwstate, disk.discarded = GraState(NO_UUID, NO_SEQNO, False), None, True
        return Done()

    def _begin(self, work: Callable[[], EffectOutcome]) -> EffectOutcome:
        """Begin a child. What it does is done at once and heard later; every second stop ends the server later, too."""
        if self.agent.child is not None:
            raise Lost(f"{self.node.name} has two processes write in its data directory at once")
        child = self.agent.child = ModelChild(int(self.world.uuid()[:8], 16), self._act, work)
        if not isinstance(self._act, acts.Stop) or child.number % 2:
            child.outcome = work()
        return Done(self.agent.now, Begun(self.agent.child.number, (0, self.node.disk.number)))

    def _end_child(self) -> EffectOutcome:
        if self.agent.child is not None:
            self.agent.child.outcome, self.node.slow = EffectFailed(FailureCause.BUSY, "it was ended"), 0
        return Done(self.agent.now)

    def _tell_failure(self) -> EffectOutcome:
        assert isinstance(self._act, acts.TellFailure)
        if self.node.server is not None or self._act.server in self.world.told:
            raise Lost(f"{self.node.name} tells Pacemaker of an end that is none, or a second time")
        self.world.told.add(self._act.server)
        self.agent.told = True
        self.world.tally.add("told at once")
        return Done(self.agent.now, "")

    def _find_handed(self) -> Recovered | None:
        """What is handed over is what another recovery would come to."""
        handed = self.node.handed
        if handed is None or handed[0] != self.node.stamp:
            return None
        blind, self.node.blind = self.node.blind, 0
        found = self._recover()
        self.node.blind = blind
        if not isinstance(found, Done) or found.value != handed[1]:
            raise Lost(f"{self.node.name} goes by what was handed over, and its data say something else")
        self.world.tally.add("handed over")
        return handed[1]

    def _create(self) -> EffectOutcome:
        self.node.disk.created = True
        return Done(self.agent.now)

    def _recover(self) -> EffectOutcome:
        node, disk = self.node, self.node.disk
        record = local.choose_record(disk.record, node.joining, disk.grastate, transfer_begun=disk.torn)
        recovered: Position | None = None
        if not record.discarded and disk.history:
            if node.blind:
                return Done(value=Recovered(Standing(Kind.UNKNOWN, cause="its recovery fails"), busy=True))
            recovered = Position(disk.uuid, len(disk.history))
        standing, disk.record = local.judge_data(
            record, disk.grastate, recovered, user_schemas=bool(disk.history), transfer_begun=disk.torn
        )
        found = Recovered(standing, disk.record, bool(disk.grastate and disk.grastate.safe_to_bootstrap))
        node.handed = (node.stamp, found) if standing.kind is Kind.INTACT else None
        return Done(value=found)

    def _launch(self) -> EffectOutcome:
        node, act = self.node, self._act
        assert isinstance(act, acts.Launch)
        if self.agent.child is not None:
            raise Lost(f"{node.name} starts a server while another process writes in its data directory")
        if node.server:
            return EffectFailed(FailureCause.BUSY, "in use")
        view = GvwState(*node.disk.gvwstate) if node.disk.gvwstate else None
        restores = act.phase.value == "restoring" and view is not None
        if act.bootstrap:
            self._begin_history()
        self.world.start(node, State.RESTORING if restores else State.STARTING)
        assert node.server
        started = ServerProcess(node.server.pid, 1)
        node.server.joining = act.phase.value == "starting"
        if act.bootstrap:
            self.world.tally.add("bootstrap")
            self.world.form([node])
            self.world.nothing_forgotten([node])
        self.world.settle()
        return Done(self.agent.now, Started(started, self.agent.now, view=view))

    def _begin_history(self) -> None:
        """What --wsrep-new-cluster goes by is grastate.dat: without a position in it, the history is a new one."""
        node, disk, decision = self.node, self.node.disk, self.agent.memory.decision
        assert isinstance(decision, Bootstrap)
        assert disk.grastate
        if disk.strayed and not decision.grants:
            raise Lost(f"{node.name} formed a Primary with rows that it wrote without the cluster")
        real = disk.grastate.uuid != NO_UUID and disk.grastate.seqno >= 0
        uuid = disk.grastate.uuid if real else f"ffff{self.world.uuid()[4:]}"
        if disk.uuid != uuid:
            self.world.tally.add("new history")
        disk.uuid, disk.torn, disk.strayed = uuid, False, False
        disk.grastate = GraState(uuid, disk.grastate.seqno, True)
        if disk.discarded or not disk.history:
            disk.history, disk.discarded = [f"new {uuid}"], False

    def _stop(self) -> EffectOutcome:
        if self.node.server:
            self.world.stop(self.node)
        return Done()

    def _revive(self) -> EffectOutcome:
        node, world, decision = self.node, self.world, self.agent.memory.decision
        if node.server is None:
            return Done(self.agent.now, "nobody listens")
        if node.server.state is State.PRIMARY:
            return Done(self.agent.now, "")
        if node.server.state is not State.NON_PRIMARY:
            return Done(self.agent.now, "it is in no component")
        assert isinstance(decision, ReviveDecision)
        members = [one for one in world.running(State.NON_PRIMARY, State.RESTORING) if one.island == node.island]
        members = [one for one in members if one.server and not one.server.evicted]
        world.tally.add("revive")
        world.form(members)
        world.nothing_forgotten(members, decision.may_miss)
        return Done(self.agent.now, "")


def begins_primary(act: acts.Act) -> bool:
    """Return whether a Primary is begun by it."""
    return isinstance(act, acts.MakePrimary) or (isinstance(act, acts.Launch) and act.bootstrap)


@lru_cache(maxsize=4096)
def _reading(  # noqa: PLR0913, PLR0917 - the rows that count
    primary: bool, uuid: str, seqno: int, queue: int, size: int, addresses: str, index: int | None, own: str
) -> Reading:
    status = WsrepStatus(
        wsrep_local_state=LocalState.SYNCED if primary else LocalState.UNDEFINED,
        wsrep_cluster_status="Primary" if primary else "non-Primary",
        wsrep_ready=primary,
        wsrep_connected=True,
        wsrep_cluster_size=size,
        wsrep_cluster_state_uuid=uuid,
        wsrep_local_state_uuid=uuid,
        wsrep_last_committed=seqno,
        wsrep_local_index=index,
        wsrep_local_recv_queue=queue,
        wsrep_incoming_addresses=addresses,
        wsrep_gcomm_uuid=own,
    )
    return Reading(status, Variables(wsrep_on=True, wsrep_provider="/usr/lib/galera.so"))
