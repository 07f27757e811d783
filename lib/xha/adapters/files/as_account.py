"""Work that is done in a child under another account: what that account may not do, the child may not do either.

For paths that the account itself named, as a server does in the listing of its options: root uses none of them (a
ptrace of the program that prints the listing changes what it says). A fork, setuid and a read cost 0.6 ms (measured).
"""

from __future__ import annotations

import errno
import os
import select
import signal
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Callable, NoReturn

SECONDS = 5.0
_MOST_BYTES = 1 << 20
_GRACE = 0.5


class Account(NamedTuple):
    """An account of this host. groups are all its groups."""

    user: str
    uid: int
    gid: int
    groups: tuple[int, ...] = ()

    @property
    def owner(self) -> tuple[int, int]:
        """The owner of files that are made for it."""
        return self.uid, self.gid


def become(account: Account) -> None:
    """Give up root for an account, for good; without root's rights nothing changes."""
    if os.geteuid() == 0:
        os.setgroups(account.groups)
        os.setgid(account.gid)
        os.setuid(account.uid)


def act_as(account: Account, work: Callable[[], bytes], seconds: float = SECONDS) -> bytes:
    """Return what the work comes to, done in a child as the account: a mebibyte at most.

    Without root's rights it is done in this process. work imports nothing: another thread may hold the import's lock.
    :raises OSError: as work does. :raises TimeoutError: after the seconds; the child is killed.
    """
    if os.geteuid() != 0:
        return work()
    read_end, write_end = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(read_end)
        _be_child(account, work, write_end)
    os.close(write_end)
    try:
        answer = _collect(read_end, time.monotonic() + seconds)
    finally:
        os.close(read_end)
        _end(pid)
    if answer is None:
        raise TimeoutError(errno.ETIMEDOUT, f"no end within {seconds:g} s as {account.user}")
    if not answer:
        raise OSError(errno.ECHILD, f"the work as {account.user} ended without a word")
    if answer[:1] == b"+":
        return answer[1:]
    number, _, path = answer[1:].decode("utf-8", "surrogateescape").partition(" ")
    raise OSError(int(number), os.strerror(int(number)), path or None)


def make_directories(account: Account, path: str, mode: int) -> None:
    """Make a directory with all above it, as the account; one that is there stays. :raises OSError: as mkdir does."""

    def make() -> bytes:
        os.makedirs(path, mode, exist_ok=True)
        return b""

    act_as(account, make)


def _be_child(account: Account, work: Callable[[], bytes], write_end: int) -> NoReturn:
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        try:
            become(account)
            answer = b"+" + work()[: _MOST_BYTES - 1]
        except OSError as error:
            path = error.filename if isinstance(error.filename, str) else ""
            answer = f"-{error.errno or errno.EIO} {path}".encode("utf-8", "surrogateescape")
        while answer:
            answer = answer[os.write(write_end, answer) :]
    finally:
        os._exit(0)


def _collect(descriptor: int, until: float) -> bytes | None:
    """Return all that comes through a pipe; None if its end has not come by then."""
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    answer = b""
    while len(answer) <= _MOST_BYTES:
        if not poller.poll(max(0.0, until - time.monotonic()) * 1000):
            return None
        chunk = os.read(descriptor, 1 << 16)
        if not chunk:
            return answer
        answer += chunk
    return None


def _end(pid: int) -> None:
    """Kill a child and collect it; one that stalled storage holds is left to be collected when this process ends."""
    os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + _GRACE
    while os.waitpid(pid, os.WNOHANG) == (0, 0) and time.monotonic() < until:
        time.sleep(0.001)
