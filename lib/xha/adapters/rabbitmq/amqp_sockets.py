"""The TCP connections of a daemon and its children to the ports of its brokers (psutil)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import psutil

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


class Sockets(NamedTuple):
    """How many connections are established, and the states of the others, such as CLOSE_WAIT."""

    established: int
    others: tuple[str, ...]


class HiddenSockets(Exception):
    """This process may not see the sockets of another user: it needs root, or CAP_SYS_PTRACE."""


def find_sockets(pids: Iterable[int], ports: Collection[int]) -> Sockets:
    """Return the connections from any of these processes to any of these ports, each in its own network namespace.

    The main process of many services has none; its children have them (measured: cinder-volume, neutron-server).
    :raises HiddenSockets: if none of the processes may be examined.
    """
    established, seen, hidden = 0, 0, False
    others: list[str] = []
    for pid in pids:
        try:
            process = psutil.Process(pid)
            # the name since psutil 6.0
            read = getattr(process, "net_connections", None) or process.connections
            connections = read(kind="tcp")
        except psutil.AccessDenied:
            hidden = True
            continue
        except psutil.Error:
            continue
        seen += 1
        for connection in connections:
            if connection.raddr and connection.raddr.port in ports:
                if connection.status == psutil.CONN_ESTABLISHED:
                    established += 1
                else:
                    others.append(connection.status)
    if hidden and not seen:
        raise HiddenSockets
    return Sockets(established, tuple(others))
