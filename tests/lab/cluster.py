"""Reads the state of Pacemaker and Galera on a host with their own tools. Nothing here changes anything."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree import ElementTree

from lab.host import Host
from lab.shell import CommandFailed

STATUS = (
    "wsrep_local_state_comment",
    "wsrep_cluster_status",
    "wsrep_ready",
    "wsrep_cluster_size",
    "wsrep_cluster_state_uuid",
    "wsrep_last_committed",
    "uptime",
)


# As the document has it.
SOCKET = "/run/mysqld/mysqld.sock"


@dataclass(frozen=True)
class Galera:
    """One node's own status. `uptime` is in seconds. The defaults are for a node that does not answer."""

    state: str = "down"
    status: str = ""
    ready: bool = False
    size: int = 0
    uuid: str = ""
    last_committed: int = -1
    uptime: int = 0

    @property
    def synced(self) -> bool:
        return self.state == "Synced" and self.status == "Primary" and self.ready


def read_galera(host: Host, *, timeout: float = 5.0, socket: str = SOCKET) -> Galera:
    """Query `host`'s server as root through its socket. A server that is down or silent for `timeout` s: `Galera()`."""
    query = (
        "set wsrep_sync_wait=0; show global status where variable_name in ("
        + ",".join(f"'{name}'" for name in STATUS)
        + ")"
    )
    try:
        answer = host.sh(f'mariadb --socket={socket} --connect-timeout={int(timeout)} -NBe "{query}"', timeout=timeout)
    except (CommandFailed, ConnectionError):
        return Galera()
    said = {name.lower(): value for name, _, value in (line.partition("\t") for line in answer.out.splitlines())}
    return Galera(
        state=said.get("wsrep_local_state_comment", "down"),
        status=said.get("wsrep_cluster_status", ""),
        ready=said.get("wsrep_ready") == "ON",
        size=int(said.get("wsrep_cluster_size", 0)),
        uuid=said.get("wsrep_cluster_state_uuid", ""),
        last_committed=int(said.get("wsrep_last_committed", -1)),
        uptime=int(said.get("uptime", 0)),
    )


def all_synced(hosts: Iterable[Host], *, socket: str = SOCKET, besides: int = 0) -> bool:
    """Whether every one of `hosts` is Synced in one Primary component that has exactly these members.

    besides: how many members it has that hold no data (garbd).
    """
    hosts = list(hosts)
    seen = [read_galera(host, socket=socket) for host in hosts]
    size = len(hosts) + besides
    return all(node.synced and node.size == size for node in seen) and len({node.uuid for node in seen}) == 1


def read_state(host: Host, resource: str = "p_mysql") -> str:
    """Return the state that the keeper of `host` reports for people, "" if there is none.

    attrd_updater must be given the node's name.
    """
    query = f"attrd_updater --name xha-{resource}-state --query --node {host.name}"
    return host.sh(query, check=False).out.partition('value="')[2]


def read_crm(host: Host) -> ElementTree.Element:
    """Pacemaker's view from `host`, as in crm_mon. Raises `CommandFailed` if Pacemaker does not answer."""
    return ElementTree.fromstring(host.sh("crm_mon --output-as=xml --inactive", timeout=10).out)


def read_resources(host: Host) -> str:
    """Every resource with its parameters, as XML that can replace it. Raises `CommandFailed` like `read_crm`."""
    return host.sh("cibadmin --query --scope resources", timeout=10).out


def online(host: Host) -> set[str]:
    """The names of the nodes that are online for Pacemaker, without pending ones."""
    nodes = read_crm(host).iterfind("nodes/node")
    return {node.get("name", "") for node in nodes if node.get("online") == "true" and node.get("pending") == "false"}


def running_on(host: Host, resource: str) -> set[str]:
    """The nodes on which, according to Pacemaker, `resource` (or an instance of it) is active."""
    found = read_crm(host).iterfind(f".//resource[@id='{resource}']")
    return {node.get("name", "") for entry in found if entry.get("active") == "true" for node in entry.iterfind("node")}


def is_settled(host: Host) -> bool:
    """Whether Pacemaker does nothing and plans nothing. `crm_resource --wait` tells the same, in at least 2 s."""
    leader = host.sh("crmadmin --dc_lookup --quiet", timeout=10).out.strip()
    idle = "S_IDLE" in host.sh(f"crmadmin --status {leader}", timeout=10).out
    planned = host.sh("crm_simulate --live-check --simulate", timeout=10).out
    return idle and not re.search(r"\* (Resource action|Fencing) ", planned)


def read_reasons(host: Host, resource: str) -> tuple[str, ...]:
    """The reasons in `pcs status` why `resource` is not well, each once."""
    failures = read_crm(host).iterfind("failures/failure")
    said = [each.get("exitreason", "") for each in failures if each.get("op_key", "").startswith(f"{resource}_")]
    return tuple(dict.fromkeys(filter(None, said)))


def has_past_failures(host: Host, resource: str) -> bool:
    """Whether Pacemaker still has a last failure of `resource` anywhere. A probe that found it running counts too."""
    where = f"//lrm_rsc_op[@id='{resource}_last_failure_0']"
    return host.sh(f'cibadmin --query --xpath "{where}"', timeout=10, check=False).ok


def read_forgotten(host: Host) -> dict[str, str]:
    """For each node the past result that its keeper had Pacemaker forget last (docs/decisions/0015)."""
    return dict(re.findall(r'name="xha_forget_(\w+)" value="([^"]*)"', read_resources(host)))
