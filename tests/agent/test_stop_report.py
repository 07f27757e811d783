"""What a stop leaves of its node's report: the others go by it until the next keeper speaks."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from xha.adapters.datadir.contents import DataDirectory
from xha.adapters.datadir.users import Use
from xha.adapters.files.agent_rundir import RunDir
from xha.adapters.pacemaker.standalone import Standalone
from xha.app.agent import stop as module
from xha.core.election.position_report import LOOKING, PositionReport, State, render_position_report
from xha.core.galera.lineage import Generation
from xha.core.galera.node_record import NodeRecord
from xha.core.galera.position import Kind, Position, View
from xha.core.ocf.api import ExitCode, Instance
from xha.core.ocf.galera_settings import Settings

HELD = Position("6f1c2a9e-8b0d-11ef-9c41-3a5f0e7d2b18", 5)
OWN = "7f1c2a9e-8b0d-11ef-9c41-3a5f0e7d2b18"
NAME = "xha-db-report"


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


def test_a_clean_stop_keeps_the_last_view_and_what_a_join_was_to_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are newer than what stands beside the data where a joiner is stopped before its keeper has looked again.

    The server that ends is a fake: a view that lasts for less than a second cannot be had from a real one at will.
    """
    datadir, run = tmp_path / "data", tmp_path / "run"
    datadir.mkdir()
    directory, line = DataDirectory(str(datadir)), (Generation("g1", "", 3, ("A",)),)
    view = View(f"{HELD.uuid} 7", (HELD.uuid, OWN))
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
