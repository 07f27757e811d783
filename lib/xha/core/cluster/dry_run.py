"""The dry run of the agent's decision: what each node of a resource would do next, why, and what a grant would cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..election.candidates import are_at_odds
from ..election.decision import Decision, Refuse, Wait
from ..election.facts import GrantKind, Host, why_void
from ..election.obstacles import name_nodes
from ..election.position_report import PositionReport, State, Unread, digest, is_looking
from ..galera.lineage import Order, compare
from ..galera.position import Kind
from .election_inputs import ElectionInputs, gather

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ..election.facts import ElectionFacts, Grant, Probed
    from ..pacemaker.cib import Cib


class Seen(NamedTuple):
    """Everything that one host can see of a resource at one moment.

    states: each keeper's own words for people. since, spoke: when its phase began, and when it last spoke, in seconds
    since 1970 by its host's clock, as text.
    """

    resource: str
    cib: Cib
    reports: Mapping[str, PositionReport | Unread] = {}
    members: tuple[str, ...] = ()
    probes: Mapping[str, Probed] = {}
    arbitrators: Mapping[str, Probed] = {}
    states: Mapping[str, str] = {}
    now: float = 0.0
    since: Mapping[str, str] = {}
    spoke: Mapping[str, str] = {}


class Forecast(NamedTuple):
    """The forecast for one node.

    decision: None if no keeper of the node reports. held: what forbids any action on the node, "" for nothing.
    """

    node: str
    host: Host
    decision: Decision | None = None
    held: str = ""


def forecast(seen: Seen) -> tuple[Forecast, ...]:
    """Return what each member would do. The ports were probed from this host, not from each member's host."""
    return tuple(
        Forecast(
            node,
            seen.cib.hosts.get(node, Host.LOST),
            _decide(seen, node) if node in seen.reports else None,
            seen.cib.forbidden(node),
        )
        for node in seen.members
    )


def _decide(seen: Seen, node: str) -> Decision:
    report = seen.reports[node]
    if isinstance(report, Unread):
        what = "is unreadable" if report.schema is None else f"is of schema {report.schema}, which is unknown here"
        return Wait(f"its report {what}", (node,), "install one version of xha on all nodes")
    return _facts(seen, node, report.opens).elect()


def _facts(seen: Seen, node: str, epoch: str) -> ElectionInputs:
    return gather(
        node,
        epoch,
        seen.cib,
        seen.reports,
        seen.members,
        probes=seen.probes,
        arbitrators=seen.arbitrators,
        clock=seen.now,
    )


def facts_for(seen: Seen, node: str) -> ElectionFacts | None:
    """Return the facts as the node sees them, or None if the node does not report."""
    report = seen.reports.get(node)
    if not isinstance(report, PositionReport):
        return None
    return _facts(seen, node, report.opens).counted()


def digests(seen: Seen) -> dict[str, str]:
    """Return, for each node that waits for answers, the digest of the reports that it counts.

    The digests are equal once every node has answered every other.
    """
    all_facts = {node: facts_for(seen, node) for node in seen.members if _asks(seen.reports.get(node))}
    return {node: digest(counted.fresh.values()) for node, counted in all_facts.items() if counted is not None}


def _asks(report: PositionReport | Unread | None) -> bool:
    """Return whether the node's keeper waits for answers. One that gave up left its last report, and does not wait."""
    return isinstance(report, PositionReport) and bool(report.opens)


def object_to(seen: Seen, kind: GrantKind, node: str) -> str:
    """Return why such a grant cannot be given now, "" if it can."""
    if node not in seen.members:
        return f"{node} is no member; the members are {name_nodes(seen.members)}"
    position_reports = [one for one in seen.reports.values() if isinstance(one, PositionReport)]
    if not any(_asks(one) for one in position_reports):
        return "no node reports, so nobody could act on it: enable the resource, and look at xha-check explain"
    report = seen.reports.get(node)
    primaries = [one for one in position_reports if one.state is State.PRIMARY]
    is_rival = any(isinstance(report, PositionReport) and are_at_odds(one, report) for one in primaries)
    if primaries and (kind is not GrantKind.DISCARD or (report in primaries and not is_rival)):
        verb = "answers" if len(primaries) == 1 else "answer"
        names = name_nodes(one.node for one in primaries)
        return f"{names} {verb} as Primary: the cluster is there, and what it lacks can join it"
    if kind is GrantKind.FORGET:
        runs = isinstance(report, PositionReport) and report.state is not State.STOPPED
        return f"a server runs on {node}: it is not gone" if runs else ""
    if not isinstance(report, PositionReport):
        return f"{node} does not report what it holds: start the resource there first"
    if kind is GrantKind.DISCARD and report.kind is Kind.EMPTY:
        return f"{node} holds no data"
    if report.kind is Kind.UNKNOWN and not (kind is GrantKind.DISCARD and report.opens):
        why = report.trouble or "it has not looked yet"
        return f"{node} does not know what it holds ({why}): {'wait' if is_looking(why) else 'mend that first'}"
    return ""


def why_unused(seen: Seen, grant: Grant) -> str:
    """Return why no node acts on a recorded grant, "" if a node that reports would."""
    asking = (facts_for(seen, node) for node in seen.members if _asks(seen.reports.get(node)))
    all_facts = [counted for counted in asking if counted is not None]
    reasons = [why_void(grant, counted.fresh, seen.now) for counted in all_facts] or [why_void(grant, {}, seen.now)]
    return "" if "" in reasons else reasons[0]


