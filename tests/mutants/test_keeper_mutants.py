"""What the model is worth for the keeper's step: an effect left out, out of order or without its guard is found out.

Each mutant changes what the real step gives, or a rule inside it, for one search as for those of the election.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.keeper import scene
from core.keeper.test_scripts import SCRIPTS, play
from core.model import model_keeper
from mutants.test_election_mutants import Patch, is_caught, swapped
from xha.core.election import stall
from xha.core.election.position_report import State
from xha.core.galera.position import Kind, Standing
from xha.core.keeper import children, decisions, eviction, machine, memory, results, turn
from xha.core.keeper.children import recover
from xha.core.keeper.decisions import stop_server
from xha.core.keeper.effects import (
    ConsumeGrants,
    Discard,
    Effect,
    EndChild,
    Launch,
    MakePrimary,
    Publish,
    RecordLine,
    ReleaseToken,
    SetViewAside,
    WriteRecord,
)
from xha.core.keeper.machine import step
from xha.core.keeper.memory import Memory
from xha.core.keeper.observation import Observation
from xha.core.keeper.server import ending
from xha.core.keeper.server import looks as server
from xha.core.pacemaker.guards import HoldsToken, TellingAllowed, TokenNotElsewhere

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


def unannounced(effects: Effects) -> Effects:
    """That a server is about to start is told by nobody; what the others know is that none runs."""
    starting = (State.STARTING, State.RESTORING)
    return tuple(one for one in effects if not (isinstance(one.act, Publish) and one.act.report.state in starting))


def formed_whatever_changed(one: Any, plan: Any, decision: Any) -> None:
    """The token is enough: nobody compares what is reported now with what was."""
    one.note(plan=None)
    if hasattr(decision, "founding"):
        decisions._form(one, decision)


def only_once(self: Any, name: str | None = None) -> None:
    """Neither the end of a server nor the loss of a Primary has everybody asked again."""
    if name or not self.memory.epoch:
        open_epoch(self, name)


def deaf_to_the_child(one: Any, child: Any) -> None:
    """Whatever runs in the data directory already, the next thing is begun."""
    recover(one) if one.memory.server is None else stop_server(one)


def whatever_directory(one: Any, child: Any, outcome: Any) -> None:
    """What a recovery found out is true of whatever stands there by now."""
    one.seen = one.seen._replace(child=one.seen.child._replace(directory=child.directory))
    hear_recovery(one, child, outcome)


open_epoch, hear_recovery = turn.Turn.open_epoch, children._hear_recovery

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
    "nobody is told that a server starts": changed(unannounced),
    "a second child is begun while one runs": [(machine, "attend", deaf_to_the_child)],
    "a server is launched while a child runs": [(machine, "attend", lambda one, child: machine._go_on(one))],
}
# Where the search begins for those that few walks find out, as for those of the election.
FIRST = {
    "the line is recorded after forming": 1868,
    "the line is not recorded in the cluster": 22562,
}


def another_s_outcome(child: Any, seen: Any) -> Any:
    """Whatever child it is of."""
    return seen.outcome if seen else None


def ends_by_itself(memory: Any, seen: Any, now: float) -> Any:
    """A server that is gone has ended by itself, also where it is being stopped."""
    if memory.server is not None and seen.server is None:
        return server._lose(memory, seen)
    return note_server(memory, seen, now)


def stop_alone(one: Any, *guards: Any, behind: Any = ()) -> None:
    """What was to follow a stop is forgotten."""
    stop_server(one, *guards)


def grants_first(one: Any, plan: Any, decision: Any) -> bool:
    """A grant is used up before the creation that comes before what it allows."""
    if decision.grants:
        one.do(ConsumeGrants(tuple(grant.kind.value for grant in decision.grants)))
    return bool(create(one, plan, decision))


def without_plan(one: Any, plan: Any, decision: Any) -> bool:
    """Nobody keeps what was planned while a database is created."""
    begun = create(one, plan, decision)
    one.note(plan=None)
    return bool(begun)


def fit_without_a_look(one: Any, *guards: Any) -> bool:
    """Whatever the server's options are by now, it is started."""
    return True


def silent(one: Any, child: Any) -> None:
    """As it was: while a child runs nothing is said."""


def unhindered(name: str) -> list[Patch]:
    """One thing does not stand in the way of an eviction any more."""
    return [(stall, "OBSTACLES", tuple(one for one in stall.OBSTACLES if one.__name__ != name))]


def evicted_at_once(one: Any, decision: Any, heard: Any) -> None:
    """Who is to be evicted is, without the token and another look."""
    if decision.evict:
        culprit = stall.Eviction(decision.culprit, heard[decision.culprit].report.uuid, one.me, one.cluster.clock)
        one.do(eviction.Evict(culprit))


def ended_at_once(one: Any) -> None:
    """An evicted server is ended, whatever its storage does."""
    one.note(stall=one.memory.stall._replace(proven_at=one.now, proven=one.memory.server_identity))
    leave(one)


