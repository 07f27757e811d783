"""One keeper and what it sees, as a script tells it: see scripts/README.md for the events.

The scene does what the effects say, all at once and without fail unless an event says otherwise; so a script shows
what the step wants, and the next look shows it what came of that.
"""

from __future__ import annotations

import shlex
from typing import Any

from core.facts import synced
from core.keeper.modes import Mode, mode_of
from core.keeper.words import UUID, tell
from xha.core.cluster.election_inputs import gather
from xha.core.election.facts import Grant, GrantKind, Host, Probe, Probed, Records, Token
from xha.core.election.position_report import PositionReport, State, Unread
from xha.core.election.stall import Eviction, StallReport
from xha.core.election.writer import Claim, WriterWord
from xha.core.galera.known_servers import ServerProcess, StateTransfer
from xha.core.galera.lineage import Generation, History, StopRecord
from xha.core.galera.node_record import NodeRecord
from xha.core.galera.position import NO_UUID, GraState, GvwState, Kind, Position, Standing, View
from xha.core.galera.reading import Departure, LocalState, Reading, Variables, Working, WsrepStatus
from xha.core.keeper import effects as acts
from xha.core.keeper.machine import learnt, step
from xha.core.keeper.memory import Memory
from xha.core.keeper.observation import (
    ChildSeen,
    ClusterSeen,
    DataSeen,
    Fresh,
    Observation,
    ServerSeen,
    Trouble,
    WriterSeen,
)
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
    Unfit,
)
from xha.core.keeper.server.looks import looks_at_contents, looks_for_recovery
from xha.core.monitor.keeper_status import Phase
from xha.core.node.verdict import Code, Policy, Unreadable, judge
from xha.core.node.withdrawal import Withdrawal
from xha.core.node.writer_rule import Takers, WriterOrder, WriterRecord
from xha.core.ocf.galera_settings import Settings
from xha.core.pacemaker import guards
from xha.core.pacemaker.cib import Cib
from xha.core.pacemaker.cib_records import Book
from xha.core.pacemaker.operations import Operation

OTHER = "bbbbbbbb-0000-0000-0000-000000000000"
CLOCK = 1000.0
DEAF = judge(Unreadable(Code.SERVER_DOWN), Policy())
SYNCED = judge(synced(), Policy())
# How long a look takes by the keeper's clock, where the script does not say.
LOOK = 1.0
CHILDREN = {"CheckHost", "CheckStorage", "Recover", "Create", "Stop"}
# What the group counts while it stands still: nothing moves between two looks.
STILL = dict.fromkeys(
    ("wsrep_replicated", "wsrep_replicated_bytes", "wsrep_received", "wsrep_received_bytes", "innodb_data_written"), 0
)


def line_of(text: str) -> tuple[Generation, ...]:
    """`g2@7:B,g1@3:A` is a line, newest first: id, where it began, and who formed it."""
    found: tuple[Generation, ...] = ()
    for word in reversed([one for one in text.split(",") if one]):
        name, _, rest = word.partition("@")
        seqno, _, founder = rest.partition(":")
        found = (Generation(name, found[0].id if found else "", int(seqno), (founder,)), *found)
    return found


def view_of(text: str) -> View:
    """`ABC` is the view of those three; `ABC2` a later one."""
    number = "".join(filter(str.isdigit, text)) or "1"
    return View(f"view {text} {number}", tuple(sorted(f"uuid {name.lower()}" for name in text if name.isalpha())))


def position_of(text: str) -> Position:
    """`5` is a seqno of the cluster's history, `other:5` one of another, `-` none."""
    name, _, seqno = text.rpartition(":")
    return Position() if text == "-" else Position(OTHER if name else UUID, int(seqno))


