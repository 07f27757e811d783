"""A node without a cluster: ocf-tester, or a shell. It has the methods of Pacemaker, without other nodes."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from ...core.election.facts import Host, Records
from ...core.pacemaker.cib import Cib
from ...core.pacemaker.cib_records import Book
from .cluster import Pacemaker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...core.election.facts import Grant, Token
    from ...core.election.stall import Eviction
    from ...core.galera.lineage import Generation, StopRecord
    from .kept_connection import KeptConnection

_SOCKET_NAMES = "/proc/net/unix"


class Standalone:
    """This node is the whole cluster. Records last only as long as this process."""

    def __init__(self) -> None:
        self._attributes: dict[str, str] = {}
        self._records = Records()

    def node_name(self) -> str:
        """Return the name of the host."""
        return socket.gethostname()

    def read_cib(self, resource: str) -> Cib:
        """Return a configuration with this node and its records.

        two_node: quorum does not excuse a member that does not answer, so a cluster is formed only if this node is its
        only member.
        """
        name, book = self.node_name(), Book(self._records)
        return Cib(nodes=(name,), hosts={name: Host.ONLINE}, quorum=True, two_node=True, exists=True, book=book)

    def read_attribute(self, name: str) -> dict[str, str]:
        """Return this node's value, if it has one."""
        return {self.node_name(): self._attributes[name]} if name in self._attributes else {}

    def set_private(self, name: str, value: str) -> None:
        """Keep an attribute."""
        self._attributes[name] = value

    set_transient = set_private

    def delete_attribute(self, name: str) -> None:
        """Remove an attribute."""
        self._attributes.pop(name, None)

    def write_records(self, resource: str, *, line: Sequence[Generation] | None = None, cluster: str = "") -> None:
        """Keep the generations and the cluster's UUID."""
        if line is not None:
            self._records = self._records._replace(line=tuple(line))
        if cluster:
            self._records = self._records._replace(cluster=cluster)

    def write_stop(self, resource: str, node: str, stop: StopRecord) -> None:
        """Do nothing: no other node would use the record."""

    def delete_stop(self, resource: str, node: str) -> None:
        """Do nothing: there is no record."""

    def write_eviction(self, resource: str, eviction: Eviction) -> None:
        """Do nothing: there is nobody who could be evicted."""

    def add_grant(self, resource: str, grant: Grant) -> None:
        """Do nothing: a grant needs a cluster that keeps it."""

    def consume_grants(self, resource: str, grants: Sequence[Grant]) -> bool:
        """Return False: there are no grants."""
        return False

    def forget_degraded(self, resource: str, node: str) -> bool:
        """Return False: no list of failures exists."""
        return False

    def is_monitor_pending(self, resource: str, node: str) -> bool:
        """Return False: no history exists."""
        return False

    def end_monitor(self, resource: str, node: str) -> bool:
        """Return False: no history exists."""
        return False

    def tell_failure(self, resource: str, node: str) -> None:
        """Do nothing: nobody watches the resource."""

    def list_resources(self) -> tuple[str, ...]:
        """Return nothing: no resource is configured."""
        return ()

    def take_token(self, resource: str, token: Token) -> bool:
        """Keep the token: no other node could take it."""
        self._records = self._records._replace(token=token)
        return True

    def void_token(self, resource: str, token: Token) -> None:
        """There is no other node's."""

    def release_token(self, resource: str) -> None:
        """Remove the token."""
        self._records = self._records._replace(token=None)

    def sweep(self, resource: str) -> bool:
        """Return True: nothing outlives this process."""
        return True


def connect(node: str = "", resource: str = "", *, keeps: bool = False) -> Pacemaker | Standalone:
    """Return the cluster that this host belongs to. node is Pacemaker's name of it, if that is known. keeps: see there.

    If Pacemaker started this process (node is given), Pacemaker is used even if it does not answer now: other members
    may be running. If it did not, and Pacemaker does not run here or does not know the
    resource, this is ocf-tester or a shell.

    :raises ClusterUnreachable: if the cluster cannot be asked.
    """
    cluster = Pacemaker(node, _keep_connection() if keeps else None)
    if node or (is_pacemaker_here() and not (resource and not cluster.read_cib(resource).exists)):
        return cluster
    return Standalone()


def _keep_connection() -> KeptConnection:
    from .kept_connection import KeptConnection

    return KeptConnection()


def is_pacemaker_here() -> bool:
    """Return whether Pacemaker runs here or starts: its daemon has an abstract socket (libqb), or /run/crm exists."""
    try:
        with open(_SOCKET_NAMES, encoding="utf-8", errors="replace") as file:
            return any("@pacemakerd" in line or "@cib_rw" in line for line in file)
    except OSError:
        return os.path.exists("/run/crm")
