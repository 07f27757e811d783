"""Whether something listens on the ports of the other members: TCP connections that are closed without sending data."""

from __future__ import annotations

import errno
import select
import socket
import time
from typing import TYPE_CHECKING, NamedTuple

from ...core.election.facts import Probe, Probed
from .addresses import resolve_hosts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TIMEOUT = 0.5
_REFUSED = {errno.ECONNREFUSED}


class Endpoint(NamedTuple):
    """One address (host name or number) and port."""

    host: str
    port: int


def probe_ports(endpoints: Mapping[str, Iterable[Endpoint]], timeout: float = TIMEOUT) -> dict[str, Probed]:
    """Return what the ports of each member answered.

    All are asked at once, within `timeout` seconds with name resolution.

    ACCEPTED if any port of a member accepted; REFUSED if the member's own address refused all; SILENT otherwise. A
    packet filter's rejection, a timeout and a name that does not resolve say nothing about a server.
    """
    until = time.monotonic() + timeout
    answers: dict[str, list[tuple[int, Probe]]] = {member: [] for member in endpoints}
    poller, waiting = select.poll(), {}
    wanted = [(member, endpoint) for member, each in endpoints.items() for endpoint in each]
    # Half of the time: a name that does not resolve must not make the other members silent.
    addresses = resolve_hosts({endpoint.host for _, endpoint in wanted}, timeout / 2)
    for member, endpoint in wanted:
        connection, answer = _begin(addresses[endpoint.host], endpoint.port)
        if connection is None:
            answers[member].append((endpoint.port, answer))
        else:
            poller.register(connection, select.POLLOUT)
            waiting[connection.fileno()] = (member, endpoint.port, connection)
    while waiting and time.monotonic() < until:
        for number, _ in poller.poll(max(0.0, until - time.monotonic()) * 1000):
            member, port, connection = waiting.pop(number)
            poller.unregister(number)
            answers[member].append((port, _answer(connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))))
            connection.close()
    for member, port, connection in waiting.values():
        answers[member].append((port, Probe.SILENT))
        connection.close()
    return {member: _sum(each) for member, each in answers.items()}


def _begin(addresses: tuple[str, ...], port: int) -> tuple[socket.socket | None, Probe]:
    if not addresses:
        return None, Probe.SILENT
    try:
        found = socket.getaddrinfo(addresses[0], port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except OSError:
        return None, Probe.SILENT
    family, kind, protocol, _, address = found[0]
    connection = socket.socket(family, kind, protocol)
    connection.setblocking(False)
    code = connection.connect_ex(address)
    if code == errno.EINPROGRESS:
        return connection, Probe.SILENT
    connection.close()
    return None, _answer(code)


def _answer(code: int) -> Probe:
    if code == 0:
        return Probe.ACCEPTED
    return Probe.REFUSED if code in _REFUSED else Probe.SILENT


def _sum(answers: list[tuple[int, Probe]]) -> Probed:
    accepted = tuple(sorted(port for port, each in answers if each is Probe.ACCEPTED))
    if accepted:
        return Probed(Probe.ACCEPTED, accepted)
    off = answers and all(each is Probe.REFUSED for _, each in answers)
    return Probed(Probe.REFUSED if off else Probe.SILENT)
