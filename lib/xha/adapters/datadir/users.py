"""Which processes use a data directory: its server, a recovery, the programs of a state transfer, or anything else.

1. Which server is believed, and which may be ended? One of the trusted account and program (trust.py) that works in
   the directory or has its files open, and what that server started.
2. Are the data in use? They are if any process has one of the vital files open, whatever its account and name. A shell
   whose working directory is the data directory does not use the data.
"""

from __future__ import annotations

import os
import time

from ...core.text.light_typing import TYPE_CHECKING
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
    sees_all_processes,
    with_argv,
)
from .occupancy import CannotLook, NotAllExamined, Occupant, Search, Use
from .open_files import TimeIsOver, VitalFiles
from .writers import SharedTables

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "CannotLook",
    "NotAllExamined",
    "Occupant",
    "Search",
    "Use",
    "find_left_behind",
    "find_lock",
    "find_occupants",
    "find_others",
    "find_own",
    "find_server",
    "find_servers",
]

_NAMELESS_SECONDS = 0.5
# For the open files of accounts that could not have opened the data themselves; there can be any number of them.
_OTHERS_SECONDS = 5.0
_IN_USE = "whether the data are in use cannot be told"


def find_server(search: Search) -> Process | None:
    """Return the server or the recovery that uses one of the directories, with its argv; None if there is neither.
    :raises CannotLook: if none is found and not every process could be examined.
    """
    return next((one.process for one in find_servers(search)), None)


def find_servers(search: Search) -> tuple[Occupant, ...]:
    """Return trusted servers, then recoveries, each oldest first. :raises CannotLook: as find_server does."""
    found = _Examination(search).servers
    return tuple(sorted(found, key=lambda one: (one.process.recovering, one.process.started)))


def find_others(search: Search, deadline: float | None = None) -> tuple[Occupant, ...]:
    """Return the other processes that have a vital file open, of any account and name, from all open files.

    deadline is a time of time.monotonic(): any user can have a million files open.
    :raises CannotLook: if the deadline passes and no process was found.
    """
    seen = _Examination(search)
    return seen.others({one.process.pid for one in seen.servers}, deadline)


def find_lock(directory: str) -> str:
    """Return a sentence about the file of a directory that is locked, also by a process that cannot be seen from here.

    Return "" if none is locked or the directory does not exist.
    :raises CannotLook: if that cannot be determined.
    """
    from .contents import DataDirectory

    try:
        name = DataDirectory(directory).find_lock()
    except (FileNotFoundError, NotADirectoryError):  # the directory does not exist, so nothing in it can be locked
        return ""
    except OSError as error:
        raise CannotLook(f"{_IN_USE}: the locks of {directory} cannot be looked at: {error.strerror}") from None
    return f"a process that holds the lock of {directory}/{name}" if name else ""


def find_occupants(search: Search, deadline: float | None = None) -> tuple[Occupant, ...]:
    """Return every process that uses one of the directories, servers first. :raises CannotLook: as find_others does."""
    seen = _Examination(search)
    found = {one.process.pid: one for one in seen.own()}
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
    """Return the trusted servers, recoveries and transfer programs. :raises CannotLook: as find_server does."""
    return _Examination(search).own()


def find_left_behind(search: Search) -> tuple[Occupant, ...]:
    """Return the programs of state transfers whose server has ended. :raises CannotLook: as find_server does.

    Servers are looked for again behind the programs: one that starts meanwhile is older than its own script.
    """
    found = find_own(search)
    return found if {one.use for one in found} == {Use.TRANSFER} and not find_servers(search) else ()


