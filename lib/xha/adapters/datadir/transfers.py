"""The programs of Galera's state transfers: scripts that a server starts, and the programs that these start.

Only programs of the server's account or of root count, because any user can name a script wsrep_sst_rsync.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from ..host.login_name import ROOT
from ..process.age import age_of
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
    from .open_files import VitalFiles

_SCRIPT = re.compile(r"(?:.*/)?wsrep_sst_([\w-]+)", re.DOTALL)
# The script is the first word of the command line, or follows its interpreter, which may have one more option (#!).
_SCRIPT_WORDS = 3
_ROLES = ("joiner", "donor")
# Programs of a transfer that run as long as it does and move no data: a script that waits in a loop is not progress.
_IDLE_PROGRAMS = {"sh", "bash", "dash", "sleep", "timeout", "tee", "logger", "pv", "tail", "ps", "lsof", "ss", "grep"}
_MOVER_AGE = 2.0


class Transfer(NamedTuple):
    """A state transfer that is in progress. role is `joiner` or `donor`, method is the value of wsrep_sst_method.

    progress is a number of CPU ticks and bytes. If it is the same at two looks some seconds apart, nothing moved
    between them.
    """

    role: str
    method: str
    progress: int

    def __str__(self) -> str:
        return f"{self.method}, {self.role}"


def find_transfer(server: Process, trust: Trust) -> Transfer | None:
    """Return the state transfer that the child processes of a server carry out; None if there is none."""
    below = descendants(server.pid, _of_account(trust))
    for process in map(with_argv, below):
        match = match_script(process)
        if match:
            movers = [one for one in below if _moves(one)]
            progress = sum(one.ticks + read_transferred(one.pid) for one in movers)
            return Transfer(match[1], match[0], progress)
    return None


def find_helpers(servers: Sequence[Occupant], vital_files: Iterable[VitalFiles], trust: Trust) -> list[Occupant]:
    """Return the programs of state transfers: those below a server, and those that a server left behind when it ended.

    Root's own programs count only below a server. Otherwise a program that runs the server's programs, such as a
    backup, would be counted with their process group.

    The server starts each script in a process group of its own (sql/wsrep_utils.cc, POSIX_SPAWN_SETPGROUP). The
    programs of the script stay in that group when it ends.
    """
    everybody, vital_files = _of_account(trust), tuple(vital_files)
    below = {one.pid: one for server in servers for one in descendants(server.process.pid, everybody)}
    # All uids of the process are checked before its group counts: a process that runs su has root's effective uid, and
    # any words in argv.
    groups = {
        one.group
        for one in everybody
        if match_script(with_argv(one))
        and trust.holds_account(one.pid)
        and (one.pid in below or (not _is_roots(one) and any(_works_in(vital, one) for vital in vital_files)))
    }
    groups -= {os.getpgrp(), *(server.process.group for server in servers)}
    found = [one for one in everybody if one.pid in below or (one.group in groups and not _is_roots(one))]
    return [Occupant(with_argv(one), Use.TRANSFER) for one in found if trust.holds_account(one.pid)]


def _of_account(trust: Trust) -> tuple[Process, ...]:
    pids = (pid for pid in read_pids() if pid != os.getpid() and read_uid(pid) in trust.uids)
    return tuple(process for process in map(read_process, pids) if process is not None)


def _works_in(vital: VitalFiles, process: Process) -> bool:
    try:
        return vital.is_cwd_of(process.pid)
    except OSError as error:
        if is_gone(error) or isinstance(error, PermissionError):
            return False
        raise


def _is_roots(process: Process) -> bool:
    return ROOT in read_uids(process.pid)


def _moves(process: Process) -> bool:
    script = process.name.startswith("wsrep_sst_")
    return not script and process.name not in _IDLE_PROGRAMS and age_of(process.started) >= _MOVER_AGE


def match_script(process: Process) -> tuple[str, str] | None:
    """Return the method and the role of a state transfer's script, from its argv; None for other processes."""
    names = (_SCRIPT.fullmatch(word) for word in process.argv[:_SCRIPT_WORDS])
    name = next((found for found in names if found), None)
    if name is None:
        return None
    for word, after in zip(process.argv, (*process.argv[1:], "")):
        role = after if word == "--role" else word[len("--role=") :] if word.startswith("--role=") else ""
        if role in _ROLES:
            return name[1], role
    return None
