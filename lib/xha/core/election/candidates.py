"""Compares the reported histories: which one contains all others, or which two cannot be reconciled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..galera.lineage import Order, compare, goes_on
from ..galera.position import Kind
from .decision import Refuse
from .facts import GrantKind
from .position_report import PositionReport

if TYPE_CHECKING:
    from .facts import ElectionFacts


def _holders(facts: ElectionFacts, *kinds: Kind) -> list[PositionReport]:
    return [facts.fresh[node] for node in facts.members if node in facts.fresh and facts.fresh[node].kind in kinds]


def are_at_odds(one: PositionReport, other: PositionReport) -> bool:
    """Return whether two Primary reports belong to two different clusters.

    They do if their components have no member in common, or if their histories are unrelated or diverged. Two members
    of one component are never at odds while the line of one continues the line of the other: one of them may not have
    learned its line yet.
    """
    if one.component is not None and other.component is not None:
        if one.component == other.component and (goes_on(one.line, other.line) or goes_on(other.line, one.line)):
            return False
        if not set(one.component.members) & set(other.component.members):
            return True
    return compare(one.history, other.history) in (Order.OTHER, Order.DIVERGED)


def judge_histories(facts: ElectionFacts) -> Refuse | None:
    """Return why only a person can choose between the histories, or None if they all lie on one line."""
    for one in _holders(facts, Kind.FOREIGN):
        return _refuse(f"{one.node} holds user schemas without a position: nobody can say whose they are", (one.node,))
    holders = _holders(facts, Kind.INTACT, Kind.IN_DOUBT)
    for index, one in enumerate(holders):
        for other in holders[index + 1 :]:
            order = compare(one.history, other.history)
            if order is Order.OTHER or order is Order.DIVERGED:
                at_odds = "are of different clusters" if order is Order.OTHER else "each went on without the other"
                return _refuse(
                    f"{one.node} ({one.history}) and {other.node} ({other.history}) {at_odds}", (one.node, other.node)
                )
    return _judge_doubtful(facts)


def _judge_doubtful(facts: ElectionFacts) -> Refuse | None:
    """Refuse if a node in doubt is ahead of the candidate.

    The node may hold acknowledged commits that the candidate lacks, and its rows may be wrong. Neither of the two is
    safe to take.
    """
    candidates = _candidates(facts)
    doubtful = [
        one
        for one in _holders(facts, Kind.INTACT, Kind.IN_DOUBT)
        if one not in candidates and (one.inconsistent or not one.evicted)
    ]
    if not doubtful:
        return None
    if not candidates:
        nodes = tuple(one.node for one in doubtful)
        return _refuse(
            f"every node with data was found inconsistent, or ran without replication ({', '.join(nodes)}): its rows "
            "may differ from every other member's",
            nodes,
        )
    best = _best(candidates)
    for one in doubtful:
        if compare(one.history, best.history) is Order.AHEAD:
            return _refuse(
                f"{one.node} holds more ({one.history}) than {best.node} ({best.history}), but was killed while it "
                "changed a table, was found inconsistent, or ran without replication",
                (one.node, best.node),
            )
    return None


def _candidates(facts: ElectionFacts) -> list[PositionReport]:
    """Return the nodes that may form the cluster.

    These are the intact nodes. If there are none, they are the nodes in doubt. A node that was found inconsistent is
    never among them. An evicted node is only among them where no other one is intact: it has to be waited for.
    """
    intact = [one for one in _holders(facts, Kind.INTACT) if not one.inconsistent]
    return (
        [one for one in intact if not one.evicted]
        or intact
        or [one for one in _holders(facts, Kind.IN_DOUBT) if not one.inconsistent]
    )


def choose(facts: ElectionFacts) -> PositionReport | None:
    """Return the report of the node that should form the cluster, given histories that all lie on one line.

    Return None if no node that may form the cluster has reported. If no cluster is on record and every member has
    reported without data, return the first member. The flag safe_to_bootstrap only decides between equal histories. On
    its own it proves nothing: it may date from an earlier time when this node was the only member.
    """
    candidates = _candidates(facts)
    if candidates:
        best = _best(candidates)
        equal = [one for one in candidates if compare(one.history, best.history) is Order.EQUAL]
        return next((one for one in equal if one.safe_to_bootstrap), equal[0])
    existed = facts.records.cluster or facts.records.line or facts.records.stops
    if existed or any(node not in facts.fresh for node in facts.members):
        return None
    return facts.fresh[facts.members[0]]


def _best(candidates: list[PositionReport]) -> PositionReport:
    best = candidates[0]
    for one in candidates[1:]:
        if compare(one.history, best.history) is Order.AHEAD:
            best = one
    return best


def _refuse(reason: str, nodes: tuple[str, ...]) -> Refuse:
    """Return the refusal. The commands name the first node; the others stand behind it."""
    first, *others = nodes
    keep, give_up = (
        f"xha-check grant {kind.value}={first} --why TEXT" + "".join(f", or {kind.value}={node}" for node in others)
        for kind in (GrantKind.BOOTSTRAP, GrantKind.DISCARD)
    )
    one = "one" if others else "it"
    return Refuse(reason, nodes, f"to keep {one}: {keep}; to give {one} up: {give_up}")
