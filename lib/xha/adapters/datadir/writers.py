"""Which accounts could have opened a file themselves, to write: whoever else holds it was handed a descriptor of it.

A look at everybody's open files takes as long as any user wants: 60 processes with 20,000 descriptors each took a stop
more time than it has. The few that can write by themselves are looked at first, and in full.
"""

from __future__ import annotations

import os
import stat

from ...core.light_typing import TYPE_CHECKING, NamedTuple
from ..process.procfs import read_gids

if TYPE_CHECKING:
    from collections.abc import Iterable

_ACL = "system.posix_acl_access"
# The system call's number; the same on each of these machines since the call was added (Linux 3.5 to 4.15).
_KCMP = {"x86_64": 312, "aarch64": 272, "riscv64": 272, "ppc64le": 354, "s390x": 343}
_KCMP_FILES = 2
_LONG = 0.005


class Writers(NamedTuple):
    """Accounts by uid, groups by gid. anybody: others may write, too, and can get at the file."""

    uids: frozenset[int]
    gids: frozenset[int] = frozenset()
    anybody: bool = False

    def hold(self, pid: int, uids: frozenset[int]) -> bool:
        """Return whether a process is of these, by all of its uids; none if it is gone. :raises OSError: if unknown.

        A setuid program is not: any user can run one, with as many files open as there may be. Nor does a capability
        count: in a user namespace of its own everybody has all of them.
        """
        if self.anybody:
            return True
        return (bool(uids) and uids <= self.uids) or (bool(self.gids) and bool(self.gids & read_gids(pid)))


def find_writers(directory: str, seen: os.stat_result, files: Iterable[tuple[str, os.stat_result]]) -> Writers:
    """Return who could open one of the files of a directory, each with its path; an owner can change a file's mode."""
    uids, gids, others = {0, seen.st_uid}, set[int](), False
    for path, one in files:
        uids.add(one.st_uid)
        if one.st_mode & stat.S_IWGRP:
            gids.add(one.st_gid)
            # The bits of the group are then what the list of other accounts may have at most (acl(5)).
            others |= _has_list(path)
        others |= bool(one.st_mode & stat.S_IWOTH)
    return Writers(frozenset(uids), frozenset(gids), others and _lets_others_in(os.path.realpath(directory)))


def _lets_others_in(path: str) -> bool:
    """Return whether everybody may pass a directory and all that are above it; True where that cannot be told."""
    while True:
        try:
            passes = os.stat(path).st_mode & stat.S_IXOTH or _has_list(path)
        except OSError:
            passes = True
        if not passes:
            return False
        if path == "/":
            return True
        path = os.path.dirname(path)


def _has_list(path: str) -> bool:
    try:
        return bool(os.getxattr(path, _ACL, follow_symlinks=False))
    except OSError:
        return False


class SharedTables:
    """The tables of descriptors that were looked at: processes can share one (clone(2), CLONE_FILES), at no cost."""

    def __init__(self) -> None:
        self._looked_at: list[int] = []
        self._number = _KCMP.get(os.uname().machine, -1)

    def note(self, pid: int, seconds: float) -> None:
        """Remember that the table of a process was looked at, if that took long: comparing takes time, too."""
        if seconds > _LONG:
            self._looked_at.append(pid)

    def holds(self, pid: int) -> bool:
        """Return whether a process has a table that was looked at; False where the kernel does not tell."""
        if not self._looked_at or self._number < 0:
            return False
        import ctypes

        kcmp = ctypes.CDLL(None).syscall
        return any(kcmp(self._number, pid, one, _KCMP_FILES, 0, 0) == 0 for one in self._looked_at)
