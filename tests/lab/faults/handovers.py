"""What an operator does by plan, and no client is to notice."""

from __future__ import annotations

from lab.faults.fault import ACTIVE, Fault, Scene
from lab.faults.orders import on_one
from lab.host import Host
from lab.place import HOSTS, WRITER_PORT
from lab.repair import move_vip
from lab.standing import wait_online, wait_synced
from lab.waiting import wait_until
from lab.worlds import SEED

REBOOT_SECONDS = 120
SWITCHOVER_SECONDS = 60


def drain(scene: Scene) -> None:
    scene.lab[ACTIVE].sh("xha-check drain --why laboratory")


def enable(scene: Scene) -> None:
    scene.lab[ACTIVE].sh("xha-check enable")


def reboot_each(scene: Scene) -> None:
    """Reboot one host after the other, each once the one before it is a member again: new kernels for all of them."""
    for name in HOSTS:
        reboot(scene.lab[name])
        scene.lab[name].wait_booted()
        wait_online(scene.lab)
        wait_synced(scene.lab)


def reboot(host: Host) -> None:
    """Return when it has power again. A reboot drains the node: systemd has Pacemaker stop its resources.

    The container ends, and what a firmware would do is done here.
    """
    host.sh("systemctl --no-block reboot")
    wait_until(f"{host} to shut down", lambda: not host.has_power(), timeout=REBOOT_SECONDS, every=0.1)
    host.power_on()


def switch_over(scene: Scene) -> None:
    scene.lab["h3"].sh("xha-check switchover", timeout=SWITCHOVER_SECONDS)


def lacks_switchover(scene: Scene) -> str:
    if scene.world.balancer == SEED.balancer:
        return f"haproxy.cfg of the {scene.world.name} world has no section for the writer"
    return ""


HANDOVERS = (
    Fault("drain", "the active node drains for 20 s (xha-check drain)", drain, relieve=enable, lasts=20),
    Fault(
        "standby-apart",
        "the active host is put on standby for 30 s, and the VIP is on another host",
        on_one(f"pcs node standby {ACTIVE}"),
        prepare=lambda scene: move_vip(scene.lab["h3"], "h3"),
        relieve=on_one(f"pcs node unstandby {ACTIVE}"),
        lasts=30,
        ends=(ACTIVE,),
    ),
    Fault(
        "rolling",
        "all three hosts are rebooted, one after the other",
        reboot_each,
        ends=HOSTS,
    ),
    Fault(
        "switchover",
        "the writer is handed over (xha-check switchover)",
        switch_over,
        lasts=20,
        port=WRITER_PORT,
        lacks=lacks_switchover,
    ),
)
