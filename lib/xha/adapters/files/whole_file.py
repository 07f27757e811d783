"""Reads a small file completely, whatever its name leads to.

A FIFO would block the open, a device may never end, and a file that grew by accident would fill the memory. The file is
therefore opened without blocking, checked by its descriptor, and read up to a limit. A file longer than the limit is an
error, because half a document is useless; one byte more than the limit is requested to notice that. (Files in a
directory of the server's account are read by foreign.py.)
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection

MAX_BYTES = 512 << 10

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NULL_DEVICE = os.makedev(1, 3)  # counts as an empty file, as for MySQL's clients


class WholeFile(NamedTuple):
    """The content of a file, its permissions (st_mode), and the uid of its owner."""

    data: bytes
    mode: int
    owner: int


def read_text(path: str, limit: int, owners: Collection[int] | None = None) -> str:
    """Return the text of a file in a directory where another account may put a link; links are not followed.

    Bytes that are not UTF-8 become U+FFFD.

    :raises OSError: as read_whole does; ELOOP for a link.
    """
    return read_whole(path, limit, follow=False, owners=owners).data.decode("utf-8", "replace")


def read_whole(
    path: str, limit: int = MAX_BYTES, *, follow: bool = True, owners: Collection[int] | None = None
) -> WholeFile:
    """Return the content of a file; the null device is empty.

    follow: whether a link is followed, as for a file that a configuration names. owners: the uids whose file it may be.

    :raises OSError: as open does; EINVAL if it is no regular file, EFBIG if it has more than `limit` bytes, EPERM if it
    belongs to nobody of `owners`. strerror says it in words.
    """
    try:
        descriptor = os.open(path, _FLAGS | (0 if follow else os.O_NOFOLLOW))
    except OSError as error:
        if error.errno == errno.ELOOP and not follow:
            raise OSError(errno.ELOOP, "is a symbolic link", path) from None
        raise
    try:
        seen = os.fstat(descriptor)
        if owners is not None and seen.st_uid not in owners:
            raise OSError(errno.EPERM, f"belongs to uid {seen.st_uid}, whose word does not count", path)
        if stat.S_ISCHR(seen.st_mode) and seen.st_rdev == _NULL_DEVICE:
            return WholeFile(b"", seen.st_mode, seen.st_uid)
        if stat.S_ISDIR(seen.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        if not stat.S_ISREG(seen.st_mode):
            raise OSError(errno.EINVAL, "is no regular file", path)
        pieces: list[bytes] = []
        size = 0
        while size <= limit:
            piece = os.read(descriptor, limit + 1 - size)
            if not piece:
                return WholeFile(b"".join(pieces), seen.st_mode, seen.st_uid)
            pieces.append(piece)
            size += len(piece)
        raise OSError(errno.EFBIG, f"has more than {limit} bytes", path)
    finally:
        os.close(descriptor)