class _Examination:
    """One examination: the directories as they are now, and the servers in them."""

    def __init__(self, search: Search) -> None:
        self.search, self.vital_files, self._trouble = search, list[VitalFiles](), ""
        if not is_own():
            raise CannotLook("whether a server runs cannot be told: /proc is not that of our own processes")
        if not sees_all_processes():
            self._trouble = "/proc is mounted with hidepid, and we lack CAP_SYS_PTRACE"
        mounts = Mounts()
        for directory in search.directories:
            try:
                self.vital_files.append(VitalFiles(directory, mounts))
            except (FileNotFoundError, NotADirectoryError):
                pass
            except OSError as error:
                self._trouble = f"{directory} cannot be looked at: {error.strerror}"
        self.servers = self._find_servers()
        if search.unknown and not self.servers:
            self._trouble = self._find_unlisted_server() or self._trouble
        if self._trouble and not self.servers:
            raise CannotLook(f"whether a server runs cannot be told: {self._trouble}")

    def own(self) -> tuple[Occupant, ...]:
        """The servers and recoveries, and the programs of state transfers."""
        from .transfers import find_helpers

        return (*self.servers, *find_helpers(self.servers, self.vital_files, self.search.trust))

    def _find_servers(self) -> list[Occupant]:
        using = {one.process.pid: one for one in self._using()}
        # A child that a server has forked and that has not executed its program yet still has the server's name.
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
                found = self._identify_server(pid)
            except OSError as error:
                self._note(pid, error)
                continue
            if found:
                yield found

    def _identify_server(self, pid: int) -> Occupant | None:
        """Return the process as the server that it is, else None. A server seen before may still be its wrapper."""
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
        for vital in self.vital_files:
            if vital.is_cwd_of(pid) or vital.find_held(pid, trusted=True, by_name=True):
                return vital.directory
        return ""

    def _find_unlisted_server(self) -> str:
        """Return a sentence about a trusted server in a directory that was not examined; "" if there is none."""
        for pid in read_pids():
            try:
                ours = self.search.trust.holds_account(pid) and read_program(pid) in self.search.trust.programs
            except OSError:  # gone, or its error was noted already
                continue
            if ours:
                return f"pid {pid} is a server, and its data directory may be this one: {self.search.unknown}"
        return ""

    def _note(self, pid: int, error: OSError) -> None:
        """Remember that a process could not be examined, if it may be the server; one that is gone is not noted."""
        if is_gone(error):
            return
        if not isinstance(error, PermissionError) or read_uid(pid) in self.search.trust.uids - OURS.uids:
            self._trouble = f"pid {pid} cannot be looked at: {error.strerror}"

    def others(self, apart: set[int], deadline: float | None) -> tuple[Occupant, ...]:
        """Return the other processes with a vital file open, without the pids in `apart` and this process.

        Processes that could have opened a file for writing are examined first.
        :raises NotAllExamined, CannotLook: if the deadline passes, or a process may not be examined, and nothing was
        found that answers the question anyway.
        """
        pids = [pid for pid in read_pids() if pid not in apart and pid != os.getpid()] if self.vital_files else []
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
        until = time.monotonic() + _OTHERS_SECONDS
        try:
            for pid in sorted({*pids} - writers):
                found += self._held_by(pid, tables, until if deadline is None else min(until, deadline), writes=False)
        except TimeIsOver as error:
            if not found:
                raise NotAllExamined(f"{_IN_USE}: {error}") from None
        return tuple(found)

    def _may_write(self, pid: int) -> bool:
        try:
            uids = read_uids(pid)
            trusted = bool(uids) and uids <= self.search.trust.uids
            return trusted or any(vital.writers.hold(pid, uids) for vital in self.vital_files)
        except OSError as error:
            self._note(pid, error)
            return not is_gone(error)

    def _held_by(self, pid: int, tables: SharedTables, deadline: float | None, *, writes: bool) -> list[Occupant]:
        """Return the process if it has a vital file open, otherwise nothing.

        writes: it could have opened the file itself.
        :raises TimeIsOver: if the deadline passes; the text names the process.
        """
        try:
            for vital in () if tables.holds(pid) else self.vital_files:
                trusted = self.search.trust.holds_account(pid)
                by_name = not trusted or self._is_server(pid)
                began = time.monotonic()
                held = vital.find_held(pid, trusted=trusted, by_name=by_name, deadline=deadline)
                process = read_process(pid) if held else None
                if held and process:
                    account = account_name(read_uid(pid))
                    return [Occupant(process, Use.OTHER, vital.directory, account, held.name, held.writes)]
                tables.note(pid, time.monotonic() - began)
        except TimeIsOver:
            at = f"pid {pid}, of {account_name(read_uid(pid))}"
            raise TimeIsOver(f"no time for all open files, at {at}") from None
        except OSError as error:
            self._note(pid, error)
            # A process that could not have opened the file is ignored: a container has many of them, and a server among
            # them holds a lock.
            if writes and isinstance(error, PermissionError) and read_uid(pid) not in OURS.uids:
                self._trouble = f"pid {pid}, of {account_name(read_uid(pid))}, cannot be looked at: {error.strerror}"
        return []

    def _is_server(self, pid: int) -> bool:
        try:
            return read_program(pid) in self.search.trust.programs
        except FileNotFoundError:  # a kernel thread
            return False


def _with_argv_at_last(process: Process) -> Process | None:
    """Return the process with its argv; None if it ends meanwhile.

    A process has no argv while its program begins, and while its memory is freed at its end. Without argv a recovery
    would look like a server.
    """
    until = time.monotonic() + _NAMELESS_SECONDS
    while True:
        process = with_argv(process)
        if process.argv or time.monotonic() > until:
            return process
        if look(process.pid, process.started) is None:
            return None
        time.sleep(0.002)
