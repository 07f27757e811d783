"""What a server wrote about leaving its group: it names the files, and a resident process reads them every second."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xha.adapters.mysqld.departure import read_departure
from xha.core.galera.reading import Departure, Variables

EVICTED = "2026-01-01  1:00:00 0 [ERROR] WSREP: this node has been evicted out of the cluster"


@pytest.fixture(autouse=True)
def _without_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the responder, which is not root: the files are read in its own process."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


def look(datadir: object, log_error: str) -> Departure | None:
    return read_departure(Variables(datadir=str(datadir), log_error=log_error, wsrep_status_file="none"), "root")


@pytest.mark.parametrize("name", ["error.log", "fifo"])
def test_reading_what_the_server_wrote_leaves_no_file_open(tmp_path: Path, name: str) -> None:
    (tmp_path / "error.log").write_text(EVICTED + "\n")
    os.mkfifo(tmp_path / "fifo")
    look(tmp_path, name)
    before = os.listdir("/proc/self/fd")
    for _ in range(20):
        assert (look(tmp_path, name) is not None) == (name == "error.log")
    assert len(os.listdir("/proc/self/fd")) == len(before)


@pytest.mark.parametrize("name", ["a\0b", "/a\0b", "\ud800"])
def test_a_name_that_no_file_can_have_is_nothing_that_was_read(tmp_path: Path, name: str) -> None:
    assert look(tmp_path, name) is None
    assert look(f"{tmp_path}{name}", "error.log") is None
