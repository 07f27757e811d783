"""The level `process`: an anchored match on the whole command line, with children, and a report of stopped ones."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from loopback import Daemon, Net, find_program, wait_until
from services.host import BLIND, DOWN, WELL, Services, short

PROGRAM = """
import os, sys, time
if os.fork() == 0:
    os.setpgid(0, 0)
while True:
    time.sleep(60)
"""


@pytest.fixture
def api(net: Net, tmp_path: Path) -> Iterator[Daemon]:
    """A Python program called nova-api, with a worker, as its own packages start it."""
    script = tmp_path / "nova-api"
    script.write_text(PROGRAM)
    argv = [sys.executable, str(script), "--config-file", "/etc/nova/nova.conf"]
    with Daemon(net, argv, tmp_path / "log") as daemon:
        daemon.wait_ready(lambda: psutil.Process(daemon.pid).children(), 20, "it has a worker")
        yield daemon
        if daemon.is_running():
            daemon.thaw()


def own(services: Services, directory: Path) -> None:
    """Only the processes of this test: the machine may have others."""
    services.write(f"[service nova-api]\nprocess = ^\\S*python\\S* {directory}/nova-api( |$)\n")


def test_a_process_with_its_worker(services: Services, api: Daemon, tmp_path: Path) -> None:
    own(services, tmp_path)
    result = services.check("nova-api", "process")
    assert (short(result), result["proved"]) == (WELL, f"process {api.pid} runs with 1 child")


def test_the_catalogue_s_own_pattern_finds_it(services: Services, api: Daemon) -> None:
    assert short(services.check("nova-api", "process")) == WELL


def test_who_only_has_its_name_in_a_command_line_is_not_it(services: Services, net: Net, tmp_path: Path) -> None:
    script = tmp_path / "nova-api"
    script.write_text("")
    services.write(f"[service nova-api]\nprocess = ^(\\S*python\\S* )?{script}( |$)\n")
    with Daemon(net, [find_program("tail", "coreutils"), "-f", str(script)], tmp_path / "log"):
        result = services.check("nova-api", "process")
    assert short(result) == DOWN
    assert result["message"].startswith("no process matches ")


@pytest.mark.parametrize("kind", ["keystone", "placement-api"])
def test_an_apache_of_which_nobody_knows_whose_it_is(services: Services, net: Net, tmp_path: Path, kind: str) -> None:
    """Both are run so by their packages; without a display-name, RDO's placement-api.conf, it is any other's."""
    services.write(f"[service {kind}]\nprocess = ^no-such-title\n")
    alone = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c"]
    apache = "bash -c 'exec -a /usr/sbin/httpd sleep 600' & sleep 0.3; "
    result = services.check(kind, "process", wrapper=[*alone, f'{apache} "$@"; exit $?', "sh"])
    assert short(result) == BLIND
    assert "display-name=%{GROUP}" in result["message"]
    assert short(services.check(kind, "process", wrapper=[*alone, '"$@"; exit $?', "sh"])) == DOWN


def test_a_stopped_process_and_a_stopped_worker(services: Services, api: Daemon, tmp_path: Path) -> None:
    own(services, tmp_path)
    [worker] = psutil.Process(api.pid).children()
    worker.suspend()
    wait_until(lambda: worker.status() == psutil.STATUS_STOPPED, 20, "it has stopped")
    result = services.check("nova-api", "process")
    assert (short(result), result["message"]) == (DOWN, f"its process {worker.pid} is stopped")
    worker.resume()
    api.freeze()
    result = services.check("nova-api", "process")
    assert (short(result), result["message"]) == (DOWN, f"process {api.pid} is stopped")
    api.thaw()
    wait_until(lambda: short(services.check("nova-api", "process")) == WELL, 20, "it runs again")


def test_a_dead_one(services: Services, api: Daemon, tmp_path: Path) -> None:
    own(services, tmp_path)
    api.kill()
    assert short(services.check("nova-api", "process")) == DOWN


def test_who_may_not_see_other_processes_is_told_so(services: Services) -> None:
    if shutil.which("unshare") is None or psutil.Process().uids().real != 0:
        pytest.skip("not root")
    services.write("[service nova-api]\nprocess = ^no-such-process\n")
    for path in (services.directory, *services.directory.parents):
        if "pytest" in str(path):
            path.chmod(0o755)
    # A /proc of its own: remounting the machine's would change it for all, whatever the mount namespace.
    script = 'mount -t proc -o hidepid=2 xha-test /proc && "$@"; exit $?'
    hidden = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--", "sh", "-c", script, "sh"]
    said = services.run("--service", "nova-api", "--level", "process", wrapper=hidden)
    assert said.code == 2  # root sees them nevertheless
    user = [*hidden, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
    said = services.run("--service", "nova-api", "--level", "process", wrapper=user)
    if "Permission denied" in said.err or "Failed to execute" in said.err or "not found" in said.err:
        pytest.skip("this checkout is closed to other users")
    assert said.code == 3
    assert "hidepid" in said.out


@contextlib.contextmanager
def named_nova_api(directory: Path, uid: int, group: str, effective: int | None = None) -> Iterator[int]:
    """Somebody's process that calls itself nova-api; group: where systemd would have put it.

    effective: the uid of a set-uid program's owner.
    """
    point = directory / "cgroup"
    point.mkdir()
    words = ["mount", "-t", "cgroup", "-o", "none,name=systemd", "xha-test", str(point)]
    if os.geteuid() != 0 or subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("no control groups of its own")
    made = point / group
    try:
        made.mkdir(parents=True)
        name = f"{directory}/nova-api"
        # bash -p keeps an effective uid that is not the real one
        argv = ["setpriv", f"--ruid={uid}", f"--euid={uid if effective is None else effective}", "bash", "-p", "-c"]
        with subprocess.Popen([*argv, 'exec -a "$0" sleep 60', name]) as process:
            try:
                wait_until(lambda: psutil.Process(process.pid).cmdline()[:1] == [name], 10, "it has its name")
                (made / "cgroup.procs").write_text(str(process.pid))
                yield process.pid
            finally:
                process.kill()
                process.wait()
    finally:
        while made != point:
            with contextlib.suppress(OSError):
                made.rmdir()
            made = made.parent
        subprocess.run(["umount", str(point)], check=True)


SESSION = "user.slice/user-4711.slice/session-1.scope"


@pytest.mark.parametrize(
    ("uid", "group"),
    [
        (42436, "machine.slice/libpod-7.scope"),
        (4711, "system.slice/devstack@n-api.service"),
        (0, SESSION),
        (101, SESSION),
    ],
    ids=["a container", "a unit with another account", "root", "an account of the system"],
)
def test_whose_process_may_be_the_service_s(services: Services, tmp_path: Path, uid: int, group: str) -> None:
    services.write(f"[service nova-api]\nprocess = ^{tmp_path}/nova-api( |$)\n")
    with named_nova_api(tmp_path, uid, group) as pid:
        result = services.check("nova-api", "process")
    assert (short(result), result["proved"]) == (WELL, f"process {pid} runs with 0 children")


@pytest.mark.parametrize(
    ("group", "effective"),
    [(SESSION, 4711), (SESSION, 0), ("system.slice/cron.service", 4711)],
    ids=["a login", "set-uid", "cron"],
)
def test_what_a_user_calls_so_is_not_the_service(
    services: Services, api: Daemon, tmp_path: Path, group: str, effective: int
) -> None:
    services.write(f"[service nova-api]\nprocess = ^(\\S*python\\S* )?{tmp_path}/nova-api( |$)\n")
    with named_nova_api(tmp_path, 4711, group, effective) as pid:
        os.kill(pid, signal.SIGSTOP)  # a stopped one would be a fault of the service
        assert short(services.check("nova-api", "process")) == WELL
        api.kill()
        result = services.check("nova-api", "process")
    assert result["status"] == "unknown"
    assert f": {pid} matches " in result["message"]
    assert "uid 4711 has started it from a login" in result["message"]
