"""One node's storage takes no more writes, and holds up the whole cluster: a member that may evict it does."""

from __future__ import annotations

from lab import binlog
from lab.contenders import XHA
from lab.faults.disks import fill_disk, free_disk
from lab.faults.fault import ACTIVE, Fault, Scene
from lab.faults.orders import on_one
from lab.repair import settle
from lab.standing import wait_synced
from lab.waiting import wait_until

# Long enough for a busy machine, and short enough to be told from the fault's end.
EVICT_SECONDS = 10
STALL_SECONDS = 45


def lacks_eviction(scene: Scene) -> str:
    return "" if scene.contender == XHA else f"{scene.contender.name} evicts nobody"


def evict_stalled(scene: Scene) -> None:
    """Set the threshold, and forget an eviction of an earlier trial: there is one in 10 minutes."""
    on_one(f"pcs resource update p_mysql evict_stalled={EVICT_SECONDS}s")(scene)
    record = "//nvpair[@name='xha-p_mysql-eviction']"
    scene.lab["h3"].sh(f'cibadmin --delete --xpath "{record}" --force', check=False)
    settle(scene.lab["h3"])


def give_binlog_a_disk(scene: Scene) -> None:
    """Have the active node write a binary log, on a file system of its own; it is restarted by plan for that."""
    host = scene.lab[ACTIVE]
    evict_stalled(scene)
    binlog.make(host)
    on_one(f"crm_resource --resource p_mysql-clone --ban --node {ACTIVE}")(scene)
    wait_until(f"{host} to have stopped its server", lambda: not host.pids_of("mariadbd"), timeout=120)
    on_one("crm_resource --resource p_mysql-clone --clear")(scene)
    wait_synced(scene.lab)
    wait_until(f"the clients to write through {host}", lambda: binlog.is_written(host), timeout=60)


STORAGE = (
    Fault(
        "binlog-frozen",
        f"the file system of the active node's binary log is frozen for {STALL_SECONDS} s, and evict_stalled="
        f"{EVICT_SECONDS}s",
        lambda scene: binlog.freeze(scene.lab[ACTIVE]),
        prepare=give_binlog_a_disk,
        relieve=lambda scene: binlog.thaw(scene.lab[ACTIVE]),
        lasts=STALL_SECONDS,
        ends=(ACTIVE,),
        lacks=lacks_eviction,
    ),
    Fault(
        "datadir-full",
        f"the active node's data directory is full for {STALL_SECONDS} s, and evict_stalled={EVICT_SECONDS}s",
        fill_disk,
        prepare=evict_stalled,
        relieve=free_disk,
        lasts=STALL_SECONDS,
        ends=(ACTIVE,),
        lacks=lacks_eviction,
    ),
)
