"""Decides about servers that run without a Primary: they become Primary again, unless another node holds more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..galera.lineage import Order, compare
from ..galera.position import Kind
from .decision import Founding, Refuse, Revive, Step, Wait
from .evicted import find_doubt
from .facts import GrantKind, Host, is_down, is_not_newer
from .obstacles import (
    end_wait,
    find_evicted,
    find_lost_generation,
    find_lost_quorum,
    find_running,
    forget,
    name_nodes,
    tell_troubles,
)
from .position_report import PositionReport, State

if TYPE_CHECKING:
    from ..galera.lineage import History
    from .decision import Decision
    from .facts import ElectionFacts


def decide_survivor(facts: ElectionFacts) -> Decision | None:
    """Return what this node does while servers run without a Primary, or None if there are none."""
    if facts.mine.evicted:
        return Wait(f"the group has shut {facts.me} out: it is restarted once its storage takes writes", (facts.me,))
    alive = tuple(node for node in facts.nodes_in(State.NON_PRIMARY) if not facts.fresh[node].evicted)
    if not alive:
        return None
    grant = facts.granted(GrantKind.BOOTSTRAP)
    if facts.mine.state is not State.NON_PRIMARY:
        what = "is to be stopped for the grant" if grant else "lives without a Primary and decides what becomes of it"
        return Wait(f"{name_nodes(alive)} {what}", alive)
    inside = _component(facts)
    if grant and grant.node not in (one.node for one in inside):
        return Wait(f"a grant lets {grant.node} form the cluster: stopping here", (grant.node,), first=Step.STOP)
    return _decide_component(facts, inside, chosen=grant is not None)


def _component(facts: ElectionFacts) -> list[PositionReport]:
    """Return the reports of the members of this node's component, in list order. Its own report is always included."""
    mine, found = facts.mine, []
    for node in facts.members:
        one = facts.fresh.get(node)
        together = one is not None and mine.component is not None and one.component == mine.component
        if one is not None and (node == facts.me or (together and one.own_uuid in mine.component.members)):  # type: ignore[union-attr]
            found.append(one)
    return found


def _decide_component(facts: ElectionFacts, inside: list[PositionReport], *, chosen: bool) -> Decision:
    names = tuple(one.node for one in inside)
    leader = next(one.node for one in inside if one.state is State.NON_PRIMARY)
    best = facts.mine
    for one in inside:
        # A joining server without data has no history that could conflict.
        order = compare(one.history, best.history) if one.position.real else Order.BEHIND
        if order in (Order.OTHER, Order.DIVERGED) and best.position.real:
            return Refuse(
                f"{one.node} and {best.node} are connected with different histories", names, "stop one of them"
            )
        best = one if order is Order.AHEAD or not best.position.real else best
    if not best.position.real:
        return Wait(f"{name_nodes(names)} never held data of a Primary: stopping", names, first=Step.STOP)
    obstacle = (
        (None if chosen else _judge_stopped(facts, best.history))
        or _find_awaited(facts, names, best.history)
        or (None if chosen else find_evicted(facts, best.history))
        or (None if chosen else find_lost_generation(facts, best.history))
        or find_lost_quorum(facts)
    )
    if obstacle is not None:
        return obstacle
    if leader != facts.me:
        return Wait(f"{leader} makes the component of {name_nodes(names)} Primary again", (leader,))
    may_miss = tuple(node for node in facts.members if node not in names and not _is_known(facts, node, best.history))
    lost = f"; commits that only {name_nodes(may_miss)} acknowledged at the end may be missing" if may_miss else ""
    down = "shut out or down" if any(one.evicted for one in facts.fresh.values()) else "down"
    return Revive(
        f"{name_nodes(names)}, without a Primary, {'hold' if len(names) > 1 else 'holds'} all that is known "
        f"({best.history}), everybody else is {down}{lost}: Primary again",
        Founding(best.history, names),
        may_miss,
        facts.grants,
    )


def _judge_stopped(facts: ElectionFacts, survivor: History) -> Decision | None:
    """Judge the reports of stopped servers. A killed node may have acknowledged commits that the survivors dropped."""
    for node in facts.nodes_in(State.STOPPED, State.NON_PRIMARY):
        one = facts.fresh[node]
        if one.kind is Kind.EMPTY or not (one.evicted or one.state is State.STOPPED):
            continue
        order = Order.OTHER if one.kind is Kind.FOREIGN else compare(one.history, survivor)
        if order is Order.AHEAD and one.evicted:
            continue  # it is waited for: find_evicted
        if order is Order.AHEAD and one.kind is Kind.INTACT:
            return Wait(
                f"{node} holds more ({one.history}) than the servers that live ({survivor}): stopping here, so that "
                f"{node} can form the cluster",
                (node,),
                first=Step.STOP,
            )
        if order not in (Order.EQUAL, Order.BEHIND):
            return Refuse(
                f"{node} ({one.kind.value}, {one.history}) holds what the servers that live ({survivor}) do not",
                (node,),
                f"xha-check grant discard={node} --why TEXT, or to keep it grant bootstrap={node}",
            )
    return None


def _find_awaited(facts: ElectionFacts, names: tuple[str, ...], survivor: History) -> Decision | None:
    """Find the nodes that must answer first: those not proven down, and those that can say where their data end."""
    running = find_running(facts, names)
    if running is not None:
        return running
    members = facts.mine.component.members if facts.mine.component else ()
    if len(members) - len(names) > len(facts.around.arbitrators):
        said = tell_troubles(facts, facts.missing)
        return Wait("a server that is connected here has not reported" + (f": {said}" if said else ""), facts.missing)
    unsure = tuple(node for node in facts.missing if not is_down(facts, node))
    if unsure:
        seen = " or ".join(sorted({facts.around.hosts.get(node, Host.LOST).value for node in unsure}))
        said = tell_troubles(facts, unsure)
        return Wait(
            f"{name_nodes(unsure)} may be running ({seen} is no proof)" + (f"; {said}" if said else ""),
            unsure,
            end_wait(
                facts, unsure, f"bring {name_nodes(unsure)} back, or fence them; if they are gone: {forget(unsure)}"
            ),
        )
    for node in facts.missing:
        stop, host = facts.records.stops.get(node), facts.around.hosts.get(node, Host.LOST)
        if facts.granted(GrantKind.FORGET, node):
            continue
        ahead = stop is not None and compare(stop.history, survivor) not in (Order.EQUAL, Order.BEHIND)
        if ahead or (stop is None and host is Host.ONLINE):
            said = tell_troubles(facts, (node,))
            return Wait(
                f"{node} has to say first where its data end" + (f"; {said}" if said else ""),
                (node,),
                end_wait(facts, (node,), f"if it cannot: {forget((node,))}"),
            )
    return None


def _is_known(facts: ElectionFacts, node: str, survivor: History) -> bool:
    """Return whether a node outside of the component is known to hold nothing that the survivors lack."""
    one = facts.fresh.get(node)
    if one is not None and one.evicted:
        return not facts.granted(GrantKind.FORGET, node) and not find_doubt(facts, node, survivor)
    if one is not None:
        return one.kind is not Kind.EMPTY or one.superseded
    return not facts.granted(GrantKind.FORGET, node) and is_not_newer(facts, node, survivor)
