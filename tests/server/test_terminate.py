"""A server is terminated with everything that it started, and nothing else is."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Callable

import pytest

from loopback import wait_until
from server.conftest import MakeServer
from server.machine import Server
from xha.adapters.datadir import users
from xha.adapters.datadir.hold import check_unused
from xha.adapters.datadir.occupancy import CannotLook
from xha.adapters.datadir.transfers import find_transfer
from xha.adapters.datadir.users import Use, find_occupants, find_own
from xha.adapters.files.agent_rundir import RunDir
from xha.adapters.lifecycle.launch import exit_status
from xha.adapters.lifecycle.terminate import end_left_behind, send, terminate
from xha.adapters.mysqld import program as program_module
from xha.adapters.network.unix_listeners import parse_listening
from xha.adapters.process.procfs import Process, descendants, look, read_process, read_uid, read_uids
from xha.app.keeper.known_servers import whole_search

# A state transfer that neither moves nor ends by itself; a file `moving` in its directory makes it move. The
# server asks wsrep_sst_METHOD for the address of the joiner, and waits for its end.
SCRIPT = """#!/bin/sh
echo "ready 127.0.0.1:1"
trap '' HUP
bytes() {{ while :; do [ -e "{directory}/moving" ] && head -c 100000 /dev/zero; sleep 0.2; done; }}
bytes | "{directory}/mover" >/dev/null &
{stubborn}
while :; do sleep 0.2; done
"""


def joiner(make_server: MakeServer, server: Server, stubborn: str = "") -> Server:
    """A server that joins by a state transfer that makes no progress."""
    other, path = prepared_joiner(make_server, server, stubborn)
    return started_joiner(other, path)


def prepared_joiner(make_server: MakeServer, server: Server, stubborn: str = "") -> tuple[Server, dict[str, str]]:
    """One that is not started yet, and the environment that it needs; `server` is Synced."""
    programs = server.directory / "programs"
    programs.mkdir()
    (programs / "mover").symlink_to("/bin/cat")
    script = programs / "wsrep_sst_standing"
    script.write_text(SCRIPT.format(directory=programs, stubborn=stubborn))
    script.chmod(0o755)
    path = {"PATH": f"{programs}:{os.environ['PATH']}"}
    other = make_server(members=[server.address], lines="wsrep_sst_method=standing")
    server.form(environment=path)
    return other, path


def started_joiner(other: Server, path: dict[str, str]) -> Server:
    other.launch(environment=path)
    wait_until(lambda: transfer(other), 60, lambda: f"the transfer begins: {other.errors()}")
    wait_until(lambda: {"mover", "sleep"} <= names_below(other), 60, lambda: f"its programs run: {names_below(other)}")
    return other


def names_below(server: Server) -> set[str]:
    assert server.process is not None
    return {one.name for one in descendants(server.process.pid)}


def transfer(server: Server) -> str:
    assert server.process is not None
    found = find_transfer(server.process, server.search.trust)
    return found.role if found else ""


def gone(processes: list[Process]) -> bool:
    return not any(look(one.pid, one.started) for one in processes)


def test_a_server_that_is_asked_ends_cleanly(server: Server) -> None:
    process = server.form()
    assert server.end() == ()
    assert exit_status(process.pid) == 0
    saved = server.files.read_grastate()
    assert saved is not None
    assert saved.seqno >= 0
    assert not (server.datadir / "gvwstate.dat").exists()


def test_where_nothing_runs_nothing_is_left(server: Server) -> None:
    began = time.monotonic()
    assert server.end() == ()
    assert time.monotonic() - began < 20  # and not after all the time that there is


def test_a_stopped_server_is_killed_at_once(server: Server) -> None:
    process = server.form()
    os.kill(process.pid, signal.SIGSTOP)
    began = time.monotonic()
    assert server.end(60) == ()
    assert time.monotonic() - began < 30
    assert exit_status(process.pid) == -signal.SIGKILL


def test_a_server_that_was_declared_hung_is_killed_at_once(server: Server) -> None:
    process = server.form()
    assert server.end(60, hung=True) == ()
    assert exit_status(process.pid) == -signal.SIGKILL


def test_a_server_that_stops_while_it_is_waited_for_is_killed(server: Server) -> None:
    process = server.form()
    with server.connect() as connection:
        connection.cursor().execute("SELECT 1")
        os.kill(process.pid, signal.SIGSTOP)
        assert server.end(20) == ()
    assert exit_status(process.pid) == -signal.SIGKILL


def test_a_budget_that_is_used_up_leaves_what_is_left(server: Server) -> None:
    server.form()
    left = terminate(server.search, time.monotonic() - 1)
    assert all(one.use is Use.SERVER for one in left)
    wait_until(lambda: not server.lives(), 20, "it was killed all the same")


def test_somebody_s_shell_in_the_data_directory_lives_on(server: Server) -> None:
    server.form()
    with subprocess.Popen(["sleep", "1000"], cwd=server.datadir) as shell:
        assert server.end() == ()
        assert shell.poll() is None
        shell.kill()


def test_the_programs_of_a_state_transfer_end_with_the_joiner(make_server: MakeServer, server: Server) -> None:
    other = joiner(make_server, server)
    assert other.process is not None
    below = list(descendants(other.process.pid))
    assert other.end() == ()
    assert gone(below)
    assert server.lives()


@pytest.mark.parametrize("how", ["by a stop", "by the keeper"])
def test_programs_that_a_killed_joiner_left_behind_are_ended(make_server: MakeServer, server: Server, how: str) -> None:
    other = joiner(make_server, server, stubborn="trap '' TERM PIPE")
    assert other.process is not None
    below = list(descendants(other.process.pid))
    os.kill(other.process.pid, signal.SIGKILL)
    other.await_end()

    def uses() -> set[Use]:
        return {one.use for one in find_occupants(other.search)}

    # For a moment after the end of the server, a program that it was about to start may still have all of its files
    # open.
    wait_until(lambda: uses() == {Use.TRANSFER}, 30, lambda: f"what uses the data: {uses()}")
    if how == "by the keeper":
        end_left_behind(other.search)
    else:
        assert other.end() == ()
    assert gone(below)
    # A `sleep 0.2` of the script's loop ends by itself.
    wait_until(lambda: uses() == set(), 10, lambda: f"what keeps the next server from its start: {uses()}")
    check_unused(other.program())


def test_of_a_state_transfer_whose_server_lives_nothing_is_ended(make_server: MakeServer, server: Server) -> None:
    other = joiner(make_server, server)
    assert other.process is not None
    before = {one.pid for one in descendants(other.process.pid)}
    time.sleep(1)  # a `sleep 0.2` of the script's loops has ended, which has the script's name until it is executed
    below = {one.pid for one in descendants(other.process.pid)} & before
    assert len(below) > 1
    end_left_behind(other.search)
    assert below <= {one.pid for one in descendants(other.process.pid)}


def test_a_server_that_starts_while_it_is_looked_for_one_keeps_its_transfer(
    make_server: MakeServer, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody starts one while the keeper ends what the last one has left: first there is no server, then a script."""
    other, path = prepared_joiner(make_server, server)
    find_servers, starts = users._Examination._find_servers, iter([other])

    def find_slowly(self: users._Examination) -> list[users.Occupant]:
        found = find_servers(self)
        for one in starts:
            started_joiner(one, path)
        return found

    monkeypatch.setattr(users._Examination, "_find_servers", find_slowly)
    end_left_behind(other.search)
    assert other.process is not None
    assert transfer(other) == "joiner"


