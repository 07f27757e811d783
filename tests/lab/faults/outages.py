"""Power and cables."""

from __future__ import annotations

import signal

from lab.faults.fault import ACTIVE, Act, Fault, Scene
from lab.place import ADDRESSES, HOSTS
from lab.repair import move_vip

COROSYNC, GROUP, SQL = "udp {end} 5405-5412", "tcp {end} 4567", "tcp {end} 3306"
LATE_SECONDS = 120


def power_off(*names: str) -> Act:
    def strike(scene: Scene) -> None:
        # First silence all of them: power fails at one moment, and ending three hosts takes time.
        for name in names:
            scene.lab.network.silence(name)
        scene.lab.on_all(lambda host: host.power_off() if host.name in names else None)

    return strike


def power_on(*names: str) -> Act:
    def relieve(scene: Scene) -> None:
        for name in names:
            scene.lab[name].power_on()

    return relieve


def power_on_but_one_late(scene: Scene) -> None:
    from time import sleep

    power_on("h2", "h3")(scene)
    sleep(LATE_SECONDS)  # the delay is the fault
    power_on("h1")(scene)


def pull(*names: str) -> Act:
    return lambda scene: [scene.lab.network.pull_cable(name) for name in names] and None


def close(service: str, host: str | None = None) -> Act:
    """Drop all packets of `service` between hosts, or only those to and from `host`."""

    def strike(scene: Scene) -> None:
        for end in ("sport", "dport"):
            match = service.format(end=end)
            for side in ("saddr", "daddr") if host else ():
                scene.lab.network.drop(f"ip {side} {ADDRESSES[host or '']} {match}")
            if not host:
                scene.lab.network.drop(match)

    return strike


def heal(scene: Scene) -> None:
    scene.lab.network.heal()


def stall(scene: Scene) -> None:
    """Stop every process of the active host, and its wire, as a hypervisor stalls a virtual machine."""
    scene.lab.network.pull_cable(ACTIVE)
    scene.lab[ACTIVE].signal_all(signal.SIGSTOP)


def resume(scene: Scene) -> None:
    scene.lab[ACTIVE].signal_all(signal.SIGCONT)
    scene.lab.network.push_cable(ACTIVE)


OUTAGES = (
    Fault(
        "power-active",
        "the active host loses power for 30 s",
        power_off(ACTIVE),
        relieve=power_on(ACTIVE),
        lasts=30,
        ends=(ACTIVE,),
    ),
    Fault(
        "power-all", "all hosts lose power for 10 s", power_off(*HOSTS), relieve=power_on(*HOSTS), lasts=10, ends=HOSTS
    ),
    Fault(
        "power-all-late",
        f"all hosts lose power; one comes back {LATE_SECONDS} s after the others",
        power_off(*HOSTS),
        relieve=power_on_but_one_late,
        lasts=10,
        ends=HOSTS,
    ),
    Fault(
        "power-two-for-good",
        "two hosts lose power for good, the active one among them",
        power_off("h1", "h2"),
        ends=("h1", "h2"),
        back=("h3",),
    ),
    Fault(
        "cut-active",
        "the active host's cable is out for 40 s",
        pull(ACTIVE),
        relieve=heal,
        lasts=40,
        fenced=(ACTIVE,),
    ),
    Fault("stall-2s", "the active host stalls for 2 s, as a virtual machine may", stall, relieve=resume, lasts=2),
    Fault("cut-all", "all cables between the hosts are out for 40 s", pull(*HOSTS), relieve=heal, lasts=40),
    Fault(
        "cut-corosync",
        "corosync of the active host reaches nobody for 40 s",
        close(COROSYNC, ACTIVE),
        relieve=heal,
        lasts=40,
        fenced=(ACTIVE,),
    ),
    Fault(
        "cut-corosync-all", "no corosync reaches another for 40 s: no quorum", close(COROSYNC), relieve=heal, lasts=40
    ),
    Fault(
        "cut-group-port", "the active node's group port is cut for 40 s", close(GROUP, ACTIVE), relieve=heal, lasts=40
    ),
    Fault(
        "cut-sql-port",
        "the active node's SQL port is cut for 40 s, and the VIP is on another host",
        close(SQL, ACTIVE),
        prepare=lambda scene: move_vip(scene.lab["h3"], "h3"),
        relieve=heal,
        lasts=40,
    ),
)
