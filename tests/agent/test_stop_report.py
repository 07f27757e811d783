"""What a stop leaves of its node's report: the others go by it until the next keeper speaks."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from xha.adapters.datadir.contents import DataDirectory
from xha.adapters.datadir.users import Use
from xha.adapters.files.agent_rundir import RunDir
from xha.adapters.pacemaker.standalone import Standalone
from xha.adapters.process.procfs import read_boot_id
from xha.app.agent import stop as module
from xha.core.election.position_report import LOOKING, PositionReport, State, render_position_report
from xha.core.galera.lineage import Generation, History, StopRecord
from xha.core.galera.node_record import NodeRecord
from xha.core.galera.position import Kind, Position, View
from xha.core.monitor.keeper_status import KeeperStatus, Phase
from xha.core.ocf.api import ExitCode, Instance
from xha.core.ocf.galera_settings import Settings

HELD = Position("6f1c2a9e-8b0d-11ef-9c41-3a5f0e7d2b18", 5)
OWN = "7f1c2a9e-8b0d-11ef-9c41-3a5f0e7d2b18"
NAME = "xha-db-report"
LINE = (Generation("g1", "", 3, ("A",)),)
VIEW = View(f"{HELD.uuid} 7", (HELD.uuid, OWN))


@pytest.mark.parametrize(
    ("report", "left"),
    [
        pytest.param(PositionReport("A", State.STOPPED, Kind.INTACT, HELD), True, id="where its data end stays true"),
        pytest.param(PositionReport("A", State.STOPPED, Kind.UNKNOWN, trouble="disk"), True, id="a trouble lasts"),
        pytest.param(PositionReport("A", State.STOPPED, Kind.UNKNOWN, trouble=LOOKING), False, id="nothing recovers"),
        pytest.param(PositionReport("A", State.PRIMARY, Kind.INTACT, HELD), False, id="no server runs"),
    ],
)
def test_a_stop_leaves_only_what_stays_true(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, report: PositionReport, left: bool
) -> None:
    cluster = Standalone()
    cluster.set_private(NAME, render_position_report(report))
    monkeypatch.setattr(module, "RunDir", lambda name: RunDir(name, str(tmp_path)))
    monkeypatch.setattr(module, "connect", lambda *_: cluster)
    nothing = {"end_keeper": True, "find_servers": (), "terminate": (), "await_writers": "", "may_be_deleted": False}
    for name, value in nothing.items():
        monkeypatch.setattr(module, name, lambda *_, value=value, **__: value)
    assert module.stop(Settings(), Instance("db", timeout=20.0)).code is ExitCode.SUCCESS
    assert bool(cluster.read_attribute(NAME)) is left


class Recorded(Standalone):
    """Keeps the record of a stop, as the cluster's configuration does."""

    def __init__(self) -> None:
        super().__init__()
        self.stops: list[StopRecord] = []

    def write_stop(self, resource: str, node: str, stop: StopRecord) -> None:
        self.stops.append(stop)


WHOLE = PositionReport("A", State.STOPPED, Kind.INTACT, HELD, LINE, view=VIEW, boot_id=read_boot_id())._replace(
    keeper="7.8"
)
KEEPER = KeeperStatus(Phase.ENDED, "mysqld has ended", pid=7, started=8)


