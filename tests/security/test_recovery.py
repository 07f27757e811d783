"""A recovery that failed, or reported nothing, gives no information; a later one is correct.

Each fault is a real one on a real server with rows. A program that mistook it for foreign data would advise giving up
what may be the newest data of all.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from agent.host import Resource, Result
from agent.test_life import MakeResource, await_code, host, make_resource, query, run_by_hand
from loopback import wait_until
from loopback.doors import CHECKOUT
from server.conftest import MakeServer, make_server
from server.machine import Server
from xha.adapters.datadir.users import Use, find_occupants
from xha.adapters.files.agent_rundir import RunDir
from xha.app.keeper.local_data import LocalData
from xha.core.galera.position import Kind, Position, Standing
from xha.core.keeper.effects import Recover
from xha.core.keeper.machine import step
from xha.core.keeper.memory import Memory
from xha.core.keeper.observation import ChildSeen, DataSeen, Fresh, Observation, ServerSeen
from xha.core.keeper.outcomes import Begun, Done, EffectResult

__all__ = ["host", "make_resource", "make_server"]  # fixtures of other modules

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="files of another account take root")

HEADER = 4096
FRESH = Fresh("epoch", "token", "generation")


class Holder:
    """A server that was killed with rows in its tables, and what its keeper finds out."""

    def __init__(self, server: Server, base: Path) -> None:
        self.server, self.base = server, base
        self.end = Position()

    def fill_and_kill(self) -> None:
        process = self.server.form()
        self.server.sql("CREATE DATABASE shop")
        self.server.sql("CREATE TABLE shop.orders (id INT PRIMARY KEY)")
        self.server.sql("INSERT INTO shop.orders VALUES (1), (2)")
        names = ("wsrep_cluster_state_uuid", "wsrep_last_committed")
        said = self.server.status(*names)
        self.end = Position(said[names[0]], int(said[names[1]]))
        os.kill(process.pid, signal.SIGKILL)
        self.server.await_end(10)

    def data(self) -> LocalData:
        return LocalData(self.server.program(), RunDir("db", str(self.base)))

    def file(self, name: str) -> Path:
        return self.server.datadir / name


@pytest.fixture
def holder(make_server: MakeServer, tmp_path: Path) -> Holder:
    server = make_server()
    server.configure("innodb_flush_log_at_trx_commit=1")
    one = Holder(server, tmp_path / "run")
    one.fill_and_kill()
    return one


def assert_unknown(one: Holder, found: Standing, *words: str) -> None:
    """Check that nothing is known, that the text gives the reason, and that the output is kept for root only."""
    assert found.kind is Kind.UNKNOWN, found
    assert found.position == Position()
    for word in words:
        assert word in found.cause
    assert "discard" not in found.cause
    assert "xha-check grant" not in found.cause
    log = one.base / "db/recovery.log"
    assert str(log) in found.cause
    seen = log.stat()
    assert (seen.st_uid, stat.S_IMODE(seen.st_mode)) == (0, 0o600)


def assert_found(one: Holder, data: LocalData) -> None:
    """Check that the next attempt after the repair finds the position at once."""
    assert data.recover(60).standing == Standing(Kind.INTACT, one.end)


def test_without_a_fault_the_position_is_found(holder: Holder) -> None:
    data = holder.data()
    assert data.recover(60).standing == Standing(Kind.INTACT, holder.end)
    assert f"Recovered position: {holder.end}" in (holder.base / "db/recovery.log").read_text()


def test_one_that_is_killed_as_the_kernel_does_where_memory_runs_out(holder: Holder) -> None:
    data = holder.data()
    for _ in range(20):  # a kill after its end is no kill
        found: list[Standing] = []
        thread = threading.Thread(target=lambda: found.append(data.recover(60).standing))  # noqa: B023 - joined below
        thread.start()
        while thread.is_alive():
            for one in find_occupants(holder.server.search):
                if one.use is Use.RECOVERY:
                    with contextlib.suppress(ProcessLookupError):  # it has just ended
                        os.kill(one.process.pid, signal.SIGKILL)
        thread.join()
        if found[0].kind is not Kind.INTACT:
            break
    assert_unknown(holder, found[0], "killed by SIGKILL", "memory")
    assert_found(holder, data)


def test_one_with_too_few_files(holder: Holder) -> None:
    code = (
        "import json, sys; sys.path[:0] = sys.argv[1:3]\n"
        "from pathlib import Path\n"
        "from xha.adapters.files.agent_rundir import RunDir\n"
        "from xha.adapters.mysqld.program import find_program, read_options\n"
        "from xha.core.ocf.galera_settings import Settings\n"
        "from xha.app.keeper.local_data import LocalData\n"
        "settings = Settings(config=sys.argv[3], user='mysql', group='')\n"
        "found = LocalData(read_options(find_program(settings))[0], RunDir('db', sys.argv[4])).recover(60).standing\n"
        "print(json.dumps([found.kind.value, str(found.position), found.cause]))\n"
    )
    argv = [sys.executable, "-c", code, str(CHECKOUT / "lib"), str(CHECKOUT / "tests")]
    limited = ["sh", "-c", 'ulimit -n 16; exec "$@"', "sh", *argv, str(holder.server.config), str(holder.base)]
    done = subprocess.run(limited, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    kind, position, cause = json.loads(done.stdout)
    found = Standing(Kind(kind), Position() if position == str(Position()) else holder.end, cause)
    assert_unknown(holder, found, "exit code 1", "it may open 16 files only (ulimit -n)")
    assert_found(holder, holder.data())


def test_one_that_is_told_to_be_silent_speaks(holder: Holder) -> None:
    holder.server.configure("silent-startup")
    assert holder.data().recover(60).standing == Standing(Kind.INTACT, holder.end)


def test_one_whose_options_are_muted_otherwise_speaks(holder: Holder) -> None:
    holder.server.configure("log_warnings=0")
    assert holder.data().recover(60).standing == Standing(Kind.INTACT, holder.end)


@pytest.mark.parametrize("name", ["ibdata1", "aria_log_control"])
def test_a_file_of_root_s(holder: Holder, name: str) -> None:
    data, path = holder.data(), holder.file(name)
    os.chown(path, 0, 0)
    path.chmod(0o600)
    assert_unknown(holder, data.recover(60).standing, "exit code 1", f"{path} belongs to root, and not to mysql")
    shutil.chown(path, "mysql")
    assert_found(holder, data)


def test_a_data_directory_of_root_s(holder: Holder) -> None:
    data, path = holder.data(), holder.server.datadir
    os.chown(path, 0, 0)
    path.chmod(0o700)
    found = data.recover(60).standing
    assert found.kind is Kind.UNKNOWN
    assert "belongs to" in found.cause
    shutil.chown(path, "mysql")
    assert_found(holder, data)


def test_temporary_files_that_cannot_be_written(holder: Holder, monkeypatch: pytest.MonkeyPatch) -> None:
    shut = holder.base.parent / "tmp"
    shut.mkdir(mode=0o700)
    data = holder.data()
    monkeypatch.setattr(tempfile, "tempdir", str(shut))
    assert data.recover(60).standing == Standing(Kind.INTACT, holder.end), "a recovery has its own, elsewhere"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take a log from the database's user")
def test_an_error_log_that_cannot_be_read_does_not_say_that_all_was_well(holder: Holder) -> None:
    """The log tells a server that was voted out from one whose rows count."""
    data, log = holder.data(), Path(holder.server.program().log)
    seen = log.stat()
    os.chown(log, 0, 0)
    log.chmod(0o600)
    found = data.recover(60).standing
    assert (found.kind, f"the error log {log} cannot be read as mysql: permission denied" in found.cause) == (
        Kind.UNKNOWN,
        True,
    )
    os.chown(log, seen.st_uid, seen.st_gid)
    assert_found(holder, data)


def test_a_damaged_redo_log(holder: Holder) -> None:
    data, path = holder.data(), holder.file("ib_logfile0")
    whole = path.read_bytes()
    with path.open("r+b") as file:
        file.write(b"\xa5" * HEADER)
    assert_unknown(holder, data.recover(60).standing, "exit code 1", "[ERROR] InnoDB: ")
    path.write_bytes(whole)
    assert_found(holder, data)


def test_an_encryption_key_that_is_missing(make_server: MakeServer, tmp_path: Path) -> None:
    server = make_server()
    key = server.directory / "keys"
    key.write_text(f"1;{'0123456789abcdef' * 4}\n")
    key.chmod(0o644)
    plugin = f"plugin_load_add=file_key_management\nfile_key_management_filename={key}"
    server.configure(f"{plugin}\ninnodb_encrypt_log=ON\ninnodb_flush_log_at_trx_commit=1")
    holder = Holder(server, tmp_path / "run")
    holder.fill_and_kill()
    data = holder.data()
    key.rename(f"{key}.away")
    assert_unknown(holder, data.recover(60).standing, "exit code 1", "[ERROR]")
    Path(f"{key}.away").rename(key)
    assert_found(holder, data)


def test_a_provider_that_is_switched_off_says_nothing(holder: Holder) -> None:
    """The server then skips the recovery (`disabled, skipping position recovery`), and exits with code 0."""
    data = holder.data()
    holder.server.configure("wsrep_provider=none")
    assert_unknown(holder, data.recover(60).standing, "ended well, but named no position")
    holder.server.configure()
    assert_found(holder, data)


RECORDS = {
    "a FIFO": os.mkfifo,
    "a link": lambda path: os.symlink("/etc/hostname", path),
    "half of it": lambda path: path.write_text('{"schema": 1, "line": ['),
    "of another version": lambda path: path.write_text('{"schema": 7}'),
    "too large": lambda path: path.write_bytes(b" " * (1 << 20)),
}


@pytest.mark.parametrize("what", RECORDS)
def test_a_record_that_cannot_be_read_is_not_an_absent_one(holder: Holder, what: str) -> None:
    data, path = holder.data(), holder.file("xha-node.json")
    RECORDS[what](path)
    found = data.recover(60).standing
    assert found.kind is Kind.UNKNOWN
    assert "xha-node.json" in found.cause
    path.unlink()
    assert_found(holder, data)


def test_a_part_of_a_database_is_not_run(holder: Holder) -> None:
    data, path = holder.data(), holder.file("mysql")
    path.rename(holder.server.directory / "away")
    found = data.recover(60).standing
    assert found.kind is Kind.UNKNOWN
    assert "no schema mysql" in found.cause
    (holder.server.directory / "away").rename(path)
    assert_found(holder, data)


def test_data_that_no_cluster_ever_had_are_foreign(make_server: MakeServer, tmp_path: Path) -> None:
    """The recovery searched for a position and found none."""
    server = make_server()
    shop = server.datadir / "shop"
    shop.mkdir()
    (shop / "db.opt").write_text("default-character-set=utf8mb4\n")
    for path in (shop, shop / "db.opt"):
        shutil.chown(path, "mysql")
    assert LocalData(server.program(), RunDir("db", str(tmp_path))).recover(60).standing == Standing(Kind.FOREIGN)


def learn(memory: Memory, data: LocalData, now: float) -> Memory:
    """Return what a keeper remembers of a look at the data."""
    result = EffectResult(Recover(60.0), Done(now, Begun(1)))
    child = ChildSeen(1, Done(now, data.recover(60)))
    return step(memory, Observation(now, FRESH, results=(result,), child=child))[0]


def test_what_cannot_be_looked_at_is_looked_at_again_ever_more_seldom(
    holder: Holder, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, memory, now, pauses = holder.data(), Memory(), 1000.0, []

    def fail(*_: Any) -> None:
        raise PermissionError(13, "Permission denied", "/data")

    monkeypatch.setattr(data.directory, "read_contents", fail)
    for _ in range(6):
        assert memory.is_due(now)
        memory = learn(memory, data, now)
        assert memory.is_unknown
        assert not memory.is_due(now)
        began = now
        while not memory.is_due(now):
            now += 1
        pauses.append(now - began)
    assert pauses == [2, 4, 8, 16, 30, 30]
    memory = learn(memory, data, now)
    asked = Observation(now, FRESH, reloaded=True, server=ServerSeen(), data=DataSeen())
    assert step(memory, asked)[0].is_due(now)


def damage(one: Resource) -> bytes:
    """Make the redo log unreadable; return its content."""
    path = one.datadir / "ib_logfile0"
    whole = path.read_bytes()
    with path.open("r+b") as file:
        file.write(b"\xa5" * HEADER)
    return whole


def meets(one: Resource, code: int, words: str) -> Result | None:
    """A monitor's answer, if it has this code, and its reason begins with these words."""
    seen = one.monitor()
    return seen if seen.code == code and seen.reason.startswith(words) else None


