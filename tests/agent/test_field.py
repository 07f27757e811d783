"""What people who run such an agent have met, tried by the agent's own actions on one host with a real server."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.host import Resource
from agent.test_life import (  # noqa: F401 - fixtures
    await_code,
    host,
    make_resource,
    resource,
    run_by_hand,
    running,
)
from loopback import wait_until
from loopback.server_root import server_user
from xha.core.monitor.keeper_status import KeeperStatus, Phase, render_keeper_status
from xha.core.text.repeats import RETURNS

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="not root")


def probe(one: Resource) -> int:
    return one.call("monitor", interval=0).code


class TestTheOptionFileNamesAnotherDirectoryWhileTheServerRuns:
    """A person edited it, and the keeper was killed: what was written down, or the process itself, tells the rest."""

    @pytest.fixture
    def moved(self, running: Resource) -> Resource:  # noqa: F811
        del running.parameters["datadir"]
        other = running.directory / "elsewhere"
        other.mkdir(mode=0o755)
        text = running.config.read_text().replace(f"datadir={running.datadir}", f"datadir={other}")
        assert str(other) in text
        running.config.write_text(text)
        running.signal("KILL", running.keeper_pid)
        return running

    @pytest.mark.parametrize("swept", [False, True], ids=["as it was left", "and /run was swept"])
    @pytest.mark.parametrize("seen", [False, True], ids=["at once", "behind a monitor"])
    def test_a_probe_sees_it_and_a_stop_ends_it(self, moved: Resource, swept: bool, seen: bool) -> None:
        if swept:
            moved.host.lose_run(f"/run/xha/galera/{moved.resource}")
        [pid] = moved.server_pids()
        if seen:
            assert moved.monitor().code in (0, 190)
            time.sleep(2)  # whatever a keeper does about it, it has begun
        assert probe(moved) in (0, 190)
        assert moved.server_pids() == [pid], "no second server beside it"
        ended = moved.call("stop")
        assert (ended.code, moved.server_pids()) == (0, [])
        assert probe(moved) == 7


class TestAKeeperThatCannotBegin:
    def test_is_told_by_monitor_while_the_server_runs_and_not_said_each_time(self, running: Resource) -> None:  # noqa: F811
        """A mistake in the option file is harmless until the next upgrade, and until then nobody watches the server."""
        right = running.config.read_text()
        running.config.write_text(f"{right}\nno_such_option=1\n")
        running.signal("KILL", running.keeper_pid)
        seen = await_code(running, 190)
        assert "no keeper" in seen.reason, seen
        assert "no_such_option" in seen.reason
        for _ in range(2 * RETURNS):
            told = wait_until(lambda: "no_such_option" in running.monitor().reason, 30, "it is told")
            assert told
        # Each attempt is a state between two failures, and a state that comes back is told at once a few times.
        assert 1 <= running.host.syslog.count("failed: ") <= RETURNS
        running.config.write_text(right)
        await_code(running, 0)
        assert running.is_synced()


class TestAStop:
    def test_gives_a_server_that_found_no_group_as_long_as_the_keeper_does(self, resource: Resource) -> None:  # noqa: F811
        resource._make_directory()
        resource.configure("wsrep_provider_options=pc.wait_prim_timeout=PT600S")
        run_by_hand(resource, f"--wsrep-cluster-address=gcomm://{resource.net.address(97)}")
        [pid] = wait_until(resource.server_pids, 60, "it runs")
        wait_until(lambda: "gcomm" in resource.error_log_text(), 60, "it waits")
        self._write_status(resource, pid)
        ended = resource.call("stop", CRM_meta_timeout="120000")
        assert (ended.code, resource.server_pids()) == (0, [])
        assert ended.seconds < 40, "105 s before"

    @staticmethod
    def _write_status(one: Resource, pid: int) -> None:
        """As its keeper would, which launched it and never had an answer."""
        run = Path(f"/proc/{one.host.init}/root/run/xha/galera/{one.resource}")
        run.mkdir(parents=True, exist_ok=True)
        started = int(one.host.run("cat", f"/proc/{pid}/stat", check=True).out.rpartition(")")[2].split()[19])
        now = time.monotonic()
        status = KeeperStatus(
            Phase.STARTING, at=now, since=now - 30, server_pid=pid, server_started=started, launched_at=now - 30,
            code="server-down",
        )  # fmt: skip
        (run / "keeper.json").write_text(render_keeper_status(status))


class TestWithoutTheParameterConfig:
    @pytest.fixture
    def lone(self, resource: Resource) -> Iterator[Resource]:  # noqa: F811
        """A resource that names no option file; /etc is the test's own."""
        del resource.parameters["config"]
        etc = resource.directory / "etc"
        (etc / "mysql").mkdir(parents=True)
        options = f"lowerdir={etc}:/etc"
        resource.host.run("mount", "-t", "overlay", "overlay", "-o", options, "/etc", check=True)
        self._etc = etc
        yield resource
        resource.call("stop")
        resource.host.run("umount", "/etc", check=True)

    def test_all_files_count_that_the_server_reads(self, lone: Resource) -> None:
        """Debian's server reads /etc/my.cnf, and then /etc/mysql/my.cnf."""
        lone._make_directory()
        text = lone.config.read_text()
        (self._etc / "my.cnf").write_text(text)
        (self._etc / "mysql/my.cnf").write_text("[mysqld]\nmax_connections=77\n")
        lone.host.run("mount", "-o", "remount", "/etc")
        begun = lone.call("start")
        assert (begun.code, begun.err) == (0, ""), begun
        assert lone.sql("SELECT @@max_connections") == ((77,),)

    def test_one_that_the_server_may_not_read_keeps_it_from_its_start(self, lone: Resource) -> None:
        lone._make_directory()
        (self._etc / "my.cnf").write_text(lone.config.read_text())
        (self._etc / "my.cnf").chmod(0o600)
        begun = lone.call("start")
        assert begun.code == 5, begun
        account = server_user() or "mysql"
        assert f"/etc/my.cnf: {account} may not read it, and would start without it: chmod o+r /etc/my.cnf" in (
            begun.reason
        )
        assert lone.server_pids() == []
