"""What the model of the writer is worth: each rule that is left out is found out by a walk."""

from __future__ import annotations

from typing import Any

import pytest

from core.model.writer_world import Broken, walk
from mutants.test_election_mutants import Patch, swapped
from xha.core.election import writer as rule
from xha.core.election.writer import Claim, WriterChoice, WriterFacts
from xha.core.keeper import writer as keeper

elect_writer, choose_claim, follow, order_of, gather = (
    rule.elect_writer,
    rule.choose_claim,
    keeper._follow,
    keeper._ordered,
    keeper._gather,
)
MOST_WALKS = 400


def fails_back(facts: WriterFacts) -> WriterChoice:
    """The first of the list that is fit is the writer, whoever is it now."""
    mine = facts.fit.get(facts.me) and facts.serves and facts.quorum
    first = next((node for node in facts.order if node == facts.me or facts.fit.get(node)), "")
    if mine and first == facts.me != facts.claim.node:
        return WriterChoice(Claim(facts.claim.counter + 1, facts.me), doubtful=True)
    return elect_writer(facts)


def whatever_quorum(facts: WriterFacts) -> WriterChoice:
    """A claim needs no quorum. Its guard is left out, too: the model's performer looks at none."""
    return elect_writer(facts._replace(quorum=True))


def silence_is_unfit(facts: WriterFacts) -> WriterChoice:
    """A writer whose keeper has not spoken for three seconds is given up."""
    node = facts.claim.node
    silent = node and node != facts.me and node not in facts.fresh
    return elect_writer(facts._replace(fit={**facts.fit, node: False}) if silent else facts)


def waits_for_ever(facts: WriterFacts) -> WriterChoice:
    """Who is before in the list is waited for, whether it speaks or not."""
    return elect_writer(facts._replace(doubt=0.0))


def by_list_alone(claims: Any, order: Any) -> Claim:
    """Of two claims that of the first in the list wins, whatever the counters are."""
    known = sorted(claims, key=lambda one: (one.node not in order, order.index(one.node) if one.node in order else 0))
    return known[0] if known else rule.NO_CLAIM


def no_overlap(turn: Any, own: Any, *rest: Any) -> Any:
    """The writer before ends at once."""
    return follow(turn, own._replace(fit=False, drains=False) if rest[-1].node != turn.me else own, *rest)


def never_turns(turn: Any, *rest: Any) -> Any:
    """The writer before never learns of the next claim."""
    mine = turn.memory.writer.post.claim
    return follow(turn, *rest[:-1], mine if mine.node == turn.me else rest[-1])


MUTANTS: dict[str, list[Patch]] = {
    "the writer fails back": [(keeper, "elect_writer", fails_back)],
    "a claim needs no quorum": [(keeper, "elect_writer", whatever_quorum)],
    "a silent keeper's node is no writer": [(keeper, "elect_writer", silence_is_unfit)],
    "who is silent is waited for without an end": [(keeper, "elect_writer", waits_for_ever)],
    "the list outranks the counter": [(keeper, "choose_claim", by_list_alone)],
    "a handover does not overlap": [(keeper, "_follow", no_overlap)],
    "a former writer goes on": [(keeper, "_follow", never_turns)],
}


@pytest.mark.parametrize("name", MUTANTS)
def test_the_model_of_the_writer_catches(name: str) -> None:
    with swapped(MUTANTS[name]):
        assert any(map(is_found, range(MOST_WALKS)))


def is_found(seed: int) -> bool:
    try:
        walk(seed)
    except Broken:
        return True
    return False