WAITS = "import os, time; {become}print('ready', flush=True); time.sleep(1000)"
BESIDE_A_TRANSFER = {
    "root's command with the words of a script": ("exec -a wsrep_sst_rsync {python} -c '{waits}' --role joiner", ""),
    "whose effective account is root's": (
        "exec -a wsrep_sst_rsync {python} -c '{waits}' --role joiner",
        "os.setresuid(65534, 0, 0); ",
    ),
    "the server's, with the words of a script behind others": (
        "exec {python} -c '{waits}' a b wsrep_sst_rsync --role joiner",
        "os.setresuid({mysql}, {mysql}, {mysql}); ",
    ),
}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has other accounts at hand")
@pytest.mark.parametrize("what", BESIDE_A_TRANSFER)
def test_who_plays_a_state_transfer_ends_nobody(server: Server, what: str) -> None:
    """The process is in the data directory, and a program of root's is in its group: that one used to be killed."""
    command, become = BESIDE_A_TRANSFER[what]
    waits = WAITS.format(become=become.format(mysql=server.program().account.uid)).replace("'", '"')
    script = f"sleep 1000 & {command.format(python='/usr/bin/python3', waits=waits)}"
    with in_the_data(server, script):
        assert find_own(server.search) == ()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has other accounts at hand")
def test_of_a_transfer_that_a_server_left_behind_nothing_of_root_s_is_ended(server: Server) -> None:
    """For instance root's backup runs a transfer script by runuser: root's own programs share its group."""
    uid = server.program().account.uid
    waits = WAITS.format(become=f"os.setresuid({uid}, {uid}, {uid}); ").replace("'", '"')
    script = f"sleep 1000 & (exec -a wsrep_sst_rsync /usr/bin/python3 -c '{waits}' --role=joiner); true"
    with in_the_data(server, script):
        [found] = find_own(server.search)
        assert (found.use, read_uid(found.process.pid)) == (Use.TRANSFER, uid)


