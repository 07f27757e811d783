"""Who uses a data directory: its server, a recovery, the programs of a state transfer, or anything else.

There are two questions, and they have different answers. *Whose word counts*, and who may be ended: a server of the
trusted account and program (trust.py) that works in the directory or has its files open, and what it started. *Whether
the data are in use*: whoever has one of the vital files open, of whatever account and name. Somebody's shell in the
directory does not use it.
"""

from __future__ import annotations

import os
import time

from ...core.light_typing import TYPE_CHECKING
from ..host.login_name import account_name
from ..host.mounts import Mounts
from ..mysqld.trust import OURS
from ..process.procfs import (
    Process,
    is_gone,
    is_own,
    look,
    read_pids,
    read_process,
    read_program,
    read_uid,
    read_uids,
    sees_everybody,
    with_argv,
)
from .occupancy import CannotLook, Occupant, Search, StrangersLeft, Use
from .open_files import Home, TimeIsOver
from .writers import SharedTables

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "CannotLook",
    "Occupant",
    "Search",
    "StrangersLeft",
    "Use",
    "find_lock",
    "find_occupants",
    "find_others",
    "find_own",
    "find_server",
    "find_servers",
    "still_there",
]

_NAMELESS_SECONDS = 0.5
# For the open files of accounts that could not have opened the data themselves: there can be any number.
_STRANGERS_SECONDS = 5.0
_IN_USE = "whether the data are in use cannot be told"


def find_server(search: Search) -> Process | None:
    """Return the server that uses one of the directories, or the recovery that does, with its argv; None for neither.

    :raises CannotLook: where none is found, and not everything could be looked at.
    """
    found = find_servers(search)
    return found[0].process if found else None


def find_servers(search: Search) -> tuple[Occupant, ...]:
    """Return the trusted servers and recoveries, servers and the oldest first. :raises CannotLook: as above."""
    found = _Look(search).servers
    return tuple(sorted(found, key=lambda one: (one.process.recovering, one.process.started)))


def find_others(search: Search, deadline: float | None = None) -> tuple[Occupant, ...]:
    """Return who else has a vital file open, of whatever account and name. It looks at the open files of everybody.

    deadline is a time of time.monotonic(): any user can have a million files open. :raises CannotLook: when it is over,
    and nobody was found.
    """
    seen = _Look(search)
    return seen.others({one.process.pid for one in seen.servers}, deadline)


def find_lock(directory: str) -> str:
    """Return in words which file of a directory is locked: also by a process that cannot be seen from here. Or "".

    :raises CannotLook: where that cannot be told.
    """
    from .contents import DataDirectory

    try:
        name = DataDirectory(directory).find_lock()
    except (FileNotFoundError, NotADirectoryError):  # there is none that could be locked
        return ""
    except OSError as error:
        raise CannotLook(f"{_IN_USE}: the locks of {directory} cannot be looked at: {error.strerror}") from None
    return f"a process that holds the lock of {directory}/{name}" if name else ""


def find_occupants(search: Search, deadline: float | None = None) -> tuple[Occupant, ...]:
    """Return every process that uses one of the directories, servers first. :raises CannotLook: as find_others does."""
    from .transfers import find_helpers

    seen = _Look(search)
    found = {one.process.pid: one for one in (*seen.servers, *find_helpers(seen.servers, seen.homes, search.trust))}
    try:
        others = seen.others(set(found), deadline)
    except CannotLook:
        if not found:
            raise
        others = ()
    for one in others:
        found.setdefault(one.process.pid, one)
    return tuple(found.values())


def find_own(search: Search) -> tuple[Occupant, ...]:
    """Return the trusted servers, recoveries and programs of state transfers. :raises CannotLook: as above."""
    from .transfers import find_helpers

    seen = _Look(search)
    return (*seen.servers, *find_helpers(seen.servers, seen.homes, search.trust))


