"""The daemons of this host, with their children: found by an anchored match on the command line (proc(5)).

All processes are read once for each look: that is nearly all that the level `process` costs, 20 us of CPU for each.
"""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING, NamedTuple

from ...core.services.model.result import failed, passed, unknown
from .age import began_at
from .control_groups import in_session
from .procfs import descendants, read_processes, read_uids, with_argv

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...core.services.model.kind import ServiceSettings
    from ...core.services.model.result import Level, Result
    from .procfs import Process

# Accounts below belong to the system (SYS_UID_MAX of login.defs(5)).
_ORDINARY = 1000
# disk-sleep does not count: every process that writes is in it for a moment. A zombie is gone, but for its threads.
_HALTED = {"T": "stopped", "t": "traced", "Z": "a zombie"}


class Daemon(NamedTuple):
    """One main process of a service with everything below it. halted maps a pid to its state if it does not run.

    started: seconds since the epoch.
    """

    pid: int
    started: float
    pids: tuple[int, ...]
    halted: dict[int, str]


class UnknownDaemons(Exception):
    """Whether a service has a process cannot be told; the text says what that needs."""


def find_daemons(pattern: str) -> list[Daemon]:
    """Return the main processes whose command line matches, oldest first.

    A main process has a parent that does not match. Everybody may name a process as they like: one that an ordinary
    account has started from a login, by cron or at is passed over. A container's account has a high uid too, and its
    process is in none of these.

    :raises UnknownDaemons: if none was found, and hidden ones could not have been, or one was passed over.
    """
    matches = re.compile(pattern).match
    processes = read_processes()
    found: dict[int, Process] = {}
    strangers: dict[int, int] = {}
    # No library reads the command lines: it reads them whole, and any user may have some of 2 MiB each.
    for process in map(with_argv, processes):
        # setproctitle leaves blanks at the end of the text that it overwrites
        if matches(" ".join(process.argv).strip()):
            uid = _stranger(process.pid)
            if uid is None:
                found[process.pid] = process
            else:
                strangers[process.pid] = uid
    if strangers and not found:
        pid, uid = next(iter(strangers.items()))
        raise UnknownDaemons(
            f"the process of a service: {pid} matches {pattern}, and uid {uid} has started it from a login, "
            "by cron or at"
        )
    mains = [process for process in found.values() if process.parent not in found]
    # The directory is checked, not a signal: a signal to a hidden process is refused, which reveals that it exists.
    if not mains and not os.path.isdir("/proc/1"):
        raise UnknownDaemons("to see other users' processes: /proc is mounted with hidepid")
    return [_describe(main, processes) for main in sorted(mains, key=lambda main: main.started)]


def _stranger(pid: int) -> int | None:
    """Return the ordinary account that a process was started by, if a user runs it; None where that cannot be told.

    All its uids count: a set-uid program, as passwd, has its owner's as the effective one, and a name of its starter's.
    """
    try:
        uids = [uid for uid in read_uids(pid) if uid >= _ORDINARY]
        return min(uids) if uids and in_session(pid) else None
    except OSError:
        return None


def _describe(main: Process, processes: Sequence[Process]) -> Daemon:
    family = (main, *descendants(main.pid, processes))
    halted = {process.pid: _HALTED[process.state] for process in family if process.state in _HALTED}
    return Daemon(main.pid, began_at(main.started), tuple(process.pid for process in family), halted)


def check_process(settings: ServiceSettings, level: Level) -> Result:
    """Return whether the service's process exists and is not stopped: all that the level `process` proves."""
    try:
        daemons = find_daemons(settings.process)
    except UnknownDaemons as error:
        return unknown(settings.name, level, f"needs {error}")
    return judge_daemons(settings, level, daemons)


def judge_daemons(settings: ServiceSettings, level: Level, daemons: Sequence[Daemon]) -> Result:
    """Return whether one of the processes runs and none of their children is stopped."""
    name = settings.name
    if not daemons:
        return failed(name, level, f"no process matches {settings.process}")
    running = [daemon for daemon in daemons if daemon.pid not in daemon.halted]
    if not running:
        main = daemons[0]
        return failed(name, level, f"process {main.pid} is {main.halted[main.pid]}")
    main = running[0]
    proved = f"process {main.pid} runs with {_count(len(main.pids) - 1, 'child', 'children')}"
    # A zombie below a running parent is a child that has just ended.
    halted = [(pid, how) for daemon in daemons for pid, how in daemon.halted.items() if how != "a zombie"]
    if halted:
        pid, how = halted[0]
        return failed(name, level, f"its process {pid} is {how}", proved=proved)
    return passed(name, level, proved)


def is_there(pattern: str) -> bool:
    """Return whether a main process matches. True also where that cannot be told."""
    try:
        return bool(find_daemons(pattern))
    except UnknownDaemons:
        return True


def seconds_since_start(pattern: str) -> float | None:
    """Return the seconds since the youngest matching main process started; None if that is not known."""
    try:
        daemons = find_daemons(pattern)
    except UnknownDaemons:
        return None
    return time.time() - daemons[-1].started if daemons else None


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
