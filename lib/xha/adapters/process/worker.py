"""Runs a function in a child of this process: begun now, looked at while it runs, ended if need be.

1. The child is a fork: it knows what this process knows, and shares its descriptors. A lock that this process holds is
   free only when both have ended.
2. The kernel kills it when this process dies, however that happens (PR_SET_PDEATHSIG, prctl(2)).
3. Its result comes through a pipe; the end of that wakes who waits.
"""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, NamedTuple

from .privileges import DeathSignal

if TYPE_CHECKING:
    from typing import Callable, NoReturn

_MOST_BYTES = 1 << 20
_TICK = 0.005
# How long a child that gets SIGTERM may take to end what it began, and how long SIGKILL may take.
_TERM_SECONDS, _KILL_SECONDS = 0.5, 0.3


class WorkerEnd(NamedTuple):
    """How a child has ended. result: what its function returned, b"" if it did not come to that. signal: 0 for none."""

    result: bytes
    signal: int = 0


class _Terminated(BaseException):
    """SIGTERM in the child. It is not an Exception, so that no handler takes it for a failure of its own."""


class Worker:
    """A child that runs one function. name: at most 15 characters, as ps shows it."""

    def __init__(self, name: str, work: Callable[[], bytes]) -> None:
        """Begin. :raises OSError: as fork(2) and pipe(2) do."""
        self._result, self._end = b"", WorkerEnd(b"")
        self._has_ended = False
        dies_with_us = DeathSignal(name)
        self._descriptor, write_end = os.pipe()
        try:
            self.pid = os.fork()
        except OSError:
            os.close(self._descriptor)
            os.close(write_end)
            raise
        if not self.pid:
            _be_child(dies_with_us, work, write_end)
        os.close(write_end)
        os.set_blocking(self._descriptor, False)

    def read_end(self) -> WorkerEnd | None:
        """Return how it has ended, None while it runs."""
        if self._has_ended:
            return self._end
        closed = self._collect()
        status = self._reap(_KILL_SECONDS if closed else 0.0)
        if status is None:
            return None
        self._collect()
        os.close(self._descriptor)
        self._has_ended = True
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        self._end = WorkerEnd(b"" if number else self._result, number)
        return self._end

    @property
    def descriptors(self) -> list[int]:
        """What can be read from once it has ended; none where that is known already."""
        return [] if self._has_ended else [self._descriptor]

    def end(self) -> WorkerEnd | None:
        """End it with what it began, by SIGKILL if need be; return how it has ended, None if it has not yet."""
        for number, seconds in ((signal.SIGTERM, _TERM_SECONDS), (signal.SIGKILL, _KILL_SECONDS)):
            if self.read_end() is not None:
                break
            os.kill(self.pid, number)
            until = time.monotonic() + seconds
            while self.read_end() is None and time.monotonic() < until:
                time.sleep(_TICK)
        return self.read_end()

    def _collect(self) -> bool:
        """Take what has come through the pipe; return whether its other end is closed."""
        try:
            while len(self._result) <= _MOST_BYTES:
                chunk = os.read(self._descriptor, 1 << 16)
                if not chunk:
                    return True
                self._result += chunk
        except BlockingIOError:
            return False
        return True

    def _reap(self, patience: float) -> int | None:
        """Return the status of the child if it has ended. patience: for one whose end of the pipe is closed already."""
        until = time.monotonic() + patience
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return status
            if time.monotonic() >= until:
                return None
            time.sleep(_TICK)


def _be_child(dies_with_parent: DeathSignal, work: Callable[[], bytes], write_end: int) -> NoReturn:
    try:
        signal.signal(signal.SIGTERM, _terminate)
        dies_with_parent()
        answer = work()[:_MOST_BYTES]
        while answer:
            answer = answer[os.write(write_end, answer) :]
    finally:
        os._exit(0)


def _terminate(number: int, frame: object) -> NoReturn:
    raise _Terminated
