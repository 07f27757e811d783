"""The socket to which a server reports its state, as it would report it to systemd: sd_notify(3)."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import NamedTuple

from ..network.private_socket import bind_private

_MAX_BYTES = 8192
# More than the kernel queues for one socket (net.unix.max_dgram_qlen: 10, or 512 with systemd). It limits the time
# spent on a sender that does not stop.
_MOST = 1024


class Notice(NamedTuple):
    """What the server reported last. ready stays true once it was reported."""

    ready: bool = False
    status: str = ""


class NotifySocket:
    """A datagram socket at a path, for one server.

    After the next keeper binds it again, a running server reaches it again.
    """

    def __init__(self, path: str, owner: tuple[int, int] | None = None) -> None:
        """Bind the socket. owner (uid, gid) may write to it. :raises OSError: as bind does."""
        self.path, self.notice = path, Notice()
        self._socket = bind_private(path, socket.SOCK_DGRAM)
        try:
            if owner and os.geteuid() == 0:
                os.chown(path, *owner, follow_symlinks=False)
        except OSError:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """Return the descriptor, for poll."""
        return self._socket.fileno()

    def forget(self) -> None:
        """Discard what an earlier server reported."""
        self.drain()
        self.notice = Notice()

    def drain(self) -> Notice:
        """Read the messages that have arrived, without waiting. Return the resulting state.

        At most _MOST messages are read: a server that sends without a pause must not block its keeper.
        """
        with contextlib.suppress(OSError):
            for _ in range(_MOST):
                message = self._socket.recv(_MAX_BYTES)
                self.notice = _apply(self.notice, message.decode("utf-8", "replace"))
        return self.notice

    def close(self) -> None:
        """Close the socket and remove its name."""
        self._socket.close()
        with contextlib.suppress(OSError):
            os.unlink(self.path)


def _apply(notice: Notice, message: str) -> Notice:
    for line in message.split("\n"):
        name, _, value = line.partition("=")
        if name == "READY" and value == "1":
            notice = notice._replace(ready=True)
        elif name == "STATUS":
            notice = notice._replace(status=value)
    return notice
