"""Which file system a path or an open file of a process is on, by the kernel's own tables (proc(5), mountinfo).

A stat of what stands on a file system that does not answer (NFS without its server, FUSE without its program) waits for
as long as that lasts, and every user can have something open there: `stop` waited 9 min 53 s (measured). The tables are
read without touching any file system. What they say is on another device than the data needs no stat.
"""

from __future__ import annotations

import errno
import os
import re

from ..process.procfs import is_gone

_ESCAPED = re.compile(r"\\([0-7]{3})")


class Mounts:
    """The mounts of each namespace that was asked about. It is made anew for each look: mounts come and go.

    A device is `major:minor` of the file system's superblock. The id of a mount is unique in the whole kernel.
    """

    def __init__(self) -> None:
        self._devices: dict[str, str] = {}
        self._tables: dict[str, list[tuple[str, str]]] = {}

    def device(self, mount: str, pid: int) -> str:
        """Return the device of the mount with an id, as fdinfo has it of a process's descriptor.

        It is "" for a mount that is in no table: one that was detached (umount -l), and lives as long as it is used.
        """
        for whose in ("self", pid):
            if mount not in self._devices:
                self._table(whose)
        return self._devices.get(mount, "")

    def devices(self, path: str, pid: int | None = None) -> frozenset[str]:
        """Return the devices that an absolute path may be on, as a process sees it: several where mounts are stacked.

        The path is one without symbolic links, such as the target of /proc/PID/cwd.
        """
        table = self._table("self" if pid is None else pid)
        above = [(point, device) for point, device in table if _leads_to(point, path)]
        longest = max((len(point) for point, _ in above), default=0)
        return frozenset(device for point, device in above if len(point) == longest)

    def is_own(self, pid: int) -> bool:
        """Return whether a process sees the mounts that we see."""
        return _namespace(pid) == _namespace("self")

    def _table(self, whose: int | str) -> list[tuple[str, str]]:
        """Return the mount points of a process's namespace, each with its device."""
        namespace = _namespace(whose)
        if namespace not in self._tables:
            self._tables[namespace] = self._read(whose)
        return self._tables[namespace]

    def _read(self, whose: int | str) -> list[tuple[str, str]]:
        try:
            with open(f"/proc/{whose}/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
                lines = [line.split(" ", 5) for line in file]
        except OSError as error:
            if is_gone(error) or error.errno in (errno.EINVAL, errno.EACCES, errno.EPERM):  # it is ending, or hidden
                return []
            raise
        # id, parent's id, device, root within the file system, mount point
        whole = [line for line in lines if len(line) > 5]
        self._devices.update((line[0], line[2]) for line in whole)
        return [(_ESCAPED.sub(lambda match: chr(int(match[1], 8)), line[4]), line[2]) for line in whole]


def _namespace(whose: int | str) -> str:
    try:
        return os.readlink(f"/proc/{whose}/ns/mnt")
    except OSError as error:
        if is_gone(error) or isinstance(error, PermissionError):
            return str(whose)
        raise


def _leads_to(point: str, path: str) -> bool:
    return point in ("/", path) or path.startswith(f"{point}/")
