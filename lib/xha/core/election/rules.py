"""The rules of the election. The agent and `xha-check explain` use the same ones.

`elect` returns what one node does next, given the facts that it can see. It is pure and total: for every input it
returns one of six decisions. RULES lists the rules in their order. Each rule returns a decision, or None to leave the
decision to the next rule.

Starting a server without bootstrapping never makes a second Primary. So the decisions before RestoreView need no proof.
RestoreView, Revive and Bootstrap need the proofs in facts.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..galera.lineage import Order, compare, find_line
from ..galera.position import Kind, Position
from .candidates import are_at_odds, choose, judge_histories
from .decision import Bootstrap, Decision, Founding, Join, Refuse, RestoreView, Step, Wait
from .facts import Around, ElectionFacts, Grant, GrantKind, Records, gather_facts
from .obstacles import end_wait, find_obstacle, name_nodes, tell_list, tell_nobody
from .position_report import PositionReport, State, Unread, is_looking
from .survivors import decide_survivor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..galera.position import View

_PENDING = (State.STARTING, State.RESTORING)


def elect(  # noqa: PLR0913, PLR0917 - the six kinds of facts of the contract
    me: str,
    reports: Mapping[str, PositionReport | Unread],
    members: Sequence[str],
    records: Records,
    grants: Sequence[Grant] = (),
    around: Around = Around(),  # noqa: B008 - a named tuple cannot change
) -> Decision:
    """Return what this node does next. reports includes this node's own report, whichever epochs that answers."""
    if me not in members:
        return Refuse(
            f"{me} is not in the list of members: {tell_list(members)}",
            (me,),
            f"put its address into wsrep_cluster_address, or ban the resource from {me}",
        )
    facts = gather_facts(me, reports, members, records, grants, around)
    if me not in facts.fresh:
        return Wait(f"{me} has not recovered its own position yet", (me,))
    for rule in RULES:
        decision = rule(facts)
        if decision is not None:
            return decision
    return Wait("no rule applies", facts.missing)


def _members_agree(facts: ElectionFacts) -> Decision | None:
    lists = {node: frozenset(one.members) for node, one in facts.fresh.items()}
    others = tuple(node for node, listed in lists.items() if listed != frozenset(facts.members))
    if not others:
        return None
    return Refuse(
        f"the nodes have different lists of members: {facts.me} has {tell_list(facts.members)}, "
        + "; ".join(f"{node} has {tell_list(lists[node])}" for node in others),
        others,
        "set the same wsrep_cluster_address on every node",
    )


def _know_own(facts: ElectionFacts) -> Decision | None:
    """A node that cannot say where its data end does nothing: its data could belong to another cluster."""
    mine, stopped = facts.mine, facts.mine.state is State.STOPPED
    if mine.kind is not Kind.UNKNOWN or not (stopped or mine.trouble):
        return None
    if not stopped:
        return Refuse(
            f"{facts.me}: {mine.trouble}",
            (facts.me,),
            "set wsrep_on=ON and wsrep_provider in the server's configuration, and restart the resource there: its "
            "data are in doubt now, and a full copy of the cluster's replaces them",
        )
    if facts.granted(GrantKind.DISCARD, facts.me):
        return Wait(f"a grant gives up the data of {facts.me}, whatever they are", first=Step.DISCARD)
    if mine.trouble and not mine.opens:
        return Wait(f"{facts.me}: {mine.trouble}", (facts.me,), "mend that, then pcs resource cleanup")
    if is_looking(mine.trouble):
        return Wait(f"{facts.me}: {mine.trouble}", (facts.me,), "wait: that ends by itself, and may take long")
    why = mine.trouble or "it has not looked yet"
    remedy = "mend that: it looks again by itself" if mine.trouble else ""
    return Wait(f"{facts.me} cannot find out where its data end: {why}", (facts.me,), remedy)


def _join(facts: ElectionFacts) -> Decision | None:
    """A node joins the Primary if it may. It stays away if it holds something that the Primary lacks."""
    primaries = facts.nodes_in(State.PRIMARY)
    if not primaries:
        return None
    # One member of the Primary may already have applied what another has not.
    primary = max(primaries, key=lambda node: facts.fresh[node].position.seqno)
    if facts.mine.state is State.PRIMARY:
        primary = facts.me
    rival = next((one for one in primaries if are_at_odds(facts.fresh[one], facts.fresh[primary])), None)
    if rival is not None:
        return _refuse_two(facts, primary, rival)
    if primary == facts.me:
        return Join(f"{facts.me} is in the Primary component", facts.me, facts.mine.line)
    return _join_one(facts, primary)


