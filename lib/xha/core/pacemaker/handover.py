"""The commands that hand a running database over from another agent to ocf:xha:galera, or why they are not given.

They are those of docs/operations.md, "From mysql-wss" and "From ocf:heartbeat:galera", with the names of this cluster.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from ..ocf.api import ACTIONS, RESKEY
from ..ocf.galera_settings import PARAMETERS, parse_settings_leniently
from .cib import is_true

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .cib import Cib

_PROMOTABLE = ("promotable", "promoted-max", "promoted-node-max", "master-max", "master-node-max", "ordered")
_PROMOTED = 8  # OCF_RUNNING_PROMOTED
_WAIT = "crm_resource --wait --timeout 120s"


class FormerAgent(Enum):
    """The agent that runs the database today: the type of its resource."""

    MYSQL_WSS = "mysql-wss"
    HEARTBEAT = "heartbeat"

    def fits(self, agent: str) -> bool:
        """Whether a resource's agent, class:provider:type, is this one. mysql-wss comes from several providers."""
        return agent == "ocf:heartbeat:galera" if self is FormerAgent.HEARTBEAT else agent.endswith(":mysql-wss")


class HandoverFacts(NamedTuple):
    """What has to be known. resources: those of the former agent, by id, each with its configuration.

    state: wsrep_local_state_comment; status: wsrep_cluster_status; size and members: how many nodes are in the
    component, and in wsrep_cluster_address. installed: whether this host has the agent ocf:xha:galera.
    """

    former: FormerAgent
    resources: tuple[tuple[str, Cib], ...]
    state: str
    status: str
    size: int
    members: int
    installed: bool


def find_obstacles(facts: HandoverFacts) -> Iterator[str]:
    """Yield a sentence, with what to do first, for each reason why the commands would be unsafe now."""
    if len(facts.resources) != 1:
        names = ", ".join(name for name, _ in facts.resources) or "none"
        yield f"exactly one resource of {facts.former.value} has to be there: {names}"
        return
    ((resource, cib),) = facts.resources
    if not cib.quorum:
        yield "Pacemaker has no quorum: bring the other hosts back first"
    for node, host in cib.hosts.items():
        if host.value != "online":
            yield f"{node} is {host.value} in Pacemaker: all have to be there"
    forbidden = {each for each in map(cib.forbidden, cib.nodes) if each}
    for text in sorted(forbidden):
        yield f"{text}: end that first, because the commands do so themselves at their end"
    for node, failed in cib.failed.items():
        if (failed.action, failed.code) == ("monitor", _PROMOTED):
            continue  # a probe found a promoted server, which is what it looked for
        yield f"{resource} failed on {node}: {failed}: mend that, then pcs resource cleanup {resource}"
    if (facts.status, facts.state) != ("Primary", "Synced"):
        yield f"this host's node is {facts.state or 'unknown'}, {facts.status or 'unknown'}: Synced, Primary is safe"
    if facts.size != facts.members:
        yield (
            f"the component has {facts.size} members, and wsrep_cluster_address names {facts.members}: start the "
            "others, or correct the list everywhere"
        )
    if not facts.installed:
        yield "this host has no agent ocf:xha:galera: make install, on every host"
    if not cib.clone:
        yield f"{resource} is no clone: this agent needs one, and making it one stops the database"
    yield from _find_bad_parameters(resource, cib)


def _find_bad_parameters(resource: str, cib: Cib) -> Iterator[str]:
    known = {one.name for one in PARAMETERS}
    unknown = [name for name in cib.parameters if name not in known]
    if unknown:
        removed = " ".join(f"{name}=" for name in unknown)
        yield f"{resource} has parameters that ocf:xha:galera does not know: pcs resource update {resource} {removed}"
    given = {f"{RESKEY}{name}": value for name, value in cib.parameters.items()}
    for wrong in parse_settings_leniently(given)[1]:
        yield wrong.tell(resource)


def list_commands(facts: HandoverFacts) -> list[str]:
    """Return the lines, in order; a line that begins with # says on which host, and what to look at.

    Only where find_obstacles finds nothing.
    """
    ((resource, cib),) = facts.resources
    swap = f'<primitive id="{resource}" class="ocf" provider="xha" type="galera"/>'
    return [
        "# on one host: from here to `manage` Pacemaker does not touch the database",
        f"pcs resource unmanage {resource}",
        # What is under way ends first: an action of the former agent would meet the new one's configuration.
        _WAIT,
        "cibadmin --query --scope resources >/root/resources-before-xha.xml",
        *_clean_up(resource, cib),
        f"cibadmin --modify --scope resources --xml-text '{swap}'",
        *_operations(resource, cib),
        f"crm_resource --resource {resource} --refresh",
        _WAIT,
        "# look: xha-check explain has to exit with 0, and pcs status to show no failed action",
        "timeout 60 sh -c 'until xha-check explain; do sleep 2; done'",
        "pcs status",
        "# and then",
        f"pcs resource manage {resource}",
        _WAIT,
        "# to go back: unmanage, restore class, provider and type in the same way, refresh, manage",
    ]


def _clean_up(resource: str, cib: Cib) -> Iterator[str]:
    given = [name for name in _PROMOTABLE if name in cib.meta]
    if cib.promotable or given:
        yield f"pcs resource meta {cib.clone} " + " ".join(f"{name}=" for name in given or _PROMOTABLE[:1])
    if not is_true(cib.meta.get("interleave", "")):
        yield f"pcs resource meta {cib.clone} interleave=true"
    for one in cib.operations:
        if one.role or one.name in ("promote", "demote") or one.name == "monitor":
            yield f"pcs resource op remove {one.ident}"


def _operations(resource: str, cib: Cib) -> Iterator[str]:
    for name in ("start", "stop"):
        least = next(one.timeout for one in ACTIONS if one.name == name)
        had = [one.timeout for one in cib.operations if one.name == name]
        if not had or max(had) < least:
            yield f"pcs resource update {resource} op {name} timeout={least}s"
    yield f"pcs resource op add {resource} monitor interval=10s timeout=30s"
