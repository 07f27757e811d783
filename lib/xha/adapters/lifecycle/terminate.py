"""Terminates a server with everything that it started, within a time limit, and returns what is left."""

from __future__ import annotations

import os
import re
import select
import signal
import time
from typing import TYPE_CHECKING

from ..datadir.users import NotAllExamined, Occupant, Use, find_left_behind, find_lock, find_others, find_own
from ..host.systemd_units import main_pid, stop_unit
from ..process.control_groups import unit_of
from ..process.procfs import Process, look, read_process

if TYPE_CHECKING:
    from typing import Callable

    from ..datadir.users import Search
    from ..mysqld.trust import Trust

# SIGKILL is sent when this many seconds are left, or in the middle of a time limit shorter than twice that.
LAST_SECONDS = 15.0
_GRACE = 2.0
_TICK = 0.05
# The seconds between two looks for other processes that write, and for the last look.
_PATIENCE, _LAST_LOOK = 0.2, 2.0
_WRAPPER = re.compile(r"(?:mysqld|mariadbd).safe")


def terminate(search: Search, deadline: float, *, hung: bool = False) -> tuple[Occupant, ...]:
    """Terminate the server of a data directory, a recovery, and the programs of state transfers. Return what is left.

    1. SIGTERM is sent first, and SIGKILL in time before the deadline.
    2. SIGKILL is sent at once to a process that is stopped, because SIGTERM is not delivered to it, and with `hung` to
       all.
    3. A server that is a systemd unit is stopped through systemd, which would otherwise start it again.

    deadline is a time of time.monotonic(). Other programs that use the directory are not touched and not returned.

    :raises CannotLook: if no such process is found and not every process could be examined.
    """
    return _terminate(search, deadline, find_own, hung=hung)


def _terminate(
    search: Search, deadline: float, find: Callable[[Search], tuple[Occupant, ...]], *, hung: bool = False
) -> tuple[Occupant, ...]:
    """As `terminate`, with those that `find` returns, each time that all of the last ones have ended."""
    now = time.monotonic()
    kill_at = max(deadline - LAST_SECONDS, now + (deadline - now) / 2)
    targets = find(search)
    for one in targets:
        if one.use is not Use.TRANSFER:
            _ask(one.process, search.trust)
    _send(targets, signal.SIGTERM, Use.TRANSFER)
    server_gone_at = None
    while targets:
        now = time.monotonic()
        serving = [one for one in targets if one.use is not Use.TRANSFER]
        if not serving and server_gone_at is None:
            server_gone_at = now
        late = now >= kill_at or (server_gone_at is not None and now >= server_gone_at + _GRACE)
        for one in targets:
            current = look(one.process.pid, one.process.started)
            if current and (late or hung or current.stopped):
                _kill(one, search.trust)
        _pause(serving or targets)
        # A server starts new programs while it ends, and a killed one may leave some behind.
        targets = _still_there(targets) or find(search)
        if time.monotonic() >= deadline:
            break
    return _still_there(targets)


def end_left_behind(search: Search) -> None:
    """End the programs of state transfers whose server has ended, within about `_GRACE` seconds; no others.

    A joiner that aborts leaves its script behind, and what the script runs may wait for a donor without end (measured:
    socat on port 4444, of a donor that was killed). Nothing else runs on the data meanwhile.
    """
    _terminate(search, time.monotonic() + 2 * _GRACE, find_left_behind)


def await_writers(search: Search, deadline: float) -> str:
    """Wait until no other process can write to the data.

    Return "", or a sentence about one that still can at the deadline.

    A writer is a process of any account that has a vital file open for writing, or one that cannot be seen and holds a
    lock. Such a process is not terminated, because it is not the resource's. A process that can only read changes
    nothing, and any user may be able to read. If other users' processes have more files open than can be read in time,
    only the locks decide.

    :raises CannotLook: if that cannot be determined.
    """
    while True:
        try:
            others = find_others(search, max(deadline, time.monotonic() + _LAST_LOOK))
        except NotAllExamined:
            others = ()
        found = [one for one in others if one.writes]
        # A process that only reads may hold a lock too.
        locked = [] if others else [one for one in map(find_lock, search.directories) if one]
        if not found and not locked:
            return ""
        if time.monotonic() >= deadline:
            return f"{found[0]} uses {found[0].directory}" if found else f"{locked[0]} is there"
        time.sleep(_PATIENCE)


def send(process: Process, number: int) -> bool:
    """Send a signal to this process, and to no other that got its pid since. Return whether it still existed."""
    descriptor = _open_process(process.pid)
    try:
        if look(process.pid, process.started) is None:
            return False
        if descriptor >= 0:
            signal.pidfd_send_signal(descriptor, number)
        else:
            os.kill(process.pid, number)
    except ProcessLookupError:
        return False
    finally:
        if descriptor >= 0:
            os.close(descriptor)
    return True


def _open_process(pid: int) -> int:
    """Return a descriptor of a process; -1 if it is gone, or the kernel (before 5.3) or Python has no pidfd_open."""
    if not hasattr(os, "pidfd_open"):
        return -1
    try:
        return os.pidfd_open(pid)
    except OSError:
        return -1


def _send(occupants: tuple[Occupant, ...], number: int, use: Use) -> None:
    for one in occupants:
        if one.use is use:
            send(one.process, number)


def _kill(occupant: Occupant, trust: Trust) -> None:
    wrapper = find_wrapper(occupant.process, trust) if occupant.use is Use.SERVER else None
    if wrapper:  # it would start the server again
        send(wrapper, signal.SIGKILL)
    send(occupant.process, signal.SIGKILL)


def _ask(process: Process, trust: Trust) -> None:
    unit = find_unit(process, trust)
    if unit is None or not stop_unit(unit):
        send(process, signal.SIGTERM)


def find_wrapper(server: Process, trust: Trust) -> Process | None:
    """Return the mysqld_safe that started a server, and would start it again; only one of a trusted account."""
    parent = read_process(server.parent)
    if parent is None or not _WRAPPER.match(parent.name) or not trust.holds_account(parent.pid):
        return None
    return parent


def find_unit(process: Process, trust: Trust) -> str | None:
    """Return the systemd service whose main process is this server; None for a server that something else started."""
    unit = unit_of(process.pid)
    if unit is None:
        return None
    wrapper = find_wrapper(process, trust)
    main = main_pid(unit)
    return unit if main and main in (process.pid, wrapper.pid if wrapper else 0) else None


def _still_there(occupants: tuple[Occupant, ...]) -> tuple[Occupant, ...]:
    """Return the occupants whose process still exists. :raises OSError: if that cannot be determined."""
    return tuple(one for one in occupants if look(one.process.pid, one.process.started))


def _pause(occupants: list[Occupant] | tuple[Occupant, ...]) -> None:
    """Wait until the first of them has ended, at most _TICK seconds."""
    descriptor = _open_process(occupants[0].process.pid) if occupants else -1
    if descriptor < 0:
        time.sleep(_TICK)
        return
    try:
        poller = select.poll()
        poller.register(descriptor, select.POLLIN)
        poller.poll(_TICK * 1000)
    finally:
        os.close(descriptor)
