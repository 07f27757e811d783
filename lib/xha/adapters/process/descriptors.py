"""Descriptors 0, 1 and 2: what a process was started with there. No file or client ever gets these numbers."""

from __future__ import annotations

import fcntl
import os

from ...core.text.light_typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

FIRST_FREE = 3


def fill_descriptors() -> None:
    """Open /dev/null as 0, 1 and 2 if they are closed, for this process and its children."""
    for fd in range(FIRST_FREE):
        try:
            os.fstat(fd)
        except OSError:
            # The lowest free number is this one, because those below it are open by now.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def point_at_null(*descriptors: int) -> None:
    """Redirect these descriptors to /dev/null."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in descriptors:
        os.dup2(null, fd)
    if null in descriptors:  # one of them was closed, and /dev/null got its number
        os.set_inheritable(null, True)
    else:
        os.close(null)


def lift(sock: socket.socket) -> socket.socket:
    """Return the socket with a number above 2, and open /dev/null at its old number.

    A socket gets a number below 3 only if a standard stream was closed meanwhile. What Python or a library writes to
    that stream must not reach the client.
    """
    import socket

    low = sock.fileno()
    lifted = socket.socket(fileno=fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, FIRST_FREE))
    point_at_null(low)
    sock.detach()
    return lifted


def inherited_socket() -> socket.socket | None:
    """Return a copy of the socket that xinetd or systemd left at descriptor 0; None if there is none."""
    import socket

    try:
        copy = os.dup(0)
    except OSError:
        return None
    try:
        return socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        return None
