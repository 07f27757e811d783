"""The programs of Galera's state transfers: scripts that a server starts, and what they start in turn.

Only those of the server's account, or root's, are: any user can call a script wsrep_sst_rsync.
"""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING, NamedTuple

from ..host.login_name import ROOT
from ..process.procfs import (
    Process,
    descendants,
    is_gone,
    read_pids,
    read_process,
    read_transferred,
    read_uid,
    read_uids,
    with_argv,
)
from .occupancy import Occupant, Use

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..mysqld.trust import Trust
    from .open_files import Home

_SCRIPT = re.compile(r"(?:.*/)?wsrep_sst_([\w-]+)", re.DOTALL)
# A script is the first word, or the one behind its interpreter, which may have one option more (#!).
_SCRIPT_WORDS = 3
_ROLES = ("joiner", "donor")
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
            return Transfer(match[1], match[0], progress)
    return None


def find_helpers(servers: Sequence[Occupant], homes: Iterable[Home], trust: Trust) -> list[Occupant]:
    """Return the programs of state transfers: below a server, or left behind by one that has ended.

    Root's own are only below a server: what runs the server's programs otherwise, as a backup, is in their group.

    The server starts each script in a process group of its own (sql/wsrep_utils.cc, POSIX_SPAWN_SETPGROUP), which its
    programs stay in when it ends.
    """
    everybody, homes = _of_account(trust), tuple(homes)
    below = {one.pid: one for server in servers for one in descendants(server.process.pid, everybody)}
    # By all of its uids, before its group counts: whoever runs su has the effective one of root, and any words in argv.
    groups = {
        one.group
        for one in everybody
        if _match(with_argv(one))
        and trust.holds_account(one.pid)
        and (one.pid in below or (not _is_roots(one) and any(_works_in(home, one) for home in homes)))
    }
    groups -= {os.getpgrp(), *(server.process.group for server in servers)}
    found = [one for one in everybody if one.pid in below or (one.group in groups and not _is_roots(one))]
    return [Occupant(with_argv(one), Use.TRANSFER) for one in found if trust.holds_account(one.pid)]


def _of_account(trust: Trust) -> tuple[Process, ...]:
    pids = (pid for pid in read_pids() if pid != os.getpid() and read_uid(pid) in trust.uids)
    return tuple(process for process in map(read_process, pids) if process is not None)


def _works_in(home: Home, process: Process) -> bool:
    try:
        return home.is_cwd_of(process.pid)
    except OSError as error:
        if is_gone(error) or isinstance(error, PermissionError):
            return False
        raise


def _is_roots(process: Process) -> bool:
    return ROOT in read_uids(process.pid)


def _moves(process: Process) -> bool:
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - process.started / _TICKS
    script = process.name.startswith("wsrep_sst_")
    return not script and process.name not in _BYSTANDERS and age >= _MOVER_AGE


def _match(process: Process) -> tuple[str, str] | None:
    """Return the method and the role of a script of a state transfer, by its name and its option --role."""
    names = (_SCRIPT.fullmatch(word) for word in process.argv[:_SCRIPT_WORDS])
    name = next((found for found in names if found), None)
    if name is None:
        return None
    for word, after in zip(process.argv, (*process.argv[1:], "")):
        role = after if word == "--role" else word[len("--role=") :] if word.startswith("--role=") else ""
        if role in _ROLES:
            return name[1], role
    return None
