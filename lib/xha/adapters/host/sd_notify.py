"""What systemd expects of a service: sd_notify(3) and sd_listen_fds(3)."""

from __future__ import annotations

import contextlib
import os
import socket

from ...core.text.numbers import parse_int

_FIRST_FD = 3
_MOST_LISTENERS = 64


def notify(message: str) -> None:
    """Send a state such as READY=1 to the service manager; without one, do nothing."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
            sender.sendto(message.encode(), "\0" + address[1:] if address.startswith("@") else address)
    except OSError:  # no descriptor is left, or the manager restarts: the next call repeats the state
        return


def watchdog_interval() -> float | None:
    """Return the seconds between two WATCHDOG=1, half of systemd's limit; None if systemd does not watch us."""
    microseconds = parse_int(os.environ.get("WATCHDOG_USEC", ""))
    pid = os.environ.get("WATCHDOG_PID", str(os.getpid()))
    if microseconds is None or microseconds <= 0 or pid != str(os.getpid()):
        return None
    return microseconds / 2_000_000


def take_listeners() -> list[socket.socket]:
    """Return the sockets that systemd, or systemd-socket-activate, opened for this process."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    count = parse_int(os.environ.get("LISTEN_FDS", "")) or 0
    sockets = []
    for fd in range(_FIRST_FD, _FIRST_FD + min(count, _MOST_LISTENERS)):
        with contextlib.suppress(OSError):  # closed, or no socket: systemd passes on whatever a .socket unit names
            sockets.append(socket.socket(fileno=fd))
    return sockets
