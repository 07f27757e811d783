"""Whether an account can write into directories: it does, in a child, and waits until that is on the disk."""

from __future__ import annotations

import contextlib
import functools
import os
import stat
from typing import TYPE_CHECKING

from ..files.as_account import act_as

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..files.as_account import Account

NAME = ".xha-takes-writes"
_BLOCK = bytes(4096)


def find_unwritable(account: Account, directories: Iterable[tuple[str, str]], seconds: float) -> str:
    """Return "" once a file was written and fsynced in each directory; else which does not take it, and why.

    directories: a name for each, as log_bin, and its path. A child of a frozen file system waits in the kernel, and
    ignores SIGKILL until it is thawed. So it holds none of this process's files, whose locks would be held with them.
    """
    for name, path in directories:
        try:
            act_as(account, functools.partial(_write, path), seconds)
        except TimeoutError:
            return f"{name} {path} does not take a write within {seconds:.0f} s"
        except OSError as error:
            return f"{name} {path}: {(error.strerror or str(error)).lower()}"
    return ""


def _write(path: str) -> bytes:
    """Write a block to a new file, and remove it. What a killed child has left is removed first."""
    _let_go_of_files()
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(NAME, dir_fd=directory)
    file = os.open(NAME, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=directory)
    try:
        os.write(file, _BLOCK)
        os.fsync(file)
    finally:
        os.unlink(NAME, dir_fd=directory)
    os.fsync(directory)
    return b""


def _let_go_of_files() -> None:
    """Close every regular file: the locks of what forked this child. Its pipes are none."""
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if int(name) > 2 and stat.S_ISREG(os.fstat(int(name)).st_mode):
                os.close(int(name))
