"""Reads a small file whole that an administrator named, whatever stands there.

A FIFO in its place would hold up whoever opens it, a device may never end, and a file that grew by accident would take
the memory: so it is opened without waiting, looked at by its descriptor, and read to a limit. Links are followed: who
names a file in a configuration may name a link. (What stands in a directory of another account is no such file.)
"""

from __future__ import annotations

import errno
import os
import stat
from typing import NamedTuple

MAX_BYTES = 512 << 10

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NULL_DEVICE = os.makedev(1, 3)  # an empty file, as MySQL's clients have it


class WholeFile(NamedTuple):
    """What stood in a file, and its permissions (st_mode)."""

    data: bytes
    mode: int


def read_whole(path: str, limit: int = MAX_BYTES) -> WholeFile:
    """Return what is in a file; the null device has nothing.

    :raises OSError: as open does; EINVAL for what is no regular file, EFBIG for more bytes than the limit. strerror
    says it in words.
    """
    descriptor = os.open(path, _FLAGS)
    try:
        seen = os.fstat(descriptor)
        if stat.S_ISCHR(seen.st_mode) and seen.st_rdev == _NULL_DEVICE:
            return WholeFile(b"", seen.st_mode)
        if stat.S_ISDIR(seen.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        if not stat.S_ISREG(seen.st_mode):
            raise OSError(errno.EINVAL, "is no regular file", path)
        pieces: list[bytes] = []
        size = 0
        while size <= limit:
            piece = os.read(descriptor, limit + 1 - size)
            if not piece:
                return WholeFile(b"".join(pieces), seen.st_mode)
            pieces.append(piece)
            size += len(piece)
        raise OSError(errno.EFBIG, f"has more than {limit} bytes", path)
    finally:
        os.close(descriptor)
