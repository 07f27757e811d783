"""What a child prints, kept in memory: a disk that somebody else can fill does not take part.

A listing that was kept below /tmp was torn where any user had filled that, and the server ended well all the same.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# linux/memfd.h, since Linux 6.3: a host may refuse (vm.memfd_noexec=2) what could be executed.
_NOEXEC_SEAL = 0x8
_SEALS = fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL


class Printed:
    """A place in memory of so many bytes, for the standard output of a child; what exceeds it fails there with EPERM.

    RLIMIT_FSIZE would bound it as well (measured), but also the data files of a recovery or a creation.
    """

    def __init__(self, limit: int) -> None:
        """Make it; close() ends it. :raises OSError: as memfd_create(2) does."""
        self._limit, self._descriptor = limit, _make()
        os.fchmod(self._descriptor, 0o600)  # nobody else opens it by its name in /proc
        os.ftruncate(self._descriptor, limit)
        fcntl.fcntl(self._descriptor, fcntl.F_ADD_SEALS, _SEALS)

    def fileno(self) -> int:
        """The descriptor to give to the child, which stays this object's."""
        return self._descriptor

    def close(self) -> None:
        """Give the memory back."""
        os.close(self._descriptor)

    @property
    def is_cut(self) -> bool:
        """Whether the child printed as much as there was place for, or more."""
        return self._length() >= self._limit

    def read(self) -> bytes:
        """Return what was printed so far."""
        return os.pread(self._descriptor, self._length(), 0)

    def _length(self) -> int:
        # The child's position is this process's: both have the one open file.
        return min(os.lseek(self._descriptor, 0, os.SEEK_CUR), self._limit)


@contextlib.contextmanager
def printed(limit: int) -> Iterator[Printed]:
    """Have such a place for the time of a block. :raises OSError: as memfd_create(2) does."""
    place = Printed(limit)
    try:
        yield place
    finally:
        place.close()


def _make() -> int:
    flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
    try:
        return os.memfd_create("xha-printed", flags | _NOEXEC_SEAL)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return os.memfd_create("xha-printed", flags)
