"""Every process that uses a data directory is found, however it was started, and no other one."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable

import pytest

from loopback import Daemon, Node, find_program, wait_until
from loopback.server_root import server_user
from server.conftest import MakeServer
from server.machine import Server
from xha.adapters.datadir.contents import DataDirectory
from xha.adapters.datadir.hold import InUse, check_unused
from xha.adapters.datadir.users import Search, Use, find_occupants, find_server
from xha.adapters.mysqld.program import find_account
from xha.adapters.mysqld.trust import Trust, paths_of
from xha.adapters.process.control_groups import unit_of
from xha.adapters.process.procfs import look

DEEP = """
import os, sys, time
os.chdir(sys.argv[1])
for _ in range(30):
    os.mkdir("d" * 200)
    os.chdir("d" * 200)
held = open("f", "w")
print("held", flush=True)
time.sleep(1000)
"""
HOLDER = "import sys, time; held = open(sys.argv[1]); print('held', flush=True); time.sleep(1000)"


def uses(server: Server) -> list[Use]:
    return [one.use for one in find_occupants(server.search)]


def search(datadir: Path | str, program: str = "") -> Search:
    """A search of a directory. program: the trusted server, else the real one. The test may be root."""
    account = find_account("mysql")
    paths = paths_of(program or find_program("mariadbd", "mariadb-server"))
    return Search((str(datadir),), Trust(frozenset((0, os.geteuid(), account.uid)), paths))


def test_a_running_server_is_found_by_any_path_that_leads_to_its_data(server: Server) -> None:
    process = server.form()
    alias = server.directory / "alias"
    alias.symlink_to(server.datadir)
    for path in (str(server.datadir), f"{server.datadir}/", str(alias), f"{server.datadir}/../data"):
        found = find_server(search(path))
        assert found is not None, path
        assert (found.pid, found.started, found.recovering) == (process.pid, process.started, False)
    assert uses(server) == [Use.SERVER]
    assert DataDirectory(str(server.datadir)).find_lock() == "ibdata1"


def test_a_server_started_with_a_relative_path_is_found(server: Server) -> None:
    """A path that begins with a dot is relative to the server's working directory, any other to its base directory."""
    program = Path(find_program("mariadbd", "mariadb-server"))
    where = ["--datadir=./data", f"--socket={server.socket}", f"--tmpdir={server.directory}"]
    quiet = ["--skip-networking", "--innodb-log-file-size=4M", f"--pid-file={server.pid_file}"]
    script = 'cd "$1" && shift && exec "$@"'
    argv = ["/bin/sh", "-c", script, "sh", str(server.directory), str(program), "--no-defaults", *where, *quiet]
    log = server.directory / "relative.log"
    with Daemon(server.net, argv, log, user=server_user()) as daemon:
        daemon.wait_ready(server.socket.exists, 30, "the server listens")
        found = find_server(server.search)
        assert found is not None
        assert found.pid == daemon.pid
        assert not any(str(server.datadir) in word for word in found.argv)
        with pytest.raises(InUse, match=f"pid {daemon.pid}"):
            check_unused(server.program())


def test_a_server_that_is_killed_is_gone_and_so_is_its_lock(server: Server) -> None:
    process = server.form()
    os.kill(process.pid, signal.SIGKILL)
    server.await_end()
    assert find_server(server.search) is None
    assert uses(server) == []
    check_unused(server.program())


def test_a_server_of_other_data_is_not_this_one(node: Node, server: Server) -> None:
    assert node.is_running()
    assert find_server(server.search) is None
    found = find_server(search(node.datadir))
    assert found is not None
    assert found.pid == node.pid


def test_a_directory_that_is_not_there_has_no_server(tmp_path: Path) -> None:
    assert find_server(search(tmp_path / "none")) is None
    assert find_occupants(search(tmp_path / "none")) == ()


def test_somebody_s_shell_in_the_data_directory_does_not_use_it(server: Server) -> None:
    with subprocess.Popen(["sleep", "1000"], cwd=server.datadir) as shell:
        try:
            assert uses(server) == []
            check_unused(server.program())
        finally:
            shell.kill()


