"""Repairs a laboratory between two faults, as an operator would."""

from __future__ import annotations

import signal

from lab import binlog, cluster
from lab.host import Host
from lab.laboratory import Laboratory
from lab.shell import CommandFailed
from lab.standing import SYNC_SECONDS, wait_online
from lab.waiting import GaveUp, wait_until

VIP_HOME = "h1"
FILLER = "filler"
# The responder's, in a world without xinetd.
SOCKET = "xha-responder.socket"
# Each command undoes a change of a fault, or of an operator in one. A command that finds nothing to do may fail. They
# are Pacemaker's own commands, because each command of pcs takes a second.
ORDERS = (
    "crm_attribute --type crm_config --name maintenance-mode --delete",
    "crm_resource --resource p_mysql-clone --clear",
    "crm_resource --cleanup",
)


def relieve(lab: Laboratory) -> None:
    """End every condition that outlasts a fault.

    Connect cables, turn power on, wake processes, free disks, and start Pacemaker.
    """
    lab.network.heal()
    lab.on_all(relieve_host)


def relieve_host(host: Host) -> None:
    (host.datadir / FILLER).unlink(missing_ok=True)
    binlog.forget(host)
    host.power_on()
    host.signal_all(signal.SIGCONT)
    wait_until(f"systemd of {host}", lambda: host.sh("systemctl list-units >/dev/null", check=False).ok, timeout=60)
    responder = f"$(systemctl is-enabled --quiet {SOCKET} && echo {SOCKET} || echo xinetd)"
    host.sh(f"systemctl start corosync pacemaker {responder}", timeout=60)
    host.sh("xha-check enable", check=False)


def restore(lab: Laboratory) -> bool:
    """Repair the cluster by every means except building it again. False if that did not make it Synced."""
    try:
        relieve(lab)
        wait_online(lab)
        active = [f"crm_attribute --node {name} --name standby --delete" for name in lab.hosts]
        lab["h1"].sh("\n".join((*active, *ORDERS)), check=False, timeout=60)
        take_back_parameters(lab["h1"], lab.place.resources.read_text())
        wait_until("all nodes to be Synced", lambda: cluster.all_synced(lab), timeout=SYNC_SECONDS, every=0.5)
        # What a client notices depends on whether the VIP goes down with the active node. For every agent it does.
        move_vip(lab["h1"], VIP_HOME)
        settle(lab["h1"])
    except (CommandFailed, GaveUp, ConnectionError):
        return False
    return True


def take_back_parameters(host: Host, resources: str) -> None:
    """Give every resource its parameters in `resources`. A resource that already has them is not changed."""
    if cluster.read_resources(host) != resources:
        host.sh("cibadmin --replace --scope resources --xml-pipe", text=resources)
        settle(host, SYNC_SECONDS)  # the agent may have to restart every node


def move_vip(host: Host, name: str) -> None:
    """Move the VIP to the host `name`, with a command on `host`, and let it stay there by its own weight."""
    if cluster.running_on(host, "p_vip") != {name}:
        host.sh(f"crm_resource --resource p_vip --move --node {name}")
        settle(host)
        host.sh("crm_resource --resource p_vip --clear")


def settle(host: Host, seconds: int = 60) -> None:
    """Wait until Pacemaker has nothing to do: a fault during a transition would measure both."""
    wait_until("Pacemaker to have nothing under way", lambda: cluster.is_settled(host), timeout=seconds)
