"""The room of the file systems that a server writes to (statvfs)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ...core.node.commits import Room
from ...core.text.escape import clean

if TYPE_CHECKING:
    from collections.abc import Mapping


def read_rooms(directories: Mapping[str, str]) -> tuple[Room, ...]:
    """Return the room of each file system once. directories: a name for each, as log_bin, and its path.

    What this account cannot examine is left out. A file system that does not answer holds the caller up for as long.
    """
    names: dict[int, list[str]] = {}
    sizes: dict[int, tuple[int, int]] = {}
    for name, path in directories.items():
        try:
            device, seen = os.stat(path).st_dev, os.statvfs(path)
        except OSError:
            continue
        if seen.f_blocks:
            names.setdefault(device, []).append(clean(f"{name} {path}"))
            # What an ordinary account may use, as the server is one.
            sizes[device] = seen.f_bavail * seen.f_frsize, seen.f_blocks * seen.f_frsize
    return tuple(Room(tuple(names[device]), free, size) for device, (free, size) in sizes.items())
