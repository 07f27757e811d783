"""Reads a small file whole, whatever stands in its place.

A FIFO would hold up whoever opens it, a device may never end, and a file that grew by accident would take the memory:
so it is opened without waiting, looked at by its descriptor, and read to a limit. A byte more than the limit is asked
for: half a document is none. (What stands in a directory of the server's account is read by foreign.py.)
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


def read_text(path: str, limit: int) -> str:
    """Return the text of a file that stands in a directory where another account may put a link: none is followed.

    What is no UTF-8 in it becomes U+FFFD. :raises OSError: as read_whole does; ELOOP for a link.
    """
    return read_whole(path, limit, follow=False).data.decode("utf-8", "replace")


def read_whole(path: str, limit: int = MAX_BYTES, *, follow: bool = True) -> WholeFile:
    """Return what is in a file; the null device has nothing.

    follow: who names a file in a configuration may name a link. :raises OSError: as open does; EINVAL for what is no
    regular file, EFBIG for more bytes than the limit. strerror says it in words.
    """
    try:
        descriptor = os.open(path, _FLAGS | (0 if follow else os.O_NOFOLLOW))
    except OSError as error:
        if error.errno == errno.ELOOP and not follow:
            raise OSError(errno.ELOOP, "is a symbolic link", path) from None
        raise
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
