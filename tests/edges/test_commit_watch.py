"""What the responder remembers of commits, and no longer believes: with a stand-in for the probe's connection."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from core.facts import synced
from loopback import wait_until
from xha.adapters.mysql import commit_probe
from xha.adapters.mysql.login_target import Target
from xha.adapters.mysql.session import ReadError
from xha.app.node import commit_watch
from xha.app.node.commit_watch import CommitWatch
from xha.core.config.xha_conf import Config, Database, ProbeSwitch
from xha.core.galera.reading import Working
from xha.core.node.codes import Code
from xha.core.node.verdict import Unreadable
from xha.core.text.values import ConfigError

READING = synced(
    wsrep_gcomm_uuid="a",
    wsrep_node_name="n",
    wsrep_last_committed=755,
    wsrep_local_commits=1,
    wsrep_replicated=5,
    wsrep_replicated_bytes=500,
    wsrep_received=9,
    wsrep_received_bytes=900,
    wsrep_cluster_size=1,
    wsrep_flow_control_active=False,
    wsrep_flow_control_requested=False,
    innodb_data_written=4,
    working=Working(),
)
CONFIG = Config()._replace(responder=Config().responder._replace(commit_file=None))
LATE = 30.0


class Server:
    """A stand-in for the probe's connection: what it is told to do, it does."""

    def __init__(self) -> None:
        self.is_open, self.error, self.written, self.lock_seconds = True, 0, 0, 0.0
        self.answers = threading.Event()
        self.answers.set()

    def __call__(self, _: Target) -> Server:
        self.is_open = True
        return self

    def find_outstanding(self) -> None:
        return None

    def check_table(self) -> None:
        pass

    def count_ordered(self) -> int:
        return 4

    def write(self, _: str) -> None:
        self.written += 1
        self.answers.wait(LATE)
        if self.error:
            raise ReadError(Unreadable(Code.REFUSED, f"error {self.error}"), self.error)

    def close(self) -> None:
        self.is_open = False


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    server = Server()
    monkeypatch.setattr(commit_probe, "CommitProbe", server)
    return server


def make_watch(resolve: Any = lambda _: None) -> CommitWatch:
    return CommitWatch(resolve, lambda _: None)


def look(watch: CommitWatch, config: Config = CONFIG, **changes: Any) -> Any:
    watch.begin()
    return watch.note(READING._replace(status=READING.status._replace(**changes)), config, False, True)


def test_a_failure_is_not_believed_after_a_rest(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks once a minute would else be told each time what held a minute ago."""
    monkeypatch.setattr(commit_watch, "_ASKED_SECONDS", 0.5)
    monkeypatch.setattr(commit_watch, "_FAILED_SECONDS", 2.0)
    watch, server.error = make_watch(), 1114
    wait_until(lambda: look(watch).code is Code.CANNOT_COMMIT, LATE, "it has failed")
    time.sleep(4)
    server.answers.clear()  # nothing new is known at the first reading
    commits = look(watch)
    assert commits.code is None
    assert "too old" in commits.unknown
    server.answers.set()


def test_a_failure_after_which_a_write_hangs_stays_one(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit_watch, "_FAILED_SECONDS", 2.0)
    watch, server.error = make_watch(), 1114
    wait_until(lambda: look(watch).code is Code.CANNOT_COMMIT, LATE, "it has failed")
    server.answers.clear()
    ends = time.monotonic() + 5
    while time.monotonic() < ends:
        assert look(watch).code is Code.CANNOT_COMMIT
        time.sleep(0.1)
    assert "a commit waits since" in look(watch).detail
    server.error = 0
    server.answers.set()
    wait_until(lambda: look(watch).code is None, LATE, "it commits")


def test_a_server_that_waits_for_a_lock_for_a_second_is_given_that_time(server: Server) -> None:
    """MySQL has no lock_wait_timeout of 0: a lock on the probe's table would be a late commit."""
    watch, server.lock_seconds = make_watch(), 2.0
    server.answers.clear()
    wait_until(lambda: look(watch).code is Code.CANNOT_COMMIT, LATE, "it is late")
    assert float(look(watch).detail.split()[-2]) > 2.5
    server.answers.set()


def test_disks_that_nobody_asked_about_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit_watch, "_ASKED_SECONDS", 0.5)
    monkeypatch.setattr(commit_watch, "_DISKS_SECONDS", 2.0)
    off = CONFIG._replace(database=Database(commit_probe=ProbeSwitch.OFF))
    watch = make_watch()
    reading = READING._replace(variables=READING.variables._replace(datadir=str(tmp_path)))
    wait_until(lambda: watch.note(reading, off, False, True).rooms, LATE, "the disks are examined")
    time.sleep(4)
    commits = watch.note(reading, off, False, True)
    assert commits.warnings == ()
    assert commits.rooms == (), "what was seen long ago is not told as of now"


def test_a_configuration_that_is_broken_since_leaves_nothing_known(server: Server) -> None:
    broken: list[str] = []

    def resolve(_: Database) -> Any:
        if broken:
            raise ConfigError(broken[0])

    watch, server.error = make_watch(resolve), 1114
    wait_until(lambda: look(watch).code is Code.CANNOT_COMMIT, LATE, "it has failed")
    broken.append("client.cnf: permission denied")
    server.is_open = False
    wait_until(lambda: "client.cnf" in look(watch).unknown, LATE, "it says why nothing is known")
    assert look(watch).code is None


def test_a_stall_is_told_however_long_it_has_to_last_and_however_many_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    off = CONFIG._replace(
        database=Database(commit_probe=ProbeSwitch.OFF), responder=CONFIG.responder._replace(stall_after=20.0)
    )
    watch, now = make_watch(), 1000.0
    monkeypatch.setattr(watch, "_start", lambda: None)
    monkeypatch.setattr(commit_watch.time, "monotonic", lambda: now)
    codes = []
    for _ in range(3000):  # a hundred readings a second
        now += 0.01
        asked = {"wsrep_flow_control_requested": True, "wsrep_flow_control_active": True, "wsrep_local_recv_queue": 29}
        codes.append(look(watch, off, **asked).code)
    assert codes[1800] is None
    assert set(codes[2010:]) == {Code.STALLING}


@pytest.mark.parametrize(
    ("errno", "said", "fails"),
    [
        (1114, "The table 'canary' is full", True),
        (1021, "Disk full (/srv/log); waiting for someone to free some space...", True),
        (1030, 'Got error 28 "No space left on device" from storage engine InnoDB', True),
        (1030, 'Got error 122 "Disk quota exceeded" from storage engine InnoDB', True),
        (1030, 'Got error 1228 "unknown" from storage engine InnoDB', False),
        (1030, "/srv/28/mysqld.sock: Got error 5 from storage engine InnoDB", False),
        (1146, "Table 'xha.canary' doesn't exist (error 28)", False),
    ],
)
def test_what_says_that_the_row_cannot_be_stored(errno: int, said: str, fails: bool) -> None:
    assert commit_probe.cannot_store(errno, said) is fails
