"""The servers of a host: as a keeper sees them, and those that a resource has started or found (RUN/servers.json).

An entry of the latter stays until its server is gone. The parameters and the option file may have changed since a
server was started, and name another data directory now. Whoever looked only there would find nothing, and report that
nothing runs.
"""

from __future__ import annotations

from ..text.light_typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

SCHEMA = 1
_MOST = 16


class ServerProcess(NamedTuple):
    """A server process. title is its name for people, mark an id that no other process ever has, on whatever host.

    argv is empty where nobody read it. stopped: a signal or a debugger holds it, and it answers nothing.
    """

    pid: int
    started: int
    title: str = "mysqld"
    stopped: bool = False
    argv: tuple[str, ...] = ()
    mark: str = ""


class StateTransfer(NamedTuple):
    """A state transfer that helpers of the server carry out. role: `joiner` or `donor`; progress: bytes and ticks."""

    role: str
    progress: int
    title: str = ""


class KnownServer(NamedTuple):
    """A data directory and the server that uses it.

    programs: the paths that the server's program may have, with links resolved.
    uid: of the server's account.
    state: the directory of Galera's saved state; "" if nobody knows, as an earlier version did not.
    pid and started: process id and start time as in /proc/PID/stat, 0 if no server runs.
    """

    datadir: str
    programs: tuple[str, ...] = ()
    uid: int = 0
    pid: int = 0
    started: int = 0
    state: str = ""


def render_known_servers(servers: Iterable[KnownServer]) -> str:
    """Return the servers as one line of JSON."""
    import json

    return json.dumps({"schema": SCHEMA, "servers": [one._asdict() for one in servers]})


def parse_known_servers(text: str) -> tuple[KnownServer, ...]:
    """Return the servers; none for a text that is torn, of another schema, or has a value of another type."""
    from ..text.numbers import parse_json

    try:
        said = parse_json(text)
        if said["schema"] != SCHEMA:
            return ()
        servers = tuple(KnownServer(**{**one, "programs": tuple(one["programs"])}) for one in said["servers"][:_MOST])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ()
    return servers if all(map(_is_whole, servers)) else ()


def _is_whole(one: KnownServer) -> bool:
    numbers = all(type(number) is int and number >= 0 for number in (one.uid, one.pid, one.started))
    return numbers and all(type(path) is str for path in (one.datadir, one.state, *one.programs))
