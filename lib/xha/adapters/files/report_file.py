"""A file that an operator named for a program to write to; it may stand where everybody may put names, as in /tmp.

Where only root, or this account, can write, whatever the name leads to is the operator's choice:
a link, a terminal, a FIFO. Elsewhere a link may be anybody's, and a file may be a second name of one of ours.
"""

from __future__ import annotations

import os
import stat

from .foreign import UnfitPath
from .walk import walk

_WRITE = os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def write_report(path: str, text: str) -> None:
    """Put a text in the place of what a file holds; it is made where there is none.

    A FIFO that nobody reads is an error, and holds nobody up. :raises OSError: as open does; Unfit for a name in a
    directory of others that is no file of this process's own.
    """
    above, name = os.path.split(os.path.abspath(path))
    directory, controlled = walk(above)
    try:
        mode = os.fstat(directory).st_mode
        private = controlled and not mode & (stat.S_IWOTH | stat.S_IWGRP)
        descriptor = os.open(name, _WRITE | (0 if private else os.O_NOFOLLOW), 0o666, dir_fd=directory)
    finally:
        os.close(directory)
    with open(descriptor, "w", encoding="utf-8", errors="replace") as file:
        seen = os.fstat(descriptor)
        own = stat.S_ISREG(seen.st_mode) and seen.st_uid == os.geteuid() and seen.st_nlink == 1
        if not private and not own:
            raise UnfitPath(
                path, "it is no file of this account's, in a directory of others: remove it, or name another"
            )
        if stat.S_ISREG(seen.st_mode):
            os.ftruncate(descriptor, 0)
        file.write(text)
