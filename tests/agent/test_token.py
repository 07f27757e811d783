"""The token binds all others: it is given back whenever no Primary is being formed here, whatever came between.

The keeper's loop is the real one, with a server and a data directory that a test describes.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable

import pytest

from core.facts import synced
from xha.adapters.datadir.hold import InUse
from xha.adapters.datadir.users import CannotLook
from xha.adapters.files.agent_rundir import RunDir
from xha.adapters.host.faults import Faults
from xha.adapters.host.log import Log
from xha.adapters.pacemaker.cluster import ClusterUnreachable
from xha.adapters.pacemaker.standalone import Standalone
from xha.app.keeper import main
from xha.app.keeper.announcer import Announcer
from xha.app.keeper.children import Children
from xha.app.keeper.keeper import Keeper
from xha.app.keeper.observer import Observer
from xha.app.keeper.peers import Peers, release_token
from xha.app.keeper.performer import Performer
from xha.app.keeper.process import Locked
from xha.app.keeper.writer import WriterLink
from xha.core.election.facts import Token
from xha.core.election.position_report import PositionReport, State, parse_position_report, render_position_report
from xha.core.galera.known_servers import ServerProcess
from xha.core.galera.lineage import Generation
from xha.core.galera.position import Kind, Position, Standing
from xha.core.keeper.effects import End, Launch, ReleaseToken, Stop
from xha.core.keeper.memory import Launched, Memory, Plan
from xha.core.keeper.observation import DataSeen, ServerSeen
from xha.core.keeper.outcomes import EffectFailed, EffectResult, FailureCause, Recovered
from xha.core.monitor.keeper_status import Phase
from xha.core.ocf.api import Instance
from xha.core.ocf.galera_settings import Settings

LINE = (Generation("g1", "", 5, ("n1",)),)

HELD = Standing(Kind.INTACT, Position("6f1c2a9e-8b0d-11ef-9c41-3a5f0e7d2b18", 5))
RUNS = ServerProcess(1, 1)
FIRST = synced(
    wsrep_local_state_uuid=HELD.position.uuid,
    wsrep_last_committed=5,
    wsrep_local_recv_queue=0,
    wsrep_cluster_size=1,
    wsrep_gcomm_uuid=HELD.position.uuid,
)
APART = synced(wsrep_cluster_status="non-Primary", wsrep_local_state=0, wsrep_local_recv_queue=0)


class Quiet:
    """A directory in which everything succeeds."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None


class Life:
    """A keeper that has taken the token, with a node that a test describes."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cluster, self.run, log = Standalone(), RunDir("db", str(directory)), Log("test")
        self.seen = ServerSeen()
        self.sees: Callable[[], ServerSeen] = lambda: self.seen
        self.server: Any = SimpleNamespace(
            program=SimpleNamespace(datadir="/srv/db", socket="/srv/db.sock"),
            see=lambda *_: self.sees(),
            note=lambda _: None,
            start=lambda _: pytest.fail("nobody starts a server here"),
            stop=lambda _: False,
            close=lambda: None,
        )
        self.data: Any = SimpleNamespace(
            run=self.run,
            directory=Quiet(),
            see=lambda **_: DataSeen(),
            recover=lambda _: Recovered(HELD),
        )
        self.peers = Peers(self.cluster, "db", Settings(), "gcomm://127.0.0.1")
        monkeypatch.setattr("xha.app.keeper.peers.probe_members", lambda *_: ({}, {}))
        faults, said = Faults(log), Announcer(self.run, self.cluster, "db", log)
        with Locked(self.run):
            children = Children(self.data.directory, faults)
            writer = WriterLink(self.run, self.cluster, "db", said)
            observer = Observer(
                Settings(), self.run, self.server, self.data, self.peers, said, children, faults, writer
            )
        performer = Performer(self.server, self.data, self.peers, said, children, faults, writer)
        self.keeper = Keeper(observer, performer, children, faults)
        self.keeper.memory = Memory(epoch="e", standing=HELD, has_token=True)
        self.cluster.take_token("db", Token(self.cluster.node_name(), "e", "shown"))
        self.peers.read_cib()
        self.lock = Path(self.run.file("keeper.lock"))

    @property
    def token(self) -> Token | None:
        return self.cluster.read_cib("db").book.records.token

    def remember(self, **changes: Any) -> None:
        self.keeper.memory = self.keeper.memory._replace(**changes)

    def plan(self) -> None:
        self.remember(plan=Plan("shown", 1e12))

    def waits_for_another(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A member is heard that has not answered."""
        self.plan()
        see = self.peers.see

        def see_another(age: float, *, stalls: bool) -> Any:
            seen = see(age)
            members = (*seen.members, "another")
            return seen._replace(members=members, reports={**seen.reports, "another": PositionReport("another")})

        monkeypatch.setattr(self.peers, "see", see_another)

    def look(self) -> None:
        """Let the keeper take one step, without the rest behind it."""
        self.keeper.look_and_act()

    def is_over(self) -> bool:
        return any(isinstance(one.act, End) for one in self.keeper._results)


@pytest.fixture
def life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Life:
    return Life(tmp_path, monkeypatch)