@pytest.mark.parametrize(
    ("report", "keeper", "ago", "recorded"),
    [
        pytest.param(WHOLE, KEEPER, 1, True, id="its keeper found out where the data of the killed server end"),
        pytest.param(WHOLE, KEEPER._replace(phase=Phase.WAITING), 1, True, id="or waits for the others"),
        pytest.param(WHOLE, KEEPER._replace(server_pid=7), 1, True, id="it names the server that has ended"),
        pytest.param(
            WHOLE,
            KEEPER._replace(phase=Phase.WAITING, server_pid=7),
            1,
            False,
            id="a server ran when the keeper spoke last",
        ),
        pytest.param(
            WHOLE, KEEPER._replace(pid=9), 1, False, id="a keeper of before said it: a server may have run since"
        ),
        pytest.param(WHOLE, KEEPER._replace(started=9), 1, False, id="that keeper had the same pid"),
        pytest.param(
            WHOLE._replace(keeper=""), KEEPER, 1, False, id="an older version said it: nobody knows which keeper"
        ),
        pytest.param(WHOLE._replace(keeper=""), KeeperStatus(Phase.ENDED), 1, False, id="neither names a keeper"),
        pytest.param(WHOLE, KEEPER._replace(phase=Phase.RECOVERING), 1, False, id="its keeper looks anew"),
        pytest.param(WHOLE, KEEPER._replace(phase=Phase.UNKNOWN), 1, False, id="nobody has looked since a server ran"),
        pytest.param(WHOLE, KEEPER._replace(phase=Phase.FAILED), 1, False, id="its keeper failed, and sees no server"),
        pytest.param(WHOLE, KEEPER, 600, False, id="that keeper ended long ago"),
        pytest.param(WHOLE, None, 1, False, id="nobody knows of a keeper"),
        pytest.param(WHOLE._replace(boot_id="another"), KEEPER, 1, False, id="the host has booted since"),
        pytest.param(WHOLE._replace(kind=Kind.IN_DOUBT), KEEPER, 1, False, id="the data are in doubt"),
        pytest.param(WHOLE._replace(inconsistent=True), KEEPER, 1, False, id="the rows differ from everybody's"),
        pytest.param(WHOLE._replace(kind=Kind.EMPTY, position=Position()), KEEPER, 1, False, id="there are no data"),
        pytest.param(WHOLE._replace(state=State.STARTING), KEEPER, 1, False, id="a server was about to start"),
    ],
)
def test_where_the_data_of_a_killed_server_end_is_recorded_for_the_hosts_that_cannot_ask(  # noqa: PLR0913, PLR0917
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    report: PositionReport,
    keeper: KeeperStatus | None,
    ago: float,
    recorded: bool,
) -> None:
    """With clone-max below the hosts Pacemaker starts it elsewhere next: without this the others wait for ever."""
    cluster = Recorded()
    cluster.set_private(NAME, render_position_report(report))
    run = RunDir("db", str(tmp_path))
    run.make()
    if keeper is not None:
        run.write_keeper_status(keeper._replace(at=time.monotonic() - ago))
    monkeypatch.setattr(module, "RunDir", lambda name: run)
    monkeypatch.setattr(module, "connect", lambda *_: cluster)
    nothing = {"end_keeper": True, "find_servers": (), "terminate": (), "await_writers": "", "may_be_deleted": False}
    for name, value in nothing.items():
        monkeypatch.setattr(module, name, lambda *_, value=value, **__: value)
    assert module.stop(Settings(), Instance("db", timeout=20.0)).code is ExitCode.SUCCESS
    left = StopRecord(History(HELD, LINE), read_boot_id(), VIEW, clean=False)
    assert cluster.stops == ([left] if recorded else [])
    module.stop(Settings(), Instance("db", timeout=20.0))
    assert len(cluster.stops) == len([left] if recorded else [])  # a second stop knows of no keeper


def test_a_clean_stop_keeps_the_last_view_and_what_a_join_was_to_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are newer than what stands beside the data where a joiner is stopped before its keeper has looked again.

    The server that ends is a fake: a view that lasts for less than a second cannot be had from a real one at will.
    """
    datadir, run = tmp_path / "data", tmp_path / "run"
    datadir.mkdir()
    directory, line, view = DataDirectory(str(datadir)), LINE, VIEW
    (datadir / "gvwstate.dat").write_text(
        f"my_uuid: {OWN}\n#vwbeg\nview_id: 3 {HELD.uuid} 7\nbootstrap: 0\n"
        f"member: {HELD.uuid} 0\nmember: {OWN} 0\n#vwend\n",
        encoding="ascii",
    )

    def end(*_: object, **__: object) -> None:
        directory.write_grastate(HELD, safe_to_bootstrap=False)
        (datadir / "gvwstate.dat").unlink()

    RunDir("db", str(run)).make()
    RunDir("db", str(run)).write_joining(NodeRecord(line=line))
    monkeypatch.setattr(module, "RunDir", lambda name: RunDir(name, str(run)))
    monkeypatch.setattr(module, "connect", lambda *_: Standalone())
    found = (SimpleNamespace(use=Use.SERVER, directory=str(datadir)),)
    nothing = {"end_keeper": True, "find_servers": found, "await_writers": "", "may_be_deleted": False}
    for name, value in nothing.items():
        monkeypatch.setattr(module, name, lambda *_, value=value, **__: value)
    monkeypatch.setattr(module, "terminate", end)
    owner = SimpleNamespace(owner=(os.getuid(), os.getgid()))
    monkeypatch.setattr(module, "find_account", lambda *_: owner)
    monkeypatch.setattr(module, "find_state", lambda *_: str(datadir))
    assert module.stop(Settings(), Instance("db", timeout=20.0)).code is ExitCode.SUCCESS
    assert directory.read_record() == NodeRecord(line, view, own_uuid=OWN, clean_stop=HELD)
