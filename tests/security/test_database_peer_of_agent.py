"""The agent and a hostile database: a monitor and the keeper's reading end in time, whatever answers in its place."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.host import AGENT, PATH, Host, Resource, Result
from loopback import Net, find_program, wait_until
from loopback.doors import CHECKOUT
from security import hostile_database as modes
from security.doors import peak_of
from security.hostile_database import Mode
from security.test_database_peer import ATTACKS, HUNG, MEMORY, SOME, TOLERANCE, in_time, name

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="not root")

SECONDS = 2.0  # that a monitor gives a reading
PORT = 3999


@pytest.fixture(scope="module")
def running(net: Net) -> Iterator[Resource]:
    """A resource's real server without a keeper; clustercheck's files direct the check to a port of 127.0.0.1."""
    find_program("mariadbd", "mariadb-server")
    with Host(net, net.directory / "hostile-host") as host:
        settings = host.directory / "default"
        settings.mkdir()
        (settings / "clustercheck").write_text(
            f"MYSQL_USERNAME=check\nMYSQL_PASSWORD=gEhEiM\nMYSQL_HOST=127.0.0.1\nMYSQL_PORT={PORT}\n"
        )
        host.run("mount", "--bind", str(settings), "/etc/default", check=True)
        one = Resource(host, "peer", net.next_address())
        one._make_directory()
        server = f"cd / && exec setsid mariadbd --defaults-file={one.config} --user=mysql --wsrep-new-cluster"
        host.run("sh", "-c", f"({server}) >/dev/null 2>&1 &", check=True)
        wait_until(one.is_synced, 60, "the server is Synced")
        yield one


@contextlib.contextmanager
def hostile_inside(host: Host, mode: Mode) -> Iterator[None]:
    """A hostile server in the host's network."""
    enter = [find_program("nsenter", "util-linux"), f"--target={host.init}", "--net", "--"]
    module = [sys.executable, "-m", modes.__name__, name(mode), str(PORT)]
    environment = {"PATH": PATH, "PYTHONPATH": str(CHECKOUT / "tests")}
    with subprocess.Popen([*enter, *module], env=environment) as server:
        try:
            probe = ["bash", "-c", f"</dev/tcp/127.0.0.1/{PORT}"]
            wait_until(lambda: host.run(*probe).code == 0, 20, "it listens")
            yield
        finally:
            server.kill()


class Peak:
    """Measures the largest resident memory of the agent's monitors during the block."""

    def __enter__(self) -> Peak:
        self.bytes, self._on = 0, True
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._on = False
        self._thread.join()

    def _watch(self) -> None:
        wanted = f"{AGENT}\0monitor\0".encode()
        while self._on:
            for pid in filter(str.isdigit, os.listdir("/proc")):
                with contextlib.suppress(OSError):
                    if Path(f"/proc/{pid}/cmdline").read_bytes().endswith(wanted):
                        self.bytes = max(self.bytes, peak_of(int(pid)))
            time.sleep(0.01)


@pytest.mark.parametrize("level", [10, 20])
@pytest.mark.parametrize("mode", SOME, ids=name)
def test_a_monitor_ends_with_its_reading_s_deadline(running: Resource, mode: Mode, level: int) -> None:
    def call() -> Result:
        return running.call("monitor", level=level, interval=0)  # a probe: it launches no keeper

    def once() -> float:
        """What it takes longer than where nobody listens, asked at the same moment of a machine's life."""
        healthy = call().seconds
        for _ in range(5):
            with hostile_inside(running.host, mode), Peak() as peak:
                said = call()
            if peak.bytes:  # a busy machine may have had no time to look at it while it ran
                break
        assert said.code == 190, said
        assert "Traceback" not in said.err
        assert "gEhEiM" not in said.err
        assert ("does not answer" if ATTACKS[mode] == HUNG else "the check is not possible") in said.err
        assert 0 < peak.bytes < MEMORY
        return said.seconds - healthy

    in_time(once, SECONDS + TOLERANCE)