class _Look:
    """One look: the directories as they are now, and the servers in them."""

    def __init__(self, search: Search) -> None:
        self.search, self.homes, self._trouble = search, list[Home](), ""
        if not is_own():
            raise CannotLook("whether a server runs cannot be told: /proc is not that of our own processes")
        if not sees_everybody():
            self._trouble = "/proc is mounted with hidepid, and we lack CAP_SYS_PTRACE"
        mounts = Mounts()
        for directory in search.directories:
            try:
                self.homes.append(Home(directory, mounts))
            except (FileNotFoundError, NotADirectoryError):
                pass
            except OSError as error:
                self._trouble = f"{directory} cannot be looked at: {error.strerror}"
        self.servers = self._find_servers()
        if search.unknown and not self.servers:
            self._trouble = self._find_stranger() or self._trouble
        if self._trouble and not self.servers:
            raise CannotLook(f"whether a server runs cannot be told: {self._trouble}")

    def _find_servers(self) -> list[Occupant]:
        using = {one.process.pid: one for one in self._using()}
        # What a server is about to start is still called as the server is.
        begun = ((one, _with_argv_at_last(one.process)) for one in using.values() if one.process.parent not in using)
        return [
            one._replace(process=process, use=Use.RECOVERY if process.recovering else Use.SERVER)
            for one, process in begun
            if process is not None
        ]

    def _using(self) -> Iterator[Occupant]:
        for pid in read_pids():
            if read_uid(pid) not in self.search.trust.uids:
                continue
            try:
                found = self._meet(pid)
            except OSError as error:
                self._note(pid, error)
                continue
            if found:
                yield found

    def _meet(self, pid: int) -> Occupant | None:
        """Return a process as the server that it is, None for any other. One met before may still be its wrapper."""
        trust = self.search.trust
        known = next((one for one in self.search.known if one.pid == pid), None)
        process = read_process(pid) if known or read_program(pid) in trust.programs else None
        if process is None or not trust.holds_account(pid):
            return None
        if known and known.started == process.started:
            return Occupant(process, Use.SERVER, known.datadir)
        directory = self._directory_of(pid) if read_program(pid) in trust.programs else ""
        return Occupant(process, Use.SERVER, directory) if directory else None

    def _directory_of(self, pid: int) -> str:
        for home in self.homes:
            if home.is_cwd_of(pid) or home.find_held(pid, trusted=True, by_name=True):
                return home.directory
        return ""

    def _find_stranger(self) -> str:
        """Return in words which trusted server runs in a directory that was not looked at, "" for none."""
        for pid in read_pids():
            try:
                ours = self.search.trust.holds_account(pid) and read_program(pid) in self.search.trust.programs
            except OSError:  # gone, or noted already
                continue
            if ours:
                return f"pid {pid} is a server, and its data directory may be this one: {self.search.unknown}"
        return ""

    def _note(self, pid: int, error: OSError) -> None:
        """Remember that a process could not be looked at, where it may be the server. One that is gone is nobody."""
        if is_gone(error):
            return
        if not isinstance(error, PermissionError) or read_uid(pid) in self.search.trust.uids - OURS.uids:
            self._trouble = f"pid {pid} cannot be looked at: {error.strerror}"

    def others(self, apart: set[int], deadline: float | None) -> tuple[Occupant, ...]:
        """Return who else has a vital file open: all but these pids, and us. Who could open one to write comes first.

        :raises StrangersLeft, CannotLook: when the deadline is over, or for who may not be seen, and nothing was found
        that says enough all the same.
        """
        pids = [pid for pid in read_pids() if pid not in apart and pid != os.getpid()] if self.homes else []
        writers = {pid for pid in pids if self._may_write(pid)}
        found, tables = list[Occupant](), SharedTables()
        try:
            for pid in sorted(writers):
                found += self._held_by(pid, tables, deadline, writes=True)
        except TimeIsOver as error:
            if not any(one.writes for one in found):
                raise CannotLook(f"{_IN_USE}: {error}") from None
            return tuple(found)
        if self._trouble and not self.servers and not any(one.writes for one in found):
            raise CannotLook(f"{_IN_USE}: {self._trouble}")
        until = time.monotonic() + _STRANGERS_SECONDS
        try:
            for pid in sorted({*pids} - writers):
                found += self._held_by(pid, tables, until if deadline is None else min(until, deadline), writes=False)
        except TimeIsOver as error:
            if not found:
                raise StrangersLeft(f"{_IN_USE}: {error}") from None
        return tuple(found)

    def _may_write(self, pid: int) -> bool:
        try:
            uids = read_uids(pid)
            trusted = bool(uids) and uids <= self.search.trust.uids
            return trusted or any(home.writers.hold(pid, uids) for home in self.homes)
        except OSError as error:
            self._note(pid, error)
            return not is_gone(error)

    def _held_by(self, pid: int, tables: SharedTables, deadline: float | None, *, writes: bool) -> list[Occupant]:
        """Return a process as one that has a vital file open, nothing for any other. writes: it could have opened it.

        :raises TimeIsOver: when the deadline is over; the text names the process.
        """
        try:
            for home in () if tables.holds(pid) else self.homes:
                trusted = self.search.trust.holds_account(pid)
                by_name = not trusted or self._is_server(pid)
                began = time.monotonic()
                held = home.find_held(pid, trusted=trusted, by_name=by_name, deadline=deadline)
                process = read_process(pid) if held else None
                if held and process:
                    account = account_name(read_uid(pid))
                    return [Occupant(process, Use.OTHER, home.directory, account, held.name, held.writes)]
                tables.note(pid, time.monotonic() - began)
        except TimeIsOver:
            at = f"pid {pid}, of {account_name(read_uid(pid))}"
            raise TimeIsOver(f"no time for all open files, at {at}") from None
        except OSError as error:
            self._note(pid, error)
            # Of who could not have opened it a lock tells, if that is a server: a container has many of those.
            if writes and isinstance(error, PermissionError) and read_uid(pid) not in OURS.uids:
                self._trouble = f"pid {pid}, of {account_name(read_uid(pid))}, cannot be looked at: {error.strerror}"
        return []

    def _is_server(self, pid: int) -> bool:
        try:
            return read_program(pid) in self.search.trust.programs
        except FileNotFoundError:  # of the kernel's own
            return False


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


def still_there(occupants: tuple[Occupant, ...]) -> tuple[Occupant, ...]:
    """Return those whose process lives. :raises OSError: where that cannot be told."""
    return tuple(one for one in occupants if look(one.process.pid, one.process.started))
