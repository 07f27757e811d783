"""The responder's application between its loop and its reader: every probe gets an answer, however busy the loop is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.facts import synced
from loopback.doors import CHECKOUT
from xha.app.node.reader import ConfigFile, Snapshot
from xha.app.responder.application import ResponderApplication
from xha.core.config.xha_conf import Config
from xha.core.http.message import Request
from xha.core.node.verdict import Policy, judge

READY = Request("GET", "/ready")


class Loop:
    """A server loop, a reader and a log that only record their calls."""

    def __init__(self, application: ResponderApplication) -> None:
        self.asked, self.lines, self.answers = 0, [], []
        self.application, self.waiting, self.now = application, 0, 0.0

    def ask(self) -> None:
        self.asked += 1

    def answer_waiting(self) -> None:
        self.answers += [self.application.answer_waiting(READY, "127.0.0.1", self.now) for _ in range(self.waiting)]
        self.waiting = 0

    def info(self, text: str, **_: str) -> None:
        self.lines.append(text)

    warning = info

    def settle(self) -> None:
        """Nothing is withheld here."""


@pytest.fixture
def loop(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Loop:
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    config = tmp_path / "xha.conf"
    config.write_text("")
    made = Loop.__new__(Loop)
    application = ResponderApplication(ConfigFile(str(config)), made)  # type: ignore[arg-type]
    made.__init__(application)  # type: ignore[misc]
    application._server = application._reader = made  # type: ignore[assignment]
    return made


def probe(loop: Loop, now: float) -> bytes | None:
    loop.now = now
    answer = loop.application.answer(READY, "127.0.0.1", now)
    loop.waiting += answer is None
    return answer


def test_a_probe_that_comes_before_the_loop_has_ticked_finds_the_server_hung(loop: Loop) -> None:
    """The deadline passes while the loop serves others: the probe itself is the first to notice it."""
    assert probe(loop, 100.0) is None
    assert probe(loop, 100.5) is None
    answer = probe(loop, 101.2)
    assert answer is not None
    assert b"503 Service Unavailable" in answer
    assert b"hung 1200 ms" in answer
    assert [b"hung" in one for one in loop.answers] == [True, True]
    assert loop.waiting == 0


def test_the_loop_itself_answers_who_waits_when_the_reading_is_overdue(loop: Loop) -> None:
    assert probe(loop, 100.0) is None
    loop.now = 101.0
    loop.application.tick(100.9)
    assert not loop.answers
    loop.application.tick(101.0)
    assert [b"hung" in one for one in loop.answers] == [True]


def test_a_flood_of_probes_asks_once(loop: Loop) -> None:
    assert {probe(loop, 100.0 + n / 10_000) for n in range(1000)} == {None}
    assert loop.asked == 1


def test_a_finished_reading_answers_at_once(loop: Loop) -> None:
    assert probe(loop, 100.0) is None
    snapshot = Snapshot(synced(), judge(synced(), Policy()), Config(), 0.0)
    loop.application._freshness.finished(snapshot, answered=True)
    answer = probe(loop, 100.05)
    assert answer is not None
    assert b"synced 50 ms" in answer


READ_ONCE = """
import sys, time
from types import SimpleNamespace
sys.path.insert(0, sys.argv[1])
from xha.app.node.reader import ConfigFile
from xha.core.http.message import Request
from xha.app.responder.application import ResponderApplication

say = lambda text, **_: print(text)
log = SimpleNamespace(info=say, warning=say, settle=lambda: None)
application = ResponderApplication(ConfigFile(sys.argv[2]), log)
application.attach(SimpleNamespace(watch=lambda bell, collect: bell.setblocking(True), answer_waiting=lambda: None))
before = set(sys.modules)
application.answer(Request("GET", "/ready"), "127.0.0.1", time.monotonic())
application._collect()
print(*sorted(set(sys.modules) - before))
"""


def test_a_reading_imports_nothing_for_which_the_first_probe_would_wait(tmp_path: Path) -> None:
    config = tmp_path / "xha.conf"
    config.write_text(f"[database]\nsocket = {tmp_path}/mysqld.sock\n[responder]\nhistory_file = {tmp_path}/history\n")
    command = [sys.executable, "-I", "-c", READ_ONCE, str(CHECKOUT / "lib"), str(config)]
    told, imported, _ = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")
    assert "server-down" in told
    assert imported == ""
