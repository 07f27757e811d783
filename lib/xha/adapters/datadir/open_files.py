"""Which process uses a data directory: it works in that directory, or has one of its vital files open.

Directories and files are compared by device and inode, because a path proves nothing: a server may run in a container
or be started with a relative path. No file is touched that is on another device than the data (mounts.py).
"""

from __future__ import annotations

import errno
import os
import time

from ...core.text.light_typing import TYPE_CHECKING, NamedTuple
from ..process.procfs import read_descriptor, without_deleted
from .writers import find_writers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..host.mounts import Mounts

# The files that a server keeps open while it uses a data directory (measured: grastate.dat is open, and not locked).
VITAL = ("grastate.dat", "galera.cache", "ibdata1")

_NO_FILES = ("socket:", "pipe:", "anon_inode:")
_READ, _WRITE = 0o400, 0o200


class Held(NamedTuple):
    """A vital file that a process has open. writes: the process may write to it.

    A lock alone is not enough evidence: a process that only reads can hold one.
    """

    name: str
    writes: bool


class TimeIsOver(Exception):
    """Reading the open files of one process took longer than the time that was left."""


class VitalFiles:
    """A data directory and its vital files, as they are now. writers: who could have opened one of them for writing.

    :raises FileNotFoundError, NotADirectoryError: if the directory does not exist.
    :raises OSError: if it cannot be examined.
    """

    def __init__(self, directory: str, mounts: Mounts) -> None:
        self.directory, self._mounts = directory, mounts
        own, files = os.stat(directory), list[tuple[str, os.stat_result]]()
        for name in VITAL:
            path = os.path.join(directory, name)
            try:
                files.append((path, os.lstat(path)))
            except (FileNotFoundError, NotADirectoryError):
                continue
        self._identity = _identity(own)
        self._files = {_identity(seen): os.path.basename(path) for path, seen in files}
        self.writers = find_writers(directory, own, files)
        self._devices = mounts.devices(os.path.realpath(directory))

    def is_cwd_of(self, pid: int) -> bool:
        """Return whether a process has this directory as its working directory.

        :raises OSError: if the process is gone or may not be examined.
        """
        text = without_deleted(_read_link(f"/proc/{pid}/cwd"))
        if not text:
            return _identity(os.stat(f"/proc/{pid}/cwd")) == self._identity
        # An open file inside the working directory proves which mount the directory is on.
        below = (number for number, target in _files_of(pid) if os.path.dirname(target) == text)
        found = next((one for one in (read_descriptor(pid, number) for number in below) if one), None)
        if found:
            known = self._mounts.device(found.mount, pid) in self._devices
            return known and _identity(os.stat(f"/proc/{pid}/cwd")) == self._identity
        # Without such a file the mount may be a detached one, whose paths begin at its own root. Then only the path is
        # followed.
        if not self._devices & self._mounts.devices(text, pid):
            return False
        root = "" if self._mounts.is_own(pid) else f"/proc/{pid}/root"
        try:
            return _identity(os.stat(f"{root}{text}")) == self._identity
        except (FileNotFoundError, NotADirectoryError):
            return False

    def find_held(self, pid: int, *, trusted: bool, by_name: bool, deadline: float | None = None) -> Held | None:
        """Return the vital file that a process has open; None if it has none. A file open for writing takes precedence.

        trusted: the process runs as an account whose files on a detached mount count by their names. by_name: examine
        only files with the name of a vital file, as a server has them. A server has thousands of tables open as well,
        and any user can have a million files open. A descriptor that only names a file (O_PATH) needs no right to the
        file, so it does not count. deadline is a time of time.monotonic().

        :raises TimeIsOver: if the deadline passes.
        :raises OSError: if the process is gone or may not be examined.
        """
        found, others = None, set[str]()
        for number, target in _files_of(pid, deadline):
            name = os.path.basename(without_deleted(target))
            if target in others or (by_name and target and name not in VITAL):
                continue
            access = _access(f"/proc/{pid}/fd/{number}")
            wanted = _WRITE if found else _READ | _WRITE
            opened = read_descriptor(pid, number) if access & wanted else None
            if opened is None:
                continue
            device = self._mounts.device(opened.mount, pid)
            vital = self._recognise(f"/proc/{pid}/fd/{number}", device)
            if not device and trusted and self._is_like(name, opened.inode):
                vital = name
            if not vital:
                if target:  # without a path, each descriptor is examined for itself
                    others.add(target)
                continue
            found = Held(vital, bool(access & _WRITE))
            if found.writes:
                break
        return found

    def _recognise(self, path: str, device: str) -> str:
        if device not in self._devices:
            return ""
        try:
            return self._files.get(_identity(os.stat(path)), "")
        except (FileNotFoundError, ProcessLookupError):  # it was closed meanwhile
            return ""

    def _is_like(self, name: str, inode: int) -> bool:
        """Whether a file that cannot be examined is vital by its name and, if the kernel tells it, by its inode."""
        return any(name == vital and inode in (0, one[1]) for one, vital in self._files.items())


def _read_link(path: str, directory: int | None = None) -> str:
    """Return where a link of /proc leads; "" if that is longer than the kernel tells."""
    try:
        return os.readlink(path, dir_fd=directory)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return ""
        raise


def _identity(seen: os.stat_result) -> tuple[int, int]:
    return seen.st_dev, seen.st_ino


def _access(link: str) -> int:
    """Return how a descriptor was opened, from its link in /proc; neither bit is set for an O_PATH descriptor."""
    try:
        return os.lstat(link).st_mode
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _files_of(pid: int, deadline: float | None = None) -> Iterator[tuple[str, str]]:
    """Yield the descriptors of a process except pipes and sockets, each with the path that it leads to.

    The path is "" where it is longer than the kernel tells (a page, proc(5)).
    :raises TimeIsOver: if the deadline passes.
    """
    directory = os.open(f"/proc/{pid}/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                if deadline is not None and time.monotonic() > deadline:
                    raise TimeIsOver
                try:
                    target = _read_link(entry.name, directory)
                except (FileNotFoundError, ProcessLookupError):
                    continue
                if not target.startswith(_NO_FILES):
                    yield entry.name, target
    finally:
        os.close(directory)
