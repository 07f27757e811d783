"""Judges a RabbitMQ cluster as one of its nodes sees it, and what that means for this node. Pure.

An alarm is only ever a warning: restarting a broker because it is full makes things worse. Mirrors are compared with
what the policy wants on the nodes that should exist. A broker that has lost a node lists only the mirrors that are
left, so its own list looks complete (measured).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ...text.numbers import parse_int
from ..model.result import SELF, Level, Result, Status, cautioned, dependency, passed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any, Union

    Expected = Union[tuple[str, ...], int]
    Policies = Mapping[tuple[str, str], Mapping[str, Any]]

_SHOWN = 3


class NodeFact(NamedTuple):
    """One member of the cluster. partitions is None if the member could not be asked."""

    name: str
    running: bool
    partitions: tuple[str, ...] | None = None
    alarms: tuple[str, ...] = ()


class QueueFact(NamedTuple):
    """One queue. A classic queue has mirrors if ha_mode is set; a quorum queue has members.

    ha_count: the number in ha-params, or for `nodes` the number of names in it. synchronised: mirrors, without the
      master.
    """

    name: str
    vhost: str
    kind: str = "classic"
    state: str = "running"
    node: str = ""
    ha_mode: str | None = None
    ha_count: int = 0
    synchronised: int = 0
    members: tuple[str, ...] = ()
    online: tuple[str, ...] = ()
    has_leader: bool = True


class Cluster(NamedTuple):
    """What one node says about its cluster. None: not asked, or no answer; then gaps names the parts and the reasons.

    alarms: pairs of node and resource. queues_left: how many queues were not read.
    """

    own: str = ""
    version: str = ""
    nodes: tuple[NodeFact, ...] | None = None
    alarms: tuple[tuple[str, str], ...] | None = None
    queues: tuple[QueueFact, ...] | None = None
    queues_left: int = 0
    gaps: tuple[str, ...] = ()


class Fault(NamedTuple):
    """One fault and who is to blame for it. is_down: this broker must not be used."""

    text: str
    blame: str = SELF
    is_down: bool = False


def judge_cluster(
    name: str, expected: Expected, cluster: Cluster, proved: str, findings: Iterable[Fault] = ()
) -> Result:
    """Return the state of a broker as a member of its cluster, together with the findings of the caller.

    expected 0 or (): any number of nodes is right. findings: faults that the caller met when it used the broker.
    """
    findings = [*findings, *find_faults(expected, cluster)]
    if not findings:
        seen = [] if cluster.nodes is None else [_count(len(cluster.nodes), "node")]
        seen += [] if cluster.queues is None else [_count(len(cluster.queues), "queue")]
        return passed(name, Level.DEEP, f"{proved}; whole: {', '.join(seen)}" if seen else proved)
    # First what takes the broker out of service, then its own faults, then those of other nodes.
    findings.sort(key=lambda one: (not one.is_down, one.blame != SELF))
    worst, text = findings[0], "; ".join(one.text for one in findings)
    if worst.is_down:
        return Result(name, Level.DEEP, Status.CRITICAL, worst.blame, proved, text)
    return cautioned(name, Level.DEEP, text, blame=worst.blame, proved=proved)


def find_faults(expected: Expected, cluster: Cluster) -> list[Fault]:
    """Return everything that is wrong."""
    findings = [Fault(f"not looked at: {gap}") for gap in cluster.gaps]
    if cluster.nodes is not None:
        findings += _find_partitions(cluster.own, cluster.nodes)
        findings += _find_missing(expected, cluster.own, cluster.nodes)
    findings += _find_alarms(cluster)
    if cluster.queues is not None:
        findings += _find_queues(expected, cluster)
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
    side = {node.name for node in nodes if node.running and node.name not in others} | {own}
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
        # A node that lost its data starts as a cluster of its own, in which nothing is wrong.
        alone = 2 * present < number or (2 * present == number and wanted and min(wanted) in strangers)
        if alone:
            findings.append(Fault(f"it has formed a cluster of its own: {who}", is_down=True))
        else:
            findings.append(
                Fault(f"its cluster lacks nodes: {who}", dependency(strangers[0] if strangers else "rabbitmq"))
            )
    if wanted and own and own not in wanted:
        findings.append(Fault(f"it is {own}, which is none of the expected nodes"))
    away = sorted(node.name for node in nodes if not node.running and (not wanted or node.name in wanted))
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


def _find_queues(expected: Expected, cluster: Cluster) -> list[Fault]:
    queues = cluster.queues or ()
    running = {node.name for node in cluster.nodes or () if node.running}
    wanted = {*(expected if isinstance(expected, tuple) else ()), *(node.name for node in cluster.nodes or ())}
    # The missing copies belong on the nodes that are missing.
    away = sorted(wanted - running) if cluster.nodes is not None else []
    blame = dependency(away[0]) if away else SELF
    number = len(expected) if isinstance(expected, tuple) else expected
    nodes = max(len(cluster.nodes or ()), number)
    findings = []
    down = [queue for queue in queues if queue.state in ("down", "crashed", "stopped")]
    if down:
        findings.append(Fault(f"{_count(len(down), 'queue')} down: {_list(down)}", blame))
    thin = [queue for queue in queues if queue not in down and queue.synchronised < mirrors_wanted(queue, nodes)]
    if thin and _is_version(cluster.version, 4):
        findings.append(Fault("a policy has ha-mode, which RabbitMQ has ignored since 4.0: its queues have no copy"))
    elif thin:
        alone = sum(queue.synchronised == 0 for queue in thin)
        text = f"{_count(len(thin), 'queue')} without all synchronised mirrors of the policy: {_list(thin)}"
        findings.append(Fault(f"{text}{f', {alone} with none' if alone else ''}", blame))
    headless = [queue for queue in queues if queue.kind == "quorum" and not queue.has_leader]
    if headless:
        findings.append(Fault(f"{_count(len(headless), 'quorum queue')} without a leader: {_list(headless)}", blame))
    lame = [queue for queue in queues if queue.has_leader and len(queue.online) < len(queue.members)]
    if lame:
        findings.append(Fault(f"{_count(len(lame), 'quorum queue')} with members away: {_list(lame)}", blame))
    if cluster.queues_left:
        findings.append(Fault(f"not looked at: {cluster.queues_left} more queues"))
    return findings


def mirrors_wanted(queue: QueueFact, nodes: int) -> int:
    """Return how many mirrors besides its master a queue's policy wants on that many nodes (rabbitmq.com/ha.html)."""
    if queue.ha_mode == "all":
        return max(nodes - 1, 0)
    if queue.ha_mode == "exactly":
        return max(min(queue.ha_count, nodes) - 1, 0)
    return max(queue.ha_count - 1, 0) if queue.ha_mode == "nodes" else 0


def _list(queues: Iterable[QueueFact]) -> str:
    names = sorted(queue.name for queue in queues)
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _is_version(text: str, major: int) -> bool:
    first = parse_int(text.partition(".")[0])
    return first is not None and first >= major
