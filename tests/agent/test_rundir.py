"""The resource's directory under /run: its permissions, and how a torn or unknown file is read."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopback import wait_until
from loopback.doors import CHECKOUT
from xha.adapters.files.agent_rundir import RunDir
from xha.adapters.files.atomic_write import remove_unfinished, replace_text, unfinished_name
from xha.adapters.pacemaker.failure_claims import claim_failure, give_claim_back
from xha.adapters.process.procfs import read_process, with_argv
from xha.core.monitor.keeper_status import KeeperStatus, Phase
from xha.core.monitor.start_failures import Failure
from xha.core.ocf.galera_settings import Settings
from xha.core.pacemaker.telling import FailureClaim


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def run(request: pytest.FixtureRequest, run_base: Path) -> Iterator[RunDir]:
    before = os.umask(request.param)
    yield RunDir("db")
    os.umask(before)


def mode(path: str) -> str:
    return oct(stat.S_IMODE(os.lstat(path).st_mode))


def test_everybody_sees_the_keeper_s_word_and_root_alone_the_settings(run: RunDir, run_base: Path) -> None:
    run.write_settings(Settings(test_passwd="x"))
    run.write_keeper_status(KeeperStatus(Phase.WAITING, "for n2"))
    run.write_failures([Failure(1.0, "exit 1")])
    assert {name: mode(run.file(name)) for name in os.listdir(run.path)} == {
        "settings.json": "0o600",
        "keeper.json": "0o644",
        "failures.json": "0o644",
    }
    assert [mode(str(path)) for path in (run_base, run_base / "db")] == ["0o755", "0o755"]


def test_the_server_s_directory_is_the_server_s(run: RunDir) -> None:
    uid, gid = os.getuid() or 65534, os.getgid() or 65534
    path = run.make_server_directory(uid, gid)
    seen = os.stat(path)
    assert (path, seen.st_uid, seen.st_gid, mode(path)) == (run.file("mysqld"), uid, gid, "0o755")
    assert run.make_server_directory(uid, gid) == path


def test_what_was_written_is_read_and_nothing_else_is_left(run: RunDir) -> None:
    settings, keeper_status, failures = (
        Settings(datadir="/d"),
        KeeperStatus(Phase.RUNNING, ready=True),
        (Failure(2.0, "x"),),
    )
    for _ in range(2):
        run.write_settings(settings)
        run.write_keeper_status(keeper_status)
        run.write_failures(failures)
    assert (run.read_settings(), run.read_keeper_status(), run.read_failures()) == (settings, keeper_status, failures)
    assert sorted(os.listdir(run.path)) == ["failures.json", "keeper.json", "settings.json"]
    run.write_failures([])
    assert sorted(os.listdir(run.path)) == ["keeper.json", "settings.json"]
    run.write_failures([])


@pytest.mark.parametrize("text", ["", "{", '{"schema": 99}', "\0\xff"])
def test_what_cannot_be_read_is_nothing(run_base: Path, text: str) -> None:
    run = RunDir("db")
    assert (run.read_settings(), run.read_keeper_status(), run.read_failures()) == (None, None, ())
    run.make()
    for name in ("settings.json", "keeper.json", "failures.json"):
        Path(run.file(name)).write_text(text, encoding="latin-1")
    assert (run.read_settings(), run.read_keeper_status(), run.read_failures()) == (None, None, ())


def test_a_failed_write_leaves_the_old_one_and_no_rest(run_base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunDir("db")
    run.write_settings(Settings(datadir="/old"))

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", refuse)
        with pytest.raises(OSError, match="No space"):
            run.write_settings(Settings(datadir="/new"))
    assert run.read_settings() == Settings(datadir="/old")
    assert os.listdir(run.path) == ["settings.json"]


def test_the_signature_tells_that_settings_were_stored_again(run_base: Path) -> None:
    run = RunDir("db")
    assert run.settings_signature() == ()
    run.write_settings(Settings())
    first = run.settings_signature()
    assert first == run.settings_signature() != ()
    run.write_settings(Settings())
    assert run.settings_signature() != first


def test_of_two_who_see_the_end_of_a_server_one_tells_it(run_base: Path) -> None:
    run, keeper, monitor = RunDir("db"), FailureClaim(True, 5.0), FailureClaim(False, 5.0)
    assert claim_failure(run, "7.1", keeper) == keeper
    assert claim_failure(run, "7.1", monitor) == keeper
    assert claim_failure(run, "7.1", keeper._replace(at=6.0)) == keeper
    assert os.listdir(run.path) == ["told-7.1"]
    give_claim_back(run, "7.1")
    assert claim_failure(run, "7.1", monitor) == monitor


def test_the_end_of_another_server_is_another_failure(run_base: Path) -> None:
    run, first, second = RunDir("db"), FailureClaim(True, 5.0), FailureClaim(True, 9.0)
    claim_failure(run, "7.1", first)
    assert claim_failure(run, "8.1", second) == second
    assert os.listdir(run.path) == ["told-8.1"]


def test_what_was_found_out_counts_for_the_same_data_alone(run_base: Path) -> None:
    run = RunDir("db")
    assert run.read_recovery("boot 1:2") == ""
    run.write_recovery("boot 1:2", "found")
    assert run.read_recovery("boot 1:2").strip() == "found"
    assert run.read_recovery("boot 1:3") == ""
    assert run.read_recovery("") == ""


SAYS_EVICTED = '{"date": "", "timestamp": 1.0, "errors": [], "status": {}}'


@pytest.mark.parametrize("clock", ["as it was", "has jumped forward since", "has jumped back since"])
@pytest.mark.parametrize("launched", [True, False], ids=["launched by a keeper", "started outside"])
def test_a_status_file_counts_for_the_server_that_writes_it(run_base: Path, launched: bool, clock: str) -> None:
    """Whoever starts a server outside of Pacemaker removes nothing, and its server writes its file elsewhere."""
    run = RunDir("db")
    run.make_server_directory(os.geteuid(), os.getegid())
    path = Path(run.status_path)
    path.write_text(SAYS_EVICTED)
    now = time.time() + {"as it was": 0, "has jumped forward since": -86400, "has jumped back since": 86400}[clock]
    os.utime(path, (now, now))
    where = str(path) if launched else "/var/lib/mysql/status.json"
    command = ["sh", "-c", "read word", "sh", f"--wsrep-status-file={where}", "--wsrep-new-cluster"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as server:
        process = read_process(server.pid)
        assert process is not None
        try:
            wait_until(lambda: with_argv(process).argv, 10, "the kernel tells its arguments")
            assert run.read_status(process) == (SAYS_EVICTED if launched else "")
            signature = run.status_signature(process)
            assert bool(signature) is launched
            path.write_text(SAYS_EVICTED + " ")
            assert (run.status_signature(process) != signature) is launched
            path.unlink()
            assert (run.status_signature(process), run.read_status(process)) == ((), "")
        finally:
            server.kill()


# Writes what a process that is killed on the way leaves behind.
KILLED = """
import os, sys
sys.path.insert(0, sys.argv[1])
from xha.adapters.files import atomic_write
from xha.adapters.files.agent_rundir import RunDir
from xha.adapters.pacemaker.failure_claims import claim_failure
from xha.core.pacemaker.telling import FailureClaim
where, last = sys.argv[2:]
setattr(os, last, lambda *_: os.kill(os.getpid(), 9))
claim_failure(RunDir("db", where), "7.1", FailureClaim(True, 5.0))
"""


@pytest.mark.parametrize("last", ["link", "replace"])
def test_what_a_killed_process_left_half_written_goes_with_a_later_keeper(run_base: Path, last: str) -> None:
    run = RunDir("db", str(run_base))
    words = [sys.executable, "-c", KILLED, str(CHECKOUT / "lib"), str(run_base), last]
    assert subprocess.run(words, check=False).returncode == -9
    (left,) = os.listdir(run.path)
    remove_unfinished(run.path)
    assert os.listdir(run.path) == [left], "it may be of a process in another pid namespace, which is at it"
    long_ago = time.time() - 61
    os.utime(run.file(left), (long_ago, long_ago))
    replace_text(unfinished_name(run.file("mine.json")), "", 0o600)  # a living process is at it
    os.utime(unfinished_name(run.file("mine.json")), (long_ago, long_ago))
    replace_text(run.file("told-7.1"), "", 0o600)
    remove_unfinished(run.path, "another")
    assert len(os.listdir(run.path)) == 3
    remove_unfinished(run.path)
    assert sorted(os.listdir(run.path)) == [f"mine.json.{os.getpid()}.new", "told-7.1"]
    remove_unfinished(f"{run.path}/absent")