def _refuse_two(facts: ElectionFacts, primary: str, rival: str) -> Decision:
    """Two clusters run. Both acknowledged commits, and only a person can say which ones are given up."""
    if facts.me == primary and facts.granted(GrantKind.DISCARD, primary):
        return Wait(f"a grant gives up the data of {primary}", first=Step.DISCARD)
    one, other = sorted((primary, rival), key=facts.members.index)
    return Refuse(
        f"{one} and {other} are Primary with different histories",
        (one, other),
        f"choose which to give up: xha-check grant discard={one} --why TEXT, or discard={other}",
        first=None if facts.me == primary else _stop(facts),
    )


def _join_one(facts: ElectionFacts, primary: str) -> Decision:
    mine, theirs = facts.mine, facts.fresh[primary]
    beside = [facts.fresh[node] for node in facts.nodes_in(State.PRIMARY)]
    line = find_line(theirs.line, [one.line for one in beside if one.component == theirs.component]) or theirs.line
    theirs = theirs._replace(line=line)
    if mine.kind is Kind.UNKNOWN:
        return Join(f"{primary} is Primary, and the server of {facts.me} has not said yet how far it is", primary, line)
    if mine.kind is Kind.EMPTY:
        return Join(f"{primary} is Primary and {facts.me} holds no data: it joins, to get all of them", primary, line)
    if mine.state is State.STOPPED and theirs.component and mine.own_uuid in theirs.component.members:
        # Without this node the others may lack a majority. A joiner would only hinder who makes them Primary again.
        return Wait(f"{primary} has not noticed yet that the server of {facts.me} has ended", (primary,))
    order = compare(mine.history, theirs.history) if mine.kind is not Kind.FOREIGN else Order.OTHER
    if order in (Order.EQUAL, Order.BEHIND):
        how = "a full copy, as its saved state is in doubt" if mine.kind is Kind.IN_DOUBT else "what it lacks"
        held = f"{primary} is Primary and holds all that {facts.me} has ({mine.position})"
        return Join(f"{held}: {facts.me} joins it, to get {how}", primary, line)
    if facts.granted(GrantKind.DISCARD, facts.me):
        return Wait(f"a grant gives up the data of {facts.me}", first=Step.DISCARD)
    return Refuse(
        f"joining {primary} ({theirs.history}) would lose {_what_is_lost(mine, theirs, order)}",
        (facts.me, primary),
        f"xha-check grant discard={facts.me} --why TEXT, if that may be lost",
        first=_stop(facts),
    )


def _what_is_lost(mine: PositionReport, theirs: PositionReport, order: Order) -> str:
    if order is Order.AHEAD:
        lost = mine.position.seqno - theirs.position.seqno
        return f"{lost} commit{'s' * (lost != 1)} of {mine.node} ({mine.position})"
    if order is Order.DIVERGED:
        return f"commits of {mine.node}, which went on by itself ({mine.history})"
    held = str(mine.position) if mine.position.real else "user schemas without a position"
    return f"the data of {mine.node}, which are of another history ({held})"


def _unread(facts: ElectionFacts) -> Decision | None:
    if not facts.unread:
        return None
    said = ", ".join(
        f"{node} has " + ("no readable report" if one.schema is None else f"schema {one.schema}")
        for node, one in sorted(facts.unread.items())
    )
    return Wait(
        f"not every report can be read: {said}", tuple(sorted(facts.unread)), "install one version of xha on all nodes"
    )


def _discard(facts: ElectionFacts) -> Decision | None:
    given_up = facts.granted(GrantKind.DISCARD, facts.me) and facts.mine.kind is not Kind.EMPTY
    if given_up and facts.mine.state is State.STOPPED:
        return Wait(f"a grant gives up the data of {facts.me}", first=Step.DISCARD)
    return None


def _unsettled(facts: ElectionFacts) -> Decision | None:
    """A server that was started and finds no Primary in time is stopped. Then the node reports again."""
    if facts.mine.state not in _PENDING:
        return None
    if facts.around.overdue:
        return Wait(f"what {facts.me} started has not become Primary in its time: stopping it", first=Step.STOP)
    if facts.mine.state is State.RESTORING and facts.mine.view:
        gone = _without_view(facts, facts.mine.view)
        if gone:
            why = f"{name_nodes(gone)} cannot restore the last view any more: stopping what {facts.me} started for it"
            return Wait(why, gone, first=Step.STOP)
        return RestoreView(f"{facts.me} waits for the other members of its last view", facts.mine.view)
    return Wait(f"{facts.me} has started and is not in a Primary component yet")


def _without_view(facts: ElectionFacts, view: View) -> tuple[str, ...]:
    """Return the members of a view that have set it aside, to form the cluster: Galera waits for all of them."""
    stopped = ((node, one) for node, one in facts.fresh.items() if one.state is State.STOPPED and not one.restorable)
    return tuple(node for node, one in stopped if one.own_uuid in view.members)


