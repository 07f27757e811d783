"""The file of the availability ledger, and the thread that writes it: full, broken off, held, and not there."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopback import wait_until
from xha.adapters.history import ledger_file
from xha.adapters.history.ledger_file import LedgerFile, read_ledger_text
from xha.app.node.reader import Snapshot
from xha.app.responder import ledger
from xha.app.responder.ledger import Ledger
from xha.core.cluster.history.ledger_lines import MARK_BYTES, TOLD_BYTES, LedgerLine, LineKind, NodeState
from xha.core.cluster.history.timeline import LINES_LOST, NOBODY_ASKED, parse_ledger
from xha.core.config.xha_conf import Config
from xha.core.node.verdict import Code, Unreadable, judge

UP, DOWN = NodeState(True, "synced"), NodeState(False, "server-down")
WAIT = 20.0


def state(mono: float, one: NodeState = UP) -> LedgerLine:
    return LedgerLine(LineKind.STATE, mono, mono, state=one)


def mark(mono: float) -> LedgerLine:
    return LedgerLine(LineKind.MARK, mono, mono)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history"


def test_a_mark_is_overwritten_in_place(path: Path) -> None:
    file = LedgerFile(str(path))
    file.append([state(1)], mark(1))
    size = path.stat().st_size
    for second in range(2, 50):
        file.append([], mark(second))
    assert path.stat().st_size == size
    file.append([state(50, DOWN)], mark(50))
    assert path.read_text().count('"mark"') == 1
    assert [one.state for one in parse_ledger(path.read_text(), "a").spans] == [UP, DOWN]
    assert file.tail == path.read_text()


def test_a_full_file_keeps_its_newest_half_and_the_lock(path: Path) -> None:
    file = LedgerFile(str(path), 8192)
    for second in range(1000):
        file.append([state(second, UP if second % 2 else DOWN)], mark(second))
        assert path.stat().st_size <= 8192 + 2 * MARK_BYTES + 200
    history = parse_ledger(path.read_text(), "a")
    assert history.unreadable == 0
    assert history.spans[-1].end == 999
    with pytest.raises(OSError, match="another responder writes it"):
        LedgerFile(str(path), 8192)


def test_what_is_told_to_others_is_bounded(path: Path) -> None:
    file = LedgerFile(str(path))
    for second in range(2000):
        file.append([state(second, UP if second % 2 else DOWN)], mark(second))
    assert len(file.tail) <= TOLD_BYTES
    assert parse_ledger(file.tail, "a").unreadable == 0
    assert file.tail == path.read_text()[-len(file.tail) :]


def test_a_line_that_was_broken_off_costs_only_itself(path: Path) -> None:
    path.write_text('{"kind": "run", "at": 1, "mono": 1, "run": "a"}\n{"kind": "sta')
    file = LedgerFile(str(path))
    file.append([LedgerLine(LineKind.RUN, 5, 5, run="b"), state(5)], mark(6))
    history = parse_ledger(path.read_text(), "a")
    assert (history.unreadable, history.runs) == (1, {"a", "b"})
    assert (history.spans[-1].state, history.spans[-1].end) == (UP, 6)


@pytest.mark.parametrize("kind", ["a FIFO", "a directory", "a link", "the directory is absent"])
def test_what_is_no_file_is_an_error(path: Path, kind: str) -> None:
    if kind == "a FIFO":
        os.mkfifo(path)
    elif kind == "a directory":
        path.mkdir()
    elif kind == "a link":
        path.symlink_to("/etc/passwd")
    else:
        path = path / "absent"
    with pytest.raises(OSError):  # noqa: PT011 - any errno; no wait, and nothing opened
        LedgerFile(str(path))


def test_every_account_may_read_it_and_another_accounts_word_does_not_count(path: Path) -> None:
    LedgerFile(str(path)).append([state(1)], mark(1))
    assert path.stat().st_mode & 0o777 == 0o644
    assert read_ledger_text(str(path))
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534)
        with pytest.raises(OSError, match="belongs to uid 65534"):
            read_ledger_text(str(path))


class Disk:
    """Stands in for the file, because a disk that hangs for as long as a test wants cannot be made for real."""

    def __init__(self) -> None:
        self.works = threading.Event()
        self.lines: list[LedgerLine] = []
        self.tail = ""

    def __call__(self, _: str) -> Disk:
        return self

    def append(self, lines: list[LedgerLine], mark: LedgerLine) -> None:
        self.works.wait(WAIT)
        self.lines = [*[line for line in self.lines if line.kind is not LineKind.MARK], *lines, mark]

    def close(self) -> None:
        pass

    def text(self) -> str:
        from xha.core.cluster.history.ledger_lines import render_ledger_line

        return "".join(f"{render_ledger_line(line)}\n" for line in self.lines)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    made = Disk()
    monkeypatch.setattr(ledger_file, "LedgerFile", made)
    yield made
    made.works.set()


def seen(code: Code) -> Snapshot:
    config, reading = Config(), Unreadable(code)
    return Snapshot(reading, judge(reading, config.policy), config, 0.0)


def test_a_disk_that_hangs_delays_nothing_and_what_did_not_fit_is_unknown(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "_MOST_WAITING", 10)
    kept = Ledger(print)
    kept.note(seen(Code.HUNG), 0.0)
    for second in range(1, 101):  # returns at once each time, or this test would not end
        kept.note(seen(Code.SERVER_DOWN if second % 2 else Code.HUNG), float(second))
    disk.works.set()
    wait_until(lambda: disk.lines and disk.lines[-1].mono >= 100, WAIT, "it is written")
    spans = parse_ledger(disk.text(), "a").spans
    assert LINES_LOST in [one.cause for one in spans]
    assert spans[-1].state == NodeState(False, "hung")
    assert len(disk.lines) < 20


def test_a_pause_of_the_clients_is_a_time_in_which_nobody_asked(disk: Disk) -> None:
    disk.works.set()
    kept = Ledger(print)
    for second in (0.0, 10.0, 100.0, 105.0):
        kept.note(seen(Code.SERVER_DOWN), second)
    wait_until(lambda: disk.lines and disk.lines[-1].mono >= 100, WAIT, "it is written")
    known = [(one.end - one.start, one.cause) for one in parse_ledger(disk.text(), "a").spans]
    assert known[1] == (pytest.approx(90), NOBODY_ASKED)
    assert kept.since is None
