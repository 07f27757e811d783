"""What a keeper sees of its own server, with a process and an error log that a test describes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from core.facts import synced
from xha.app.keeper import local_server as module
from xha.app.keeper.local_server import Installed, LocalServer
from xha.core.galera.error_log import is_permanent
from xha.core.galera.known_servers import ServerProcess
from xha.core.keeper.memory import Launched, Memory
from xha.core.monitor.keeper_status import Phase
from xha.core.node.verdict import Code, Policy, Unreadable, judge
from xha.core.ocf.galera_settings import Settings

RUNS = SimpleNamespace(pid=1, started=1, stopped=False)
LEFT = synced(wsrep_cluster_status="Disconnected", wsrep_local_state=0)
HUNG = judge(Unreadable(Code.HUNG), Policy())
JOINING = Memory(server=ServerProcess(1, 1), launched=Launched(Phase.STARTING, 5.0), reading=LEFT, answered_at=50.0)

# What stands in for the file that a server writes of itself: its signature now.
TOLD = [(1, 2, 3)]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> LocalServer:
    """A server that does not answer, and has complained."""
    reader = SimpleNamespace(take=lambda: SimpleNamespace(verdict=HUNG, reading=None), close=lambda: None)
    monkeypatch.setattr(module, "make_reader", lambda *_: reader)
    monkeypatch.setattr(module, "KnownServers", lambda *_: SimpleNamespace(search=SimpleNamespace(trust=None)))
    monkeypatch.setattr(module, "look", lambda *_: RUNS)
    monkeypatch.setattr(module, "find_transfer", lambda *_: None)
    monkeypatch.setattr(module, "read_log", lambda *_: "[ERROR] WSREP: unknown variable\n")
    program: Any = SimpleNamespace(socket="", account=None, log="/log")
    quiet: Any = SimpleNamespace(run=SimpleNamespace(status_signature=lambda _: TOLD[-1]), drain=lambda: None)
    return LocalServer(Settings(), Installed(program, quiet), quiet, quiet)


@pytest.mark.parametrize("asked_at", [50.0, 59.0])
def test_what_it_complained_of_is_read_also_where_it_falls_silent_behind_its_group(
    server: LocalServer, asked_at: float
) -> None:
    """A keeper that gives up the join goes by it: some complaints come back until somebody mends something."""
    seen = server.see(JOINING._replace(asked_at=asked_at), "A", 60.0)
    assert seen.asked is (asked_at == 50.0)
    assert seen.errors == ("[ERROR] WSREP: unknown variable",)


def test_errors_that_may_be_an_earlier_start_s_are_not_this_one_s(server: LocalServer) -> None:
    """Nobody could see where the log ended when the server was launched: some errors end all further attempts."""
    launched = Launched(Phase.STARTING, 5.0, log_from=None)
    seen = server.see(JOINING._replace(launched=launched, asked_at=50.0), "A", 60.0)
    assert seen.errors == ("its error log /log could not be examined when it was started",)
    assert not is_permanent(seen.errors)


def test_the_log_of_a_server_in_its_group_is_left_alone(server: LocalServer) -> None:
    assert server.see(JOINING._replace(reading=synced(), asked_at=50.0), "A", 60.0).errors == ()


def test_a_rest_ends_where_the_server_has_another_word_or_is_gone(
    server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = server.see(JOINING._replace(reading=synced(), asked_at=50.0), "A", 60.0)
    assert seen.told == TOLD[-1]
    assert not server.has_changed(seen)
    assert not server.has_changed(None)
    assert server.has_changed(seen._replace(told=()))
    monkeypatch.setattr(module, "look", lambda *_: None)
    assert server.has_changed(seen)
    monkeypatch.setattr(module, "look", fail)
    assert not server.has_changed(seen)  # it could not be told: the next look tells


def fail(*_: object) -> None:
    raise OSError
