"""What a recovery finds out counts for the next keeper until somebody writes to the data, or to what it went by."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Callable

import pytest

from server.machine import Server
from xha.adapters.files.agent_rundir import RunDir
from xha.app.keeper.local_data import LocalData
from xha.core.galera.node_record import NodeRecord
from xha.core.galera.position import Kind
from xha.core.keeper.outcomes import Recovered


def kill(server: Server) -> None:
    assert server.process is not None
    os.kill(server.process.pid, signal.SIGKILL)
    server.await_end()


def handed(data: LocalData) -> Recovered | None:
    return data.see(contents=False, saved=False, recovered=True).recovered


@pytest.fixture
def data(server: Server, tmp_path: Path) -> LocalData:
    """The data of a server that was killed, after their recovery."""
    server.configure("innodb_flush_log_at_trx_commit=1")
    server.form()
    server.sql("CREATE DATABASE shop")
    kill(server)
    made = LocalData(server.program(), RunDir("db", str(tmp_path)))
    assert handed(made) is None
    found = made.recover(30.0)
    assert found.standing.kind is Kind.INTACT
    assert handed(made) == found
    return made


def test_what_is_written_while_it_looks_is_read_by_the_next_keeper(
    data: LocalData, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator says safe_to_bootstrap while the server recovers, which may take minutes."""
    recover = data._recover

    def recover_meanwhile(*arguments: object) -> object:
        found = recover(*arguments)  # type: ignore[arg-type]
        os.utime(Path(data.program.datadir) / "grastate.dat")
        return found

    monkeypatch.setattr(data, "_recover", recover_meanwhile)
    assert data.recover(30.0).standing.kind is Kind.INTACT
    assert handed(data) is None


def test_another_recovery_finds_the_same_and_is_the_one_that_counts(data: LocalData) -> None:
    before = handed(data)
    assert data.recover(30.0) == before
    assert handed(data) == before


def test_a_server_that_has_run_since_voids_it(data: LocalData, server: Server) -> None:
    server.launch(None, bootstrap=True)
    server.await_synced()
    server.sql("CREATE DATABASE another")
    kill(server)
    assert handed(data) is None


def test_a_recovery_by_hand_voids_it(data: LocalData, server: Server) -> None:
    assert server.recover().position is not None
    assert handed(data) is None


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda data: (Path(data.program.datadir) / "grastate.dat").unlink(), id="no saved state"),
        pytest.param(lambda data: os.utime(Path(data.program.datadir) / "grastate.dat"), id="a touched saved state"),
        pytest.param(lambda data: data.directory.write_record(NodeRecord(superseded=True)), id="another record"),
        pytest.param(lambda data: data.directory.mark_creation(), id="a creation that was begun"),
        pytest.param(lambda data: (Path(data.program.datadir) / "sst_in_progress").touch(), id="a transfer that was"),
        pytest.param(lambda data: data.run.write_joining(NodeRecord(superseded=True)), id="a join that was begun"),
        pytest.param(lambda data: (Path(data.program.datadir) / "ib_logfile0").unlink(), id="no redo log"),
    ],
)
def test_what_it_went_by_is_another(data: LocalData, change: Callable[[LocalData], object]) -> None:
    change(data)
    assert handed(data) is None


def test_what_cannot_be_looked_at_is_not_gone_by(data: LocalData) -> None:
    """A file that is none: the recovery says what is wrong with it."""
    path = Path(data.program.datadir) / "aria_log_control"
    path.rename(path.with_suffix(".away"))
    path.mkdir()
    seen = data.see(contents=False, saved=False, recovered=True)
    assert (seen.recovered, seen.trouble) == (None, "")
