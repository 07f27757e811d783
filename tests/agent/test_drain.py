"""The time that a drain takes, by a clock of the test's own. tests/responder/test_drained_stop.py has a real one."""

from __future__ import annotations

import pytest

from xha.app.agent import drain
from xha.core.node.drain_rule import Answers, ClientSeen, ResponderView
from xha.core.ocf.api import Instance
from xha.core.ocf.galera_settings import Settings

PER_STATEMENT = 2.0


class Clock:
    """Stands for the module time."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    time = monotonic

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class FrozenClients:
    """Stands for a server that has told who is connected, and answers nothing since: that cannot be timed for real."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._looked = False

    def look(self) -> tuple[ClientSeen, ...] | None:
        if self._looked:
            self._clock.now += PER_STATEMENT
            return None
        self._looked = True
        return tuple(ClientSeen(number, 60.0) for number in range(500))

    def close_connection(self, number: int) -> bool:
        self._clock.now += PER_STATEMENT
        return False

    def close(self) -> None:
        pass


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A drain that sees and writes nothing of this host, and all of whose balancers have taken the node out."""
    clock = Clock()
    monkeypatch.setattr(drain, "time", clock)
    monkeypatch.setattr(drain, "Clients", lambda _: FrozenClients(clock))
    monkeypatch.setattr(drain, "own_target", lambda *_: None)
    monkeypatch.setattr(drain, "read_withdrawal", lambda _: None)
    monkeypatch.setattr(drain, "write_withdrawal", lambda *_: None)
    told = ResponderView(serves=True, datadir="", answers=Answers(done=True))
    monkeypatch.setattr(drain._Drain, "_ask", lambda _: told)
    return clock


def test_a_server_that_freezes_while_idle_connections_are_closed_delays_the_stop_no_longer_than_was_said(
    clock: Clock,
) -> None:
    work = drain._Drain(Settings(drain_timeout=15.0, socket="/s"), Instance("db", timeout=60.0), "", clock.now)
    said = work.run()
    assert said.startswith("the time is over (15 s)")
    assert clock.now - 1000.0 <= 15.0 + 2 * PER_STATEMENT


def test_what_it_takes_to_find_the_server_and_to_ask_pacemaker_is_a_part_of_the_time(clock: Clock) -> None:
    begun = clock.now
    clock.sleep(12.0)
    work = drain._Drain(Settings(drain_timeout=15.0, socket="/s"), Instance("db", timeout=60.0), "", begun)
    work.run()
    assert clock.now - begun <= 15.0 + 2 * PER_STATEMENT
