"""Pacemaker's configuration, as this host's copy has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...adapters.pacemaker.cluster import ClusterUnreachable, Pacemaker
from ...adapters.pacemaker.tools import may_ask_the_cluster
from ...core.doctor.facts import ClusterConfig
from ...core.doctor.unseen import Unseen

if TYPE_CHECKING:
    from ...core.doctor.unseen import Look

_MEMBER = "a host of the cluster, and root there (or the group haclient)"


def read_cluster_config() -> Look[ClusterConfig]:
    """Return the configuration of the first resource of this agent, or of the properties alone where there is none."""
    if not may_ask_the_cluster():
        return Unseen("Pacemaker's configuration: this account may not ask", _MEMBER)
    pacemaker = Pacemaker()
    try:
        resource = next(iter(pacemaker.list_resources()), "")
        return ClusterConfig(resource, pacemaker.read_cib(resource), pacemaker.node_name())
    except ClusterUnreachable as error:
        return Unseen(f"Pacemaker's configuration: {error}", _MEMBER)
