"""Full disks, damaged files, and failing state transfers."""

from __future__ import annotations

import os
import shutil

from lab import cluster
from lab.faults.crashes import kill_now
from lab.faults.fault import ACTIVE, Act, Fault, Scene
from lab.faults.outages import heal
from lab.host import Host
from lab.place import HOSTS
from lab.repair import FILLER
from lab.waiting import wait_until

SST_PORT = 4444
SLOW_KIB = 300
FILL_SECONDS = 20
GARBAGE = "uuid: !\x00\x01 seqno 42\n"
DAMAGES = ("emptied", "garbled", "removed")


def fill_disk(scene: Scene) -> None:
    """Take every free byte of the active node's database disk."""
    path = scene.lab[ACTIVE].datadir / FILLER
    with open(path, "ab") as filler:

        def is_full() -> bool:
            """The server writes meanwhile: what was free may be less by now, and what is freed is taken as well."""
            room = os.statvfs(path.parent)
            if room.f_bavail:
                os.posix_fallocate(filler.fileno(), filler.seek(0, os.SEEK_END), room.f_bavail * room.f_frsize)
            return not room.f_bavail

        wait_until("the disk to be full", is_full, timeout=FILL_SECONDS)


def free_disk(scene: Scene) -> None:
    (scene.lab[ACTIVE].datadir / FILLER).unlink(missing_ok=True)


def crash_and_damage(file: str, damage: str, names: tuple[str, ...] = HOSTS) -> Act:
    """Kill mysqld on the hosts `names` and damage `file` there before any process can read it."""

    def strike(scene: Scene) -> None:
        kill_now(scene, names)
        for name in names:
            harm(scene.lab[name], file, damage)

    return strike


def harm(host: Host, file: str, damage: str) -> None:
    path = host.datadir / file
    if damage == "removed":
        path.unlink(missing_ok=True)
    else:
        path.write_text("" if damage == "emptied" else GARBAGE)


def empty_datadir(scene: Scene) -> None:
    """Kill h3's mysqld and leave it an empty disk, as after the disk was replaced."""
    kill_now(scene, ("h3",))
    for path in scene.lab["h3"].datadir.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def slow_transfer(scene: Scene) -> None:
    """Make h3 take a full copy over a network that is slow for copies only."""
    scene.lab.network.throttle(f"tcp dport {SST_PORT}", SLOW_KIB)
    empty_datadir(scene)


def kill_donor(scene: Scene) -> None:
    slow_transfer(scene)
    donor = wait_until("a donor", lambda: donor_for_transfer(scene), timeout=90, every=0.2)
    kill_now(scene, (donor,))


def kill_joiner(scene: Scene) -> None:
    slow_transfer(scene)
    wait_until("a donor", lambda: donor_for_transfer(scene), timeout=90, every=0.2)
    kill_now(scene, ("h3",))


def donor_for_transfer(scene: Scene) -> str | None:
    states = {host.name: cluster.read_galera(host).state for host in scene.lab}
    return next((name for name, state in states.items() if state.startswith("Donor")), None)


DISKS = (
    Fault("disk-full", "the active node's disk is full for 60 s", fill_disk, relieve=free_disk, lasts=60),
    Fault("datadir-emptied", "a node gets SIGKILL and loses its data directory", empty_datadir, ends=("h3",)),
    Fault(
        "slow-transfer",
        "a node needs a full copy, and the wire is slow for it",
        slow_transfer,
        relieve=heal,
        lasts=90,
        ends=("h3",),
    ),
    Fault(
        "kill-donor",
        "the donor gets SIGKILL in the middle of a full copy",
        kill_donor,
        relieve=heal,
        lasts=20,
        ends=(*HOSTS, "h3"),  # a joiner ends without its donor
    ),
    Fault(
        "kill-joiner",
        "a node gets SIGKILL in the middle of the full copy that it needs",
        kill_joiner,
        relieve=heal,
        lasts=20,
        ends=("h3", "h3"),
    ),
    *(
        Fault(
            f"{file.partition('.')[0]}-{damage}",
            f"all three mysqld get SIGKILL, and {file} is {damage} on every host",
            crash_and_damage(file, damage),
            ends=HOSTS,
        )
        for file in ("grastate.dat", "gvwstate.dat")
        for damage in DAMAGES
    ),
)
