"""Finds what forbids forming a Primary from a history that is otherwise the right one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..galera.position import Kind
from .decision import Refuse, Wait
from .evicted import find_doubt
from .facts import GrantKind, Host, Probe, has_newest_generation, is_down, is_not_newer
from .position_report import State, is_looking

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..galera.lineage import History
    from .decision import Decision
    from .facts import ElectionFacts

_ALIVE = (State.STARTING, State.RESTORING, State.NON_PRIMARY, State.PRIMARY)


def name_nodes(nodes: Iterable[str]) -> str:
    """Return `a`, `a and b`, `a, b and c`."""
    *most, last = tuple(nodes) or ("nobody",)
    return f"{', '.join(most)} and {last}" if most else last


def tell_list(members: Iterable[str]) -> str:
    """Return a list of members in words, also one without a name in it."""
    return ", ".join(sorted(members)) or "an empty one (gcomm:// names no host)"


def forget(nodes: Iterable[str]) -> str:
    """Return the commands that give up the nodes."""
    return "; ".join(f"xha-check grant {GrantKind.FORGET.value}={node} --why TEXT" for node in nodes)


def bootstrap(node: str) -> str:
    """Return the command that lets a node form the cluster."""
    return f"xha-check grant {GrantKind.BOOTSTRAP.value}={node} --why TEXT"


def tell_troubles(facts: ElectionFacts, nodes: Iterable[str]) -> str:
    """Return the troubles that the nodes report, as one text; "" if they report none."""
    return "; ".join(f"{node}: {facts.troubles[node]}" for node in nodes if node in facts.troubles)


def end_wait(facts: ElectionFacts, nodes: tuple[str, ...], otherwise: str) -> str:
    """Return the remedy for waiting on the nodes.

    A node that reports a trouble is still there: its trouble must be mended, and it is not to be given up. If none of
    the nodes reports one, the remedy is `otherwise`. A recovery that is under way only takes its time.
    """
    told = tuple(node for node in nodes if node in facts.troubles)
    if not told:
        return otherwise
    troubled = tuple(node for node in told if not is_looking(facts.troubles[node]))
    if not troubled:
        return f"wait: a recovery on {name_nodes(told)} ends by itself, and may take long"
    return f"mend that on {name_nodes(troubled)}; a node that cannot look does so again by itself"


def find_obstacle(
    facts: ElectionFacts, candidate: History, *, running: tuple[str, ...] = (), chosen: bool = False
) -> Decision | None:
    """Return why no Primary may be formed from the candidate's history now, or None if it may.

    running: nodes whose server may run because that is part of the plan. chosen: a person chose the candidate.
    """
    return (
        find_running(facts, running)
        or find_evicted(facts, candidate, chosen=chosen)
        or find_missing(facts, candidate)
        or (None if chosen else find_lost_generation(facts, candidate) or find_lost_data(facts, candidate))
        or _find_arbitrator(facts)
        or find_lost_quorum(facts)
    )


def find_running(facts: ElectionFacts, running: tuple[str, ...]) -> Decision | None:
    """Return what to wait for while a server runs or may run on another node, or None."""
    alive = tuple(
        node for node in facts.nodes_in(*_ALIVE) if node not in (*running, facts.me) and not facts.fresh[node].evicted
    )
    if alive:
        return Wait(f"a server runs on {name_nodes(alive)}, and may become Primary or be ahead", alive)
    outside = tuple(node for node in facts.members if node not in (*running, facts.me) and _may_serve(facts, node))
    if outside:
        where = " and ".join(f"{_name_ports(facts.around.probes[node].ports)} of {node}" for node in outside)
        return Wait(
            f"something answers on {where}: {_tell_outside(facts, outside)}",
            outside,
            end_wait(
                facts,
                outside,
                f"wait; if it is a server of this cluster, start the resource on {name_nodes(outside)}; if it is "
                f"something else's: {forget(outside)}",
            ),
        )
    return None


def _tell_outside(facts: ElectionFacts, nodes: tuple[str, ...]) -> str:
    """Return what the keepers of these nodes say, on whose ports a server answers."""
    said = []
    for node in nodes:
        report = facts.fresh.get(node)
        if report is not None:
            where = f" at {report.history}" if report.position.real else ""
            said.append(f"the keeper of {node} says that its own is {report.state.value}{where}")
        elif node in facts.troubles:
            said.append(f"the keeper of {node} says: {facts.troubles[node]}")
        else:
            said.append(f"no keeper of {node} has said how far it is")
    return "; ".join(said)


def _may_serve(facts: ElectionFacts, node: str) -> bool:
    """Return whether a port of a member may be that of its server.

    A port proves nothing: a proxy, or another cluster's server, may have it. A keeper that has looked just now and says
    that no server runs knows better, and so does a person.
    """
    probed, report = facts.around.probes.get(node), facts.fresh.get(node)
    if probed is None or probed.result is not Probe.ACCEPTED or facts.granted(GrantKind.FORGET, node):
        return False
    return report is None or not (report.state is State.STOPPED or report.evicted)


def find_evicted(facts: ElectionFacts, candidate: History, *, chosen: bool = False) -> Decision | None:
    """Return what to wait for while an evicted server may hold more than the candidate, or None.

    It is in no component any more, so it hinders nobody but by its data. chosen: a person chose the candidate.
    """
    evicted = (node for node in facts.members if node in facts.fresh and facts.fresh[node].evicted)
    doubts = {node: doubt for node in evicted if (doubt := find_doubt(facts, node, candidate))}
    if chosen:  # it may lack what others hold
        doubts = {node: doubt for node, doubt in doubts.items() if facts.granted(GrantKind.BOOTSTRAP, node)}
    if not doubts:
        return None
    unsure = tuple(doubts)
    named = ", ".join(f"{node} ({facts.fresh[node].history})" for node in unsure)
    why = "; ".join(doubts.values() if len(unsure) == 1 else (f"{node}: {doubt}" for node, doubt in doubts.items()))
    remedy = f"mend the storage of {name_nodes(unsure)}: the server there is restarted by itself then"
    return Wait(
        f"the group has shut {named} out, and {'it' if len(unsure) == 1 else 'each'} may hold more than {candidate} "
        f"({why}): where its data end is known once its storage takes writes",
        unsure,
        remedy if chosen else f"{remedy}; if its data are lost: {forget(unsure)}",
    )


def _name_ports(ports: tuple[int, ...]) -> str:
    """Return `port 1`, `ports 1 and 2`."""
    return f"port{'s' * (len(ports) != 1)} {name_nodes(map(str, ports))}"


def may_go_without(facts: ElectionFacts, node: str, candidate: History) -> bool:
    """Return whether the election can go on without a member that does not answer.

    The member must hold nothing newer, and it must run no server. The latter is either proven, or it follows from this
    side's majority of hosts: another side cannot have a majority at the same time. With two_node both sides have
    quorum, so only a proof that the member is down counts.
    """
    majority = facts.around.quorum and not facts.around.two_node
    return is_not_newer(facts, node, candidate) and (is_down(facts, node) or majority)


def find_missing(facts: ElectionFacts, candidate: History) -> Decision | None:
    """Return what to wait for while the election cannot go on without a member that has not answered, or None."""
    missing = tuple(node for node in facts.missing if not may_go_without(facts, node, candidate))
    if not missing:
        return None
    why = "; ".join(_what_is_missing(facts, node, candidate) for node in missing)
    remedy = end_wait(facts, missing, f"start them, or if they are gone: {forget(missing)}")
    return Wait(f"waiting for {name_nodes(missing)}: {why}", missing, remedy)


def _what_is_missing(facts: ElectionFacts, node: str, candidate: History) -> str:
    down = is_down(facts, node)
    if node in facts.troubles:
        return f"{node} may hold newer commits than {candidate}, and says: {facts.troubles[node]}"
    if not is_not_newer(facts, node, candidate):
        return f"{node} {'is down, but' if down else 'has not reported and'} may hold newer commits than {candidate}"
    host = facts.around.hosts.get(node, Host.LOST)
    return f"{node} holds nothing newer, but may run ({host.value} is no proof)"


def find_lost_generation(facts: ElectionFacts, candidate: History) -> Decision | None:
    """Return a decision if no reporter holds the newest generation that is known, or None."""
    if has_newest_generation(facts, candidate):
        return None
    newest = next(
        (line[0] for line in facts.lines if line and line[0].id not in {one.id for one in candidate.line}), None
    )
    how = "by hand on" if newest and newest.by_hand else "by"
    formed = (
        f"the cluster was last formed {how} {name_nodes(newest.founders)} from seqno {newest.position}"
        if newest
        else ""
    )
    reason = f"nobody holds the newest history: {formed or 'its own beginning'} is not in {candidate}"
    holder = next((node for node, one in facts.fresh.items() if one.history == candidate), facts.me)
    remedy = f"bring back the node that holds it, or go on without it: {bootstrap(holder)}"
    if facts.missing:
        troubles = tell_troubles(facts, facts.missing)
        return Wait("; ".join(filter(None, (reason, troubles))), facts.missing, end_wait(facts, facts.missing, remedy))
    return Refuse(reason, newest.founders if newest else (facts.me,), remedy)


def find_lost_data(facts: ElectionFacts, candidate: History) -> Decision | None:
    """Refuse if a member that reports no data may have held newer data: its disk may only not be mounted."""
    if not candidate.position.real:
        return None
    gone = tuple(
        node
        for node in facts.members
        if node in facts.fresh
        and facts.fresh[node].kind is Kind.EMPTY
        and not facts.fresh[node].superseded
        and not is_not_newer(facts, node, candidate)
    )
    if not gone:
        return None
    return Refuse(
        f"{name_nodes(gone)} came back without data, and may have held newer commits than {candidate}",
        gone,
        f"see that the data directory is mounted there; if its data are lost: {forget(gone)}",
    )


def _find_arbitrator(facts: ElectionFacts) -> Decision | None:
    """Wait while an arbitrator runs, or may run, after a clean stop.

    After the last member has left cleanly, a running garbd alone is the Primary component. A second Primary must not be
    formed beside it.
    """
    stops = facts.records.stops
    if not any(node in stops and stops[node].clean for node in facts.fresh):
        return None
    alive = tuple(name for name, one in facts.around.arbitrators.items() if one.result is Probe.ACCEPTED)
    if alive:
        return Wait(
            f"the arbitrator {name_nodes(alive)} runs, and after a clean stop it may be Primary by itself",
            alive,
            f"stop garbd on {name_nodes(alive)} and start it again when the cluster is up",
        )
    silent = tuple(name for name, one in facts.around.arbitrators.items() if one.result is Probe.SILENT)
    if silent and not facts.grants:
        return Wait(
            f"nobody knows whether the arbitrator {name_nodes(silent)} runs: its port says nothing, and after a clean "
            "stop it may be Primary by itself",
            silent,
            f"bring up the host of {name_nodes(silent)}, or if it is gone, take it out of the parameter arbitrators",
        )
    return None


def find_lost_quorum(facts: ElectionFacts) -> Decision | None:
    """Return what to wait for while this side of the cluster has no quorum and no grant, or None."""
    if facts.around.quorum or facts.grants:
        return None
    others = tuple(node for node in facts.missing if node not in facts.troubles)
    gone = f", or if the others are gone: {forget(others or facts.members[:1])}" if others or not facts.missing else ""
    return Wait(
        "this side of the cluster has no quorum: another side could act at the same time",
        facts.missing,
        f"bring back a majority of the hosts{gone}",
    )


def tell_nobody(facts: ElectionFacts) -> Decision:
    """Return what is said where no member can be chosen: nobody that holds data has reported, or all are empty."""
    if facts.missing:
        troubles = tell_troubles(facts, facts.missing)
        said = f" ({troubles})" if troubles else ""
        first = next(node for node in facts.members if node in facts.fresh)
        begin = f"start them; or to begin with an empty one: {bootstrap(first)}"
        reason = f"no member that holds data has reported; missing: {name_nodes(facts.missing)}{said}"
        return Wait(reason, facts.missing, end_wait(facts, facts.missing, f"{begin}; {forget(facts.missing)}"))
    return Refuse(
        "all members are empty, but the cluster has existed: their data are gone",
        facts.members,
        "see that the data directories are mounted, or restore a backup on one node; to begin anew: "
        f"{bootstrap(facts.members[0])}",
    )
