"""Writes a file that an operator named; it may be in a directory that every account can write, such as /tmp.

If only root or this account can write to the directory, the operator chose whatever the name leads to: a link, a
terminal, a FIFO. Otherwise any account may have made the link, and a file may be a second name of one of this account's
files.
"""

from __future__ import annotations

import os
import stat

from .foreign import UnfitPath
from .walk import walk

_WRITE = os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def write_report(path: str, text: str) -> None:
    """Replace the content of a file by this text. The file is created if it does not exist.

    A FIFO without a reader is an error and does not block.

    :raises OSError: as open does.
    :raises UnfitPath: if the name is in a directory of other accounts and is not a file of this account.
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
