"""epoll with callbacks, and with a rest for what would wake the loop again at once for the same trouble."""

from __future__ import annotations

import errno
import select
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from typing import Callable

REST_SECONDS = 0.1
# What says of a descriptor that it is none any more, or none that listens.
GONE = (errno.EBADF, errno.EINVAL, errno.ENOTSOCK, errno.EFAULT)


class Lost(Exception):
    """A socket that is served is gone for good: whoever started this process has to start it again."""


class Readiness:
    """What has something to read. epoll is for others to register what they look after themselves."""

    def __init__(self) -> None:
        self.epoll = select.epoll()
        self.callbacks: dict[int, Callable[[], None]] = {}
        self._resting: dict[int, float] = {}

    def watch(self, readable: socket.socket, callback: Callable[[], None]) -> None:
        """Have whoever polls call back whenever the socket has something to read."""
        self.callbacks[readable.fileno()] = callback
        self.epoll.register(readable.fileno(), select.EPOLLIN)

    def rest(self, fd: int) -> None:
        """Do not look at what is watched for a moment. :raises Lost: where it is gone."""
        if fd in self.callbacks and fd not in self._resting:
            try:
                self.epoll.unregister(fd)
            except OSError as error:
                raise Lost(f"a watched socket is gone: {reason(error)}") from None
            self._resting[fd] = time.monotonic() + REST_SECONDS

    def end_rests(self, now: float) -> float:
        """Look again at what has had its rest; return in how many seconds the next has. :raises Lost: see there."""
        for fd, until in tuple(self._resting.items()):
            if until > now:
                continue
            try:
                self.epoll.register(fd, select.EPOLLIN)
                del self._resting[fd]
            except OSError as error:
                if error.errno in GONE:
                    raise Lost(f"a watched socket is gone: {reason(error)}") from None
                self._resting[fd] = now + REST_SECONDS  # out of memory for now
        return REST_SECONDS if self._resting else float("inf")

    def poll(self, seconds: float) -> list[tuple[int, int]]:
        """Return (descriptor, events) of what is ready. :raises Lost: where epoll itself is gone."""
        try:
            return self.epoll.poll(seconds)
        except OSError as error:
            if error.errno in GONE:
                raise Lost(f"epoll: {reason(error)}") from None
            raise


def reason(error: OSError) -> str:
    """Return the system's word for an error."""
    return (error.strerror or str(error)).lower()