def raises(error: BaseException) -> Callable[..., Any]:
    def act(*_: object) -> None:
        raise error

    return act


def gives_up(life: Life) -> None:
    """The last effect that failed is one that no second try mends."""
    life.keeper._results = (EffectResult(Stop(60.0), EffectFailed(FailureCause.SURVIVES, "")),)


class TestAKeeperThatEnds:
    def test_because_it_gave_up(self, life: Life) -> None:
        life.plan()
        gives_up(life)
        life.keeper.run()
        assert life.token is None

    def test_because_its_directory_was_removed(self, life: Life) -> None:
        life.plan()
        life.lock.unlink()
        life.keeper.run()
        assert life.token is None

    def test_while_pacemaker_does_not_answer(self, life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
        """Its stop does it, or the next keeper."""
        monkeypatch.setattr(life.peers, "release_token", raises(ClusterUnreachable("no")))
        gives_up(life)
        life.keeper.run()
        assert life.token is not None
        assert release_token(life.cluster, "db", life.cluster.read_cib("db"))
        assert life.token is None

    def test_keeps_it_where_its_server_still_starts(self, life: Life) -> None:
        life.remember(server=RUNS, launched=Launched(Phase.FORMING, 5.0))
        life.lock.unlink()
        life.keeper.run()
        assert life.token is not None

    def test_by_an_exception_that_ends_the_process(self, life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
        life.waits_for_another(monkeypatch)
        life.sees = raises(KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            life.keeper.run()
        assert life.token is None

    def test_says_that_it_gave_up(self, life: Life) -> None:
        gives_up(life)
        life.keeper.run()
        [text] = life.cluster.read_attribute("xha-db-report").values()
        last = parse_position_report(text)
        assert isinstance(last, PositionReport)
        assert (last.kind, last.epochs, last.opens) == (Kind.UNKNOWN, (), "")
        assert last.trouble == "its keeper gave up: mysqld does not end, not even by SIGKILL"
        keeper_status = life.run.read_keeper_status()
        assert keeper_status is not None
        assert (keeper_status.phase, keeper_status.permanent) == (Phase.FAILED, False)


class TestAKeeperThatCannotBegin:
    """One that is killed while it holds the token may be followed by one that finds a broken option file."""

    REASON = "mariadbd refuses its options: unknown variable 'x=1'; correct /etc/mysql/my.cnf"

    @pytest.fixture
    def begin(self, life: Life, monkeypatch: pytest.MonkeyPatch) -> Callable[..., PositionReport]:
        """Let it fail, beside these servers, and return this node's report. Before it, a keeper had reported."""
        held = PositionReport(life.cluster.node_name(), line=LINE, epochs=("e",), opens="e")
        life.cluster.set_private("xha-db-report", render_position_report(held))

        def fail(servers: Callable[..., Any]) -> PositionReport:
            monkeypatch.setattr(main, "connect", lambda *_: life.cluster)
            monkeypatch.setattr(main, "find_servers", servers)
            log = Log("test", repeats=life.run.read_said(), keep=life.run.write_said)
            main.fail(life.run, log, Instance("db"), Settings(datadir="/srv/db"), self.REASON, permanent=True)
            [text] = life.cluster.read_attribute("xha-db-report").values()
            report = parse_position_report(text)
            assert isinstance(report, PositionReport)
            return report

        return fail

    def test_gives_it_back_and_says_what_holds_the_node_up(
        self, life: Life, begin: Callable[..., PositionReport]
    ) -> None:
        report = begin(lambda _: ())
        assert life.token is None
        assert (report.kind, report.epochs, report.opens, report.line) == (Kind.UNKNOWN, (), "", LINE)
        assert report.trouble == f"its keeper gave up: {self.REASON}"
        status = life.run.read_keeper_status()
        assert status is not None
        assert (status.phase, status.permanent, status.reason) == (Phase.FAILED, True, self.REASON)
        assert life.cluster.read_attribute("xha-db-state") == {life.cluster.node_name(): f"failed: {self.REASON}"}

    @pytest.mark.parametrize(
        "servers", [lambda _: ("a server",), raises(CannotLook("no /proc"))], ids=["there is one", "nobody can tell"]
    )
    def test_keeps_it_where_a_server_may_be_forming_the_primary(
        self, life: Life, begin: Callable[..., PositionReport], servers: Callable[..., Any]
    ) -> None:
        report = begin(servers)
        assert life.token is not None
        assert (report.epochs, report.trouble) == (("e",), "")

    def test_says_the_same_once(
        self, life: Life, begin: Callable[..., PositionReport], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each monitor of a server without a keeper launches another process."""
        lines: list[str] = []
        write = Log._write

        def record(log: Log, priority: int, line: str) -> None:
            lines.append(line)
            write(log, priority, line)

        monkeypatch.setattr(Log, "_write", record)
        for _ in range(5):
            begin(lambda _: ("a server",))
        assert lines == [f"failed: {self.REASON}"]


ERRORS = [InUse("somebody"), OSError(28, "No space left"), ClusterUnreachable("no"), TimeoutError("late")]


class TestAKeeperThatGoesOn:
    """What each look ends in, and whether the token is there behind it."""

    @pytest.mark.parametrize("error", ERRORS)
    def test_a_look_that_came_to_nothing(self, life: Life, error: BaseException) -> None:
        life.sees = raises(error)
        life.look()
        assert life.token is None
        assert not life.is_over()

    @pytest.mark.parametrize("error", ERRORS)
    def test_an_effect_that_came_to_nothing(
        self, life: Life, monkeypatch: pytest.MonkeyPatch, error: BaseException
    ) -> None:
        """Without a rest: nobody waits for a token that serves nothing."""
        life.waits_for_another(monkeypatch)
        life.look()
        assert life.token is not None
        life.remember(plan=None)
        monkeypatch.setattr(life.peers, "publish", raises(error))
        life.remember(told=None)
        life.look()
        assert life.token is None

    @pytest.mark.parametrize("what", ["see", "look", "step", "learn"])
    def test_a_fault_of_its_own(self, life: Life, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
        """It is tried again, and what was planned is not: others may form the cluster meanwhile."""
        life.waits_for_another(monkeypatch)
        if what == "see":
            life.sees = raises(ZeroDivisionError())
        elif what == "look":
            monkeypatch.setattr(life.peers, "publish", raises(ZeroDivisionError()))
        elif what == "step":
            monkeypatch.setattr("xha.core.keeper.machine._look", lambda _: 1 / 0)
        else:
            life.keeper._results = (EffectResult(Stop(60.0)),)
            monkeypatch.setattr("xha.core.keeper.results._note_done", lambda *_: 1 / 0)
        assert life.keeper.look_and_act() == 5.0
        assert life.token is None
        assert life.keeper.memory.plan is None
        keeper_status = life.run.read_keeper_status()
        assert keeper_status is not None
        assert keeper_status.reason.startswith("the keeper has a fault of its own, and tries again: ZeroDivisionError")
        assert keeper_status.code == "config-error"

    def test_no_grant_to_use_up(self, life: Life) -> None:
        life.look()
        assert life.token is None

    def test_the_server_has_ended(self, life: Life) -> None:
        life.remember(server=RUNS, forming_since=5.0, launched=Launched(Phase.FORMING, 5.0))
        life.look()
        assert life.token is None

    def test_everybody_is_asked_again(self, life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
        life.waits_for_another(monkeypatch)
        life.look()
        assert life.token is not None

    @pytest.mark.parametrize(
        ("state", "forming", "kept"),
        [
            (State.STARTING, 5.0, True),
            (State.STARTING, 0.0, True),  # a dead keeper's, and nobody knows yet what it comes to
            (State.NON_PRIMARY, 1e9, True),  # told to be a Primary, and its time is not over
            (State.NON_PRIMARY, 0.0, False),
            (State.PRIMARY, 0.0, False),
            (State.RESTORING, 0.0, False),
        ],
    )
    def test_a_server_runs(self, life: Life, state: State, forming: float, kept: bool) -> None:
        phase = Phase.RESTORING if state is State.RESTORING else Phase.STARTING
        reading = {State.PRIMARY: FIRST, State.NON_PRIMARY: APART}.get(state)
        launched = Launched(phase, 5.0)
        life.remember(server=RUNS, launched=launched, reading=reading, served=reading is not None)
        life.remember(forming_since=forming)
        assert life.keeper.memory.state is state
        life.seen = ServerSeen(RUNS)
        life.look()
        assert life.keeper.memory.state is state
        assert (life.token is not None) is kept


def test_the_report_and_the_status_name_the_same_keeper(life: Life) -> None:
    """By that a stop knows that the report is the last word of the keeper that ends (app/agent/stop.py)."""
    life.look()
    life.look()
    report = parse_position_report(life.cluster.read_attribute("xha-db-report")[life.peers.me])
    keeper_status = life.run.read_keeper_status()
    assert isinstance(report, PositionReport)
    assert keeper_status is not None
    assert report.keeper == keeper_status.keeper == f"{os.getpid()}.{keeper_status.started}"


def test_nobody_gives_back_what_is_another_node_s(life: Life) -> None:
    life.cluster.take_token("db", Token("another", "e", "shown"))
    assert not release_token(life.cluster, "db", life.cluster.read_cib("db"))
    assert not life.peers.release_token()
    assert life.token is not None


def test_what_is_done_in_any_case_is_done_also_behind_a_failure(life: Life) -> None:
    assert not any(isinstance(one.act, (Launch, ReleaseToken)) for one in life.keeper._results)
    life.server.note = raises(OSError(5, "Input/output error"))
    life.look()
    acts = [type(one.act) for one in life.keeper._results]
    assert life.token is None, acts


def test_which_server_runs_is_written_down_also_behind_a_failure(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should the keeper be killed then, the next one finds it, whatever the parameters lead to by now."""
    noted: list[ServerProcess | None] = []
    life.server.note = noted.append
    life.seen = ServerSeen(RUNS)
    monkeypatch.setattr(life.peers, "publish", raises(ClusterUnreachable("no")))
    life.look()
    assert noted == [RUNS]
