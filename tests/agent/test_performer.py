"""What the performer knows of the step's values: all of them, by name."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, get_args

import pytest

from xha.app.keeper.performer import Performer
from xha.core.keeper.effects import Act, Effect, Guard, LogLine
from xha.core.keeper.outcomes import EffectFailed, FailureCause
from xha.core.ocf.galera_settings import Settings


class Unheard:
    """A guard that somebody adds and does not teach the performer."""


@pytest.fixture
def performer() -> Performer:
    """One that can do nothing: each thing that it asks for is there, and does not work."""
    peers = SimpleNamespace(
        cluster=None, resource="db", me="A", read_cib=lambda: SimpleNamespace(book=SimpleNamespace(records=EMPTY))
    )
    nothing: Any = SimpleNamespace(directory=None, run=None, note=lambda doing, error: f"{doing}: {error}")
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
