"""Where the processes of a service listen (psutil, proc(5)); asked only if the service was not reached.

The sockets of another account's process are visible to root and with CAP_SYS_PTRACE. The kernel's tables of all
listeners are visible to everybody, but not whose they are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psutil

from ...core.services.model.reach import Whereabouts, judge_unreached
from ..process.daemons import HiddenProcesses, find_daemons
from .addresses import resolve_hosts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ...core.services.model.kind import ServiceSettings
    from ...core.services.model.reach import Attempt, Place
    from ...core.services.model.result import Level, Result

# HAProxy binds `PATH.PID.tmp` and renames it; the kernel keeps the first name (sock_unix.c).
_BOUND = re.compile(r"\.\d+\.tmp$")
_RESOLVE_SECONDS = 0.5


def judge_unreachable(settings: ServiceSettings, level: Level, attempt: Attempt) -> Result:
    """Return whose fault it is that nothing was reached at a place (core/services/model/reach.py)."""
    place = attempt.place
    if isinstance(place, tuple):
        addresses = resolve_hosts([place[0]], _RESOLVE_SECONDS)[place[0]]
        attempt = attempt._replace(place=(addresses[0] if addresses else place[0], place[1]))
    return judge_unreached(settings.name, level, attempt, find_listeners(settings.process))


def find_listeners(pattern: str) -> Whereabouts:
    """Return where the processes that match listen, and those below them."""
    try:
        daemons = find_daemons(pattern)
    except HiddenProcesses:
        return Whereabouts()
    if not daemons:
        return Whereabouts()
    places: dict[Place, None] = {}
    seen = 0
    for pid in (pid for daemon in daemons for pid in daemon.pids):
        try:
            process = psutil.Process(pid)
            # the name since psutil 6.0
            read = getattr(process, "net_connections", None) or process.connections
            places.update(dict.fromkeys(_listening([*read(kind="tcp"), *read(kind="unix")])))
            seen += 1
        except psutil.Error:
            continue
    if seen:
        return Whereabouts(daemons[0].pid, places=tuple(places))
    return Whereabouts(daemons[0].pid, is_seen=False, places=tuple(_all_listening()))


def _all_listening() -> dict[Place, None]:
    try:
        connections = [*psutil.net_connections(kind="tcp"), *psutil.net_connections(kind="unix")]
    except (psutil.Error, OSError):
        return {}
    return dict.fromkeys(_listening(connections))


def _listening(connections: Iterable[Any]) -> Iterable[Place]:
    for one in connections:
        if isinstance(one.laddr, str):
            if one.laddr.startswith("/"):
                yield _BOUND.sub("", one.laddr)
        elif one.laddr and one.status == psutil.CONN_LISTEN:
            yield (one.laddr.ip, one.laddr.port)
