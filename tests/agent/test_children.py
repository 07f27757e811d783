"""The keeper's child: a real fork that runs, ends, is ended, and never outlives its keeper."""

from __future__ import annotations

import fcntl
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Callable, NoReturn

import pytest

from loopback import wait_until
from loopback.doors import CHECKOUT
from xha.adapters.datadir.contents import DataDirectory
from xha.adapters.datadir.hold import InUse
from xha.adapters.host.faults import Faults
from xha.adapters.host.log import Log
from xha.adapters.network.resident_client import render
from xha.adapters.network.resident_listener import ResidentListener
from xha.adapters.process.procfs import read_process
from xha.app.keeper.children import Children
from xha.core.galera.known_servers import ServerProcess
from xha.core.galera.node_record import NodeRecord
from xha.core.galera.position import Kind, Position, Standing
from xha.core.keeper.observation import ChildSeen
from xha.core.keeper.outcomes import (
    Done,
    EffectFailed,
    EffectOutcome,
    FailureCause,
    Recovered,
    Unfit,
    parse_outcome,
    render_outcome,
)

FOUND = Recovered(Standing(Kind.INTACT, Position("6f1c2a9e-8b0d-11ef-9c41-3a5f0e7d2b18", 5)), NodeRecord(), True)
LONG = 60.0


@pytest.fixture
def children(tmp_path: Path) -> Iterator[Children]:
    made = Children(DataDirectory(str(tmp_path)), Faults(Log("test")))
    yield made
    made.end()


def sleep() -> Done:
    time.sleep(LONG)
    return Done(1.0)


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("it lives")


def fail() -> NoReturn:
    raise ZeroDivisionError


def await_outcome(children: Children) -> EffectOutcome:
    def ended() -> EffectOutcome | None:
        seen = children.see()
        return seen and seen.outcome

    outcome = wait_until(ended, 20, "the child has ended")
    assert outcome is not None
    return outcome


@pytest.mark.parametrize(
    "outcome",
    [
        Done(3.0),
        Done(3.0, FOUND),
        EffectFailed(FailureCause.UNUSABLE, "no database could be created: disk full", 4.0),
    ],
)
def test_what_it_comes_to_is_handed_over(children: Children, outcome: Done | EffectFailed) -> None:
    begun = children.begin("test", lambda: outcome)
    assert await_outcome(children) == outcome
    seen = children.see()
    assert seen == ChildSeen(begun.number, outcome, begun.directory)
    children.forget()
    assert children.see() is None


def test_while_it_runs_it_is_seen_to_run_and_no_other_one_is_begun(children: Children) -> None:
    begun = children.begin("test", sleep)
    with pytest.raises(InUse, match="has not ended yet"):
        children.begin("test", sleep)
    children.forget()
    assert children.see() == ChildSeen(begun.number, None, begun.directory)


def test_its_end_wakes_who_rests(children: Children) -> None:
    began = time.monotonic()
    children.begin("test", lambda: Done(1.0))
    children.rest(LONG)
    assert time.monotonic() - began < LONG / 2
    assert await_outcome(children) == Done(1.0)


def test_without_a_child_a_rest_is_a_rest(children: Children) -> None:
    began = time.monotonic()
    children.rest(0.1)
    assert time.monotonic() - began >= 0.1


def test_what_a_glance_notices_ends_a_rest(children: Children) -> None:
    began, glances = time.monotonic(), iter([False, True])
    children.rest(LONG, notices=lambda: next(glances))
    assert time.monotonic() - began < LONG / 2
    children.begin("test", sleep)
    children.rest(LONG, notices=lambda: True)
    assert time.monotonic() - began < LONG / 2


@pytest.mark.parametrize(
    ("work", "how"),
    [(die, "was killed by SIGKILL"), (fail, "ended without a result")],
)
def test_one_that_has_no_result_has_failed(
    children: Children, work: Callable[[], Done], how: str, capfd: pytest.CaptureFixture[str]
) -> None:
    children.begin("test", work)
    outcome = await_outcome(children)
    assert isinstance(outcome, EffectFailed)
    # Who reads the status must not take it for the server.
    assert (outcome.cause, outcome.text) == (FailureCause.BUSY, f"the keeper's process xha-test {how}")
    assert capfd.readouterr().err == ""


