"""The token binds all others: it is given back whenever no Primary is being formed here, whatever came between."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable

import pytest
from xha.doors.galera.council import Council, release_token
from xha.doors.galera.deeds import Over, Plan

from xha.adapters.datadir.hold import InUse
from xha.adapters.files.agent_rundir import RunDir
from xha.adapters.host.log import Log
from xha.adapters.pacemaker.cluster import ClusterUnreachable
from xha.adapters.pacemaker.standalone import Standalone
from xha.core.election.compose_report import Facts
from xha.core.election.facts import Token
from xha.core.election.position_report import Ballot, State, parse_ballot
from xha.core.galera.position import Kind, Position, Standing
from xha.core.monitor.keeper_status import Phase
from xha.core.ocf.galera_settings import Settings
from xha.doors.galera import keeper as keeper_module
from xha.doors.galera.keeper import Keeper
from xha.doors.galera.service import Locked

HELD = Standing(Kind.INTACT, Position("6f1c2a9e-8b0d-11ef-9c41-3a5f0e7d2b18", 5))
RUNS = SimpleNamespace(pid=1, started=1)


class Life:
    """A keeper that has taken the token, with a node that a test describes."""

    def __init__(self, directory: Path) -> None:
        self.cluster = Standalone()
        self.council = Council(self.cluster, "db", Settings(), "gcomm://127.0.0.1")
        self.own: Any = SimpleNamespace(
            process=None,
            state=State.STOPPED,
            settings=Settings(),
            facts=lambda *_: Facts(self.own.state, standing=HELD),
        )
        said = SimpleNamespace(phase=Phase.FORMING, reason="mysqld ended", say=lambda *_, **__: None)
        run = RunDir("db", str(directory))
        with Locked(run):
            self.keeper = Keeper(self.own, self.council, said, run, Log("test"))  # type: ignore[arg-type]
        assert self.council.take_token("shown")
        self.lock = Path(run.file("keeper.lock"))
        self.looks = 0

    @property
    def token(self) -> Token | None:
        return self.cluster.read_cib("db").book.records.token

    def live(self, monkeypatch: pytest.MonkeyPatch, *looks: Callable[[], None]) -> None:
        """Let the keeper look so often, and end as the last look has it."""

        def step() -> None:
            self.looks += 1
            self.council.forbidden()  # reads the configuration, as each look does
            looks[self.looks - 1]()

        monkeypatch.setattr(self.keeper, "step", step)
        monkeypatch.setattr(keeper_module, "BUSY", 0.0)
        self.keeper.run()


@pytest.fixture
def life(tmp_path: Path) -> Life:
    return Life(tmp_path)


def raises(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def plan(one: Life) -> None:
    one.keeper.hands.plan = Plan("shown", 1e12)


class TestAKeeperThatEnds:
    def test_because_it_gave_up(self, life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
        life.live(monkeypatch, lambda: plan(life), raises(Over()))
        assert life.token is None

    def test_because_its_directory_was_removed(self, life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
        life.live(monkeypatch, lambda: plan(life), life.lock.unlink)
        assert life.token is None

    def test_while_pacemaker_does_not_answer(self, life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
        """Its stop does it, or the next keeper."""
        unreachable = raises(ClusterUnreachable("no"))
        monkeypatch.setattr(life.council, "release_token", unreachable)
        life.live(monkeypatch, raises(Over()))
        assert life.token is not None
        assert release_token(life.cluster, "db", life.cluster.read_cib("db"))
        assert life.token is None

    def test_keeps_it_where_its_server_still_starts(self, life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
        life.own.process, life.own.state = RUNS, State.STARTING
        life.live(monkeypatch, life.lock.unlink)
        assert life.token is not None

    def test_says_that_it_gave_up(self, life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
        life.live(monkeypatch, raises(Over()))
        [text] = life.cluster.read_attribute("xha-db-report").values()
        last = parse_ballot(text)
        assert isinstance(last, Ballot)
        assert (last.kind, last.epochs, last.opens) == (Kind.UNKNOWN, (), "")
        assert last.trouble == "its keeper gave up: mysqld ended"


class TestAKeeperThatGoesOn:
    """What each look ends in, and whether the token is there behind it."""

    def behind(self, life: Life, monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> bool:
        found: list[bool] = []

        def note() -> None:
            found.append(life.token is not None)
            raise Over

        life.live(monkeypatch, act, note)
        return found[0]

    @pytest.mark.parametrize(
        "error", [InUse("somebody"), OSError(28, "No space left"), ClusterUnreachable("no"), TimeoutError("late")]
    )
    def test_a_launch_that_came_to_nothing(
        self, life: Life, monkeypatch: pytest.MonkeyPatch, error: BaseException
    ) -> None:
        assert not self.behind(life, monkeypatch, raises(error))

    def test_a_fault_of_its_own(self, life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is tried again, and what was planned is not: others may form the cluster meanwhile."""
        monkeypatch.setattr(keeper_module, "FAULT_SECONDS", 0.0)

        def fails() -> None:
            plan(life)
            raise ZeroDivisionError

        assert not self.behind(life, monkeypatch, fails)

    def test_no_grant_to_use_up(self, life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
        assert not self.behind(life, monkeypatch, lambda: None)

    def test_the_server_has_ended(self, life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
        life.keeper.hands.forming_since = 5.0
        assert not self.behind(life, monkeypatch, lambda: None)

    def test_everybody_is_asked_again(self, life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.behind(life, monkeypatch, lambda: plan(life))

    @pytest.mark.parametrize(
        ("state", "forming", "kept"),
        [
            (State.STARTING, 5.0, True),
            (State.STARTING, 0.0, True),  # a dead keeper's, and nobody knows yet what it comes to
            (State.NON_PRIMARY, 5.0, True),  # told to be a Primary
            (State.NON_PRIMARY, 0.0, False),
            (State.PRIMARY, 0.0, False),
            (State.RESTORING, 0.0, False),
        ],
    )
    def test_a_server_runs(
        self, life: Life, monkeypatch: pytest.MonkeyPatch, state: State, forming: float, kept: bool
    ) -> None:
        life.own.process, life.own.state = RUNS, state
        life.keeper.hands.forming_since = forming
        assert self.behind(life, monkeypatch, lambda: None) is kept


def test_nobody_gives_back_what_is_another_node_s(life: Life) -> None:
    life.cluster.take_token("db", Token("another", "e", "shown"))
    assert not release_token(life.cluster, "db", life.cluster.read_cib("db"))
    assert not life.council.release_token()
    assert life.token is not None
