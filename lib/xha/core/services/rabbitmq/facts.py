"""Parses the output of RabbitMQ's management API and of rabbitmqctl. Every name in it may be missing.

A node that is down or has just started has neither alarms nor partitions. During a partition the object of a queue has
the same name twice (measured on 3.10.8). Every parser raises ValueError for a document of another shape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...text.numbers import parse_json
from .state import DEFAULT_GROUP, NodeFact, QueueFact

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .state import Policies


# An Erlang atom, which the name of a node is, has at most this many characters (erts, atom.h: MAX_ATOM_CHARACTERS).
_LONGEST_NODE = 255


def parse_document(text: str) -> Any:
    """Return a JSON document. Lists under a repeated name are joined. :raises ValueError: for text that is no JSON."""
    return parse_json(text, object_pairs_hook=_merge)


def _merge(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for name, value in pairs:
        before = merged.get(name)
        if isinstance(before, list) and isinstance(value, list):
            before += [one for one in value if one not in before]
        else:
            merged[name] = value
    return merged


def parse_nodes(document: Any) -> tuple[NodeFact, ...]:
    """Return the members in /api/nodes."""
    nodes = []
    for row in _rows(document):
        alarms = [what for what in ("mem", "disk_free") if row.get(f"{what}_alarm") is True]
        partitions = row.get("partitions")
        nodes.append(
            NodeFact(
                _node(_name(row)),
                _switch(row, "running"),
                _nodes(partitions) if isinstance(partitions, list) else None,
                tuple({"mem": "memory", "disk_free": "disk"}[what] for what in alarms),
                row.get("being_drained") is True,  # 3.10 does not tell it here
            )
        )
    return tuple(nodes)


def _switch(row: dict[str, Any], name: str) -> bool | None:
    value = row.get(name)
    return value if isinstance(value, bool) else None


def parse_health(document: Any) -> tuple[tuple[str, str], ...]:
    """Return the alarms in the answer of /api/health/checks/alarms, as (node, resource)."""
    if not isinstance(document, dict):
        raise ValueError("not an answer of a health check")
    return tuple(
        (_node(one.get("node", "")), str(one.get("resource", ""))) for one in _rows(document.get("alarms", []))
    )


def parse_policies(document: Any) -> Policies:
    """Return the definitions in /api/policies, by virtual host and name."""
    policies = {}
    for row in _rows(document):
        definition = row.get("definition")
        policies[str(row.get("vhost", "")), _name(row)] = definition if isinstance(definition, dict) else {}
    return policies


def parse_queues(document: Any, policies: Policies) -> tuple[QueueFact, ...]:
    """Return the queues of /api/queues without exclusive ones, which have no copies whatever the policy says."""
    return tuple(_parse_queue(row, policies) for row in _rows(document) if not _is_exclusive(row))


def _is_exclusive(row: dict[str, Any]) -> bool:
    return row.get("exclusive") is True or bool(row.get("owner_pid_details"))


def _parse_queue(row: dict[str, Any], policies: Policies) -> QueueFact:
    vhost = str(row.get("vhost", ""))
    # Since 3.7. Older versions give only the policy's name.
    definition = row.get("effective_policy_definition")
    if not isinstance(definition, dict) or not definition:
        definition = policies.get((vhost, str(row.get("policy") or "")), {})
    parameters = definition.get("ha-params")
    kind = str(row.get("type") or "classic")
    mirrored = kind == "classic" and "ha-mode" in definition
    # /api/queues lists the mirrors by name, rabbitmqctl by process.
    synchronised = row.get("synchronised_slave_nodes")
    group, target = _parse_sizes(kind, row.get("arguments"), definition)
    return QueueFact(
        _name(row),
        vhost,
        kind,
        str(row.get("state") or "running"),
        _node(row.get("node") or ""),
        str(definition["ha-mode"]) if mirrored else None,
        parameters if isinstance(parameters, int) else len(parameters) if isinstance(parameters, list) else 0,
        len(synchronised) if isinstance(synchronised, list) else 0,
        _nodes(row["members"]) if isinstance(row.get("members"), list) else None,
        _nodes(row["online"]) if isinstance(row.get("online"), list) else None,
        bool(row.get("leader")) if kind == "quorum" or "leader" in row else None,
        group,
        target,
        "policy" in row or "effective_policy_definition" in row,
    )


def _parse_sizes(kind: str, arguments: Any, definition: Mapping[str, Any]) -> tuple[int | None, int]:
    """Return with how many members a queue was declared, and to how many RabbitMQ is to bring it, as far as told.

    For a stream a policy comes before an argument, when it is declared and never later (rabbit_stream_queue.erl:
    policy_precedence, create_stream). No broker tells whether the policy was there by then: the smaller size is the one
    that it had. For a quorum queue the larger target counts
    (rabbit_quorum_queue_periodic_membership_reconciliation.erl, since 3.13).
    """
    asked = arguments if isinstance(arguments, dict) else {}
    if kind == "stream":
        policy, own = _size(definition.get("initial-cluster-size")), _size(asked.get("x-initial-cluster-size"))
        return min(policy, own or DEFAULT_GROUP) if policy else own, 0
    if kind != "quorum":
        return None, 0
    targets = (definition.get("target-group-size"), asked.get("x-quorum-target-group-size"))
    return _size(asked.get("x-quorum-initial-group-size")), max(_size(one) or 0 for one in targets)


def _size(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def parse_cluster_status(document: Any) -> tuple[NodeFact, ...]:
    """Return the members in the output of `rabbitmqctl cluster_status --formatter json`."""
    if not isinstance(document, dict):
        raise ValueError("not a cluster_status")
    running = set(_nodes(document.get("running_nodes")))
    members = {*_nodes(document.get("disk_nodes")), *_nodes(document.get("ram_nodes")), *running}
    partitions = document.get("partitions")
    apart = partitions if isinstance(partitions, dict) else None
    maintenance = document.get("maintenance_status")  # since 3.8.8, and a sentence in colour
    drained = maintenance if isinstance(maintenance, dict) else {}
    alarms: dict[str, list[str]] = {}
    for one in document.get("alarms") or []:
        if isinstance(one, dict):
            alarms.setdefault(_node(one.get("node", "")), []).append(str(one.get("resource", "")))
    return tuple(
        NodeFact(
            name,
            name in running,
            None if apart is None else _nodes(apart.get(name)),
            tuple(alarms.get(name, ())),
            "marked for maintenance" in str(drained.get(name, "")),
        )
        for name in sorted(members)
    )


def _rows(document: Any) -> list[dict[str, Any]]:
    if not isinstance(document, list) or not all(isinstance(row, dict) for row in document):
        raise ValueError("not a list of objects")
    return document


def _name(row: dict[str, Any]) -> str:
    if "name" not in row:
        raise ValueError("an object without a name")
    return str(row["name"])


def _nodes(value: Any) -> tuple[str, ...]:
    return tuple(map(_node, value)) if isinstance(value, list) else ()


def _node(value: Any) -> str:
    """Return the name of a node, which may be blamed. :raises ValueError: if it is longer than any."""
    name = str(value)
    if len(name) > _LONGEST_NODE:
        raise ValueError(f"the name of a node has {len(name)} characters")
    return name
