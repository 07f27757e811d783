"""Keeps the output of a child in memory, so that a full disk cannot truncate it.

A listing that was written below /tmp was torn when a user had filled that file system, and the server still ended with
code 0 (observed).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# linux/memfd.h, since Linux 6.3: a host may refuse executable memory files (vm.memfd_noexec=2).
_NOEXEC_SEAL = 0x8
_SEALS = fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL


class CapturedOutput:
    """A memory file of `limit` bytes for the standard output of a child. Writing more fails in the child with EPERM.

    RLIMIT_FSIZE would limit the output as well (measured), but also the data files of a recovery or a creation.
    """

    def __init__(self, limit: int) -> None:
        """Make the memory file; close() frees it. :raises OSError: as memfd_create(2) does."""
        self._limit, self._descriptor = limit, _make()
        os.fchmod(self._descriptor, 0o600)  # no other account opens it by its name in /proc
        os.ftruncate(self._descriptor, limit)
        fcntl.fcntl(self._descriptor, fcntl.F_ADD_SEALS, _SEALS)

    def fileno(self) -> int:
        """Return the descriptor for the child; it remains this object's."""
        return self._descriptor

    def close(self) -> None:
        """Free the memory."""
        os.close(self._descriptor)

    @property
    def is_cut(self) -> bool:
        """Whether the child printed as much as fits, or more."""
        return self._length() >= self._limit

    def read(self) -> bytes:
        """Return what was printed so far."""
        return os.pread(self._descriptor, self._length(), 0)

    def _length(self) -> int:
        # The child and this process share one open file, so they share its position.
        return min(os.lseek(self._descriptor, 0, os.SEEK_CUR), self._limit)


@contextlib.contextmanager
def capture_output(limit: int) -> Iterator[CapturedOutput]:
    """Make a memory file for the duration of a block. :raises OSError: as memfd_create(2) does."""
    place = CapturedOutput(limit)
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
