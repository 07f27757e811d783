"""After a stop: remove what was recorded of a resource, should it be deleted or renamed.

Pacemaker stops a resource first and forgets it then, and calls nobody any more. So a stop of a resource that was
disabled leaves a process behind that looks for some minutes whether that comes. It also has Pacemaker forget a monitor
that the stop has left pending in the history: the stop itself is not there yet while it runs.
"""

from __future__ import annotations

import contextlib
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
    begun, pends = time.monotonic(), True
    while time.monotonic() < begun + PATIENCE:
        try:
            cluster = connect(instance.node)
            cib = cluster.read_cib(instance.name)
            if not cib.exists:
                if cluster.sweep(instance.name):
                    return 0
            elif not may_be_deleted(cib) and not pends:
                return 0
            else:
                maintained = cib.orders_for(cluster.node_name()).maintenance
                pends = pends and not maintained and _may_pend(cluster, instance, begun)
        except ClusterUnreachable:
            return 0
        time.sleep(EVERY)
    return 0


def _may_pend(cluster: Pacemaker | Standalone, instance: Instance, begun: float) -> bool:
    """Have a monitor forgotten, once, that the stop has left pending. Return whether there may be one yet.

    Where that fails the deletion is still waited for: the resource may have gone just now.
    """
    with contextlib.suppress(ClusterUnreachable):
        if cluster.end_monitor(instance.name, cluster.node_name()):
            return False
    return time.monotonic() < begun + RECORDED
