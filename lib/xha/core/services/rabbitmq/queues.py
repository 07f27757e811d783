"""Judges the queues of a RabbitMQ cluster: whether each has the copies that it should have, and where they are missing.

Mirrors are compared with what the policy wants on the nodes that should exist. A broker that has lost a node lists only
the mirrors that are left, so its own list looks complete (measured).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...text.numbers import parse_int
from ..model.result import SELF, dependency
from .state import DEFAULT_GROUP, Fault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .state import Cluster, Expected, QueueFact

_SHOWN = 3


def find_queue_faults(expected: Expected, cluster: Cluster) -> list[Fault]:
    """Return what is wrong with the queues and their copies."""
    queues = cluster.queues or ()
    running = {node.name for node in cluster.nodes or () if node.running is not False}
    wanted = {*(expected if isinstance(expected, tuple) else ()), *(node.name for node in cluster.nodes or ())}
    # The missing copies belong on the nodes that are missing.
    away = sorted(wanted - running) if cluster.nodes is not None else []
    blame = dependency(away[0]) if away else SELF
    number = len(expected) if isinstance(expected, tuple) else expected
    nodes = max(len(cluster.nodes or ()), number)
    findings = []
    down = [queue for queue in queues if queue.state in ("down", "crashed", "stopped")]
    if down:
        findings.append(Fault(f"{count_text(len(down), 'queue')} down: {list_queues(down)}", blame))
    thin = [queue for queue in queues if queue not in down and queue.synchronised < mirrors_wanted(queue, nodes)]
    if thin and _is_version(cluster.version, 4):
        findings.append(Fault("a policy has ha-mode, which RabbitMQ has ignored since 4.0: its queues have no copy"))
    elif thin:
        alone = sum(queue.synchronised == 0 for queue in thin)
        text = f"{count_text(len(thin), 'queue')} without all synchronised mirrors of the policy: {list_queues(thin)}"
        findings.append(Fault(f"{text}{f', {alone} with none' if alone else ''}", blame))
    return findings + [
        fault for kind, word in _REPLICATED.items() for fault in _find_members(kind, word, cluster, nodes, blame)
    ]


_REPLICATED = {"quorum": "quorum queue", "stream": "stream"}
_GROW = {"quorum": "rabbitmq-queues grow", "stream": "rabbitmq-streams add_replica"}


def _find_members(kind: str, word: str, cluster: Cluster, nodes: int, blame: str) -> list[Fault]:
    """Return the faults of the replicated queues of one kind. blame: whose fault a missing leader is."""
    queues = [queue for queue in cluster.queues or () if queue.kind == kind]
    findings = []
    headless = [queue for queue in queues if queue.has_leader is False]
    if headless:
        findings.append(Fault(f"{count_text(len(headless), word)} without a leader: {list_queues(headless)}", blame))
    lame = [queue for queue in queues if queue.has_leader is not False and queue.away]
    if lame:
        # A drained node runs, and its members do not: the fault is where they are missing.
        away = sorted({one for queue in lame for one in queue.away})
        who = SELF if away == [cluster.own] else dependency(next(one for one in away if one != cluster.own))
        text = f"{count_text(len(lame), word)} with members away on {', '.join(away)}: {list_queues(lame)}"
        findings.append(Fault(text, who))
    # 3.10 tells the members that a stream was declared with, whatever was added and removed since (measured).
    sized = queues if kind != "stream" or _is_version(cluster.version, 4) else []
    few = [queue for queue in sized if 0 < len(queue.members or ()) < _wanted(queue, nodes)]
    if few:
        names = [f"{queue.name} ({len(queue.members or ())} of {_wanted(queue, nodes)})" for queue in few]
        text = f"{count_text(len(few), word)} with too few members: {_list_names(names)}"
        findings.append(Fault(f"{text}; {_GROW[kind]} adds them"))
    return findings


def _wanted(queue: QueueFact, nodes: int) -> int:
    """Return how many members a queue should have on that many nodes."""
    return min(max(DEFAULT_GROUP if queue.group is None else queue.group, queue.target), nodes)


def mirrors_wanted(queue: QueueFact, nodes: int) -> int:
    """Return how many mirrors besides its master a queue's policy wants on that many nodes (rabbitmq.com/ha.html)."""
    if queue.ha_mode == "all":
        return max(nodes - 1, 0)
    if queue.ha_mode == "exactly":
        return max(min(queue.ha_count, nodes) - 1, 0)
    return max(queue.ha_count - 1, 0) if queue.ha_mode == "nodes" else 0


def list_queues(queues: Iterable[QueueFact]) -> str:
    """Return the names of the first queues."""
    return _list_names(queue.name for queue in queues)


def _list_names(names: Iterable[str]) -> str:
    first = sorted(names)
    return ", ".join(first[:_SHOWN]) + (", ..." if len(first) > _SHOWN else "")


def count_text(number: int, what: str) -> str:
    """Return a number of things in words: `1 queue`, `2 queues`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _is_version(text: str, major: int) -> bool:
    first = parse_int(text.partition(".")[0])
    return first is not None and first >= major