def tell_losses(seen: Seen, kind: GrantKind, node: str) -> list[str]:
    """Return one sentence for each loss that acting on such a grant may cause, as far as it can be known."""
    position_reports = {
        name: one for name, one in seen.reports.items() if isinstance(one, PositionReport) and name in seen.members
    }
    mine = position_reports.get(node)
    if kind is GrantKind.FORGET:
        unasked = mine is None or mine.kind is Kind.UNKNOWN
        return [_loss_of_absent(seen, node) if unasked else f"whatever {node} held before it came back empty"]
    if mine is None:
        return []
    if kind is GrantKind.DISCARD:
        others = [one for name, one in position_reports.items() if name != node]
        primaries = [one for one in others if one.state is State.PRIMARY]
        best = max(primaries or others, key=lambda one: one.position.seqno, default=None)
        if best is None or mine.kind is Kind.UNKNOWN:
            return [f"all that {node} holds ({_held(mine)})"]
        return [_loss(mine, best)]
    known = {name: one for name, one in position_reports.items() if one.kind is not Kind.UNKNOWN}
    told = [_loss(one, mine) for name, one in known.items() if name != node and one.kind is not Kind.EMPTY]
    missing = [name for name in seen.members if name not in known]
    if mine.inconsistent and told:
        told.append(
            f"rows of the others that {node} lacks, where its own differ: it begins a history of its own, and each of "
            "the others has to be given up by a grant"
        )
    return [*filter(None, told), *(_loss_of_absent(seen, name) for name in missing)]


def _loss(loser: PositionReport, winner: PositionReport) -> str:
    """Return what the loser holds and the winner lacks, "" for nothing."""
    if loser.kind is Kind.FOREIGN:
        return f"the data of {loser.node}: {_held(loser)}"
    order = compare(loser.history, winner.history)
    if order in (Order.EQUAL, Order.BEHIND):
        return ""
    if order is Order.AHEAD:
        lost = loser.position.seqno - winner.position.seqno
        return f"{lost} commit{'s' * (lost != 1)} of {loser.node}, which holds {loser.history}, over {winner.history}"
    why = "of another history" if order is Order.OTHER else "which went on by itself"
    return f"commits of {loser.node}, {why} ({loser.history}; {winner.node} holds {winner.history})"


def _loss_of_absent(seen: Seen, node: str) -> str:
    stop = seen.cib.book.records.stops.get(node)
    if stop is not None:
        return (
            f"what {node} committed since its {'clean ' if stop.clean else ''}stop at {stop.history}, if it ran since"
        )
    return f"whatever {node} has committed and nobody else received: its disk cannot be asked"


def _held(position_report: PositionReport) -> str:
    if position_report.kind is Kind.UNKNOWN:
        return "nobody knows what, and it may be the newest"
    return str(position_report.history) if position_report.position.real else "user schemas without a position"


def describe(seen: Seen, node: str) -> str:
    """Return what is known of a node's data, in a few words."""
    report, stop = seen.reports.get(node), seen.cib.book.records.stops.get(node)
    if isinstance(report, PositionReport):
        kind = "data unknown" if report.kind is Kind.UNKNOWN else report.kind.value
        data = f", {kind}" if report.kind is not Kind.INTACT else ""
        where = f" at {report.history}" if report.position.real else ""
        return f"{report.state.value}{data}{where}" + (f": {report.trouble}" if report.trouble else "")
    if report is not None:
        return "its report cannot be read"
    if stop is not None:
        return f"no report; stopped {'cleanly ' if stop.clean else ''}at {stop.history}"
    return "no report"


def forecast_document(seen: Seen, forecasts: Sequence[Forecast]) -> dict[str, Any]:
    """Return one resource's part of the document of kind outlook (docs/schema-1.json)."""
    book = seen.cib.book
    return {
        "resource": seen.resource,
        "members": list(seen.members),
        "quorum": seen.cib.quorum,
        "two_node": seen.cib.two_node,
        "token": book.records.token.node if book.records.token else None,
        "grants": [{**_grant(one), "void": why_unused(seen, one) or None} for one in book.grants],
        "last_grant": _grant(book.last_grant) if book.last_grant else None,
        "nodes": [
            {
                "node": one.node,
                "host": one.host.value,
                "data": describe(seen, one.node),
                "state": seen.states.get(one.node),
                "failed": str(seen.cib.failed.get(one.node) or "") or None,
                "held": one.held or None,
                "decision": _decision(one.decision),
            }
            for one in forecasts
        ],
    }


def _grant(grant: Grant) -> dict[str, Any]:
    return {"kind": grant.kind.value, "node": grant.node, "at": grant.at, "by": grant.by, "why": grant.why}


def _decision(decision: Decision | None) -> dict[str, Any] | None:
    if decision is None:
        return None
    remedy = decision.remedy if isinstance(decision, (Wait, Refuse)) else ""
    return {"kind": name_decision(decision), "reason": decision.reason, "remedy": remedy or None}


def name_decision(decision: Decision) -> str:
    """Return its name in lower case: join, restore-view, revive, bootstrap, wait, refuse."""
    name = type(decision).__name__
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)[1:]