def test_a_fault_that_comes_back_is_logged_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Each child has it anew, and what a child logs its keeper does not know by itself."""
    faults = Faults(Log("test"))
    children = Children(DataDirectory(str(tmp_path)), faults)

    def work() -> EffectFailed:
        try:
            fail()
        except ZeroDivisionError as error:
            return EffectFailed(FailureCause.UNFORESEEN, faults.note("trying", error), 1.0)

    for _ in range(3):
        children.begin("test", work)
        assert await_outcome(children) == EffectFailed(FailureCause.UNFORESEEN, "ZeroDivisionError: ", 1.0)
        children.forget()
    assert capfd.readouterr().err.count("a fault of xha's own while trying") == 1


def test_one_that_is_ended_ends_what_it_began(children: Children, tmp_path: Path) -> None:
    """As a creation does, whose program has started others."""
    mark = tmp_path / "pid"

    def work() -> Done:
        with subprocess.Popen(["sleep", str(LONG)]) as program:
            try:
                mark.write_text(str(program.pid))
                program.wait()
            finally:
                program.kill()
        return Done(1.0)

    children.begin("test", work)
    pid = int(wait_until(lambda: mark.exists() and mark.read_text(), 20, "the program runs"))
    children.end()
    assert isinstance(await_outcome(children), EffectFailed)
    assert read_process(pid) is None


def test_one_that_does_not_heed_sigterm_is_killed(children: Children) -> None:
    def work() -> Done:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        return sleep()

    children.begin("test", work)
    children.end()
    assert isinstance(await_outcome(children), EffectFailed)


def test_one_that_is_stopped_is_killed(children: Children) -> None:
    children.begin("test", lambda: (os.kill(os.getpid(), signal.SIGSTOP), sleep())[1])
    children.end()
    assert isinstance(await_outcome(children), EffectFailed)


def test_whoever_stands_in_the_place_of_the_directory_is_told(children: Children, tmp_path: Path) -> None:
    begun = children.begin("test", lambda: Done(1.0))
    await_outcome(children)
    tmp_path.rename(tmp_path.with_name("before"))
    tmp_path.mkdir()
    seen = children.see()
    assert seen is not None
    assert begun.directory is not None
    assert seen.directory not in (None, begun.directory)


class Monitors:
    """The monitors' socket, and how often the rest has turned to it."""

    def __init__(self) -> None:
        self.directory = tempfile.mkdtemp(dir="/run", prefix="xha-test-")
        self.listener = ResidentListener(self.directory, [b"own"])
        self.attended = 0
        self.open: list[socket.socket] = []

    def fileno(self) -> int:
        return self.listener.fileno()

    def attend(self) -> None:
        self.attended += 1
        self.listener.serve_waiting(lambda question: question.answer(b"well", question.began, 0.0))

    def connect(self, *words: bytes) -> socket.socket:
        """One that has connected, and asks these words if there are any."""
        asker = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.open.append(asker)
        asker.settimeout(30)
        asker.connect(f"{self.directory}/ask")
        if words:
            asker.send(render(list(words)))
        return asker


@pytest.fixture
def monitors() -> Iterator[Monitors]:
    made = Monitors()
    yield made
    for asker in made.open:
        asker.close()
    made.listener._socket.close()
    shutil.rmtree(made.directory)


def test_a_monitor_is_answered_during_a_rest(children: Children, monitors: Monitors) -> None:
    asker = monitors.connect(b"own", b"monitor")
    children.rest(0.1, attendant=monitors)
    assert asker.recv(100).endswith(b"\nwell")


def test_without_a_free_descriptor_a_rest_is_a_rest(children: Children, monitors: Monitors) -> None:
    """The one who waits to be accepted would wake it at once, 49,854 times in this half second (measured)."""
    asker = monitors.connect(b"own", b"monitor")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    began = time.monotonic()
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
    try:
        children.rest(0.5, attendant=monitors)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert time.monotonic() - began >= 0.5
    assert monitors.attended == 1
    children.rest(0.1, attendant=monitors)
    assert asker.recv(100).endswith(b"\nwell")


def test_many_who_say_nothing_hold_up_nobody(children: Children, monitors: Monitors) -> None:
    silent = [monitors.connect() for _ in range(100)]
    asker = monitors.connect(b"own", b"monitor")
    began = time.monotonic()
    monitors.attend()
    assert time.monotonic() - began < 1.0  # 20 ms for each would be 2 s
    children.rest(0.1, attendant=monitors)
    assert asker.recv(100).endswith(b"\nwell")
    assert {one.recv(100) for one in silent} == {b"no"}


