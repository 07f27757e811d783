"""What has to be known before the database is handed over from another agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...adapters.host.surroundings import has_agent
from ...adapters.pacemaker.cluster import ClusterUnreachable, Pacemaker
from ...adapters.pacemaker.tools import may_ask_the_cluster
from ...core.doctor.unseen import Unlooked, Unseen, require
from ...core.galera.cluster_address import BadAddress, parse_cluster_address
from ...core.pacemaker.handover import FormerAgent, HandoverFacts
from .server import look_at_server

if TYPE_CHECKING:
    from ...core.doctor.unseen import Look
    from ...core.pacemaker.cib import Cib
    from ..node.reader import ConfigFile

_NEEDS = "a host of the cluster, and root there (or the group haclient)"


def gather_handover(file: ConfigFile, former: FormerAgent) -> Look[HandoverFacts]:
    """Look at the former resource and at this host's node. :raises ConfigError: for an xha.conf that is wrong."""
    if not may_ask_the_cluster():
        return Unseen("Pacemaker's configuration: this account may not ask", _NEEDS)
    pacemaker = Pacemaker()
    try:
        names = [name for name, agent in pacemaker.list_agents().items() if former.fits(agent)]
        resources = tuple((name, pacemaker.read_cib(name)) for name in names)
    except ClusterUnreachable as error:
        return Unseen(f"Pacemaker's configuration: {error}", _NEEDS)
    try:
        server = require(look_at_server(file.refresh(), 0.0).server)
        peers = parse_cluster_address(_address(resources) or server.text("wsrep_cluster_address")).peers
        size = server.count("wsrep_cluster_size")
    except Unlooked as error:
        return error.unseen
    except BadAddress as error:
        return Unseen(f"wsrep_cluster_address: {error}", "a list that Galera reads")
    return HandoverFacts(
        former,
        resources,
        state=server.status.get("wsrep_local_state_comment", ""),
        status=server.status.get("wsrep_cluster_status", ""),
        size=size,
        members=len(peers),
        installed=has_agent(),
    )


def _address(resources: tuple[tuple[str, Cib], ...]) -> str:
    return next((cib.parameters.get("wsrep_cluster_address", "") for _, cib in resources), "")
