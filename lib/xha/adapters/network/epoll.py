"""epoll with callbacks. A socket with an error is ignored for a moment, so that the loop does not spin on the error."""

from __future__ import annotations

import contextlib
import errno
import select
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Callable, Protocol

    class Readable(Protocol):
        """Whatever has a descriptor to read from."""

        def fileno(self) -> int: ...


REST_SECONDS = 0.1
# Errors that say that a descriptor is closed, or is no listening socket.
GONE = (errno.EBADF, errno.EINVAL, errno.ENOTSOCK, errno.EFAULT)


class Lost(Exception):
    """A served socket is permanently lost: the program that started this process must start it again."""


class Readiness:
    """Waits for sockets with something to read. Other code may register its own descriptors with `epoll`."""

    def __init__(self) -> None:
        self.epoll = select.epoll()
        self.callbacks: dict[int, Callable[[], None]] = {}
        self._resting: dict[int, float] = {}

    def watch(self, readable: Readable, callback: Callable[[], None]) -> None:
        """Call back from the polling loop whenever the socket has something to read."""
        self.callbacks[readable.fileno()] = callback
        self.epoll.register(readable.fileno(), select.EPOLLIN)

    def forget(self, fd: int) -> None:
        """Watch a socket no more; call this before it is closed."""
        self._resting.pop(fd, None)
        if self.callbacks.pop(fd, None):
            with contextlib.suppress(OSError):  # one that rests is not registered
                self.epoll.unregister(fd)

    def rest(self, fd: int) -> None:
        """Ignore a watched socket for REST_SECONDS. :raises Lost: if it is gone."""
        if fd in self.callbacks and fd not in self._resting:
            try:
                self.epoll.unregister(fd)
            except OSError as error:
                raise Lost(f"a watched socket is gone: {reason(error)}") from None
            self._resting[fd] = time.monotonic() + REST_SECONDS

    def end_rests(self, now: float) -> float:
        """Watch again the sockets whose rest is over.

        Return in how many seconds the next rest may end; inf without any.

        :raises Lost: if a socket is gone.
        """
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
        """Return (descriptor, events) of what is ready. :raises Lost: if epoll itself is gone."""
        try:
            return self.epoll.poll(seconds)
        except OSError as error:
            if error.errno in GONE:
                raise Lost(f"epoll: {reason(error)}") from None
            raise


def reason(error: OSError) -> str:
    """Return the system's text for an error, in lower case."""
    return (error.strerror or str(error)).lower()
