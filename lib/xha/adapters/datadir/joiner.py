"""Whether a server to which nobody can log in receives a state transfer: a joiner that is not down.

A joiner opens its unix socket and its port after the transfer (measured, MariaDB 10.11 with rsync and mariabackup; it
may take hours). What tells it from a server that is down are the processes of this host:

1. Galera runs `wsrep_sst_METHOD --role joiner --datadir D --parent PID` (sql/wsrep_sst.cc). Or the data directory holds
   sst_in_progress, which the script makes and removes; it outlives a crash, so it counts only beside a live server.
   A script may outlive its server, too: it counts while that one, or its parent, is alive.
2. Any user can give a process these words. Only processes with all uids in `uids` are believed; a set-uid program would
   have only one of them.
3. Several servers may run on one host. It has to be the one that was asked: by its data directory if that is known from
   an earlier reading, otherwise by the socket, or port and address, on its command line, or by a socket inside of its
   data directory, or because no other server runs. Where nothing of that holds, it is not known whose transfer it is.

No right is needed for the command lines. A reader without rights in the data directory does without the file.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from ...core.galera.engine_files import TRANSFER_MARK
from ...core.text.numbers import parse_int
from ..files.foreign import Directory
from ..mysqld.trust import Trust
from ..process.procfs import Process, read_pids, read_process, read_uid, with_argv
from .transfers import match_script

if TYPE_CHECKING:
    from collections.abc import Collection

_SERVERS = ("mysqld", "mariadbd")
_EVERYWHERE = ("*", "0.0.0.0", "::")  # noqa: S104 - compared, and not listened at
_DEFAULT_DATADIR = "/var/lib/mysql"
# Between a script and its server: shells. Pids that were read one after the other may form a circle.
_MOST_ABOVE = 10


class Asked(NamedTuple):
    """Where the check tried to log in: at a unix socket, or at a port of an address of this host.

    datadir: of the server that answered there before, "" if that is not known.
    """

    socket: str | None
    host: str | None
    port: int
    datadir: str = ""


class Joiner(NamedTuple):
    """The evidence of a state transfer to this host. ours: it is for the server that was asked; False: not known."""

    evidence: str
    ours: bool


def find_joiner(asked: Asked, uids: Collection[int]) -> Joiner | None:
    """Return the state transfer to the server that was asked; None if there is none, or nothing can be seen."""
    try:
        return _find(asked, Trust(frozenset(uids)))
    except OSError:
        return None


def _find(asked: Asked, trust: Trust) -> Joiner | None:
    believed = _read_believed(trust)
    servers = _servers_of(believed)
    everybody = {one.pid: one for one in believed}
    unknown = None
    for process in believed:
        script = match_script(process)
        if script is None or script[1] != "joiner":
            continue
        parent = parse_int(option_of(process.argv, "--parent"))
        server = _server_of(process, servers, everybody) or (None if parent is None else servers.get(parent))
        if parent is not None and server is None and parent not in everybody:
            continue  # its server has ended, and it is still here
        found = Joiner(f"wsrep_sst_{script[0]}, pid {process.pid}", ours=True)
        ours = _is_ours(asked, option_of(process.argv, "--datadir"), server, alone=len(servers) <= 1)
        if ours:
            return found
        unknown = found._replace(ours=False) if ours is None else unknown
    for server, datadir in _asked_of(asked, servers):
        if _is_marked(datadir):
            return Joiner(f"{TRANSFER_MARK} beside {server}", ours=True)
    return unknown


def find_asked_server(asked: Asked, uids: Collection[int]) -> Process | None:
    """Return the server that was asked; None if none runs, or it is not known which of several it is.

    :raises OSError: where the processes cannot be read.
    """
    found = _asked_of(asked, _servers_of(_read_believed(Trust(frozenset(uids)))))
    return found[0][0] if len(found) == 1 else None


def _read_believed(trust: Trust) -> list[Process]:
    return [one for one in _read_processes(trust) if trust.holds_account(one.pid)]


def _servers_of(believed: list[Process]) -> dict[int, Process]:
    # The kernel does not tell the command line of one that is about to end.
    called = {one.pid: one for one in believed if one.name in _SERVERS and one.argv and not one.recovering}
    # A server's child has its name until it executes a program of its own.
    return {pid: one for pid, one in called.items() if one.parent not in called}


def _asked_of(asked: Asked, servers: dict[int, Process]) -> list[tuple[Process, str]]:
    """Return the servers that are the one that was asked, each with its data directory."""
    found = []
    for server in servers.values():
        named = option_of(server.argv, "--datadir")
        datadir = named or asked.datadir or _DEFAULT_DATADIR
        about = asked if named else asked._replace(datadir="")  # what it does not say proves nothing
        if _is_ours(about, datadir, server, alone=len(servers) == 1):
            found.append((server, datadir))
    return found


def _server_of(process: Process, servers: dict[int, Process], everybody: dict[int, Process]) -> Process | None:
    """Return the server that started a script. In a container, --parent is a pid of the container's own."""
    above: Process | None = process
    for _ in range(_MOST_ABOVE):
        above = everybody.get(above.parent) if above else None
        if above is None or above.pid in servers:
            return above
    return None


def _read_processes(trust: Trust) -> list[Process]:
    pids = (pid for pid in read_pids() if pid != os.getpid() and read_uid(pid) in trust.uids)
    return [with_argv(process) for process in map(read_process, pids) if process is not None]


def _is_ours(asked: Asked, datadir: str, server: Process | None, *, alone: bool) -> bool | None:
    """Return whether a server with this data directory is the one that was asked; None if that is not known."""
    if asked.datadir:
        return _same(datadir, asked.datadir)
    argv = server.argv if server else ()
    if asked.socket is None:
        told = _is_at(argv, asked)
    else:
        named = option_of(argv, "--socket")
        told = _same(named, asked.socket) if named else _same(os.path.dirname(asked.socket), datadir) or None
    return True if told is None and alone else told


def _is_at(argv: tuple[str, ...], asked: Asked) -> bool | None:
    """Return whether a server's command line says that it listens where it was asked; None if it does not say."""
    port, bound = option_of(argv, "--port"), option_of(argv, "--bind-address")
    everywhere = bound in _EVERYWHERE
    if (port and port != str(asked.port)) or (bound and not everywhere and asked.host not in bound.split(",")):
        return False
    return True if port and bound else None


def option_of(argv: tuple[str, ...], name: str) -> str:
    """Return the value of an option on a command line, in either form; "" if it is not there. The last one counts."""
    found = ""
    for word, after in zip(argv, (*argv[1:], "")):
        if word == name:
            found = after
        elif word.startswith(f"{name}="):
            found = word[len(name) + 1 :]
    return found


def _same(one: str, other: str) -> bool:
    return bool(one) and os.path.normpath(one) == os.path.normpath(other)


def _is_marked(datadir: str) -> bool:
    try:
        with Directory(datadir) as directory:
            return directory.exists(TRANSFER_MARK)
    except (OSError, ValueError):  # it may not be entered, or is named by a relative path
        return False
