"""A unix socket that nobody but its own account and root can reach."""

from __future__ import annotations

import contextlib
import os
import socket


def bind_private(path: str, kind: int) -> socket.socket:
    """Return a socket at this path, with mode 0600 from its beginning, that never blocks; it replaces one of before.

    kind: such as SOCK_DGRAM. The directory is one in which no other account can make a name.

    :raises OSError: as unlink(2), socket(2) and bind(2) do.
    """
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    made = socket.socket(socket.AF_UNIX, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        before = os.umask(0o177)
        try:
            made.bind(path)
        finally:
            os.umask(before)
    except OSError:
        made.close()
        raise
    return made
