"""The programs of Galera's state transfers: scripts that a server starts, and what they start in turn.

Only those of the server's account, or root's, are: any user can call a script wsrep_sst_rsync.
"""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING, NamedTuple

from .occupants import Occupant, Use
from .procfs import Process, descendants, read_pids, read_process, read_transferred, read_uid, with_argv

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .openfiles import Home
    from .trust import Trust

_TRANSFER = re.compile(r"wsrep_sst_([\w-]+)\b.*?--role[ =]*'?(joiner|donor)\b")
# Programs of a transfer that run for as long as it does and move nothing: a script that waits in a loop is no progress.
_BYSTANDERS = {"sh", "bash", "dash", "sleep", "timeout", "tee", "logger", "pv", "tail", "ps", "lsof", "ss", "grep"}
_MOVER_AGE = 2.0
_TICKS = os.sysconf("SC_CLK_TCK")


class Transfer(NamedTuple):
    """A state transfer under way. role is `joiner` or `donor`, method that of wsrep_sst_method.

    progress is a number that stays the same, from one look to the next some seconds later, only if nothing moves.
    """

    role: str
    method: str
    progress: int

    def __str__(self) -> str:
        return f"{self.method}, {self.role}"


def find_transfer(server: Process, trust: Trust) -> Transfer | None:
    """Return the state transfer that a server's own helpers carry out, None if there is none."""
    below = descendants(server.pid, _of_account(trust))
    for process in map(with_argv, below):
        match = _match(process)
        if match:
            movers = [one for one in below if _moves(one)]
            progress = sum(one.ticks + read_transferred(one.pid) for one in movers)
            return Transfer(match[2], match[1], progress)
    return None


def find_helpers(servers: Sequence[Occupant], homes: Iterable[Home], trust: Trust) -> list[Occupant]:
    """Return the programs of state transfers: below a server, or left behind by one that has ended.

    The server starts each script in a process group of its own (sql/wsrep_utils.cc, POSIX_SPAWN_SETPGROUP), which its
    programs stay in when it ends.
    """
    everybody, homes = _of_account(trust), tuple(homes)
    below = {one.pid: one for server in servers for one in descendants(server.process.pid, everybody)}
    # By all of its uids, before its group counts: whoever runs su has the effective one of root, and any words in argv.
    groups = {
        one.group
        for one in everybody
        if (one.pid in below or any(_works_in(home, one) for home in homes))
        and _match(with_argv(one))
        and trust.holds_account(one.pid)
    }
    groups -= {os.getpgrp(), *(server.process.group for server in servers)}
    found = [one for one in everybody if one.pid in below or one.group in groups]
    return [Occupant(with_argv(one), Use.TRANSFER) for one in found if trust.holds_account(one.pid)]


def _of_account(trust: Trust) -> tuple[Process, ...]:
    pids = (pid for pid in read_pids() if pid != os.getpid() and read_uid(pid) in trust.uids)
    return tuple(process for process in map(read_process, pids) if process is not None)


def _works_in(home: Home, process: Process) -> bool:
    try:
        return home.is_cwd_of(process.pid)
    except OSError:
        return False


def _moves(process: Process) -> bool:
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - process.started / _TICKS
    script = process.name.startswith("wsrep_sst_")
    return not script and process.name not in _BYSTANDERS and age >= _MOVER_AGE


def _match(process: Process) -> re.Match[str] | None:
    return _TRANSFER.search(" ".join(process.argv).replace("\n", " "))