class TestByTheAgent:
    @pytest.fixture
    def filled(self, make_resource: MakeResource) -> Resource:
        """A stopped node with rows."""
        one = make_resource()
        one._make_directory()
        assert one.call("start").code == 0
        one.sql("CREATE DATABASE shop")
        one.sql("CREATE TABLE shop.orders (id INT PRIMARY KEY)")
        one.sql("INSERT INTO shop.orders VALUES (1)")
        assert one.call("stop").code == 0
        return one

    def test_a_node_that_cannot_look_is_no_failure_and_goes_on_when_it_can(self, filled: Resource) -> None:
        whole = damage(filled)
        assert filled.call("start").code == 0
        # While it looks again, as it does 2, 4 and 8 s later, a monitor says that it looks.
        said = "nobody knows where the data end: mysqld --wsrep-recover ended with exit code 1"
        seen = wait_until(lambda: meets(filled, 190, said), 60, lambda: f"{said}: {filled.monitor().reason}")
        assert "grant" not in seen.reason
        assert filled.server_pids() == []
        assert filled.run_file("keeper.json")["phase"] == "unknown"
        log = f"/run/xha/galera/{filled.resource}/recovery.log"
        assert log in filled.run_file("keeper.json")["reason"]
        assert "log header checksum" in filled.host.read(log)
        keeper = filled.keeper_pid
        assert filled.host.syslog.count("unknown: mysqld --wsrep-recover") == 1
        time.sleep(7)  # two more looks, without a new message
        assert filled.host.syslog.count("unknown: mysqld --wsrep-recover") == 1
        (filled.datadir / "ib_logfile0").write_bytes(whole)
        await_code(filled, 0, 60)
        assert filled.keeper_pid == keeper
        assert filled.sql("SELECT id FROM shop.orders") == ((1,),)

    def test_a_start_is_a_question_that_is_answered_at_once(self, filled: Resource) -> None:
        whole = damage(filled)
        assert filled.call("start").code == 0
        log = Path(f"/proc/{filled.host.init}/root/run/xha/galera/{filled.resource}/recovery.log")
        looks: list[float] = []

        def is_rare() -> bool:
            """Whether the last look is over that came 16 s after the one before it: the next one comes in 30 s."""
            if log.exists() and log.stat().st_mtime not in looks[-1:]:
                looks.append(log.stat().st_mtime)
            return any(after - before > 14 for before, after in zip(looks, looks[1:])) and time.time() - looks[-1] > 2

        wait_until(is_rare, 120, lambda: f"a look comes every 30 s: {looks}")
        (filled.datadir / "ib_logfile0").write_bytes(whole)
        began = time.monotonic()
        assert filled.call("start").code == 0
        await_code(filled, 0, 25)
        assert time.monotonic() - began < 25

    def test_what_comes_back_until_it_is_mended_is_an_error_at_once_and_a_cleanup_helps(self, filled: Resource) -> None:
        path = filled.datadir / "ibdata1"
        os.chown(path, 0, 0)
        path.chmod(0o600)
        begun = filled.call("start")
        assert begun.code == 5
        assert f"{path} belongs to root, and not to mysql" in begun.reason
        assert "must be writable" in begun.reason
        assert "pcs resource cleanup" in begun.reason
        assert "xha-check grant" not in begun.reason
        assert filled.server_pids() == []
        assert filled.call("stop").code == 0
        shutil.chown(path, "mysql")
        assert filled.call("start").code == 0  # what Pacemaker does after a cleanup
        assert filled.sql("SELECT id FROM shop.orders") == ((1,),)

    @pytest.mark.parametrize(
        ("line", "words"),
        [
            ("wsrep_on=OFF", "wsrep_on is OFF: set wsrep_on=ON in "),
            ("wsrep_provider=none", "wsrep_provider is not set: name Galera's library in "),
            ("wsrep_provider=/nowhere.so", "wsrep_provider=/nowhere.so: no such library"),
        ],
        ids=["switched off", "no provider", "a provider that is not there"],
    )
    def test_a_server_that_would_not_replicate_is_never_started(self, filled: Resource, line: str, words: str) -> None:
        before = filled.error_log_text()
        filled.configure(line)
        begun = filled.call("start")
        assert begun.code == 5
        assert begun.reason.startswith(words)
        assert filled.call("validate-all", level=10).reason.startswith(words)
        assert filled.server_pids() == []
        assert filled.error_log_text() == before
        assert filled.call("stop").code == 0
        filled.configure()
        assert filled.call("start").code == 0
        assert filled.sql("SELECT id FROM shop.orders") == ((1,),)

    def test_an_option_that_was_changed_while_it_waited_is_seen_before_the_launch(self, filled: Resource) -> None:
        whole = damage(filled)
        assert filled.call("start").code == 0
        await_code(filled, 190)
        filled.configure("wsrep_on=OFF")
        (filled.datadir / "ib_logfile0").write_bytes(whole)
        wait_until(lambda: filled.run_file("keeper.json")["phase"] == "failed", 60, "it gives up")
        assert "wsrep_on is OFF" in filled.run_file("keeper.json")["reason"]
        assert filled.server_pids() == []

    @pytest.mark.parametrize("how", ["--wsrep-on=OFF", "--wsrep-provider=none"])
    def test_a_server_that_was_seen_without_replication_leaves_its_data_in_doubt(
        self, filled: Resource, how: str
    ) -> None:
        run_by_hand(filled, how)
        wait_until(lambda: query(filled, "INSERT INTO shop.orders VALUES (2)").code == 0, 30, "it takes writes")
        [pid] = filled.server_pids()
        assert filled.call("start").code == 0
        seen = await_code(filled, 190, 30)
        wait_until(lambda: "runs without replication" in filled.monitor().reason, 30, "monitor says so")
        assert filled.server_pids() == [pid]  # a person started it: the keeper does not end it
        record = json.loads((filled.datadir / "xha-node.json").read_text())
        assert record["inconsistent"] is True, seen
        assert filled.call("stop").code == 0
        assert filled.call("start").code == 0
        seen = await_code(filled, 190, 30)
        wait_until(lambda: filled.run_file("keeper.json")["phase"] == "refusing", 30, "a person has to decide")
        assert "ran without replication" in filled.run_file("keeper.json")["reason"]
        assert "found inconsistent" in filled.monitor().reason
        assert filled.server_pids() == []
        # With such a state Galera requests a full copy, and never only what is missing.
        assert "00000000-0000-0000-0000-000000000000" in (filled.datadir / "grastate.dat").read_text()
