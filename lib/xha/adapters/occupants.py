"""Who uses a data directory: its server, a recovery, the programs of a state transfer, or anything else.

Directories and files are told apart by device and inode: the path of a server in a container, or of one that was
started with a relative path, says nothing.
"""

from __future__ import annotations

import os
import re
import time
from enum import Enum

from ..core.typed import NamedTuple
from .procfs import (
    Process,
    descendants,
    has_open,
    identity,
    look,
    read_process,
    read_processes,
    read_transferred,
    with_argv,
)

# What a server that uses a data directory has open (agent.md, section 2).
VITAL = ("grastate.dat", "galera.cache", "ibdata1")

_SERVER = re.compile(r"(?:mysqld|mariadbd)(?!.*(?:safe|multi|exporter))")
_TRANSFER = re.compile(r"wsrep_sst_([\w-]+)\b.*?--role[ =]*'?(joiner|donor)\b")
# Programs of a transfer that run for as long as it does and move nothing: a script that waits in a loop is no progress.
_BYSTANDERS = {"sh", "bash", "dash", "sleep", "timeout", "tee", "logger", "pv", "tail", "ps", "lsof", "ss", "grep"}
_MOVER_AGE = 2.0
_NAMELESS_SECONDS = 0.5
_TICKS = os.sysconf("SC_CLK_TCK")


class Use(str, Enum):
    """What a process does with a data directory."""

    SERVER = "server"
    RECOVERY = "recovery"
    TRANSFER = "state transfer"
    OTHER = "other program"


class Occupant(NamedTuple):
    """A process that uses a data directory."""

    process: Process
    use: Use

    def __str__(self) -> str:
        return f"{self.process} ({self.use.value})"


class Transfer(NamedTuple):
    """A state transfer under way. role is `joiner` or `donor`, method that of wsrep_sst_method.

    progress is a number that stays the same, from one look to the next some seconds later, only if nothing moves.
    """

    role: str
    method: str
    progress: int
    pids: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.method}, {self.role}"


def find_server(datadir: str) -> Process | None:
    """Return the server that uses a data directory, or the recovery that does, with its argv; None if neither does."""
    found = sorted(_servers(datadir, read_processes()), key=lambda one: (one.recovering, one.started))
    return found[0] if found else None


def find_occupants(datadir: str) -> tuple[Occupant, ...]:
    """Return every process that uses a data directory, servers first. Somebody's shell in there does not use it.

    It looks at the open files of every process: for a start or a stop, not for a monitor.
    """
    everybody = read_processes()
    servers = _servers(datadir, everybody)
    found = {one.pid: Occupant(one, Use.RECOVERY if one.recovering else Use.SERVER) for one in servers}
    for process in _helpers(datadir, servers, everybody):
        found.setdefault(process.pid, Occupant(process, Use.TRANSFER))
    vital = _vital(datadir)
    for process in everybody:
        if process.pid not in found and process.pid != os.getpid() and has_open(process.pid, vital):
            found[process.pid] = Occupant(with_argv(process), Use.OTHER)
    return tuple(found.values())


def find_transfer(server: Process) -> Transfer | None:
    """Return the state transfer that a server's own helpers carry out, None if there is none."""
    below = descendants(server.pid)
    for process in map(with_argv, below):
        match = _transfer(process)
        if match:
            movers = [one for one in below if _moves(one)]
            progress = sum(one.ticks + read_transferred(one.pid) for one in movers)
            return Transfer(match[2], match[1], progress, tuple(one.pid for one in below))
    return None


def _moves(process: Process) -> bool:
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - process.started / _TICKS
    script = process.name.startswith("wsrep_sst_")
    return not script and process.name not in _BYSTANDERS and age >= _MOVER_AGE


def _transfer(process: Process) -> re.Match[str] | None:
    return _TRANSFER.search(" ".join(process.argv).replace("\n", " "))


def _vital(datadir: str) -> set[tuple[int, int]]:
    found = (identity(os.path.join(datadir, name)) for name in VITAL)
    return {one for one in found if one is not None}


def _servers(datadir: str, everybody: tuple[Process, ...]) -> list[Process]:
    home = identity(datadir)
    if home is None:
        return []
    named = [process for process in everybody if _SERVER.match(process.name)]
    if not named:
        named = [process for process in everybody if _SERVER.match(_program(process.pid))]
    vital = _vital(datadir)
    using = {process.pid: process for process in named if _uses(process.pid, home, vital)}
    # What a server is about to start is still called as the server is.
    begun = (_with_argv_at_last(process) for process in using.values() if process.parent not in using)
    return [process for process in begun if process is not None]


def _with_argv_at_last(process: Process) -> Process | None:
    """Return a process with its argv, None if it is gone by then.

    It has none while its program begins, and while its memory is given back at its end: a recovery would seem a server.
    """
    until = time.monotonic() + _NAMELESS_SECONDS
    while True:
        process = with_argv(process)
        if process.argv or time.monotonic() > until:
            return process
        if look(process.pid, process.started) is None:
            return None
        time.sleep(0.002)


def _program(pid: int) -> str:
    try:
        path = os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return ""
    return os.path.basename(path.replace(" (deleted)", ""))


def _uses(pid: int, home: tuple[int, int], vital: set[tuple[int, int]]) -> bool:
    where = f"/proc/{pid}/cwd"
    if identity(where) == home:
        return True
    # A server in a data directory of its own, with its thousands of open tables, is somebody else's.
    return not os.path.exists(f"{where}/ibdata1") and has_open(pid, vital)


def _helpers(datadir: str, servers: list[Process], everybody: tuple[Process, ...]) -> list[Process]:
    """Return the programs of state transfers: below a server, or left behind by one that has ended.

    The server starts each script in a process group of its own (sql/wsrep_utils.cc, POSIX_SPAWN_SETPGROUP), which its
    programs stay in when it ends.
    """
    below = {one.pid: one for server in servers for one in descendants(server.pid, everybody)}
    home = identity(datadir)
    groups = set()
    for process in everybody:
        inside = process.pid in below or identity(f"/proc/{process.pid}/cwd") == home
        if inside and _transfer(with_argv(process)):
            groups.add(process.group)
    protected = {os.getpgrp(), *(server.group for server in servers)}
    found = [one for one in everybody if one.pid in below or one.group in groups - protected]
    return [with_argv(one) for one in found if one.pid != os.getpid()]


def still_there(occupants: tuple[Occupant, ...]) -> tuple[Occupant, ...]:
    """Return those whose process lives."""
    return tuple(one for one in occupants if look(one.process.pid, one.process.started))


def find_wrapper(server: Process) -> Process | None:
    """Return the mysqld_safe that started a server, and would start it again."""
    parent = read_process(server.parent)
    return parent if parent is not None and re.match(r"(?:mysqld|mariadbd).safe", parent.name) else None