@contextmanager
def in_the_data(server: Server, script: str) -> Iterator[None]:
    """A script runs in the data directory, in a process group of its own, and a program of it has printed `ready`."""
    argv = ["/bin/bash", "-c", script]
    with subprocess.Popen(argv, cwd=server.datadir, stdout=subprocess.PIPE, start_new_session=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.parametrize("ask", [read_process, read_uids, lambda pid: look(pid, 1)])
def test_what_cannot_be_asked_of_a_process_is_not_that_it_is_gone(ask: Callable[[int], object]) -> None:
    """This process has no free descriptor: in that state, a keeper reported that a healthy server had ended."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            ask(os.getpid())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


REAL = b"0000000000000000: 00000002 00000000 00010000 0001 01 4711 /run/mysqld.sock"
FORGED = b"0000000000000000: 00000002 00000000 00010000 0001 01 4711 /tmp/evil"
STRANGER = b"0000000000000000: 00000002 00000000 00010000 0001 01 4712 /tmp/evil"
RELATIVE = b"0000000000000000: 00000002 00000000 00010000 0001 01 4711 tmp/evil"
CLIENT = b"0000000000000000: 00000003 00000000 00000000 0001 03 4711 /run/mysqld.sock"


@pytest.mark.parametrize(
    ("lines", "path"),
    [
        ([REAL], "/run/mysqld.sock"),
        ([STRANGER, CLIENT, REAL], "/run/mysqld.sock"),
        ([REAL, FORGED], ""),
        ([FORGED, REAL], ""),
        ([REAL, RELATIVE], ""),
        ([RELATIVE], ""),
        ([FORGED + b" more"], ""),
        ([STRANGER, CLIENT, b"", b"Num"], ""),
    ],
)
def test_a_server_listens_where_one_line_says_so_and_no_other(lines: list[bytes], path: str) -> None:
    """Any user can write whole lines of the table, by a path with line breaks."""
    assert parse_listening(lines, {"socket:[4711]"}) == path


def test_a_transfer_that_stands_is_told_from_one_that_moves(make_server: MakeServer, server: Server) -> None:
    other = joiner(make_server, server)
    assert other.process is not None
    time.sleep(3)  # a process that has just begun does not count yet
    first = find_transfer(other.process, other.search.trust)
    time.sleep(1)
    second = find_transfer(other.process, other.search.trust)
    assert first is not None
    assert second is not None
    assert (first.role, first.method) == ("joiner", "standing")
    assert first.progress == second.progress
    Path(server.directory / "programs/moving").touch()
    begun = first.progress

    def has_moved() -> bool:
        third = find_transfer(other.process, other.search.trust)
        return third is not None and third.progress > begun + 100_000

    wait_until(has_moved, 60, "it moves")
    wait_until(lambda: transfer(server) == "donor", 60, "the other end is the donor")


def test_a_pid_that_came_round_is_never_signalled() -> None:
    with subprocess.Popen(["sleep", "1000"]) as process:
        now = read_process(process.pid)
        assert now is not None
        assert not send(now._replace(started=now.started - 1), signal.SIGKILL)
        assert process.poll() is None
        assert send(now, signal.SIGKILL)
        process.wait()
        assert not send(now, signal.SIGKILL)


@pytest.mark.parametrize("words", [["--wsrep-recover"], ["--wsrep_recover=1"], ["--x", "--wsrep-recover=ON"]])
def test_a_recovery_is_known_by_its_option(words: list[str]) -> None:
    assert Process(1, 1, argv=("mariadbd", *words)).recovering
    assert not Process(1, 1, argv=("mariadbd", "--wsrep-recovered", *(f"x{word}" for word in words))).recovering


def test_a_resource_whose_option_file_is_not_here_takes_no_other_resource_s_server_for_its_own(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pacemaker probes a second resource on every host, and stops what a probe finds where it may not run."""
    server.form()
    monkeypatch.setattr(program_module, "DATADIR", str(server.datadir))
    run, option_file = RunDir("pair", str(tmp_path)), tmp_path / "pair.cnf"
    settings = server.settings(config=str(option_file), datadir="")
    assert find_own(whole_search(run, settings, None)) == ()
    option_file.write_text("a line outside of any group\n")
    with pytest.raises(CannotLook, match="its data directory may be this one"):
        find_own(whole_search(run, settings, None))
    assert server.lives()
