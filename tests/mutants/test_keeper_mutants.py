"""What the model is worth for the keeper's step: an effect left out, out of order or without its guard is found out.

Each mutant changes what the real step gives, or a rule inside it, for one search as for those of the election.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.model import model_keeper
from mutants.test_election_mutants import Patch, search
from xha.core.keeper import decisions, turn
from xha.core.keeper.effects import (
    ConsumeGrants,
    Discard,
    Effect,
    HoldsToken,
    Launch,
    MakePrimary,
    Publish,
    RecordLine,
    ReleaseToken,
    SetViewAside,
    TokenNotElsewhere,
    WriteRecord,
)
from xha.core.keeper.machine import step
from xha.core.keeper.memory import Memory
from xha.core.keeper.observation import Observation

Effects = tuple[Effect, ...]
BEGINS = (Launch, MakePrimary)


Change = Callable[[Effects], Effects]


def changed(*changes: Change) -> list[Patch]:
    """The step with its effects changed."""

    def mutant(memory: Memory, seen: Observation) -> tuple[Memory, Effects]:
        memory, effects = step(memory, seen)
        for change in changes:
            effects = change(effects)
        return memory, effects

    return [(model_keeper, "step", mutant)]


def left_out(*kinds: type) -> Change:
    return lambda effects: tuple(one for one in effects if not isinstance(one.act, kinds))


def unguarded(*kinds: type) -> Change:
    def change(effects: Effects) -> Effects:
        return tuple(Effect(one.act, tuple(one for one in one.guards if not isinstance(one, kinds))) for one in effects)

    return change


def too_late(*kinds: type) -> Change:
    """What belongs before the server is started, or told to be a Primary, is done behind that."""

    def change(effects: Effects) -> Effects:
        if not any(isinstance(one.act, BEGINS) for one in effects):
            return effects
        late = [one for one in effects if isinstance(one.act, kinds)]
        return (*(one for one in effects if one not in late), *(Effect(one.act) for one in late))

    return change


def formed_whatever_changed(one: Any, plan: Any, decision: Any) -> None:
    """The token is enough: nobody compares what is reported now with what was."""
    one.note(plan=None)
    if hasattr(decision, "founding"):
        decisions._form(one, decision)


def only_once(self: Any, name: str | None = None) -> None:
    """Neither the end of a server nor the loss of a Primary has everybody asked again."""
    if name or not self.memory.epoch:
        open_epoch(self, name)


open_epoch = turn.Turn.open_epoch

MUTANTS: dict[str, list[Patch]] = {
    "the token is not looked at again": changed(unguarded(HoldsToken, TokenNotElsewhere)),
    "the token is kept after giving up": changed(left_out(ReleaseToken)),
    "what was shown before the token is not compared": [(decisions, "_use_token", formed_whatever_changed)],
    "grants are not consumed": changed(left_out(ConsumeGrants)),
    "data are not given up": changed(left_out(Discard)),
    "the line is recorded after forming": changed(too_late(RecordLine, WriteRecord)),
    "the line is not written beside the data": changed(left_out(WriteRecord)),
    "the line is not recorded in the cluster": changed(left_out(RecordLine)),
    "a view is not set aside": changed(left_out(SetViewAside)),
    "a report is published too late": changed(too_late(Publish)),
    "an epoch is opened once and for all": [(turn.Turn, "open_epoch", only_once)],
}
# Where the search begins for one that few walks find out: the walks before are known to find nothing.
FIRST = {"an epoch is opened once and for all": 3700}


@pytest.mark.parametrize("name", MUTANTS)
def test_the_model_catches(name: str) -> None:
    seed, _ = search(MUTANTS[name], 20000, FIRST.get(name, 0))
    assert seed is not None