def test_the_end_of_the_server_comes_before_who_asks(children: Children, monitors: Monitors) -> None:
    with subprocess.Popen(["sleep", "600"]) as server:
        process = read_process(server.pid)
        assert process is not None
        known = ServerProcess(process.pid, process.started)
        children.rest(0.01, known, attendant=monitors)
        server.kill()
        os.waitid(os.P_PID, server.pid, os.WEXITED | os.WNOWAIT)
        monitors.connect(b"own", b"monitor")
        began = time.monotonic()
        children.rest(LONG, known, attendant=monitors)
        assert time.monotonic() - began < LONG / 2
        assert monitors.attended == 0


KEEPER = """
import fcntl, sys, time
sys.path.insert(0, sys.argv[1])
from xha.adapters.datadir.contents import DataDirectory
from xha.app.keeper.children import Children
from xha.core.keeper.outcomes import Done
lock = open(sys.argv[2], "w")
fcntl.flock(lock, fcntl.LOCK_EX)
children = Children(DataDirectory("/"), None)
children.begin("test", lambda: time.sleep(60) or Done(1.0))
print(children._worker.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("frozen", [False, True])
def test_a_keeper_s_death_is_its_child_s_and_only_then_the_lock_is_free(tmp_path: Path, frozen: bool) -> None:
    path = tmp_path / "lock"
    argv = [sys.executable, "-c", KEEPER, str(CHECKOUT / "lib"), str(path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as keeper, path.open("w") as lock:
        assert keeper.stdout is not None
        child = int(keeper.stdout.readline())
        process = read_process(child)
        assert process is not None
        wait_until(lambda: (read_process(child) or process).name == "xha-test", 20, "it says what it is")
        if frozen:
            os.kill(child, signal.SIGSTOP)
        keeper.kill()
        fcntl.flock(lock, fcntl.LOCK_EX)
        wait_until(lambda: read_process(child) is None, 20, "the child has ended")


@pytest.mark.parametrize("text", ["", "{}", '{"at": 1}', '{"at": 1, "cause": "NONE", "text": ""}', "[]", "null"])
def test_what_is_no_outcome_is_none(text: str) -> None:
    assert parse_outcome(text) is None


def test_a_text_that_is_not_utf_8_is_handed_over() -> None:
    failed = EffectFailed(FailureCause.BUSY, "caf\udce9", 1.0)
    assert parse_outcome(render_outcome(failed)) == EffectFailed(FailureCause.BUSY, "caf?", 1.0)


@pytest.mark.parametrize("permanent", [False, True])
def test_what_a_look_at_the_host_has_found_is_handed_over(permanent: bool) -> None:
    found = Done(1.0, Unfit("wsrep_on is OFF", permanent))
    assert parse_outcome(render_outcome(found)) == found


def test_the_end_of_the_server_ends_the_rest(children: Children) -> None:
    """Once: a keeper that cannot deal with the end, as while nothing can be seen, looks no more often than before."""
    with subprocess.Popen(["sleep", "600"]) as server:
        process = read_process(server.pid)
        assert process is not None
        known = ServerProcess(process.pid, process.started)
        subprocess.Popen(["sh", "-c", f"sleep 0.3; kill -KILL {server.pid}"])
        begin = time.monotonic()
        children.rest(LONG, known)
        assert time.monotonic() - begin < LONG / 2
        begin = time.monotonic()
        children.rest(0.5, known)
        assert time.monotonic() - begin >= 0.5


def test_the_end_of_the_child_ends_the_rest_beside_a_server(children: Children) -> None:
    with subprocess.Popen(["sleep", "600"]) as server:
        process = read_process(server.pid)
        assert process is not None
        children.begin("short", lambda: Done(1.0))
        children.rest(LONG, ServerProcess(process.pid, process.started))
        server.kill()
    assert await_outcome(children) == Done(1.0)


def test_a_process_that_took_the_number_of_the_server_wakes_nobody(children: Children) -> None:
    with subprocess.Popen(["sleep", "600"]) as other:
        process = read_process(other.pid)
        assert process is not None
        other.kill()
        begin = time.monotonic()
        children.rest(0.5, ServerProcess(process.pid, process.started - 1))
        assert time.monotonic() - begin >= 0.5
