"""Which file system a path or a process's open file is on, from the kernel's own tables (proc(5), mountinfo).

A stat of a file on a file system that does not answer (NFS without its server, FUSE without its program) blocks until
it answers. Every user can have such a file open: `stop` waited 9 min 53 s for one (measured). The tables are read
without touching any file system. A file that they place on another device than the data needs no stat.
"""

from __future__ import annotations

import errno
import os
import re

from ..process.procfs import is_gone

_ESCAPED = re.compile(r"\\([0-7]{3})")


class Mounts:
    """The mounts of each namespace that was asked about. Make a new object for each look, because mounts change.

    A device is `major:minor` of the file system's superblock. The id of a mount is unique in the whole kernel.
    """

    def __init__(self) -> None:
        self._devices: dict[str, str] = {}
        self._tables: dict[str, list[tuple[str, str]]] = {}

    def device(self, mount: str, pid: int) -> str:
        """Return the device of a mount by its id, as fdinfo gives it for a descriptor of the process.

        "" for a mount that is in no table: it was detached (umount -l), and exists as long as it is used.
        """
        for whose in ("self", pid):
            if mount not in self._devices:
                self._table(whose)
        return self._devices.get(mount, "")

    def devices(self, path: str, pid: int | None = None) -> frozenset[str]:
        """Return the devices that an absolute path may be on, as a process sees it: several if mounts are stacked.

        The path has no symbolic links, like the target of /proc/PID/cwd.
        """
        table = self._table("self" if pid is None else pid)
        above = [(point, device) for point, device in table if _leads_to(point, path)]
        longest = max((len(point) for point, _ in above), default=0)
        return frozenset(device for point, device in above if len(point) == longest)

    def below(self, path: str) -> list[str]:
        """Return the mount points below an absolute path without symbolic links, as this process sees them, sorted."""
        return sorted(point for point, _ in self._table("self") if point.startswith(f"{path}/"))

    def is_own(self, pid: int) -> bool:
        """Return whether a process has the same mounts as this process."""
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
