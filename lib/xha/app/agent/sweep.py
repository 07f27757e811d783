"""After a stop: remove what was recorded of a resource, should it be deleted or renamed.

Pacemaker stops a resource first and forgets it then, and calls nobody any more. So a stop of a resource that was
disabled leaves a process behind that looks for some minutes whether that comes.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ...adapters.pacemaker.cluster import ClusterUnreachable
from ...adapters.pacemaker.standalone import connect

if TYPE_CHECKING:
    from ...core.ocf.api import Instance
    from ...core.pacemaker.cib import Cib

PATIENCE, EVERY = 300.0, 3.0


def may_be_deleted(cib: Cib) -> bool:
    """Return whether a resource is gone from the configuration, or disabled, as it is just before."""
    return not cib.exists or cib.meta.get("target-role", "").lower() == "stopped"


def sweep(instance: Instance) -> int:
    """Wait for the resource to be deleted, and remove its records then; end as soon as it is wanted again."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            cluster = connect(instance.node)
            cib = cluster.read_cib(instance.name)
            if not may_be_deleted(cib):
                return 0
            if not cib.exists and cluster.sweep(instance.name):
                return 0
        except ClusterUnreachable:
            return 0
        time.sleep(EVERY)
    return 0
