"""This host's server: its process, what it says, and starting, stopping and reviving it."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, NamedTuple

from ...adapters.datadir.transfers import find_transfer
from ...adapters.datadir.users import find_server
from ...adapters.lifecycle.disk_writes import find_unwritable
from ...adapters.lifecycle.launch import launch
from ...adapters.lifecycle.terminate import end_left_behind, terminate
from ...adapters.mysql.agent_login import find_target, own_target
from ...adapters.mysql.provider_options import evict, make_primary
from ...adapters.mysql.session import ReadError
from ...adapters.mysql.stall_facts import read_stall_facts
from ...adapters.mysqld.error_log import read_log, read_size
from ...adapters.process.procfs import fingerprint, look, read_environ
from ...core.galera.error_log import find_errors
from ...core.galera.known_servers import ServerProcess, StateTransfer
from ...core.galera.reading import Reading
from ...core.galera.server_options import without_gcache
from ...core.keeper.observation import ServerSeen
from ...core.keeper.outcomes import Started
from ...core.keeper.server.looks import asks_server, looks_for_errors, looks_for_server, looks_for_transfer
from ...core.node.verdict import Code, Unreadable
from ...core.text.values import ConfigError
from ..node.local_reader import SQL_SECONDS, make_reader
from .known_servers import KnownServers

if TYPE_CHECKING:
    from typing import Callable

    from ...adapters.files.agent_rundir import RunDir
    from ...adapters.mysql.login_target import Target
    from ...adapters.mysqld.notify_listener import NotifySocket
    from ...adapters.mysqld.program import Program
    from ...adapters.process.procfs import Process
    from ...core.galera.server_options import ServerOptions
    from ...core.keeper.effects import CheckStorage, Launch
    from ...core.keeper.memory import Memory
    from ...core.node.verdict import Verdict
    from ...core.ocf.galera_settings import Settings
    from .local_data import LocalData

# The account is at fault, not the server; or root is spared what others are refused (init_connect, offline_mode).
_REFUSED = (Code.ACCESS_DENIED, Code.CONFIG_ERROR, Code.REFUSED, Code.REJECTING_QUERIES, Code.MAINTENANCE)


class Installed(NamedTuple):
    """The program that serves the data, and the options that it resolves."""

    program: Program
    options: ServerOptions


class LocalServer:
    """The server that uses the data directory. It keeps connections, and nothing else that a keeper goes by."""

    def __init__(self, settings: Settings, installed: Installed, notifier: NotifySocket, data: LocalData) -> None:
        self._settings, self.program, self._options = settings, installed.program, installed.options
        self._notifier, self._data = notifier, data
        self._run: RunDir = data.run
        self._known = KnownServers(data.run, installed.program)
        socket = installed.program.socket
        self._reader = make_reader(lambda: find_target(self._settings, socket), SQL_SECONDS)
        # What the resource's account is refused, root by the unix socket may still see: an election needs the facts.
        self._root_reader = make_reader(lambda: own_target(self._settings, socket), SQL_SECONDS)

    def use(self, settings: Settings) -> None:
        """Go by other settings from now on, and by another account."""
        self._settings = settings
        self._reader.close()

    # --- looking

    def see(self, memory: Memory, me: str, now: float) -> ServerSeen:
        """Return how the server is that the keeper remembers, or one that was found. me: this node's name."""
        known = memory.server
        process = look(known.pid, known.started) if known else None
        if known is not None and process is None:
            self._reader.close()
            return ServerSeen(errors=self.read_errors(memory))
        if process is not None:
            return self._ask(_describe(process), process, memory, now)
        found = find_server(self._known.search) if looks_for_server(memory) else None
        if found is None or found.recovering or found.creating:
            return ServerSeen()
        described = _describe(found)._replace(argv=found.argv, mark=fingerprint(found, me))
        seen = self._ask(described, found, memory, now)
        return seen._replace(ours=read_environ(found.pid).get("NOTIFY_SOCKET") == self._notifier.path)

    def _ask(self, server: ServerProcess, process: Process, memory: Memory, now: float) -> ServerSeen:
        transfer = find_transfer(process, self._known.search.trust) if looks_for_transfer(memory) else None
        seen = ServerSeen(server, told=self._run.status_signature(process))
        if transfer is not None:
            told = StateTransfer(transfer.role, transfer.progress, str(transfer))
            seen = seen._replace(transfer=told, free=self._data.read_free())
        if not process.stopped and asks_server(memory, now):
            verdict, reading = self._read()
            seen = self._explain_stall(seen._replace(asked=True, verdict=verdict, reading=reading))
        return seen._replace(errors=self.read_errors(memory)) if looks_for_errors(memory, seen, now) else seen

    def has_changed(self, seen: ServerSeen | None) -> bool:
        """Return whether a server that was seen has ended since, or has written down another state of itself."""
        if seen is None or seen.server is None:
            return False
        with contextlib.suppress(OSError):
            process = look(seen.server.pid, seen.server.started)
            return process is None or self._run.status_signature(process) != seen.told
        return False

    def _read(self) -> tuple[Verdict, Reading | None]:
        snapshot = self._reader.take()
        reading = snapshot.reading
        if isinstance(reading, Unreadable) and reading.code in _REFUSED:
            reading = self._root_reader.take().reading
        self._notifier.drain()
        return snapshot.verdict, reading if isinstance(reading, Reading) else None

    def _explain_stall(self, seen: ServerSeen) -> ServerSeen:
        """Add what the appliers do, and how many votes the server has, while it requests flow control.

        The check's account may lack PROCESS; root by the unix socket has it wherever it can log in.
        """
        if seen.reading is None or not seen.reading.status.wsrep_flow_control_requested:
            return seen
        for find in (find_target, own_target):
            with contextlib.suppress(ReadError, ConfigError):
                working, weight = read_stall_facts(find(self._settings, self.program.socket), SQL_SECONDS)
                if working is not None:
                    return seen._replace(reading=seen.reading._replace(working=working), weight=weight)
        return seen

    def read_errors(self, memory: Memory) -> tuple[str, ...]:
        """Return what the running server, or the one that has just ended, complained of since it was launched."""
        log_from = memory.launched.log_from if memory.launched else 0
        if log_from is None:  # what stands there may be an earlier start's, and some errors end all further attempts
            return (f"its error log {self.program.log} could not be examined when it was started",)
        try:
            return find_errors(read_log(self.program.account, self.program.log, log_from))
        except OSError as error:
            return (f"its error log {self.program.log} cannot be read ({(error.strerror or str(error)).lower()})",)

    # --- its life

    def note(self, server: ServerProcess | None) -> None:
        """Write down that this server uses the data directory, None: that none does. :raises OSError: if it cannot."""
        self._known.note(look(server.pid, server.started) if server else None)

    def end_left_behind(self) -> None:
        """End what a server that has ended left of a state transfer: it keeps the next one from its start.

        :raises CannotLook: if it cannot be told what runs.
        """
        end_left_behind(self._known.search)

    def start(self, act: Launch) -> Started:
        """Start the server. :raises InUse, Unusable, OSError: as launch does."""
        self._notifier.forget()
        self._run.remove_status()
        log_from, view = read_size(self.program.account, self.program.log), self._data.directory.read_gvwstate()
        free = self._data.read_free()
        process = launch(
            self.program,
            act.position,
            provider_options=without_gcache(self._options.wsrep_provider_options) if act.copied else None,
            bootstrap=act.bootstrap,
            notify_socket=self._notifier.path,
            status_file=self._run.status_path if self._options.wsrep_status_file is not None else "",
        )
        return Started(_describe(process), time.monotonic(), log_from, free, view)

    def close(self) -> None:
        """Close the connections to the server, which is to be stopped."""
        self._reader.close()
        self._root_reader.close()

    def stop(self, seconds: float) -> bool:
        """Stop the server and return whether nothing is left of it."""
        return not terminate(self._known.search, time.monotonic() + seconds)

    def revive(self) -> str:
        """Make this server's component Primary (pc.bootstrap); return "" or why the server refused.

        The check's account may lack the privilege; root by the unix socket has it wherever it can log in.
        """
        return self._tell(lambda target: make_primary(target, SQL_SECONDS))

    def evict(self, uuid: str) -> str:
        """Have the group shut out the member with this UUID (evs.evict); return "" or why the server refused."""
        return self._tell(lambda target: evict(target, uuid, SQL_SECONDS))

    def _tell(self, tell: Callable[[Target], None]) -> str:
        refused = ""
        for find in (find_target, own_target):
            try:
                tell(find(self._settings, self.program.socket))
            except (ReadError, ConfigError) as error:
                refused = str(error)
                continue
            return ""
        return refused

    def find_unwritable(self, act: CheckStorage) -> str:
        """Return "" once the server's account has written in each directory; else which does not take it, and why."""
        return find_unwritable(self.program.account, act.directories, act.seconds)


def _describe(process: Process) -> ServerProcess:
    return ServerProcess(process.pid, process.started, str(process), process.stopped)
