"""Runs a function in a child process under another account, so that the child has no more rights than that account.

It is used for paths that the account itself named, as a server does in the listing of its options. Root uses none of
these paths itself: a ptrace of the program that prints the listing can change them. A fork, setuid and a read take 0.6
ms (measured).
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
        """The uid and gid for files that are made for the account."""
        return self.uid, self.gid


def become(account: Account) -> None:
    """Give up root's rights for an account, for good. Without root's rights nothing changes."""
    if os.geteuid() == 0:
        os.setgroups(account.groups)
        os.setgid(account.gid)
        os.setuid(account.uid)


def act_as(account: Account, work: Callable[[], bytes], seconds: float = SECONDS) -> bytes:
    """Run `work` in a child as the account, and return its result: at most a mebibyte.

    Without root's rights, `work` runs in this process. `work` imports nothing, because another thread may hold the
    import lock at the fork.

    :raises OSError: as `work` does.
    :raises TimeoutError: after `seconds`; the child is killed.
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
        raise OSError(errno.ECHILD, f"the work as {account.user} ended without a result")
    if answer[:1] == b"+":
        return answer[1:]
    number, _, path = answer[1:].decode("utf-8", "surrogateescape").partition(" ")
    raise OSError(int(number), os.strerror(int(number)), path or None)


def make_directories(account: Account, path: str, mode: int) -> None:
    """Make a directory and all above it, as the account. An existing directory is kept.

    :raises OSError: as mkdir does.
    """

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
    """Return everything that comes through a pipe; None if the pipe is not closed in time or too much arrives."""
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
    """Kill a child and wait for it. A child that stalled storage blocks is collected when this process ends."""
    os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + _GRACE
    while os.waitpid(pid, os.WNOHANG) == (0, 0) and time.monotonic() < until:
        time.sleep(0.001)
