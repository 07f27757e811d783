"""Where the processes of a service listen (psutil, proc(5)); asked only if the service was not reached.

The sockets of another account's process are visible to root and with CAP_SYS_PTRACE. The kernel's tables of all
listeners are visible to everybody, and tell the account that made each, but not the process.
"""

from __future__ import annotations

import os
import re
import sys
from ipaddress import ip_address
from itertools import islice
from typing import TYPE_CHECKING

import psutil

from ...core.services.model.reach import Whereabouts, covers, judge_unreached
from ..process.alarm import begin_step, current_step, seconds_left
from ..process.daemons import UnknownDaemons, find_daemons
from .addresses import resolve_hosts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from typing import Any

    from ...core.services.model.kind import ServiceSettings
    from ...core.services.model.reach import Attempt, Place
    from ...core.services.model.result import Level, Result
    from ..process.daemons import Daemon

# HAProxy binds `PATH.PID.tmp` and renames it; the kernel keeps the first name (sock_unix.c).
_BOUND = re.compile(r"\.\d+\.tmp$")
# For all names, and at most this part of what is left of the check's time.
_RESOLVE_SECONDS, _SHARE = 0.5, 0.4
# The kernel's tables (net/ipv4/tcp_ipv4.c, get_tcp4_sock); the state, as they write TCP_LISTEN.
_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_LISTEN = b"0A"


def judge_unreachable(settings: ServiceSettings, level: Level, attempt: Attempt) -> Result:
    """Return whose fault it is that nothing was reached at a place (core/services/model/reach.py)."""
    # On a busy host with thousands of processes this may take what is left of the time: then the message has both.
    begin_step(f"where its processes listen, after {attempt.said}", blame=current_step().blame)
    asked, *neighbours = _resolve([attempt.place, *settings.neighbours])
    seen = find_listeners(settings.process, neighbours)
    return judge_unreached(settings.name, level, attempt._replace(place=asked), seen)


def _resolve(places: list[Place]) -> list[Place]:
    """Return the places with an address in place of each name that has one."""
    seconds = min(_RESOLVE_SECONDS, _SHARE * seconds_left())
    found = resolve_hosts([place[0] for place in places if isinstance(place, tuple)], seconds)
    return [place if isinstance(place, str) else ((found[place[0]] or place)[0], place[1]) for place in places]


def find_listeners(pattern: str, neighbours: Collection[Place] = ()) -> Whereabouts:
    """Return where the processes that match listen, and those below them.

    neighbours: where another service of the same kind is. A process that listens there is that other one.
    """
    try:
        daemons = find_daemons(pattern)
    except UnknownDaemons:
        return Whereabouts()
    if not daemons:
        return Whereabouts()
    seen = [(daemon.pid, places) for daemon in daemons if (places := _places_of(daemon)) is not None]
    if seen:
        own = [(pid, places) for pid, places in seen if not _is_neighbour(places, neighbours)]
        if not own:
            return Whereabouts()
        return Whereabouts(own[0][0], places=tuple({each: None for _, places in own for each in places}))
    accounts = _accounts(daemons)
    hidden = (place for place in (*_tcp_of(accounts), *_unix_of(accounts)) if not _is_neighbour([place], neighbours))
    return Whereabouts(daemons[0].pid, is_seen=False, places=tuple(hidden))


def _is_neighbour(places: Iterable[Place], neighbours: Collection[Place]) -> bool:
    return any(covers(place, one) for place in places for one in neighbours)


def _places_of(daemon: Daemon) -> dict[Place, None] | None:
    """Return where a daemon and its children listen; None if none of them may be examined."""
    places: dict[Place, None] = {}
    is_seen = False
    for pid in daemon.pids:
        try:
            process = psutil.Process(pid)
            # the name since psutil 6.0
            read = getattr(process, "net_connections", None) or process.connections
            places.update(dict.fromkeys(_listening([*read(kind="tcp"), *read(kind="unix")])))
            is_seen = True
        except psutil.Error:
            continue
    return places if is_seen else None


def _accounts(daemons: Iterable[Daemon]) -> frozenset[int]:
    """Return the accounts that may have made the sockets of these processes.

    A parent in the same session counts: the apache above the processes of mod_wsgi listens for them.
    """
    found: set[int] = set()
    for pid in (pid for daemon in daemons for pid in daemon.pids):
        try:
            process = psutil.Process(pid)
            found.update(process.uids())
            parent = process.parent()
            if parent and os.getsid(parent.pid) == os.getsid(pid):
                found.update(parent.uids())
        except (psutil.Error, OSError):
            continue
    return frozenset(found)


def _tcp_of(accounts: Collection[int]) -> dict[Place, None]:
    """Return where sockets of these accounts listen.

    Line by line: psutil does not tell the account, and makes 100 MiB of a hundred thousand connections.
    """
    found: dict[Place, None] = {}
    for table in _TABLES:
        try:
            with open(table, "rb") as file:
                found.update(dict.fromkeys(parse_listening(islice(file, 1, None), accounts)))
        except (OSError, ValueError):
            continue
    return found


def parse_listening(lines: Iterable[bytes], accounts: Collection[int]) -> Iterator[Place]:
    """Yield where sockets of these accounts listen, from the lines of /proc/net/tcp or tcp6 below the heading.

    :raises ValueError: for a line that the kernel does not write.
    """
    for line in lines:
        fields = line.split(None, 8)
        if len(fields) < 8 or fields[3] != _LISTEN or int(fields[7]) not in accounts:
            continue
        address, _, port = fields[1].partition(b":")
        # words of 32 bits, each in the order of this host
        words = [bytes.fromhex(address[at : at + 8].decode("ascii")) for at in range(0, len(address), 8)]
        packed = b"".join(word[::-1] if sys.byteorder == "little" else word for word in words)
        yield (str(ip_address(packed)), int(port, 16))


def _unix_of(accounts: Collection[int]) -> dict[Place, None]:
    try:
        places = dict.fromkeys(_listening(psutil.net_connections(kind="unix")))
    except (psutil.Error, OSError):
        return {}
    return {place: None for place in places if isinstance(place, str) and _owner(place) in accounts}


def _owner(path: str) -> int | None:
    try:
        return os.lstat(path).st_uid
    except OSError:
        return None


def _listening(connections: Iterable[Any]) -> Iterable[Place]:
    for one in connections:
        if isinstance(one.laddr, str):
            if one.laddr.startswith("/"):
                yield _BOUND.sub("", one.laddr)
        elif one.laddr and one.status == psutil.CONN_LISTEN:
            yield (one.laddr.ip, one.laddr.port)
