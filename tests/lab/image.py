"""The disk that all hosts start from: the root of a system, without what is particular to a machine."""

from __future__ import annotations

import shutil
from pathlib import Path

from lab.place import ADDRESSES, Place
from lab.shell import run
from lab.stage import staged
from lab.systems import System

SYSTEM = "etc/systemd/system"
# A host starts what the document enables and nothing else: no timers, no mail, no clock, which is the kernel's anyway.
WANTS = ("multi-user.target.wants", "timers.target.wants", "sockets.target.wants", "sysinit.target.wants")
MASKED = (
    "getty@.service",
    "console-getty.service",
    "networking.service",
    "systemd-resolved.service",
    "systemd-timesyncd.service",
    "systemd-logind.service",
    "systemd-udevd.service",
    "systemd-udev-trigger.service",
    "e2scrub_reap.service",
    "systemd-modules-load.service",
)
# The state of a cluster that the machine itself may be part of, and a sample configuration that pcs takes for a
# cluster.
FOREIGN = (
    "etc/corosync/corosync.conf",
    "etc/corosync/authkey",
    "etc/pacemaker/authkey",
    "var/lib/pacemaker/cib",
    "var/lib/pcsd",
    "etc/xha",
    "run/xha",
    "var/tmp",
    "var/log/mysql",
    "var/log/pacemaker",
    "var/log/journal",
)


def overlay(lower: str, layer: Path) -> Path:
    """Mount `layer`, a writable copy of the colon-separated directories `lower`, and return where."""
    for part in ("upper", "work", "root"):
        (layer / part).mkdir(parents=True, exist_ok=True)
    options = f"lowerdir={lower},upperdir={layer / 'upper'},workdir={layer / 'work'}"
    run(["mount", "-t", "overlay", "overlay", "-o", options, str(layer / "root")])
    return layer / "root"


def build(place: Place, system: System, *, bare: bool = False) -> None:
    """Write the shared layer and the fresh database that each host starts with. A `bare` layer has no xha."""
    root = overlay(str(system.root), place.image)
    _forget_the_machine(root)
    _name_the_hosts(root)
    if not bare:
        install_xha(root, system)
    shutil.copy(Path(__file__).with_name("fence_lab"), root / "usr/sbin")
    run(["umount", str(root)])
    _make_database(place.image / "mysql", system)


def _forget_the_machine(root: Path) -> None:
    for wants in WANTS:
        shutil.rmtree(root / SYSTEM / wants, ignore_errors=True)
    for link in root.glob("etc/rc[2-5].d/S*"):  # the same for the older init, where K means disabled
        link.rename(link.with_name("K" + link.name[1:]))
    for unit in MASKED:
        link = root / SYSTEM / unit
        link.unlink(missing_ok=True)
        link.symlink_to("/dev/null")
    for path in (root / name for name in FOREIGN):
        _empty(path)
    (root / "usr/sbin/policy-rc.d").unlink(missing_ok=True)
    # pcsd starts as many workers as a hundred nodes need. Here three hosts share a small machine.
    with open(root / "etc/default/pcsd", "a") as settings:
        settings.write("\nPCSD_WORKER_COUNT=2\n")


def _empty(path: Path) -> None:
    """Remove a file. Of a directory, remove the content, and keep its owner and its mode."""
    if path.is_dir() and not path.is_symlink():
        for child in path.iterdir():
            shutil.rmtree(child) if child.is_dir() and not child.is_symlink() else child.unlink()
    else:
        path.unlink(missing_ok=True)


def _name_the_hosts(root: Path) -> None:
    lines = ["127.0.0.1 localhost", *(f"{address} {name}" for name, address in ADDRESSES.items())]
    (root / "etc/hosts").write_text("\n".join(lines) + "\n")
    (root / "var/log/journal").mkdir(mode=0o2755, exist_ok=True)  # it outlasts a power cut, for the evidence


def install_xha(root: Path, system: System) -> None:
    """Install this checkout as a package does: move the staged tree into place, then create its user."""
    with staged(system) as stage:
        run(["cp", "-a", f"{stage}/.", str(root)])
    run(["systemd-sysusers", f"--root={root}"])
    run(["chroot", str(root), "chgrp", "xha", "/etc/xha/client.cnf"])


def _make_database(datadir: Path, system: System) -> None:
    """What a package's postinst does: create an empty database whose root logs in by the socket, without a password."""
    scratch = datadir.with_name("tmp")  # every server that starts removes all temporary tables in its tmpdir
    for directory in (datadir, scratch):
        directory.mkdir()
    scratch.chmod(0o1777)
    system.run(
        "mariadb-install-db",
        "--no-defaults",
        f"--datadir={datadir}",
        f"--tmpdir={scratch}",
        "--user=mysql",
        "--skip-test-db",
        "--auth-root-authentication-method=socket",
        binds=(str(datadir), str(scratch)),
        timeout=60,
    )
