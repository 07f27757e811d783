"""A small file that somebody else puts there, read without waiting: what is no such file is an error, not its content.

O_NONBLOCK: a FIFO or a terminal in its place does not hang the reader. A regular file, by fstat of what was opened: a
FIFO with a writer is no file that was replaced in one step, a directory's descriptor reads as nothing. A byte more than
the most is asked for: half a document is none.
"""

from __future__ import annotations

import errno
import os
import stat


def read_regular(path: str, most: int, *, follow: bool = False) -> str:
    """Return the text of a regular file of at most so many bytes; what is no UTF-8 in it becomes U+FFFD.

    follow: it may stand behind a symbolic link. Not where another account may put one there: O_NOFOLLOW.
    :raises OSError: as open does, and, with a strerror of its own, for what is no regular file, and for a larger one.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        if error.errno == errno.ELOOP and not follow:
            raise OSError(errno.ELOOP, "a symbolic link", path) from None
        raise
    try:  # not by a file object: open() of a directory's descriptor fails and leaves the descriptor open
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "no regular file", path)
        data = b""
        while len(data) <= most:
            chunk = os.read(descriptor, most + 1 - len(data))
            if not chunk:
                return data.decode("utf-8", "replace")
            data += chunk
        raise OSError(0, f"more than {most} bytes", path)
    finally:
        os.close(descriptor)
