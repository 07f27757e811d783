"""What the model is worth: with one rule of the election taken out or swapped, it finds a counterexample.

A mutant is a function that stands here and replaces the rule's own for one search. Each search is bounded and takes
the same seeds; what it must find is a second Primary, a lost commit, or a cluster that does not come back.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest

from core.model import model_keeper
from core.model.walks import walk
from xha.core.election import candidates, obstacles, survivors
from xha.core.election import compose_report as compose_module
from xha.core.election import facts as election_facts
from xha.core.election import rules as election
from xha.core.election.decision import Bootstrap, Founding
from xha.core.election.position_report import PositionReport, State
from xha.core.galera import position
from xha.core.galera.lineage import Order, compare
from xha.core.galera.position import Kind, Position, Standing
from xha.core.keeper import machine, turn

Patch = tuple[Any, str, Any]


def everywhere(name: str, mutant: Any) -> list[Patch]:
    """The name in every module of the election that took it."""
    modules = (candidates, election, obstacles, election_facts, survivors)
    return [(module, name, mutant) for module in modules if hasattr(module, name)]


def by_seqno(one: Any, other: Any) -> Order:
    mine, theirs = one.position.seqno, other.position.seqno
    return Order.EQUAL if mine == theirs else Order.BEHIND if mine < theirs else Order.AHEAD


def without_generations(one: Any, other: Any) -> Order:
    return compare(one, other) if one.position.uuid != other.position.uuid else by_seqno(one, other)


def first_flag(facts: election_facts.ElectionFacts) -> Bootstrap | None:
    """ocf:heartbeat:galera: the flag wins at once, nobody else is asked."""
    mine = facts.mine
    if not mine.safe_to_bootstrap or mine.kind is not Kind.INTACT or mine.state is not State.STOPPED:
        return None
    return Bootstrap("flag", mine.position, Founding(mine.history, (mine.node,)))


def smallest_uuid(facts: election_facts.ElectionFacts) -> PositionReport | None:
    holders = [one for one in facts.fresh.values() if one.position.real]
    return min(holders, key=lambda one: (one.position.uuid, -one.position.seqno), default=None) or choose(facts)


def saved_seqno(grastate: Any, recovered: Any, user_schemas: bool, **facts: Any) -> Standing:
    if grastate and grastate.seqno >= 0 and not facts["transfer_begun"] and not facts["discarded"]:
        return Standing(Kind.INTACT, Position(grastate.uuid, grastate.seqno))
    return classify(grastate, recovered, user_schemas, **facts)


def without(rule: Callable[..., Any]) -> list[Patch]:
    return [(election, "RULES", tuple(one for one in election.RULES if one is not rule))]


def nothing(*_: Any, **__: Any) -> None:
    return None


def yes(*_: Any, **__: Any) -> bool:
    return True


def empty_where_unknown(me: str, facts: Any, **how: Any) -> PositionReport:
    """As it was: a recovery that failed had found no data."""
    if facts.standing and facts.standing.kind is Kind.UNKNOWN:
        facts = facts._replace(standing=Standing(Kind.EMPTY))
    return compose_module.compose_report(me, facts, **how)


def whoever_is_fit(facts: election_facts.ElectionFacts) -> list[PositionReport]:
    return [one for kind in (Kind.INTACT, Kind.IN_DOUBT) for one in facts.fresh.values() if one.kind is kind]


def skip_the_troubled(facts: election_facts.ElectionFacts, candidate: Any) -> Any:
    missing = dict(facts.fresh, **dict.fromkeys(facts.troubles, facts.mine))
    return obstacles_find_missing(facts._replace(fresh=missing), candidate)


choose, classify, is_down = candidates.choose, position.classify, election_facts.is_down
obstacles_find_missing = obstacles.find_missing

MUTANTS: dict[str, list[Patch]] = {
    "seqno only": [*everywhere("compare", by_seqno), *everywhere("has_newest_generation", yes)],
    "first flag wins": [(election, "RULES", (*election.RULES[:4], first_flag, *election.RULES[4:]))],
    "online nodes only": everywhere("find_missing", nothing),
    "smallest UUID": [*everywhere("choose", smallest_uuid), *everywhere("judge_histories", nothing)],
    "trusts grastate's seqno": [(compose_module, "classify", saved_seqno)],
    "ignores generations": [*everywhere("compare", without_generations), *everywhere("has_newest_generation", yes)],
    "OFFLINE is proof": everywhere("is_down", yes),
    "no token": [
        *without(election._token),
        (model_keeper.ModelKeeper, "holds", yes),
        (model_keeper.ModelKeeper, "finds_no_token", yes),
    ],
    "fencing proves not newer": everywhere("is_not_newer", lambda facts, node, _: is_down(facts, node)),
    "an unknown view proves": everywhere("views_are_complete", yes),
    "an empty disk held nothing": everywhere("find_lost_data", nothing),
    "who is in doubt is behind": [(candidates, "_judge_doubtful", nothing)],
    "survivors ask nobody": [(survivors, "_judge_stopped", nothing)],
    "survivors wait for nobody": [(survivors, "_find_awaited", nothing)],
    "a hand leaves no trace": [(machine, "begin_by_hand", lambda node, line, origin, name: line)],
    "either of two Primaries will do": everywhere("are_at_odds", nothing),
    "a recovery that failed found nothing": [(turn, "compose_report", empty_where_unknown)],
    "who cannot look is left out": [(obstacles, "find_missing", skip_the_troubled)],
    "who cannot look joins all the same": without(election._know_own),
    "who ran apart is a candidate": [(candidates, "_candidates", whoever_is_fit)],
}
# Where the search begins for those that few walks find out: the walks before are known to find nothing. A walk takes
# 11 ms of processor time. After a change of the model or of its moves, the search goes on from here.
FIRST = {
    "trusts grastate's seqno": 1457,
    "OFFLINE is proof": 363,
    "an empty disk held nothing": 351,
    "who is in doubt is behind": 248,
    "survivors wait for nobody": 363,
    "a hand leaves no trace": 348,
    "either of two Primaries will do": 164,
    "a recovery that failed found nothing": 326,
    "who cannot look joins all the same": 326,
}


# After so many walks a search gives up.
WALKS = 20000


@contextlib.contextmanager
def swapped(patches: list[Patch]) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for module, name, mutant in patches:
            stack.enter_context(mock.patch.object(module, name, mutant))
        yield


def search(patches: list[Patch], walks: int, first: int = 0) -> tuple[int | None, float]:
    """Return the first seed of a walk that finds the mutant out, and how long that took; None if none does."""
    began = time.process_time()
    with swapped(patches):
        for seed in range(first, first + walks):
            try:
                walk(seed)
            except AssertionError:
                return seed, time.process_time() - began
    return None, time.process_time() - began


def is_caught(patches: list[Patch], first: int = 0) -> bool:
    """Return whether a walk finds the mutant out that finds nothing in the rules themselves.

    Otherwise a mutant may be blamed for what the rules do: on walks 5735 and 12656 they take longer than the model
    has patience.
    """
    end, (seed, _) = first + WALKS, search(patches, WALKS, first)
    while seed is not None and search([], 1, seed)[0] is not None:
        seed, _ = search(patches, end - seed - 1, seed + 1)
    return seed is not None


def test_the_rules_themselves_stand() -> None:
    """Nearly all that finds the mutants out is among these walks."""
    assert search([], 1500)[0] is None


@pytest.mark.parametrize("name", MUTANTS)
def test_the_model_catches(name: str) -> None:
    assert is_caught(MUTANTS[name], FIRST.get(name, 0))
