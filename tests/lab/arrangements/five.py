"""Five database hosts, and clone-max below their number."""

from __future__ import annotations

from lab import cluster
from lab.arrangements.arrangement import EVERYBODY, Arrangement, is_synced, same_rows, servers, suffer
from lab.client import writing
from lab.faults import Fault
from lab.faults.crashes import kill
from lab.faults.outages import heal, power_off, power_on, pull
from lab.laboratory import Laboratory
from lab.processes import kill as kill_pids
from lab.repair import settle
from lab.standing import SYNC_SECONDS
from lab.waiting import wait_until

NODES = len(EVERYBODY)
INSTANCES = 3
THREE, TWO = EVERYBODY[:3], EVERYBODY[:2]

FAULTS = (
    Fault("five-kill-active", "the active node's mysqld gets SIGKILL", kill("h1"), ends=("h1",), back=EVERYBODY),
    Fault("five-kill-three", "three of five mysqld get SIGKILL at once", kill(*THREE), ends=THREE, back=EVERYBODY),
    Fault("five-kill-all", "all five mysqld get SIGKILL at once", kill(*EVERYBODY), ends=EVERYBODY, back=EVERYBODY),
    Fault(
        "five-power-two",
        "two of five hosts lose power for 30 s, the active one among them",
        power_off(*TWO),
        relieve=power_on(*TWO),
        lasts=30,
        ends=TWO,
        back=EVERYBODY,
    ),
    Fault(
        "five-cut-two",
        "the cables of two of five hosts are out for 30 s, the active one among them",
        pull(*TWO),
        relieve=heal,
        lasts=30,
        back=EVERYBODY,
    ),
    Fault(
        "five-power-all",
        "all five hosts lose power for 10 s",
        power_off(*EVERYBODY),
        relieve=power_on(*EVERYBODY),
        lasts=10,
        ends=EVERYBODY,
        back=EVERYBODY,
    ),
)


def set_clone_max(lab: Laboratory, number: int) -> tuple[str, ...]:
    """Return the hosts that then run an instance, once all of these are Synced."""
    lab["h1"].sh(f"pcs resource meta p_mysql-clone clone-max={number}", timeout=60)
    return wait_instances(lab, number)


def wait_instances(lab: Laboratory, number: int) -> tuple[str, ...]:
    def look() -> tuple[str, ...]:
        names = tuple(sorted(servers(lab)))
        return names if len(names) == number and is_synced(lab, names) else ()

    names = wait_until(f"{number} nodes to be Synced", look, timeout=SYNC_SECONDS, every=0.5)
    settle(lab["h1"])
    return names


def limit_instances(lab: Laboratory) -> list[str]:
    """Three instances of five hosts: all three are killed, then one is moved, then all three are killed again.

    Where Pacemaker starts what was killed is its own choice: other hosts than before, as a rule.
    """
    with writing(lab):
        set_clone_max(lab, INSTANCES)
    kill_servers(lab)
    after = wait_instances(lab, INSTANCES)
    broken = same_rows(lab, after)
    leaver = after[0]
    lab["h1"].sh(f"pcs node standby {leaver}", timeout=60)
    wait_until("an instance to move", lambda: leaver not in servers(lab), timeout=SYNC_SECONDS, every=0.5)
    moved = wait_instances(lab, INSTANCES)
    with writing(lab):  # what the one that left has not
        pass
    kill_servers(lab)
    broken += same_rows(lab, wait_instances(lab, INSTANCES))
    broken += [f"{leaver} runs again" for name in moved if name == leaver]
    lab["h1"].sh(f"pcs node unstandby {leaver}", timeout=60)
    set_clone_max(lab, NODES)
    return broken + same_rows(lab, EVERYBODY)


def kill_servers(lab: Laboratory) -> None:
    """SIGKILL all at once, and wait until Pacemaker's agent has noticed: a new server runs."""
    old = servers(lab)
    kill_pids([pid for pids in old.values() for pid in pids])
    wait_until(
        "other servers",
        lambda: all(pids != old.get(name) for name, pids in servers(lab).items()) and bool(servers(lab)),
        timeout=SYNC_SECONDS,
    )


def has_a_place_for_each(lab: Laboratory) -> list[str]:
    running = cluster.running_on(lab["h1"], "p_mysql")
    return [] if running == set(EVERYBODY) else [f"Pacemaker runs it on {sorted(running)}"]


FIVE = (
    Arrangement("five-nodes", "five nodes form one cluster, every host has its instance", has_a_place_for_each, NODES),
    *(
        Arrangement(fault.name, fault.title, lambda lab, fault=fault: suffer(lab, fault), NODES)  # type: ignore[misc]
        for fault in FAULTS
    ),
    Arrangement(
        "clone-max",
        "clone-max=3 of five hosts: SIGKILL for all; one goes on standby, so an instance moves; SIGKILL for all",
        limit_instances,
        NODES,
    ),
)
