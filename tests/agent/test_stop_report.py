"""What a stop leaves of its node's report: the others go by it until the next keeper speaks."""

from __future__ import annotations

from pathlib import Path

import pytest

from xha.adapters.files.agent_rundir import RunDir
from xha.adapters.pacemaker.standalone import Standalone
from xha.app.agent import stop as module
from xha.core.election.position_report import LOOKING, PositionReport, State, render_position_report
from xha.core.galera.position import Kind, Position
from xha.core.ocf.api import ExitCode, Instance
from xha.core.ocf.galera_settings import Settings

HELD = Position("6f1c2a9e-8b0d-11ef-9c41-3a5f0e7d2b18", 5)
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
