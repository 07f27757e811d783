"""What a server wrote about leaving its group: it names the files, and a resident process reads them every second."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from security import stalled
from xha.adapters.mysqld.departure import read_departure
from xha.core.galera.reading import Departure, Reading, Variables, WsrepStatus

STATUS = json.dumps(
    {
        "timestamp": 1.0,
        "errors": [{"timestamp": 1.0, "msg": "this node has been evicted"}],
        "status": {"state": "DISCONNECTED", "comment": "Disconnected", "progress": -1.0},
    }
)
EVICTED = "2026-01-01  1:00:00 0 [ERROR] WSREP: this node has been evicted out of the cluster"


@pytest.fixture
def _without_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the responder, which is not root: the files are read in its own process."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


def look(datadir: object, log_error: str) -> Departure | None:
    variables = Variables(datadir=str(datadir), log_error=log_error, wsrep_status_file="none")
    return read_departure(Reading(variables=variables), "root")


WITHOUT_RIGHTS = pytest.mark.usefixtures("_without_rights")


@WITHOUT_RIGHTS
@pytest.mark.parametrize("name", ["error.log", "fifo"])
def test_reading_what_the_server_wrote_leaves_no_file_open(tmp_path: Path, name: str) -> None:
    (tmp_path / "error.log").write_text(EVICTED + "\n")
    os.mkfifo(tmp_path / "fifo")
    look(tmp_path, name)
    before = os.listdir("/proc/self/fd")
    for _ in range(20):
        assert (look(tmp_path, name) is not None) == (name == "error.log")
    assert len(os.listdir("/proc/self/fd")) == len(before)


@WITHOUT_RIGHTS
@pytest.mark.parametrize("name", ["a\0b", "/a\0b", "\ud800"])
def test_a_name_that_no_file_can_have_is_nothing_that_was_read(tmp_path: Path, name: str) -> None:
    assert look(tmp_path, name) is None
    assert look(f"{tmp_path}{name}", "error.log") is None


@WITHOUT_RIGHTS
@pytest.mark.parametrize(
    ("age", "uptime", "wrote"), [(50, 60, True), (60, 60, True), (70, 60, False), (50, None, False), (0, 0, True)]
)
def test_what_an_earlier_server_wrote_of_itself_says_nothing_of_this_one(
    tmp_path: Path, age: int, uptime: int | None, wrote: bool
) -> None:
    """One that cannot replace the file says so in its log, and goes on; the file may be a crash's, of last week."""
    (tmp_path / "status.json").write_text(STATUS)
    os.utime(tmp_path / "status.json", (time.time() - age, time.time() - age))
    variables = Variables(datadir=str(tmp_path), wsrep_status_file="status.json", log_error="error.log")
    found = read_departure(Reading(WsrepStatus(uptime=uptime), variables), "root")
    assert found == (Departure(True, "this node has been evicted") if wrote else None)


@pytest.mark.skipif(os.geteuid() != 0, reason="not root")
def test_files_that_never_answer_take_no_longer_than_a_reading() -> None:
    """A keeper, a monitor and clustercheck wait for them: for 5 s each before."""
    point = tempfile.mkdtemp(prefix="xha-departure-")
    words = [sys.executable, stalled.__file__, point]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as mount:
        assert mount.stdin is not None
        assert mount.stdout is not None
        try:
            assert mount.stdout.readline() == b"ready\n"
            mount.stdin.write(b"\n")
            mount.stdin.flush()
            variables = Variables(datadir=point, wsrep_status_file="status.json", log_error="error.log")
            began = time.monotonic()
            assert read_departure(Reading(WsrepStatus(uptime=60), variables), "mysql") is None
            assert 1 <= time.monotonic() - began < 6
        finally:
            mount.stdin.close()
            subprocess.run(["umount", "--lazy", point], check=False)
    os.rmdir(point)
