"""After a stop: remove what was recorded of a resource, should it be deleted or renamed.

Pacemaker stops a resource first and forgets it then, and calls nobody any more. So a stop of a resource that was
disabled leaves a process behind that looks for some minutes whether that comes. It also has Pacemaker forget a monitor
that the stop has left pending in the history: the stop itself is not there yet while it runs.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ...adapters.pacemaker.cluster import ClusterUnreachable
from ...adapters.pacemaker.standalone import connect

if TYPE_CHECKING:
    from ...adapters.pacemaker.cluster import Pacemaker
    from ...adapters.pacemaker.standalone import Standalone
    from ...core.ocf.api import Instance
    from ...core.pacemaker.cib import Cib

# How long a deletion is waited for; how often one looks; how long after a stop its result is in the history, also on a
# busy host.
PATIENCE, EVERY, RECORDED = 300.0, 3.0, 15.0


def may_be_deleted(cib: Cib) -> bool:
    """Return whether a resource is gone from the configuration, or disabled, as it is just before."""
    return not cib.exists or cib.meta.get("target-role", "").lower() == "stopped"


def sweep(instance: Instance) -> int:
    """Wait for the resource to be deleted, and remove its records then; end as soon as it is wanted again."""
    begun = time.monotonic()
    while time.monotonic() < begun + PATIENCE:
        try:
            cluster = connect(instance.node)
            cib = cluster.read_cib(instance.name)
            if not cib.exists:
                if cluster.sweep(instance.name):
                    return 0
            elif _is_over(cluster, instance, begun) and not may_be_deleted(cib):
                return 0
        except ClusterUnreachable:
            return 0
        time.sleep(EVERY)
    return 0


def _is_over(cluster: Pacemaker | Standalone, instance: Instance, begun: float) -> bool:
    """Have a monitor forgotten that the stop has left pending. Return whether none is there to come."""
    return cluster.end_monitor(instance.name, cluster.node_name()) or time.monotonic() > begun + RECORDED