def test_a_process_whose_paths_are_longer_than_the_kernel_tells_hinders_nobody(server: Server, tmp_path: Path) -> None:
    """It was "cannot be looked at: File name too long", and no server could be started beside it."""
    deep = tmp_path / "deep"
    deep.mkdir()
    with subprocess.Popen([sys.executable, "-c", DEEP, str(deep)], stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout is not None
            other.stdout.readline()
            assert uses(server) == []
            check_unused(server.program())
        finally:
            other.kill()


@pytest.mark.parametrize("name", ["ibdata1", "grastate.dat", "galera.cache"])
def test_a_program_that_reads_the_data_uses_them(server: Server, name: str) -> None:
    file = server.datadir / name
    file.touch()
    argv = [sys.executable, "-c", HOLDER, str(file)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as reader:
        try:
            assert reader.stdout is not None
            reader.stdout.readline()
            assert uses(server) == [Use.OTHER]
            assert find_server(server.search) is None
        finally:
            reader.kill()


@pytest.mark.parametrize(
    ("configured", "runs", "found"),
    [
        ("mariadbd", "mariadbd", True),
        ("mysqld", "mariadbd", True),
        ("mariadbd", "mysqld", True),
        ("mariadbd", "mysqldump", False),
        ("mariadbd", "elsewhere/mariadbd", False),
    ],
)
def test_a_server_is_known_by_its_program(
    server: Server, tmp_path: Path, configured: str, runs: str, found: bool
) -> None:
    """mysqld and mariadbd are the same, as links or files; the name alone, as of a copy elsewhere, proves nothing."""
    program = tmp_path / runs
    program.parent.mkdir(exist_ok=True)
    shutil.copy("/bin/sleep", program)
    wanted = search(server.datadir, str(tmp_path / configured))
    with subprocess.Popen([program, "1000"], cwd=server.datadir) as process:
        try:
            wait_until(lambda: os.readlink(f"/proc/{process.pid}/exe") == str(program), 20, "it runs")
            assert (find_server(wanted) is not None) is found
            program.unlink()  # as an upgrade does
            assert (find_server(wanted) is not None) is found
        finally:
            process.kill()


@pytest.mark.skipif(os.geteuid() != 0, reason="a mount namespace of its own takes root")
def test_a_container_s_directory_of_the_same_name_is_another_one(server: Server, make_server: MakeServer) -> None:
    program = server.directory / "mariadbd"
    shutil.copy("/bin/sleep", program)
    other = make_server()
    script = f"mount --bind {other.datadir} {server.datadir} && cd {server.datadir} && exec {program} 1000"
    argv = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script]
    with Daemon(server.net, argv, server.directory / "container.log") as container:
        inside = search(other.datadir, str(program))
        wait_until(lambda: find_server(inside), 20, "what the container uses is in use")
        assert os.readlink(f"/proc/{container.pid}/cwd").endswith("/data")
        assert find_server(inside._replace(directories=(str(server.datadir),))) is None
        assert uses(server) == []


def test_a_look_at_a_server_is_cheap(server: Server) -> None:
    """Compared with reading two files of every process: the machine has as many as other tests have started."""
    process = server.form()

    def looks() -> None:
        assert find_server(server.search) is not None
        assert look(process.pid, process.started) is not None

    def reads() -> None:
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                Path(f"/proc/{pid}/stat").read_bytes(), Path(f"/proc/{pid}/cmdline").read_bytes()

    def seconds(work: Callable[[], None]) -> float:
        began = time.process_time()
        for _ in range(20):
            work()
        return time.process_time() - began

    taken = {work.__name__: min(seconds(work) for _ in range(3)) for work in (looks, reads)}
    print(taken)
    assert taken["looks"] < 5 * taken["reads"], taken


def test_a_pid_that_came_round_is_another_process(server: Server) -> None:
    process = server.form()
    assert look(process.pid, process.started + 1) is None
    now = look(process.pid, process.started)
    assert now is not None
    assert not now.stopped


def test_a_server_that_we_started_is_no_unit(server: Server) -> None:
    assert unit_of(server.form().pid) is None or unit_of(os.getpid()) == unit_of(server.process.pid)  # type: ignore[union-attr]
