"""The file of the availability ledger: lines are appended, and the mark at its end is overwritten in place.

One process writes it, which holds a lock on it. It is bounded: when it is full, its newest half is kept. A file that is
far above that is none of this writer's: it is set aside under the name FILE.aside, and a new one begins.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from typing import TYPE_CHECKING

from ...core.cluster.history.ledger_lines import (
    MAX_BYTES,
    TOLD_BYTES,
    halve_ledger,
    keep_newest,
    render_ledger_line,
)
from ..files.atomic_write import remove_unfinished, replace_text
from ..files.whole_file import read_text
from ..host.login_name import server_uids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...core.cluster.history.ledger_lines import LedgerLine

_ACCOUNT = "xha"
_OPEN = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class LedgerFile:
    """The ledger, open for writing. tail: its newest lines, at most TOLD_BYTES, for whoever asks.

    set_aside: where a file above the limit is now, "" where none was. An older one of that name is replaced.

    :raises OSError: as open does; EWOULDBLOCK if another process writes it.
    """

    def __init__(self, path: str, most: int = MAX_BYTES) -> None:
        self._path, self._most = path, most
        self._fd = -1
        self.set_aside = ""
        self._open()
        if self._size > 2 * most:
            self._set_aside()
        remove_unfinished(os.path.dirname(path) or ".", f"{os.path.basename(path)}.")
        text = read_text(path, 2 * most)
        if text and not text.endswith("\n"):  # a write that was broken off: it is a line that nobody can read
            self._size += os.pwrite(self._fd, b"\n", self._size)
            text += "\n"
        self.tail = keep_newest(text, TOLD_BYTES)
        self._mark = ""

    def _open(self) -> None:
        try:
            fd = os.open(self._path, _OPEN, 0o644)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise OSError(errno.ELOOP, "is a symbolic link", self._path) from None
            raise
        try:
            seen = os.fstat(fd)
            if not stat.S_ISREG(seen.st_mode):
                raise OSError(errno.EINVAL, "is no regular file", self._path)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise OSError(error.errno, "another responder writes it", self._path) from None
            os.fchmod(fd, 0o644)  # whatever the umask is: xha-check reads it, as whoever calls it
        except OSError:
            os.close(fd)
            raise
        self._fd, self._size = fd, seen.st_size

    def _set_aside(self) -> None:
        """Rename the file, and begin a new one. The lock on the old one is held until it has another name."""
        aside = f"{self._path}.aside"
        try:
            os.replace(self._path, aside)
        except OSError:
            self.close()
            raise
        self.close()
        self._open()
        self.set_aside = aside

    def append(self, lines: Sequence[LedgerLine], mark: LedgerLine) -> None:
        """Add lines in the place of the last mark, and a new mark behind them. :raises OSError: as write does."""
        text = "".join(f"{render_ledger_line(line)}\n" for line in lines)
        end = f"{render_ledger_line(mark)}\n"
        at = self._size - len(self._mark)
        data = (text + end).encode()
        done = os.pwrite(self._fd, data, at)
        if done < len(data):  # the disk is full: what is there of it is a line that nobody can read
            self._size, self._mark = max(self._size, at + done), ""
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self._path)
        self._size = max(self._size, at + len(data))
        self.tail = keep_newest(self.tail[: len(self.tail) - len(self._mark)] + text + end, TOLD_BYTES)
        self._mark = end
        if self._size > self._most:
            self._halve()

    def _halve(self) -> None:
        text = halve_ledger(read_text(self._path, 2 * self._most), self._most // 2)
        replace_text(self._path, text, 0o644)
        os.close(self._fd)
        self._fd = -1
        self._open()

    def close(self) -> None:
        """Close the file, and give up the lock."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1


def read_ledger_text(path: str) -> str:
    """Return the text of a ledger that the responder's account, root or this process's own wrote.

    :raises OSError: as open does; EPERM if it belongs to somebody else.
    """
    return read_text(path, 2 * MAX_BYTES, server_uids(_ACCOUNT))
