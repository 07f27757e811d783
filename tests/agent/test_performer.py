"""What the performer knows of the step's values: all of them, by name."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import pytest

from xha.adapters.files.agent_rundir import RunDir
from xha.adapters.pacemaker.failure_claims import claim_failure
from xha.adapters.pacemaker.tools import ClusterUnreachable
from xha.app.keeper.performer import Performer
from xha.core.keeper.effects import Act, Effect, LogLine, TellFailure
from xha.core.keeper.outcomes import Done, EffectFailed, FailureCause
from xha.core.ocf.galera_settings import Settings
from xha.core.pacemaker.guards import Guard
from xha.core.pacemaker.telling import FailureClaim


class Unheard:
    """A guard that somebody adds and does not teach the performer."""


@pytest.fixture
def performer() -> Performer:
    """One that can do nothing: each thing that it asks for is there, and does not work."""
    peers = SimpleNamespace(
        cluster=None, resource="db", me="A", read_cib=lambda: SimpleNamespace(book=SimpleNamespace(records=EMPTY))
    )
    nothing: Any = SimpleNamespace(directory=None, run=None, note=lambda doing, error: f"{doing}: {error}")
    nothing.count = lambda results, decision: None
    return Performer(nothing, nothing, peers, nothing, nothing, nothing, nothing)  # type: ignore[arg-type]


EMPTY = SimpleNamespace(token=None)


def test_every_act_is_known(performer: Performer) -> None:
    assert set(performer._acts) == set(get_args(Act))


def test_a_guard_that_is_not_known_never_holds(performer: Performer) -> None:
    guard: Any = Unheard()
    [result] = performer.perform((Effect(LogLine("x"), (guard,)),), Settings())
    assert isinstance(result.outcome, EffectFailed)
    assert result.outcome.cause is FailureCause.UNFORESEEN
    assert not isinstance(guard, get_args(Guard))


class Teller:
    """Pacemaker's tool, as far as it is asked here: it cannot be made to fail by a real one."""

    def __init__(self, error: str = "") -> None:
        self.error, self.told = error, 0

    def tell_failure(self, resource: str, node: str) -> None:
        assert (resource, node) == ("db", "A")
        self.told += 1
        if self.error:
            raise ClusterUnreachable(self.error)


def make_teller(run: RunDir, error: str = "") -> tuple[Teller, Performer]:
    teller, data = Teller(error), SimpleNamespace(directory=None, run=run)
    peers: Any = SimpleNamespace(cluster=teller, resource="db", me="A")
    nothing: Any = SimpleNamespace(count=lambda results, decision: None)
    attributes = ("void_token", "write_records", "delete_stop", "forget_degraded", "take_token")
    for name in attributes:
        setattr(teller, name, None)
    return teller, Performer(nothing, data, peers, nothing, nothing, nothing, nothing)  # type: ignore[arg-type]


def tell(performer: Performer) -> object:
    [result] = performer.perform((Effect(TellFailure("7.1")),), Settings())
    assert isinstance(result.outcome, Done)
    return result.outcome.value


def test_pacemaker_is_told_once_whoever_sees_it(tmp_path: Path) -> None:
    run = RunDir("db", str(tmp_path))
    teller, performer = make_teller(run)
    assert tell(performer) == ""
    assert "has told already" in str(tell(performer))
    assert teller.told == 1


def test_a_monitor_that_was_quicker_has_told_it(tmp_path: Path) -> None:
    run = RunDir("db", str(tmp_path))
    claim_failure(run, "7.1", FailureClaim(False, 1.0))
    teller, performer = make_teller(run)
    assert "has told already" in str(tell(performer))
    assert not teller.told


def test_a_tool_that_does_not_answer_is_not_believed(tmp_path: Path) -> None:
    """The next monitor tells it: nobody else claims to have done so."""
    run = RunDir("db", str(tmp_path))
    _, performer = make_teller(run, "crm_resource did not answer within 5 s")
    assert "could not be told at once (crm_resource did not answer within 5 s)" in str(tell(performer))
    monitor = FailureClaim(False, 2.0)
    assert claim_failure(run, "7.1", monitor) == monitor


def test_where_the_claim_cannot_be_made_the_monitor_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a security module forbids hard links: it fails again each time."""

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    teller, performer = make_teller(RunDir("db", str(tmp_path)))
    assert "could not be told at once (operation not permitted)" in str(tell(performer))
    assert not teller.told


def test_a_claim_that_cannot_be_read_is_another_s(tmp_path: Path) -> None:
    run = RunDir("db", str(tmp_path))
    run.make()
    Path(run.file("told-7.1")).write_text("torn")
    teller, performer = make_teller(run)
    assert "has told already" in str(tell(performer))
    assert not teller.told
