"""Which accounts could have opened a file for writing themselves. Any other process received its descriptor from one.

Any user can make a look at all open files slow: 60 processes with 20,000 descriptors each took longer than a stop has
(measured). The few processes that could open the files themselves are therefore examined first, and completely.
"""

from __future__ import annotations

import os
import stat

from ...core.text.light_typing import TYPE_CHECKING, NamedTuple
from ..process.procfs import read_gids

if TYPE_CHECKING:
    from collections.abc import Iterable

_ACL = "system.posix_acl_access"
# The number of the kcmp system call. On each machine it is unchanged since the call was added (Linux 3.5 to 4.15).
_KCMP = {"x86_64": 312, "aarch64": 272, "riscv64": 272, "ppc64le": 354, "s390x": 343}
_KCMP_FILES = 2
_LONG = 0.005


class Writers(NamedTuple):
    """Accounts by uid, groups by gid. any_account: every other account may write the file too, and can reach it."""

    uids: frozenset[int]
    gids: frozenset[int] = frozenset()
    any_account: bool = False

    def hold(self, pid: int, uids: frozenset[int]) -> bool:
        """Return whether a process belongs to these, by all of its uids; False if it is gone.

        A setuid program does not belong to them: any user can run one with as many open files as they like. A
        capability does not count either: in its own user namespace every process has all of them.

        :raises OSError: if that cannot be determined.
        """
        if self.any_account:
            return True
        return (bool(uids) and uids <= self.uids) or (bool(self.gids) and bool(self.gids & read_gids(pid)))


def find_writers(directory: str, seen: os.stat_result, files: Iterable[tuple[str, os.stat_result]]) -> Writers:
    """Return who could open one of the files of a directory for writing. The owner of a file can change its mode.

    files: the path of each file with what lstat says of it.
    """
    uids, gids, others = {0, seen.st_uid}, set[int](), False
    for path, one in files:
        uids.add(one.st_uid)
        if one.st_mode & stat.S_IWGRP:
            gids.add(one.st_gid)
            # With an access control list, the group bits are the most that any account in the list may have (acl(5)).
            others |= _has_list(path)
        others |= bool(one.st_mode & stat.S_IWOTH)
    return Writers(frozenset(uids), frozenset(gids), others and _lets_others_in(os.path.realpath(directory)))


def _lets_others_in(path: str) -> bool:
    """Return whether every account may pass a directory and all above it; True if that cannot be determined."""
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
    """The descriptor tables that were examined. Processes can share one at no cost (clone(2), CLONE_FILES)."""

    def __init__(self) -> None:
        self._looked_at: list[int] = []
        self._number = _KCMP.get(os.uname().machine, -1)

    def note(self, pid: int, seconds: float) -> None:
        """Remember that the table of a process was examined, if that took long; a comparison costs time too."""
        if seconds > _LONG:
            self._looked_at.append(pid)

    def holds(self, pid: int) -> bool:
        """Return whether a process uses a table that was examined already; False if the kernel does not tell."""
        if not self._looked_at or self._number < 0:
            return False
        import ctypes

        kcmp = ctypes.CDLL(None).syscall
        return any(kcmp(self._number, pid, one, _KCMP_FILES, 0, 0) == 0 for one in self._looked_at)
