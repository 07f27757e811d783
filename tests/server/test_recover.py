"""The position of the data is reported by the server's own recovery, which never runs beside a server."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.machine import Server
from xha.adapters.datadir.hold import InUse, check_unused, hold
from xha.adapters.datadir.users import Use, find_occupants
from xha.adapters.lifecycle.launch import recover
from xha.core.galera.position import Position


def committed(server: Server) -> Position:
    names = ("wsrep_cluster_state_uuid", "wsrep_last_committed")
    status = server.status(*names)
    return Position(status[names[0]], int(status[names[1]]))


def test_recovery_refuses_data_that_a_server_uses(server: Server) -> None:
    process = server.form()
    with pytest.raises(InUse, match=f"pid {process.pid}"):
        server.recover()
    assert server.is_synced()


def test_after_a_kill_the_position_is_the_last_commit_s(server: Server) -> None:
    server.configure("innodb_flush_log_at_trx_commit=1")
    process = server.form()
    server.sql("CREATE DATABASE shop")
    server.sql("CREATE TABLE shop.orders (id INT PRIMARY KEY)")
    for number in range(20):
        server.sql("INSERT INTO shop.orders VALUES (%s)", number)
    last = committed(server)
    os.kill(process.pid, signal.SIGKILL)
    server.await_end()
    saved = server.files.read_grastate()
    assert saved is not None
    assert (saved.uuid, saved.seqno) == (last.uuid, -1)
    recovery = server.recover()
    assert recovery.position == last
    assert recovery.errors == ()
    assert not recovery.inconsistent
    assert not recovery.overdue
    server.form()
    assert server.sql("SELECT COUNT(*) FROM shop.orders") == ((20,),)


def test_a_recovery_leaves_the_error_log_the_socket_and_the_pid_file_alone(server: Server) -> None:
    before = sorted(path.name for path in server.directory.iterdir())
    assert server.recover().position is not None
    assert sorted(path.name for path in server.directory.iterdir()) == before


def test_a_recovery_with_replication_switched_off_recovers_all_the_same(server: Server) -> None:
    server.form()
    last = committed(server)
    server.end()
    server.configure("wsrep_on=OFF")
    position = server.recover().position
    assert position is not None
    assert position.uuid == last.uuid


def test_two_do_not_recover_the_same_data_at_once(server: Server) -> None:
    with hold(server.program()), pytest.raises(InUse, match="another start or recovery"):
        server.recover()
    assert server.recover().position is not None


@contextlib.contextmanager
def held_recovery(server: Server) -> Iterator[None]:
    """A recovery that has opened the data, and is held there while the block runs."""
    program = server.program()
    for _ in range(20):  # one may have ended before it was seen to use the data
        thread = threading.Thread(target=lambda: recover(program, time.monotonic() + 60))
        thread.start()
        pid = stop_at(server.datadir / "ibdata1", thread)
        if pid:
            break
        thread.join()
    assert pid, "none was seen to use the data"
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
        thread.join()


def stop_at(path: Path, thread: threading.Thread) -> int:
    """Stop the child of this process that opens a file, and return its pid; 0 if the thread ends before it is held."""
    while thread.is_alive():
        pid = next(filter(functools.partial(has_opened, path), children_of(os.getpid())), 0)
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                if has_opened(path, pid):
                    return pid
    return 0


def children_of(pid: int) -> list[int]:
    """The pids below a process. psutil would read all of /proc, and may miss what lives for half a second."""
    found = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *children_of(int(child))]
    return found


def has_opened(path: Path, pid: int) -> bool:
    with contextlib.suppress(OSError):
        return any(os.readlink(f"/proc/{pid}/fd/{name}") == str(path) for name in os.listdir(f"/proc/{pid}/fd"))
    return False


def test_a_recovery_counts_as_using_the_data_and_is_told_apart(server: Server) -> None:
    with held_recovery(server):
        assert {one.use for one in find_occupants(server.search)} == {Use.RECOVERY}
    assert find_occupants(server.search) == ()


def test_a_recovery_that_is_overdue_is_killed(server: Server) -> None:
    program = server.program()
    began = time.monotonic()
    recovery = recover(program, time.monotonic() + 0.02)
    assert time.monotonic() - began < 20
    assert recovery.overdue
    assert recovery.position is None
    check_unused(server.program())


def test_a_recovery_that_fails_says_the_server_s_own_error(server: Server) -> None:
    program = server.program()
    (server.datadir / "ibdata1").write_bytes(b"no tablespace" * 1000)
    recovery = recover(program, time.monotonic() + 30)
    assert recovery.position is None
    assert any("InnoDB" in line for line in recovery.errors)
