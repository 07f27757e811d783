"""Judges a RabbitMQ cluster as one of its nodes sees it, and what that means for this node. Pure.

An alarm is only ever a warning: restarting a broker because it is full makes things worse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..model.result import SELF, Level, Result, Status, cautioned, dependency, passed, unknown
from .queues import count_text, find_queue_faults, list_queues
from .state import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .state import Cluster, Expected, NodeFact


def judge_cluster(
    name: str, expected: Expected, cluster: Cluster, proved: str, findings: Iterable[Fault] = ()
) -> Result:
    """Return the state of a broker as a member of its cluster, together with the findings of the caller.

    expected 0 or (): any number of nodes is right. findings: faults that the caller met when it used the broker.
    """
    findings = [*findings, *find_faults(expected, cluster)]
    gaps = [*cluster.gaps, *find_gaps(cluster)]
    missed = f"not looked at: {', '.join(gaps)}"
    if not findings and gaps:
        return unknown(name, Level.DEEP, missed, proved=proved)
    if not findings:
        seen = [] if cluster.nodes is None else [count_text(len(cluster.nodes), "node")]
        seen += [] if cluster.queues is None else [count_text(len(cluster.queues), "queue")]
        return passed(name, Level.DEEP, f"{proved}; whole: {', '.join(seen)}" if seen else proved)
    # First what takes the broker out of service, then its own faults, then those of other nodes.
    findings.sort(key=lambda one: (not one.is_down, one.blame != SELF))
    worst, text = findings[0], "; ".join([*(one.text for one in findings), *([missed] if gaps else [])])
    if worst.is_down:
        return Result(name, Level.DEEP, Status.CRITICAL, worst.blame, proved, text)
    return cautioned(name, Level.DEEP, text, blame=worst.blame, proved=proved)


def find_gaps(cluster: Cluster) -> list[str]:
    """Return what the answers did not tell. With disable_metrics_collector nearly everything is missing (measured)."""
    gaps = []
    nodes, queues = cluster.nodes or (), cluster.queues or ()
    mute = [node.name for node in nodes if node.running is None or (node.running and node.partitions is None)]
    if mute:
        gaps.append(f"the partitions of {', '.join(mute)}, which its API does not tell (disable_metrics_collector?)")
    silent = [one for one in queues if one.is_quorum and (one.members is None or one.online is None)]
    silent += [one for one in queues if one.kind == "classic" and not one.has_policy]
    if silent:
        gaps.append(f"the copies of {count_text(len(silent), 'queue')}: {list_queues(silent)}")
    if cluster.queues_left:
        gaps.append(f"{cluster.queues_left} more queues")
    return gaps


def find_faults(expected: Expected, cluster: Cluster) -> list[Fault]:
    """Return everything that is wrong."""
    findings: list[Fault] = []
    if cluster.nodes is not None:
        findings += _find_partitions(cluster.own, cluster.nodes)
        findings += _find_missing(expected, cluster.own, cluster.nodes)
        findings += [
            Fault(
                f"in maintenance, drained by an operator: {one.name}",
                SELF if one.name == cluster.own else dependency(one.name),
            )
            for one in cluster.nodes
            if one.maintenance
        ]
    findings += _find_alarms(cluster)
    if cluster.queues is not None:
        findings += find_queue_faults(expected, cluster)
    return findings


def _find_partitions(own: str, nodes: Sequence[NodeFact]) -> list[Fault]:
    """Return the split brain as this node sees it. It takes this node down if this is the smaller side.

    The side with more than half of the nodes keeps its clients. Of two halves, the one with the first name keeps them,
    so that a load balancer is not left without any broker. If the cluster is in three pieces, no piece may keep them.
    """
    seen = {node.name: node.partitions for node in nodes if node.partitions}
    if not seen:
        return []
    others = set(seen.get(own, ()))
    if not others:
        return [_find_other_partition(seen)]
    side = {node.name for node in nodes if node.running is not False and node.name not in others} | {own}
    text = (
        f"split brain: it is partitioned from {', '.join(sorted(others))}, with {len(side)} of {len(nodes)} nodes here"
    )
    first = min(node.name for node in nodes)
    if 2 * len(side) > len(nodes) or (2 * len(side) == len(nodes) and first in side):
        return [Fault(text, dependency(min(others)))]
    return [Fault(text, is_down=True)]


def _find_other_partition(seen: Mapping[str, tuple[str, ...]]) -> Fault:
    """Return the split brain that other nodes report. The blame is on the node that most nodes are partitioned from."""
    pairs = sorted({(min(own, other), max(own, other)) for own, others in seen.items() for other in others})
    ends = [name for pair in pairs for name in pair]
    text = ", ".join(f"{one} from {another}" for one, another in pairs)
    return Fault(f"split brain: partitioned are {text}", dependency(max(sorted(set(ends)), key=ends.count)))


def _find_missing(expected: Expected, own: str, nodes: Sequence[NodeFact]) -> list[Fault]:
    members = {node.name for node in nodes}
    wanted = set(expected) if isinstance(expected, tuple) else set()
    findings = []
    number = len(wanted) or (expected if isinstance(expected, int) else 0)
    present = len(members & wanted) if wanted else len(members)
    if present < number:
        strangers = sorted(wanted - members)
        who = f"{', '.join(strangers)} no member" if strangers else f"{len(members)} members, not {number}"
        # A node that lost its data starts as a cluster of its own, in which nothing is wrong. It keeps its name: if no
        # member, or not this node, has an expected one, the section has other names, as short ones for long ones.
        is_named_wrongly = bool(wanted) and (not present or (bool(own) and own not in wanted))
        alone = 2 * present < number or (2 * present == number and wanted and min(wanted) in strangers)
        if alone and not is_named_wrongly:
            findings.append(Fault(f"it has formed a cluster of its own: {who}", is_down=True))
        else:
            findings.append(
                Fault(f"its cluster lacks nodes: {who}", dependency(strangers[0] if strangers else "rabbitmq"))
            )
    if wanted and own and own not in wanted:
        findings.append(Fault(f"it is {own}, which is none of the expected nodes"))
    away = sorted(node.name for node in nodes if node.running is False and (not wanted or node.name in wanted))
    # From the other side a partitioned node looks as if it did not run. It is reported only once.
    split = {name for node in nodes if node.partitions for name in (node.name, *node.partitions)}
    if set(away) - split:
        left = len(nodes) - len(away)
        majority = "" if 2 * left > len(nodes) else ", and no majority is left"
        findings.append(Fault(f"not running: {', '.join(away)}{majority}", dependency(away[0])))
    return findings


def _find_alarms(cluster: Cluster) -> list[Fault]:
    """Return the alarms. Those of the health check are current; the nodes' own lag by some seconds (measured)."""
    alarms = set(cluster.alarms or ())
    alarms |= {(node.name, resource) for node in cluster.nodes or () for resource in node.alarms}
    return [
        Fault(
            f"{resource} alarm on {node}: publishers are blocked",
            SELF if node == cluster.own or not cluster.own else dependency(node),
        )
        for node, resource in sorted(alarms)
    ]