class Scene:
    """The world of one keeper, node A of A, B and C."""

    def __init__(self) -> None:
        self.memory, self.now = Memory(), 0.0
        self.members: tuple[str, ...] = ("A", "B", "C")
        self.peers: dict[str, PositionReport | Unread] = {}
        self.late: set[str] = set()
        self.hosts = dict.fromkeys("ABC", Host.ONLINE)
        self.probes: dict[str, Probed] = {}
        self.records, self.grants = Records(), []
        # This node's report, as the cluster hands it back.
        self.own: PositionReport | None = None
        self.published: PositionReport | None = None
        self.unseen = False
        self.meta: dict[str, str] = {}
        self.stalls: dict[str, StallReport] = {}
        self.eviction: Eviction | None = None
        self.quorum, self.two_node, self.ambiguous = True, False, ()
        self.found = Recovered(Standing(Kind.EMPTY), NodeRecord())
        self.data = DataSeen()
        # What a recovery has found out and handed over, until the data are another.
        self.handed: Recovered | None = None
        self.server = ServerSeen()
        # What Pacemaker's monitor leads to, "-" where there is none; and what it has under way here.
        self.on_failure, self.in_flight = "", ""
        self.settings = Settings(view_timeout=30.0, enable_creation=True)
        self.failing: dict[str, EffectOutcome] = {}
        self.failed: set[str] = set()
        self.told: set[str] = set()
        self.trouble: Trouble | None = None
        self.results: tuple[EffectResult, ...] = ()
        # What is begun ends at once, but for what is slow.
        self.child: ChildSeen | None = None
        self.begun: acts.Act | None = None
        self.slow: set[str] = set()
        self.children = 0
        self.directory = (1, 1)
        # What keepers say of the writer; None: this scene is about something else.
        self.words: dict[str, WriterWord] | None = None
        self.beats = 0
        self.drain, self.taken = False, Takers()
        self.order: WriterOrder | None = None
        # What this host's responder was told of the writer, also by a keeper of before.
        self.written: WriterRecord | None = None
        self.in_charge, self.reloaded = True, False
        self.numbers = 0
        # What the step did, for the page of states: from, to, and the acts between.
        self.steps: list[tuple[Mode, Mode, tuple[acts.Effect, ...]]] = []

    # --- a line of a script

    def play(self, line: str) -> list[str]:
        """Let something happen and the keeper look; return its effects in words."""
        verb, *words = shlex.split(line)
        quiet = verb == "given"
        if quiet:
            verb, *words = words
        getattr(self, f"on_{verb.replace('-', '_')}")(*words)
        return [] if quiet else self.look()

    def _look_once(self) -> list[str]:
        told = self._act(self._observe())
        if any(not isinstance(one.outcome, Done) for one in self.results):
            told += ["then", *self._act(self._bare())]
        return told

    def look(self) -> list[str]:
        """Let the keeper look, and do what it says."""
        if self.now:
            self.now += LOOK
        else:
            self.now = 100.0
        told = self._look_once()
        self.reloaded = False
        while self._has_news() or self._is_awaited():
            told += ["at once", *self._look_once()]  # the end of a child, or what all can see, ends the rest
        unmet = set(self.failing) - self.failed
        assert not unmet, f"nothing met {', '.join(sorted(unmet))}: the script says that it fails"
        self.failing, self.failed = {}, set()
        return told

    def _has_news(self) -> bool:
        """Whether a child has ended, and the keeper has not heard of it."""
        if any(isinstance(one.act, acts.End) for one in self.results):
            return False
        begun = [one.outcome.value for one in self.results if isinstance(one.outcome, Done)]
        known = self.memory.child or next((one for one in begun if isinstance(one, Begun)), None)
        return bool(self.child and self.child.outcome and known and known.number == self.child.number)

    def _is_awaited(self) -> bool:
        """Whether the report has come back that a server waits for, and the keeper has not seen it yet."""
        memory = learnt(self.memory, self._bare())
        launching = None if memory.queued_at else memory.launching
        return launching is not None and launching.report == self.own and self.trouble is None

    @property
    def mode(self) -> Mode:
        """What the keeper is at, once it knows what came of its effects, and before it hears that a child has ended."""
        seen = self._bare()
        return mode_of(learnt(self.memory, seen._replace(child=seen.child and seen.child._replace(outcome=None))))

    def _bare(self) -> Observation:
        fresh = Fresh(f"e{self.numbers}", f"t{self.numbers}", f"g{self.numbers}")
        child = self.child and self.child._replace(directory=self.directory)
        where = {"datadir": "/srv/db", "run": "/run/xha/galera/db"}
        return Observation(self.now, fresh, self.settings, self.results, child, **where)  # type: ignore[arg-type]

    def _observe(self) -> Observation:
        seen = self._bare()._replace(in_charge=self.in_charge, reloaded=self.reloaded, trouble=self.trouble)
        if self.trouble and self.trouble.cause is not FailureCause.UNREACHABLE:
            return seen
        created = self.data.created and looks_at_contents(learnt(self.memory, seen))
        looks = self.server.server is None and looks_for_recovery(learnt(self.memory, seen))
        data = self.data._replace(created=created, recovered=self.handed if looks else None)
        seen = seen._replace(server=self.server, data=data)
        return seen if self.trouble else seen._replace(cluster=self._cluster(), writer=self._see_writer())

    def _see_writer(self) -> WriterSeen | None:
        if self.words is None:
            return None
        away = Withdrawal("ann", drains=True) if self.drain else None
        told = self.memory.writer.post.record is not None
        record = None if told else self.written
        return WriterSeen(dict(self.words), Policy(), away, takers=self.taken, order=self.order, record=record)

    def _cluster(self) -> ClusterSeen:
        epoch = self.memory.epoch
        reports: dict[str, PositionReport | Unread] = {} if self.own is None else {"A": self.own}
        for name, one in self.peers.items():
            answers = isinstance(one, PositionReport) and name not in self.late
            epochs = (*one.epochs, epoch) if isinstance(one, PositionReport) and answers else ()
            reports[name] = (
                one._replace(epochs=epochs, members=self.members) if isinstance(one, PositionReport) else one
            )
        cib = Cib(
            self.members,
            self.hosts,
            self.quorum,
            self.two_node,
            exists=True,
            meta=self.meta,
            operations=() if self.on_failure == "-" else (Operation("mon", "monitor", 10.0, on_fail=self.on_failure),),
            in_flight={"A": self.in_flight} if self.in_flight else {},
            book=Book(self.records, tuple(self.grants), eviction=self.eviction),
        )
        return ClusterSeen(
            "A", reports, cib, self.members, self.ambiguous, self.probes, {}, (), CLOCK, stalls=dict(self.stalls)
        )

    def _act(self, seen: Observation) -> list[str]:
        self.numbers += 1
        before = self.mode
        self.memory, effects = step(self.memory, seen)
        if self.memory.child is None and self.child is not None and self.child.outcome is not None:
            self.child = None
        results: list[EffectResult] = []
        for effect in effects:
            failed = any(not isinstance(one.outcome, Done) for one in results)
            if not failed or isinstance(effect.act, acts.ALWAYS):
                results.append(EffectResult(effect.act, self._try(effect)))
        self.results = tuple(results)
        self.steps.append((before, self.mode, effects))
        return [line for line in map(tell, effects) if line]

    # --- what effects come to

    def _try(self, effect: acts.Effect) -> EffectOutcome:
        act = effect.act
        for guard in effect.guards:
            name = type(guard).__name__
            for what in (name, f"{name}:{type(act).__name__}"):
                if what in self.failing:
                    self.failed.add(what)
                    return _with(self.failing[what], guard)
        if type(act).__name__ in CHILDREN:
            return self._begin(act)
        if type(act).__name__ in self.failing:
            self.failed.add(type(act).__name__)
            return self.failing[type(act).__name__]
        do = getattr(self, f"_do_{type(act).__name__}", None)
        value = do(act) if do else None
        return value if isinstance(value, (GuardFailed, EffectFailed)) else Done(self.now, value)

    def _begin(self, act: acts.Act) -> EffectOutcome:
        """Begin a child. What fails by its name is the child; what fails by `begin:` and its name never is one."""
        name = type(act).__name__
        if f"begin:{name}" in self.failing:
            self.failed.add(f"begin:{name}")
            return self.failing[f"begin:{name}"]
        assert self.child is None or self.child.outcome, f"{name} is begun while another child runs"
        self.children += 1
        self.child, self.begun = ChildSeen(self.children), act
        if name in self.failing:
            self.failed.add(name)
            self._end_child(self.failing[name])
        elif name not in self.slow:
            self._end_child()
        return Done(self.now, Begun(self.children, self.directory))

    def _end_child(self, outcome: EffectOutcome | None = None) -> None:
        assert self.child is not None, "no child runs"
        assert self.begun is not None
        do = getattr(self, f"_do_{type(self.begun).__name__}")
        outcome = outcome or Done(self.now, do(self.begun))
        self.child = self.child._replace(outcome=outcome)

    def _do_TellWriter(self, act: acts.TellWriter) -> int:  # noqa: N802
        assert self.words is not None
        if act.says and act.post.word is not None:
            self.words["A"] = act.post.word
        if act.writes:
            self.written = act.post.record
        return 0 if act.closes else act.post.clients

    def _do_Publish(self, act: acts.Publish) -> None:  # noqa: N802
        self.published = act.report
        self.own = self.own if self.unseen else act.report

    def _do_Retract(self, _: acts.Retract) -> None:  # noqa: N802
        self.own = None

    def _do_CheckHost(self, _: acts.CheckHost) -> None:  # noqa: N802
        """The host is fit, unless the script says `unfit`."""

    def _do_CheckStorage(self, _: acts.CheckStorage) -> None:  # noqa: N802
        """It takes writes, unless the script says `unwritable`."""

    def _do_Evict(self, act: acts.Evict) -> str:  # noqa: N802
        self.eviction = act.eviction
        return ""

    def _do_EndChild(self, _: acts.EndChild) -> None:  # noqa: N802 - named after its act
        if self.child is not None and self.child.outcome is None:
            self._end_child(EffectFailed(FailureCause.BUSY, "its process was killed by SIGKILL", self.now))

    def _do_Create(self, _: acts.Create) -> None:  # noqa: N802
        self.data = self.data._replace(created=True)

    def _do_TakeToken(self, act: acts.TakeToken) -> EffectOutcome | None:  # noqa: N802 - named after its act
        if self.records.token is not None:
            return GuardFailed(None)
        self.records = self.records._replace(token=act.token)
        return None

    def _do_VoidToken(self, act: acts.VoidToken) -> None:  # noqa: N802
        if self.records.token == act.token:
            self.records = self.records._replace(token=None)

    def _do_ReleaseToken(self, _: acts.ReleaseToken) -> bool:  # noqa: N802
        self.records = self.records._replace(token=None)
        return True

    def _do_ConsumeGrants(self, act: acts.ConsumeGrants) -> EffectOutcome | None:  # noqa: N802
        used = [one for one in self.grants if one.kind.value in act.kinds]
        self.grants = [one for one in self.grants if one not in used]
        return None if used else GuardFailed(None)

    def _do_RecordLine(self, act: acts.RecordLine) -> None:  # noqa: N802
        line = self.records.line if act.line is None else act.line
        self.records = self.records._replace(line=line, cluster=act.cluster)

    def _do_DeleteStop(self, _: acts.DeleteStop) -> None:  # noqa: N802
        self.records = self.records._replace(stops={k: v for k, v in self.records.stops.items() if k != "A"})

    def _do_WriteRecord(self, act: acts.WriteRecord) -> None:  # noqa: N802
        self.data, self.handed = self.data._replace(record=act.record, unread=""), None

    def _do_WriteJoining(self, act: acts.WriteJoining) -> None:  # noqa: N802
        self.data = self.data._replace(joining=act.record)

    def _do_WriteFailures(self, act: acts.WriteFailures) -> None:  # noqa: N802
        self.data = self.data._replace(failures=act.failures)

    def _do_SetViewAside(self, _: acts.SetViewAside) -> None:  # noqa: N802
        self.data, self.handed = self.data._replace(gvwstate=None), None

    def _do_Discard(self, _: acts.Discard) -> None:  # noqa: N802
        record = (self.data.record or NodeRecord())._replace(discarded=True, superseded=True, clean_stop=None)
        self.data = self.data._replace(record=record, gvwstate=None)
        self.found, self.handed = Recovered(Standing(Kind.EMPTY), record), None

    def _do_Recover(self, _: acts.Recover) -> Recovered:  # noqa: N802
        record = None if self.found.standing.kind is Kind.UNKNOWN else self.data.record or NodeRecord()
        found = self.found
        found = Recovered(found.standing, record, found.safe_to_bootstrap, found.unmendable, found.busy)
        self.handed = found if found.standing.kind is Kind.INTACT else None
        return found

    def _do_TellFailure(self, act: acts.TellFailure) -> str:  # noqa: N802
        assert act.server not in self.told, "Pacemaker is told twice of one end"
        self.told.add(act.server)
        return ""

    def _do_Launch(self, act: acts.Launch) -> Started:  # noqa: N802
        self.numbers, self.handed = self.numbers + 1, None
        server, view = ServerProcess(self.numbers, 1), self.data.gvwstate
        self.server = ServerSeen(server, asked=True, verdict=DEAF)
        if act.phase is Phase.RESTORING:  # Galera takes it away when it begins
            self.data = self.data._replace(gvwstate=None)
        return Started(server, self.now, view=view)

    def _do_Stop(self, _: acts.Stop) -> None:  # noqa: N802
        self.server = ServerSeen()

    # --- events

    def on_look(self) -> None:
        """Nothing happens."""

    def on_wait(self, seconds: str) -> None:
        self.now += float(seconds) - LOOK

    def on_members(self, names: str) -> None:
        self.members = tuple(names.split(","))
        self.hosts = dict.fromkeys(self.members, Host.ONLINE)
        self.two_node = len(self.members) == 2

    def on_disk(self, kind: str, seqno: str = "-", *words: str) -> None:
        """What a recovery finds: KIND SEQNO [line=...] [view=ABC] [seen=SEQNO] [superseded] [inconsistent]."""
        said = dict(word.partition("=")[::2] for word in words)
        view = view_of(said["view"]) if "view" in said else None
        record = NodeRecord(
            line_of(said.get("line", "")),
            view,
            int(said.get("seen", -1)),
            "uuid a" if view else "",
            superseded="superseded" in said,
            inconsistent="inconsistent" in said,
        )
        saved = GvwState("uuid a", view) if view and "gvwstate" in said else None
        position = position_of(seqno)
        self.found = Recovered(Standing(Kind(kind), position), record, safe_to_bootstrap="safe" in said)
        self.data, self.handed = DataSeen(record, saved, created=kind != "empty"), None

    def on_blind(self, cause: str, *how: str) -> None:
        self.found = Recovered(Standing(Kind.UNKNOWN, cause=cause), unmendable="unmendable" in how, busy="busy" in how)

    def on_trouble(self, cause: str, text: str = "") -> None:
        """Looking fails from now on: unreachable, busy, unforeseen; or not any more: over."""
        self.trouble = None if cause == "over" else Trouble(FailureCause[cause.upper()], text)

    def on_unread_record(self, text: str) -> None:
        self.data = self.data._replace(record=None, unread=text)

    def on_unreadable(self, text: str) -> None:
        self.data = self.data._replace(trouble=text)

    def on_hear(self, name: str, state: str, kind: str = "intact", seqno: str = "-", *words: str) -> None:
        """A member reports: NAME STATE KIND SEQNO [line=...] [view=ABC] [seen=SEQNO] [in=ABC] [late] and its flags."""
        said = dict(word.partition("=")[::2] for word in words)
        (self.late.add if "late" in said else self.late.discard)(name)
        view = view_of(said["view"]) if "view" in said else None
        component = view_of(said["in"]) if "in" in said else None
        self.peers[name] = PositionReport(
            name,
            State(state),
            Kind(kind),
            position_of(seqno),
            line_of(said.get("line", "")),
            safe_to_bootstrap="safe" in said,
            superseded="superseded" in said,
            evicted="evicted" in said,
            own_uuid=self._place(name, State(state), said.get("in", "")),
            view=view,
            view_seqno=int(said.get("seen", -1)),
            restorable="gvwstate" in said,
            component=self._component(State(state), said.get("in", "")) or component,
            opens=f"e{name}",
            trouble=said.get("trouble", ""),
            epochs=tuple(filter(None, said.get("answers", "").split(","))),
        )
        self.hosts[name] = Host.ONLINE

    @staticmethod
    def _place(name: str, state: State, inside: str) -> str:
        return f"{inside.index(name)} {name}" if inside and state is State.NON_PRIMARY else f"uuid {name.lower()}"

    @staticmethod
    def _component(state: State, inside: str) -> View | None:
        if not inside or state is not State.NON_PRIMARY:
            return None
        return View(f"non-primary {UUID}", tuple(f"{place} {name}" for place, name in enumerate(inside)))

    def on_unread(self, name: str, schema: str) -> None:
        self.peers[name] = Unread(int(schema))

    def on_lose(self, name: str, host: str = "lost") -> None:
        """A member's host is gone: lost, fenced, clean-down; its report with it."""
        self.peers.pop(name, None)
        self.hosts[name] = Host(host)

    def on_late(self, names: str) -> None:
        self.late = set(filter(None, names.split(",")))

    def on_port(self, name: str, answer: str) -> None:
        self.probes[name] = Probed(Probe(answer), (3306,) if answer == "accepted" else ())

    def on_server(self, how: str, *words: str) -> None:
        """Set it: primary SEQNO in=ABC, apart SEQNO in=A, waiting, receiving NUMBER, left, closed, evicted, gone.

        silent: it does not answer any more.
        """
        numbers = [word for word in words if "=" not in word]
        said = dict(word.partition("=")[::2] for word in words)
        server = self.server.server
        if how == "gone":
            self.server = ServerSeen(errors=tuple(numbers))
            return
        if how == "silent":
            self.server = self.server._replace(reading=None, verdict=judge(Unreadable(Code.HUNG), Policy()))
            return
        if server is None or "new" in words:
            self.numbers += 1
            server = ServerProcess(self.numbers, 1, mark="mark")
            self.handed = None
        self.server = ServerSeen(server, asked=True, verdict=DEAF)
        if how in ("primary", "apart", "left", "closed", "evicted"):
            seqno = next((word for word in numbers if word.lstrip("-").isdigit()), "-")
            self._answers("left" if how == "evicted" else how, seqno, said.get("in", "A"))
            if how == "evicted" and self.server.reading is not None:
                reading = self.server.reading._replace(departure=Departure(evicted=True))
                status = reading.status._replace(wsrep_local_recv_queue=int(said.get("queue", 0)))
                reading = reading._replace(status=status)
                self.server = self.server._replace(reading=reading, verdict=judge(reading, Policy()))
        elif how == "receiving":
            self.server = self.server._replace(transfer=StateTransfer("joiner", int(numbers[0]), "rsync, joiner"))
        elif how == "unreplicated":
            status = WsrepStatus(wsrep_cluster_status="Disconnected")
            variables = Variables(wsrep_on=False, wsrep_provider="none")
            self.server = self.server._replace(reading=Reading(status, variables), verdict=SYNCED)

    def _answers(self, how: str, seqno: str, inside: str) -> None:
        primary = how == "primary"
        position = position_of(seqno)
        states = {"primary": LocalState.SYNCED, "closed": LocalState.JOINING}
        status = WsrepStatus(
            wsrep_local_state=states.get(how, LocalState.UNDEFINED),
            wsrep_cluster_status={"primary": "Primary", "left": "Disconnected"}.get(how, "non-Primary"),
            wsrep_ready=primary,
            wsrep_connected=how != "left",
            wsrep_cluster_size=len(inside.rstrip("0123456789")),
            wsrep_cluster_state_uuid=position.uuid,
            wsrep_local_state_uuid=position.uuid,
            wsrep_last_committed=position.seqno,
            wsrep_local_index=inside.index("A"),
            wsrep_local_recv_queue=0,
            wsrep_incoming_addresses=",".join(name for name in inside if name.isalpha()),
            wsrep_gcomm_uuid=None if how == "closed" else "uuid a",
            **STILL,
        )
        where = {"datadir": "/srv/db/", "log_bin_basename": "/srv/log/bin", "tmpdir": "/tmp"}
        said = synced().variables._replace(wsrep_on=True, wsrep_provider="/usr/lib/galera.so", **where)
        reading = Reading(status, said)
        verdict = SYNCED if primary else judge(reading, Policy())
        self.server = self.server._replace(reading=reading, verdict=verdict)
        if primary:
            self.data = self.data._replace(gvwstate=GvwState("uuid a", view_of(inside)))

    def on_flow(self, how: str) -> None:
        """Flow control stops all commits: `here` by this node, which applies nothing, `elsewhere`; or no more: `on`."""
        reading = self.server.reading
        assert reading is not None
        stopped, here = how != "on", how == "here"
        status = reading.status._replace(
            wsrep_flow_control_active=stopped,
            wsrep_flow_control_requested=here,
            wsrep_local_recv_queue=29 if here else 0,
            wsrep_cluster_weight=len(self.members),
        )
        reading = reading._replace(status=status, working=Working())
        self.server = self.server._replace(reading=reading, weight=1 if here else None)

    def on_evicts_after(self, seconds: str) -> None:
        """The parameter evict_stalled."""
        self.settings = self.settings._replace(evict_stalled=float(seconds))

    def on_tells(self, name: str, applied: str, *words: str) -> None:
        """A member tells of a stall: NAME APPLIED [stalls=SECONDS] [weight=N] [donor]."""
        said = dict(word.partition("=")[::2] for word in words)
        self.numbers += 1
        stalled = float(said.get("stalls", 0))
        self.stalls[name] = StallReport(
            self.numbers,
            f"uuid {name.lower()}",
            int(applied),
            "donor" not in said,
            stalled > 0,
            stalled,
            int(said["weight"]) if "weight" in said else None,
        )

    def on_unwritable(self, text: str) -> None:
        """The next write to the storage of an evicted server fails."""
        self.failing["CheckStorage"] = Done(self.now, Unfit(text))

    def on_by_hand(self, position: str = "-") -> None:
        """A person has started the server, and with a position: bootstrapped it from there."""
        self.numbers += 1
        begun = position_of(position)
        argv = ("mysqld", "--wsrep-new-cluster", f"--wsrep_start_position={begun}") if begun.real else ("mysqld",)
        server = ServerProcess(self.numbers, 0, argv=argv, mark="mark")
        self.server = ServerSeen(server, ours=False, asked=True, verdict=DEAF)
        self.data = self.data._replace(grastate=GraState(begun.uuid if begun.real else NO_UUID, -1, False))

    def on_monitor(self, on_fail: str) -> None:
        """What on-fail says of Pacemaker's monitor; `-`: it has none."""
        self.on_failure = on_fail

    def on_under_way(self, action: str = "") -> None:
        """Pacemaker has an action of the resource under way here; without one: not any more."""
        self.in_flight = action

    def on_written(self) -> None:
        """Somebody has opened the data since the last recovery."""
        self.handed = None

    def on_untold(self, text: str) -> None:
        """Pacemaker does not take it, or a monitor was quicker, at the next look."""
        self.failing["TellFailure"] = Done(self.now, text)

    def on_withdrawn(self) -> None:
        """An operator drains this node, in a scene about a server that ends."""
        self.words, self.drain = {}, True

    def on_fail(self, what: str, how: str, text: str = "") -> None:
        """An effect, or a guard, fails at the next look: no, never, or the name of a cause in small letters.

        GUARD:ACT is a guard of that act alone. What no effect of that look meets is an error of the script.
        """
        self.failing[what] = (
            GuardFailed(None, text, permanent=how == "never")
            if how in ("no", "never")
            else EffectFailed(FailureCause[how.upper()], text, self.now)
        )

    def on_unfit(self, text: str, *how: str) -> None:
        """The next look at the host finds an error: a lasting one, or `perhaps`."""
        self.failing["CheckHost"] = Done(self.now, Unfit(text, permanent="perhaps" not in how))

    def on_unseen(self, how: str = "") -> None:
        """What this node publishes does not come back from now on; or does again: over."""
        self.unseen = how != "over"
        self.own = self.own if self.unseen else self.published

    def on_slow(self, *whats: str) -> None:
        """Children of these names run until they end by `ends`."""
        self.slow = set(whats)

    def on_ends(self, how: str = "", text: str = "") -> None:
        """The child that runs ends, or fails by a cause."""
        self._end_child(EffectFailed(FailureCause[how.upper()], text, self.now) if how else None)

    def on_stray(self) -> None:
        """A recovery runs that the keeper does not know, as after a fault in the step that was to hear of it."""
        self.children += 1
        self.child, self.begun = ChildSeen(self.children), acts.Recover(0.0)

    def on_swapped(self) -> None:
        """Another directory stands in the place of the data directory."""
        self.directory = (1, self.directory[1] + 1)

    def on_refuses(self, text: str) -> None:
        """The server refuses pc.bootstrap at the next look."""
        self.failing["MakePrimary"] = Done(self.now, text)

    def on_record(self, *words: str) -> None:
        """What stands in the cluster's configuration: line=..., cluster, stop=NAME:SEQNO."""
        for name, _, value in (word.partition("=") for word in words):
            if name == "line":
                self.records = self.records._replace(line=line_of(value), cluster=UUID)
            elif name == "cluster":
                self.records = self.records._replace(cluster=UUID)
            else:
                node, _, seqno = value.partition(":")
                stop = StopRecord(History(position_of(seqno)), "boot")
                self.records = self.records._replace(stops={**self.records.stops, node: stop})

    def on_token(self, node: str, epoch: str = "old", *evicts: str) -> None:
        """A node has the token, for what it was shown or to evict a server; `-`: none has."""
        what = " ".join(evicts) or "shown"
        self.records = self.records._replace(token=None if node == "-" else Token(node, epoch, what))

    def on_grant(self, kind: str, node: str) -> None:
        """A person gives a grant for what the keeper shows."""
        seen = self._cluster()
        reports = {**seen.reports, **({"A": self.memory.report} if self.memory.report else {})}
        facts: Any = gather(
            "A", self.memory.epoch, seen.cib, reports, seen.members, probes={}, arbitrators={}, clock=CLOCK
        )
        self.grants.append(Grant(GrantKind(kind), node, facts.digest(), CLOCK, "ann", "test"))

    def on_forbid(self, what: str = "maintenance") -> None:
        self.meta = {"maintenance": "true"} if what == "maintenance" else {"target-role": "Stopped"}

    def on_allow(self) -> None:
        self.meta = {}

    def on_settings(self, *words: str) -> None:
        for name, _, value in (word.partition("=") for word in words):
            self.settings = self.settings._replace(**{name: value == "1" if value in "01" else float(value)})
        self.reloaded = True

    def on_writers(self) -> None:
        """Who is the writer is told from now on."""
        self.words = {}

    def on_word(self, node: str, claim: str, *how: str) -> None:
        """A keeper says who is the writer: NODE COUNTER:WRITER [fit] [drains] [settled] [asks]."""
        assert self.words is not None
        counter, _, writer = claim.partition(":")
        self.beats += 1
        flags = {name: name in how for name in ("fit", "drains", "settled", "asks")}
        self.words[node] = WriterWord(Claim(int(counter), writer), queue=0, beat=self.beats, **flags)

    def on_drains(self, how: str = "") -> None:
        """This node is drained; or is not any more: over."""
        self.drain = how != "over"

    def on_balancers(self, how: str) -> None:
        """What this host's responder knows of its load balancers: all take it, or none does."""
        self.taken = Takers(how == "all", how == "none")

    def on_order(self, target: str, counter: str = "0") -> None:
        """A person wants another writer; `-`: wants nothing any more."""
        self.order = None if target == "-" else WriterOrder(int(counter), target, self.now)

    def on_quorum(self, has: str) -> None:
        self.quorum = has == "yes"

    def on_removed(self) -> None:
        self.in_charge = False

    def on_another_keeper(self) -> None:
        """The keeper died, and another one takes over: what runs, runs."""
        self.memory, self.results, self.child = Memory(), (), None

    def on_ambiguous(self, text: str) -> None:
        self.ambiguous = (text,)


def _with(outcome: EffectOutcome, guard: guards.Guard) -> EffectOutcome:
    return GuardFailed(guard, outcome.text, outcome.permanent) if isinstance(outcome, GuardFailed) else outcome
