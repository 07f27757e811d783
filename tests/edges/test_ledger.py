"""The file of the availability ledger, and the thread that writes it: full, broken off, held, and not there."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopback import wait_until
from xha.adapters.history.ledger_file import LedgerFile, read_ledger_text
from xha.app.cluster.histories import gather_history
from xha.app.node.reader import Snapshot
from xha.app.responder import ledger
from xha.app.responder.ledger import Ledger
from xha.core.cluster.history.ledger_lines import MARK_BYTES, MAX_BYTES, TOLD_BYTES, LedgerLine, LineKind, NodeState
from xha.core.cluster.history.report import history_exit_code
from xha.core.cluster.history.timeline import LINES_LOST, NOBODY_ASKED, SUSPENDED, parse_ledger
from xha.core.config.xha_conf import Config, parse_config
from xha.core.galera.reading import Reading, Variables, WsrepStatus
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
    file.append([LedgerLine(LineKind.MEMBERS, 0, 0, node="a", members=("a", "b"))], mark(0))
    for second in range(1000):
        file.append([state(second, UP if second % 2 else DOWN)], mark(second))
        assert path.stat().st_size <= 8192 + 2 * MARK_BYTES + 200
    history = parse_ledger(path.read_text(), "a")
    assert history.unreadable == 0
    assert history.spans[-1].end == 999
    assert history.members_since(998) == ("a", "b")  # told once, at the begin
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
    assert (history.unreadable, history.run) == (1, "b")
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


def test_a_file_above_the_limit_is_set_aside_once_and_the_history_goes_on(path: Path) -> None:
    path.write_text("rubbish\n" * 4000)
    file = LedgerFile(str(path), 8192)
    file.append([state(1)], mark(1))
    assert (file.set_aside, Path(file.set_aside).stat().st_size) == (f"{path}.aside", 32000)
    assert [one.state for one in parse_ledger(read_ledger_text(str(path)), "a").spans] == [UP]
    with pytest.raises(OSError, match="another responder writes it"):
        LedgerFile(str(path), 8192)
    file.close()
    assert LedgerFile(str(path), 8192).set_aside == ""


def test_that_a_file_was_set_aside_is_logged(path: Path) -> None:
    path.write_text("\n" * (2 * MAX_BYTES + 1))
    said: list[str] = []
    kept = Ledger(said.append)
    one = seen(Code.HUNG)
    responder = one.config.responder._replace(history_file=str(path))
    kept.note(one._replace(config=one.config._replace(responder=responder)), 0.0)
    wait_until(lambda: path.exists() and "hung" in path.read_text(), WAIT, "it is written")
    assert said == [f"{path}: is too large to be a history: it is {path}.aside now, and a new one begins"]


REMEDIES = {
    "a link": "name the file itself, and no link, in history_file of [responder]",
    "a FIFO": "move it away: the responder makes a new one",
    "a directory": "move it away: the responder makes a new one",
    "too large": "restart xha-responder: it sets the file aside, and begins a new one",
    "of another account": "find out who put it there; move it away: the responder makes a new one",
    "no line of a history": "move the file away: it is no history, and the responder makes a new one",
}


@pytest.mark.parametrize("kind", REMEDIES)
def test_what_xha_check_says_is_to_be_done_about_a_file_that_it_cannot_read(path: Path, kind: str) -> None:
    if kind == "a FIFO":
        os.mkfifo(path)
    elif kind == "a directory":
        path.mkdir()
    elif kind == "a link":
        path.symlink_to("/etc/passwd")
    elif kind == "too large":
        path.write_text("\n" * (2 * MAX_BYTES + 1))
    else:
        path.write_text("rubbish\n")
    if kind == "of another account":
        if os.geteuid() != 0:
            pytest.skip("not root: nobody else's file can be made")
        os.chown(path, 65534, 65534)
    view = gather_history(parse_config(f"[responder]\nhistory_file = {path}\n", "xha.conf"), 3600)
    assert (view.nodes[0].remedy, view.nodes[0].totals.up) == (REMEDIES[kind], 0)
    assert view.nodes[0].cause
    assert history_exit_code(view) == 3


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
        self.tail = self.set_aside = ""

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
    monkeypatch.setattr(ledger, "LedgerFile", made)
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


def test_the_leap_of_a_suspended_host_is_not_known_and_what_was_before_keeps_its_time(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clocks stand in for a host that is suspended: a test cannot suspend the one that it runs on."""
    disk.works.set()
    kept = Ledger(print)
    for mono, at in ((0.0, 1000.0), (10.0, 1010.0), (20.0, 1020.0), (21.0, 4621.0), (31.0, 4631.0)):
        with monkeypatch.context() as clocks:
            clocks.setattr(time, "time", lambda at=at: at)
            kept.note(seen(Code.HUNG if mono == 0.0 else Code.SERVER_DOWN), mono)
    wait_until(lambda: disk.lines and disk.lines[-1].mono >= 31, WAIT, "it is written")
    told = [
        (one.start, one.end, one.state.code if one.state else one.cause) for one in parse_ledger(disk.text(), "a").spans
    ]
    assert told == [
        (1000, 1010, "hung"),
        (1010, 1020, "server-down"),
        (1020, 4621, SUSPENDED),
        (4621, 4631, "server-down"),
    ]


def test_a_pause_of_the_clients_is_a_time_in_which_nobody_asked(disk: Disk) -> None:
    disk.works.set()
    kept = Ledger(print)
    for second in (0.0, 10.0, 100.0, 105.0):
        kept.note(seen(Code.SERVER_DOWN), second)
    wait_until(lambda: disk.lines and disk.lines[-1].mono >= 100, WAIT, "it is written")
    known = [(one.end - one.start, one.cause) for one in parse_ledger(disk.text(), "a").spans]
    assert known[1] == (pytest.approx(90), NOBODY_ASKED)
    assert kept.since is None


def test_a_server_without_a_port_in_its_options_names_all_members(disk: Disk) -> None:
    """MariaDB 10.11 and 11.8 list ADDRESS:0 then. A member that is not known would be taken for none."""
    disk.works.set()
    config = Config()
    reading = Reading(
        WsrepStatus(wsrep_incoming_addresses="192.0.2.6:0,192.0.2.7:0,AUTO"),
        Variables(wsrep_cluster_address="gcomm://192.0.2.6,192.0.2.7,192.0.2.8", wsrep_node_name="a"),
    )
    Ledger(print).note(Snapshot(reading, judge(reading, config.policy), config, 0.0), 0.0)
    wait_until(lambda: disk.lines, WAIT, "it is written")
    assert parse_ledger(disk.text(), "a").members_since(0) == ("192.0.2.6", "192.0.2.7", "192.0.2.8")
