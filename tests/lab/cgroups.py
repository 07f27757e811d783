"""A control group of its own for each host, so that three systemds do not take each other's services for their own.

systemd-nspawn builds on the group it is started in. Unless each starts in another one, all three hosts share one tree.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from lab.place import Place

FAMILY = "xha-lab"


def hierarchies() -> Iterator[Path]:
    """Where systemd has its groups: in the unified hierarchy, or on an older layout in the one named systemd."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, source = (part.split() for part in line.split(" - "))
        if source[0] == "cgroup2" or (source[0] == "cgroup" and "name=systemd" in source[2]):
            yield Path(fields[4])


def make(place: Place, node: str) -> list[Path]:
    """Make the groups of `node`. Return the files that take the number of a process that is to enter."""
    groups = [hierarchy / FAMILY / place.name / node for hierarchy in hierarchies()]
    for group in groups:
        while not group.is_dir():
            with suppress(FileNotFoundError):  # whoever left just now removed the directory above
                group.mkdir(parents=True, exist_ok=True)
    return [group / "cgroup.procs" for group in groups]


def entering(doors: list[Path], *command: str) -> list[str]:
    """`command`, preceded by what makes it enter the groups whose files are `doors`."""
    script = 'while [ "$1" != -- ]; do echo $$ >"$1"; shift; done; shift; exec "$@"'
    return ["sh", "-c", script, "sh", *map(str, doors), "--", *command]


def remove(place: Place, node: str = "") -> bool:
    """Remove the empty groups of `node`, or of the whole laboratory. True when none is left."""
    left = False
    for hierarchy in hierarchies():
        top = hierarchy / FAMILY / place.name / node
        for directory, _, _ in os.walk(top, topdown=False):
            with suppress(OSError):
                os.rmdir(directory)
        left = left or top.exists()
        with suppress(OSError):  # other laboratories may be under it
            (hierarchy / FAMILY).rmdir()
    return not left
