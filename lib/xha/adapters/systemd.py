"""What systemd wants of a service: sd_notify(3) and sd_listen_fds(3)."""

from __future__ import annotations

import os
import socket

_FIRST_FD = 3


def notify(message: str) -> None:
    """Send a state such as READY=1 to the service manager; without one, do nothing."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
        try:
            sender.sendto(message.encode(), "\0" + address[1:] if address.startswith("@") else address)
        except OSError:
            return  # a manager that is being restarted asks again


def watchdog_interval() -> float | None:
    """Return how many seconds apart WATCHDOG=1 should be sent, half of what systemd waits; None if it does not."""
    microseconds, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", str(os.getpid()))
    if not (microseconds.isdigit() and int(microseconds) and pid == str(os.getpid())):
        return None
    return int(microseconds) / 2_000_000


def take_listeners() -> list[socket.socket]:
    """Return the sockets that systemd, or systemd-socket-activate, opened for this very process."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    count = int(os.environ.get("LISTEN_FDS", "0"))
    return [socket.socket(fileno=fd) for fd in range(_FIRST_FD, _FIRST_FD + count)]