def whoever_spoke(self: Any, now: float) -> bool:
    """A word counts, however old it is."""
    return True


def unproven(one: Any, child: Any, outcome: Any) -> None:
    """A write that failed proves as much as one that was done."""
    one.note(stall=one.memory.stall._replace(proven_at=one.now, proven=child.server))


def of_any_server(one: Any, child: Any, outcome: Any) -> None:
    """A write that was done for one server counts for another."""
    hear_storage(one, child, outcome)
    one.note(stall=one.memory.stall._replace(proven=one.memory.server_identity))


def told_while_it_recovers(one: Any, child: Any) -> None:
    """Pacemaker is told before it is known where the data end: its stop ends the recovery."""
    attend(one, child)
    before = one.memory.standing
    one.note(standing=before or Standing(Kind.UNKNOWN))
    tell_pacemaker(one)
    one.note(standing=before)


def told_again(one: Any) -> None:
    """Whoever has told it tells it again."""
    one.note(telling=one.memory.telling._replace(done=False))
    tell_pacemaker(one)


def while_withdrawn(one: Any) -> None:
    """Pacemaker is told also where an operator has withdrawn the node."""
    seen = one.seen
    one.seen = seen._replace(writer=None)
    tell_pacemaker(one)
    one.seen = seen


tell_pacemaker, attend = ending.tell_pacemaker, machine.attend
leave, hear_storage = eviction._leave, children._hear_storage
note_server, create = server.note_server, decisions._create
# What costs no commit, and time or a person's patience: the scripts tell it.
SCRIPT_MUTANTS: dict[str, list[Patch]] = {
    "an epoch is opened once and for all": [(turn.Turn, "open_epoch", only_once)],
    "a recovery of other data is believed": [(children, "_hear_recovery", whatever_directory)],
    "the outcome of another child is believed": [(children, "_find_outcome", another_s_outcome)],
    "a server that is being stopped ends by itself": [(machine, "note_server", ends_by_itself)],
    "what follows a stop is forgotten": [(decisions, "stop_server", stop_alone)],
    "an overdue child runs on": [(children, "GRACE_SECONDS", 1e9)],
    "a grant is used up by a creation": [(decisions, "_create", grants_first)],
    "the plan does not wait for a creation": [(decisions, "_create", without_plan)],
    "nothing is said while a child runs": [(machine, "attend", silent)],
    "a server is started before its report is back": [(machine, "is_handed_back", lambda one, report: True)],
    "the plan does not wait for a look at the host": [(decisions, "is_fit", fit_without_a_look)],
    "a child outlives its keeper": changed(left_out(EndChild)),
    "who is not heard is well": unhindered("_is_unknown"),
    "a dead keeper's word counts": [(stall.HeardStall, "is_known", whoever_spoke)],
    "one eviction follows the other": unhindered("_is_recent"),
    "a joiner loses its donor": unhindered("_is_needed"),
    "in maintenance somebody is evicted": unhindered("_is_forbidden"),
    "nobody looks again under the token": [(eviction, "_act", evicted_at_once)],
    "an evicted server is ended at once": [(eviction, "_leave", ended_at_once)],
    "a full disk is taken for one that takes writes": [(children, "_hear_storage", unproven)],
    "a write for one server counts for another": [(children, "_hear_storage", of_any_server)],
    "a server that has ended waits for its storage": [(children, "_has_ended", lambda one: False)],
    "the token of an eviction outlives its holder": [(eviction, "_void", lambda one: None)],
    "a keeper in trouble holds the token of an eviction": [(results, "TOKEN_PATIENCE", 1e9)],
    "Pacemaker is told before the recovery has ended": [(machine, "attend", told_while_it_recovers)],
    "Pacemaker is told of one end twice": [(machine, "tell_pacemaker", told_again)],
    "Pacemaker is told whatever a failure of the monitor leads to": [(ending, "find_objection", lambda cib, node: "")],
    "Pacemaker is told without another look": changed(unguarded(TellingAllowed)),
    "Pacemaker is told on a node that is withdrawn": [(machine, "tell_pacemaker", while_withdrawn)],
    "what was handed over is not gone by": [(machine, "take_recovery", lambda one: False)],
    "a write of long ago counts": [(memory, "PROVEN_SECONDS", 1e9)],
}


@pytest.mark.parametrize("name", SCRIPT_MUTANTS)
def test_a_script_catches(name: str) -> None:
    patches = [(scene if module is model_keeper else module, what, how) for module, what, how in SCRIPT_MUTANTS[name]]
    with swapped(patches):
        assert any(is_told(path) for path in SCRIPTS)


def is_told(path: Path) -> bool:
    """Return whether a script is another one now, or cannot be played."""
    text = path.read_text(encoding="utf-8")
    try:
        return play(text, scene.Scene()) != text
    except AssertionError:
        return True


@pytest.mark.parametrize("name", MUTANTS)
def test_the_model_catches(name: str) -> None:
    assert is_caught(MUTANTS[name], FIRST.get(name, 0))
