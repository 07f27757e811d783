"""The server's error log. The server names its path, so only the server's account opens it (files/as_account.py)."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from ..files.as_account import SECONDS, act_as

if TYPE_CHECKING:
    from ..files.as_account import Account

_TAIL = 1 << 18
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def read_log(account: Account, path: str, offset: int = 0, seconds: float = SECONDS) -> str:
    """Return the end of a log from an offset in bytes on, at most 256 KiB; "" if the file does not exist.

    A log that is shorter than the offset was rotated: all of the new file counts. seconds: what root waits for it.

    :raises OSError: if it exists and cannot be read: what the server said is then unknown.
    """

    def read() -> bytes:
        descriptor = os.open(path, _READ)
        try:
            seen = os.fstat(descriptor)
            if not stat.S_ISREG(seen.st_mode):
                raise OSError(errno.ESPIPE, "", path)
            size = seen.st_size
            os.lseek(descriptor, max(offset if offset <= size else 0, size - _TAIL), os.SEEK_SET)
            return os.read(descriptor, _TAIL)
        finally:  # without root's rights, this is no child that ends
            os.close(descriptor)

    try:
        return act_as(account, read, seconds).decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return ""
    except OSError as error:
        if error.errno == errno.ESPIPE:
            raise OSError(errno.ESPIPE, "it is no regular file", path) from None
        raise


def read_size(account: Account, path: str) -> int | None:
    """Return a log's size in bytes, 0 if it does not exist; None where that cannot be found out."""
    try:
        return int(act_as(account, lambda: str(os.stat(path).st_size).encode()))
    except FileNotFoundError:
        return 0
    except OSError:
        return None


def read_written_at(account: Account, path: str, seconds: float = SECONDS) -> float:
    """Return when a log was last written to, in seconds since 1970. :raises OSError: if that cannot be found out."""
    return float(act_as(account, lambda: str(os.stat(path).st_mtime).encode(), seconds))


def open_log(path: str) -> int:
    """Open a log for appending, in a process of the server's account; create it if it does not exist."""
    return os.open(path, _APPEND, 0o640)


def check_log(account: Account, path: str) -> None:
    """Return if the account can append to a log, which is created if necessary. :raises OSError: if it cannot."""

    def touch() -> bytes:
        os.close(open_log(path))
        return b""

    act_as(account, touch)
