"""Removes a laboratory, in whatever state a killed or broken run left it.

It uses no record of what was built, and looks at what is there. Every step may be repeated, and a step that finds
nothing to do is no error. So the next sweep finishes one that was killed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lab import cgroups, processes
from lab.place import BASE, Place
from lab.shell import run
from lab.waiting import wait_until

CONTAINER = "systemd-nspawn"


class Busy(Exception):
    """Another process builds or uses the laboratory."""


@contextmanager
def locked(place: Place, *, wait: bool = False) -> Iterator[None]:
    """Hold the laboratory's lock. The kernel releases it when we die. Raises `Busy` if another process holds it."""
    while True:
        BASE.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(place.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            continue  # the last laboratory was removed just now, and the directory with it
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            os.close(handle)
            raise Busy(f"the laboratory {place.name!r} is in use by another process") from None
        if _still_at(place.lock, handle):
            break
        os.close(handle)  # its last holder removed the file between our open and our lock
    try:
        yield
    finally:
        if not place.root.exists():
            place.lock.unlink(missing_ok=True)
            with suppress(OSError):
                BASE.rmdir()
        os.close(handle)


def _still_at(path: Path, handle: int) -> bool:
    try:
        return os.stat(path).st_ino == os.fstat(handle).st_ino
    except FileNotFoundError:
        return False


def sweep(place: Place) -> None:
    """End every process, mount, namespace and control group of the laboratory at `place` and remove its directory."""
    for path in mounts_under(place.root):  # who writes to a frozen file system does not end
        if path.endswith("/binlog"):
            run(["fsfreeze", "--unfreeze", path], check=False)
    wait_until(f"the processes of the laboratory {place.name!r} to end", lambda: _kill_round(place), timeout=20)
    wait_until(f"the mounts under {place.root} to go", lambda: _unmount_round(place), timeout=20)
    wait_until(f"the control groups of {place.name!r} to go", lambda: cgroups.remove(place), timeout=10)
    if place.root.exists():
        shutil.rmtree(place.root)


def sweep_abandoned() -> list[str]:
    """Sweep the laboratories that no process holds and that were not to be kept. Return their names."""
    swept = []
    for lock in sorted(BASE.glob("*.lock")):
        place = Place(lock.stem)
        with suppress(Busy), locked(place):
            if not place.kept.exists():
                sweep(place)
                swept.append(place.name)
    return swept


def _kill_round(place: Place) -> bool:
    """Kill what is left. True when nothing was. Containers first: they would notice, and clean up meanwhile."""
    left = [pid for pid in processes.naming(f"{place.root}/") if _is_container(pid)]
    for namespace in sorted((place.root / "net").glob("*")):
        left += processes.in_namespace(namespace)
    processes.kill(left)
    return not left


def _is_container(pid: int) -> bool:
    """A process with our path among its arguments may be an editor, so only containers are ended by name."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip() == CONTAINER
    return False


def _unmount_round(place: Place) -> bool:
    left = mounts_under(place.root)
    for path in left:
        run(["umount", path], check=False)
    return not left


def mounts_under(root: Path) -> list[str]:
    """Mount points at or under `root`, the last mounted first."""
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return [point for point in reversed(points) if point == str(root) or point.startswith(f"{root}/")]
