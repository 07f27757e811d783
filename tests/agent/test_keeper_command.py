"""`xha-check keeper`: it ends the keeper of this host's node, and never a process that only has its pid by now."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from agent.host import Host, Resource
from loopback import Net, wait_until
from loopback.doors import CHECKOUT
from xha.adapters.files import agent_rundir
from xha.adapters.files.agent_rundir import RunDir
from xha.adapters.process.procfs import read_process
from xha.app.keeper import process
from xha.core.monitor.keeper_status import KeeperStatus, Phase
from xha.doors.check.election import keeper as door
from xha.doors.check.election.keeper import KeeperRequest

COMMAND = CHECKOUT / ".venv/bin/xha-check"


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What /run/xha/galera is on a host, with short waits; the one who asks is root."""
    monkeypatch.setattr(agent_rundir, "BASE", str(tmp_path))
    monkeypatch.setattr(process, "TERM_SECONDS", 0.5)
    monkeypatch.setattr(door, "_PATIENCE", 0.5)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tmp_path


@pytest.fixture
def other() -> Iterator[subprocess.Popen[bytes]]:
    """A process that ends by SIGTERM."""
    with subprocess.Popen(["sleep", "60"]) as running:
        yield running
        running.kill()


def publish(pid: int, later: int = 0, *, name: str = "p_mysql", ago: float = 0.0) -> None:
    """Write the status of a keeper with this pid. later: by how many clock ticks it has started after that process."""
    found = read_process(pid)
    assert found is not None
    status = KeeperStatus(Phase.RUNNING, pid=pid, started=found.started + later, at=time.monotonic() - ago)
    RunDir(name).write_keeper_status(status)


def test_a_process_that_has_the_pid_by_now_is_left_alone(
    base: Path, other: subprocess.Popen[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    publish(other.pid, later=-1)
    assert door.run(KeeperRequest(replace=True)) == 1
    said = capsys.readouterr()
    assert "no keeper runs; waiting for the next monitor" in said.out
    assert "no other keeper within" in said.err
    assert other.poll() is None
    assert door.run(KeeperRequest()) == 2


@pytest.mark.parametrize("how", ["that ends by SIGTERM", "that does not hear it", "that is stopped"])
def test_a_keeper_is_ended(base: Path, how: str, capsys: pytest.CaptureFixture[str]) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    heard = "import time; print(flush=True); time.sleep(60)"
    program = deaf if how == "that does not hear it" else heard
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as keeper:
        assert keeper.stdout is not None
        keeper.stdout.readline()
        publish(keeper.pid)
        if how == "that is stopped":
            keeper.send_signal(signal.SIGSTOP)
        assert door.run(KeeperRequest(replace=True)) == 1
        assert f"pid {keeper.pid}, started " in capsys.readouterr().out
        assert keeper.wait(10) in (-signal.SIGTERM, -signal.SIGKILL)


def test_one_that_says_nothing_is_told_with_what_to_do(
    base: Path, other: subprocess.Popen[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    publish(other.pid)
    assert door.run(KeeperRequest()) == 0
    publish(other.pid, ago=61)
    assert door.run(KeeperRequest()) == 2
    said = capsys.readouterr()
    assert f"p_mysql: keeper, pid {other.pid}, " in said.out
    assert "xha-check keeper --replace" in said.err


def test_which_resource(base: Path, other: subprocess.Popen[bytes], capsys: pytest.CaptureFixture[str]) -> None:
    assert door.run(KeeperRequest(replace=True)) == 3
    publish(other.pid)
    assert door.run(KeeperRequest(resource="../p_mysql")) == 3
    publish(other.pid, name="p_other")
    assert door.run(KeeperRequest(replace=True)) == 3
    assert "--resource has to name one of p_mysql, p_other" in capsys.readouterr().err
    assert door.run(KeeperRequest(resource="p_mysql")) == 0
    assert other.poll() is None


def test_only_root_ends_one(base: Path, other: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    publish(other.pid)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert door.run(KeeperRequest(replace=True)) == 3
    assert door.run(KeeperRequest()) == 0
    assert other.poll() is None


def test_a_real_keeper_is_replaced_by_that_of_the_next_monitor_and_the_server_runs_on(net: Net) -> None:
    with Host(net, net.directory / "replaced") as host:
        node = Resource(host, "p_mysql", net.next_address())
        node._make_directory()
        assert node.call("start").code == 0
        wait_until(lambda: node.run_file("keeper.json").get("code") == "synced", 60, "the keeper says synced")
        servers, before = node.server_pids(), node.keeper_pid
        told = host.run(str(COMMAND), "keeper")
        assert told.code == 0
        assert told.out.startswith(f"p_mysql: keeper, pid {before}, started ")
        done, codes = Event(), []

        def monitor() -> None:
            while not done.wait(1):
                codes.append(node.monitor().code)

        monitors = Thread(target=monitor)
        monitors.start()
        try:
            replaced = host.run(str(COMMAND), "keeper", "--replace", timeout=150)
        finally:
            done.set()
            monitors.join()
        assert replaced.code == 0, replaced.err
        assert f"pid {before}, " in replaced.out
        # A second one, that a monitor has launched before the first had its lock, ends as soon as it has begun.
        wait_until(lambda: node.keepers() == [node.keeper_pid], 60, lambda: f"one keeper: {node.keepers()}")
        assert node.keeper_pid != before
        assert replaced.out.splitlines()[-1].startswith(f"p_mysql: keeper, pid {node.keeper_pid}, ")
        assert node.server_pids() == servers
        assert set(codes) <= {0, 190}
        node.call("stop")
