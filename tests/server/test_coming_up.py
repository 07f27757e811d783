"""A server that comes up is no server that is down, and none that ends: a real one, at each of these moments."""

from __future__ import annotations

import os
import signal

import pytest

from loopback import Net, wait_until
from loopback.server_root import server_user
from server.conftest import MakeServer
from server.machine import Server
from xha.adapters.datadir.coming_up import ComingUp, ComingUpWatch
from xha.adapters.datadir.joiner import Asked
from xha.adapters.host.login_name import server_uids
from xha.adapters.process.procfs import Process, look
from xha.app.node.host_evidence import HostEvidence
from xha.core.node.verdict import Code, Policy, Unreadable, judge

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="not root")

ACCOUNT = server_user() or "mysql"


@pytest.fixture
def waiting(make_server: MakeServer, net: Net) -> Server:
    """It finds nobody of its group, for which Galera gives it 30 s, and listens nowhere."""
    one = make_server(members=[net.address(97)])
    one.launch()
    wait_until(lambda: "gcomm" in log_of(one), 60, lambda: f"it looks for its group: {one.errors()}")
    return one


def log_of(one: Server) -> str:
    path = one.directory / "server.log"
    return path.read_text(errors="replace") if path.exists() else ""


def asked(one: Server) -> Asked:
    return Asked(one.socket, None, 3306, str(one.datadir))


def see(one: Server, watch: ComingUpWatch | None = None, answered_at: float | None = None) -> ComingUp | None:
    return (watch or ComingUpWatch()).look(asked(one), server_uids(ACCOUNT), ACCOUNT, answered_at)


def process_of(one: Server) -> Process:
    assert one.process is not None
    return one.process


def test_one_that_waits_for_its_group_is_coming_up(waiting: Server) -> None:
    seen = see(waiting)
    assert seen is not None, (waiting.lives(), waiting.errors())
    assert seen.sure, seen
    assert f"pid {process_of(waiting).pid}" in seen.text
    assert "comes up, by its error log" in seen.text


def test_a_reader_that_may_not_open_its_log_knows_by_the_last_answer_that_it_is_another_one(
    waiting: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xha.adapters.datadir.coming_up._by_log", lambda *_: None)
    after = see(waiting, answered_at=1.0)
    assert after is not None, (waiting.lives(), waiting.errors())
    assert after.sure, "it was started after the last answer"
    never, before = see(waiting), see(waiting, answered_at=1e12)
    for seen in (never, before):
        assert seen is not None, (waiting.lives(), waiting.errors())
        assert not seen.sure
        assert "whether it comes up or ends is not known: its error log cannot be read" in seen.text


def test_one_that_is_held_by_a_signal_does_nothing(waiting: Server) -> None:
    process = process_of(waiting)
    os.kill(process.pid, signal.SIGSTOP)
    wait_until(lambda: (found := look(process.pid, process.started)) is not None and found.stopped, 30, "it stands")
    assert see(waiting) is None


def test_one_that_has_written_nothing_for_long_is_not_known_to_come_up(
    waiting: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xha.adapters.datadir.coming_up.read_written_at", lambda *_: 1.0)
    seen = see(waiting)
    assert seen is not None, (waiting.lives(), waiting.errors())
    assert not seen.sure
    assert "comes up, by its error log, to which it wrote" in seen.text


def test_one_that_has_served_and_ends_is_none(make_server: MakeServer) -> None:
    one = make_server()
    process = one.form()
    seen = see(one)
    assert seen is not None, one.errors()
    assert not seen.sure, "it listens, and nobody asks this of it"
    assert "it ends" in seen.text
    os.kill(process.pid, signal.SIGKILL)
    wait_until(lambda: not one.lives(), 30, "it has ended")
    assert see(one) is None


@pytest.mark.parametrize(
    ("seen", "code", "live", "words"),
    [
        pytest.param(ComingUp("pid 7 comes up", sure=True), Code.STARTING, True, "pid 7 comes up", id="it comes up"),
        pytest.param(
            ComingUp("pid 7 runs; not known", sure=False), Code.SERVER_DOWN, False, "refused; pid 7 runs; not known",
            id="not known: what was seen stands beside what was asked",
        ),
        pytest.param(None, Code.SERVER_DOWN, False, "refused", id="no process"),
    ],
)  # fmt: skip
def test_what_the_doors_say(
    seen: ComingUp | None, code: Code, live: bool, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from xha.adapters.mysql.login_target import Target

    monkeypatch.setattr(ComingUpWatch, "look", lambda *_: seen)
    monkeypatch.setattr("xha.adapters.datadir.joiner.find_joiner", lambda *_: None)
    target = Target("xha", "", socket="/nowhere/mysqld.sock", server_uids=server_uids(ACCOUNT))
    told = HostEvidence().explain(Unreadable(Code.SERVER_DOWN, "refused"), target, ACCOUNT)
    verdict = judge(told, Policy())
    assert (verdict.code, verdict.live, verdict.available) == (code, live, False)
    assert verdict.message.endswith(words)