def _token(facts: ElectionFacts) -> Decision | None:
    """Wait while another node holds the token, until that node's report answers the token's epoch without the token."""
    token = facts.records.token
    if token is None or token.node == facts.me:
        return None
    answer = facts.fresh.get(token.node)
    answered = answer is not None and token.epoch in answer.epochs
    if answered or facts.granted(GrantKind.FORGET, token.node) or facts.granted(GrantKind.BOOTSTRAP):
        return None
    if token.node in facts.troubles:
        due = "evict a member" if token.evicts else "form the cluster"
        return Wait(
            f"{token.node} was to {due}, and says: {facts.troubles[token.node]}",
            (token.node,),
            end_wait(facts, (token.node,), ""),
        )
    return Wait(
        f"{token.node} {'has the token, to evict a member' if token.evicts else 'is forming the cluster'}",
        (token.node,),
        f"bring {token.node} back, or if it is gone for good: xha-check grant forget={token.node} --why TEXT",
    )


def _restore(facts: ElectionFacts) -> Decision | None:
    """If all members of one view are back, Galera forms that view again. No choice is needed, so none can be wrong."""
    mine, view = facts.mine, facts.mine.view
    if mine.state is not State.STOPPED or view is None or facts.grants:
        return None
    inside = [one for one in facts.fresh.values() if _can_restore(one, mine)]
    if mine not in inside or sorted(one.own_uuid for one in inside) != sorted(view.members):
        return None
    outside = [one for one in facts.fresh.values() if one not in inside]
    best = max(inside, key=lambda one: one.position.seqno)
    if judge_histories(facts) or any(
        compare(one.history, best.history) is Order.AHEAD for one in outside if one.position.real
    ):
        return None
    if find_obstacle(facts, best.history, running=tuple(one.node for one in inside)):
        return None
    return RestoreView(
        f"all members of the last view are back with the same history ({name_nodes(one.node for one in inside)}): "
        "they form it again",
        view,
    )


def _can_restore(one: PositionReport, mine: PositionReport) -> bool:
    same = one.view == mine.view and one.position.uuid == mine.position.uuid
    same = same and one.history.generation == mine.history.generation
    return same and one.restorable and one.kind is Kind.INTACT and one.state in (State.STOPPED, State.RESTORING)


def _form(facts: ElectionFacts) -> Decision | None:
    """The node whose data contain everybody's data forms a Primary. All others wait for it."""
    grant = facts.granted(GrantKind.BOOTSTRAP)
    if grant is None:
        refused = judge_histories(facts)
        if refused is not None:
            return refused
    winner = facts.fresh.get(grant.node) if grant else choose(facts)
    if winner is None:
        return tell_nobody(facts)
    obstacle = find_obstacle(facts, winner.history, chosen=grant is not None)
    if obstacle is not None:
        return obstacle
    restorable = tuple(node for node in facts.members if node in facts.fresh and facts.fresh[node].restorable)
    if restorable:
        first = Step.SET_VIEW_ASIDE if facts.me in restorable else None
        return Wait(
            f"before {winner.node} forms the cluster, gvwstate.dat is set aside on {name_nodes(restorable)}",
            restorable,
            first=first,
        )
    if winner.node != facts.me:
        holds = f"holds the newest data ({winner.history})" if winner.position.real else "is the first of the list"
        return Wait(f"{winner.node} {holds} and forms the cluster", (winner.node,))
    # Rows without a trusted position must not look like the cluster's rows. A node that joined by IST would lack them.
    shared = winner.kind in (Kind.INTACT, Kind.IN_DOUBT) and not winner.inconsistent
    position = winner.position if shared else Position()
    history = winner.history if position.real else winner.history._replace(position=Position(), line=())
    return Bootstrap(_why(facts, winner, grant), position, Founding(history, (facts.me,)), facts.grants)


def _why(facts: ElectionFacts, winner: PositionReport, grant: Grant | None) -> str:
    if grant:
        return f"{winner.node} forms the cluster because {grant.by or 'an operator'} granted it: {grant.why}"
    if not winner.position.real:
        return f"no member holds data and none ever did: {winner.node} is first in the list and forms a new cluster"
    excused = f"; without {name_nodes(facts.missing)}, proven down and not newer" if facts.missing else ""
    return f"{winner.node} holds the newest data of all members ({winner.history}){excused}: it forms the cluster"


def _stop(facts: ElectionFacts) -> Step | None:
    return None if facts.mine.state is State.STOPPED else Step.STOP


RULES = (_members_agree, _know_own, _join, _unread, _discard, _unsettled, _token, decide_survivor, _restore, _form)
