"""This host's node: its data directory, its server, and what either says. It looks; it decides nothing."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, NamedTuple

from ...adapters.datadir.transfers import find_transfer
from ...adapters.datadir.users import find_server
from ...adapters.lifecycle.launch import launch
from ...adapters.lifecycle.terminate import terminate
from ...adapters.mysql.agent_login import execute, find_target, own_target
from ...adapters.mysql.session import ReadError
from ...adapters.mysqld.error_log import read_log, read_size
from ...adapters.process.procfs import look, read_boot_id, read_environ
from ...core.election.compose_report import Facts, reading_position
from ...core.election.position_report import State
from ...core.galera.error_log import find_errors
from ...core.galera.node_record import NodeRecord
from ...core.galera.position import Kind, Position
from ...core.galera.reading import LocalState, Reading
from ...core.galera.server_options import without_gcache
from ...core.monitor.keeper_status import Phase
from ...core.node.verdict import Code
from ...core.text.values import ConfigError
from .data import OwnData
from .login import SQL_SECONDS, make_reader
from .search import Memory

if TYPE_CHECKING:
    from ...adapters.datadir.transfers import Transfer
    from ...adapters.files.agent_rundir import RunDir
    from ...adapters.mysqld.notify_listener import NotifySocket
    from ...adapters.mysqld.program import Program
    from ...adapters.process.procfs import Process
    from ...core.galera.position import GvwState
    from ...core.galera.server_options import ServerOptions
    from ...core.node.verdict import Verdict
    from ...core.ocf.galera_settings import Settings

# A server that did not answer is asked again this much later: every connection waits in its backlog.
SILENCE_SECONDS = 10.0
# The account is at fault, not the server.
_REFUSED = (Code.ACCESS_DENIED, Code.CONFIG_ERROR)
_REVIVE = "SET GLOBAL wsrep_provider_options = 'pc.bootstrap=YES'"
_SERVING = (LocalState.DONOR, LocalState.JOINED, LocalState.SYNCED)


class Launched(NamedTuple):
    """How the running server was started: phase says for what, at by the monotonic clock, log_from in bytes.

    free is the room on its disk, in bytes. view is the gvwstate.dat that it found: while it restores that view, it is
    no longer on the disk.
    """

    phase: Phase
    at: float
    log_from: int
    free: int = 0
    view: GvwState | None = None


class End(NamedTuple):
    """A server that is gone and that nobody here stopped. served: it had been in a Primary component."""

    process: Process
    served: bool
    launched: Launched | None
    errors: tuple[str, ...]


class OwnNode(OwnData):
    """The data directory, and the server that uses it.

    newcomer is a server that no keeper of this resource launched, until this one has adopted it; with its argv.
    """

    def __init__(
        self, settings: Settings, program: Program, options: ServerOptions, notifier: NotifySocket, run: RunDir
    ) -> None:
        super().__init__(program, run)
        self.settings, self.options, self.notifier = settings, options, notifier
        self.memory = Memory(run, program)
        self.process: Process | None = None
        self.launched: Launched | None = None
        self.newcomer: Process | None = None
        self.end: End | None = None
        self.served = False
        self.reading: Reading | None = None
        self.verdict: Verdict | None = None
        self.answered_at = self.asked_at = self.met_at = 0.0
        self.transfer: Transfer | None = None
        self.progress_at = self.primary_at = 0.0
        self.boot_id = read_boot_id()
        self._reader = make_reader(lambda: find_target(self.settings, program.socket), SQL_SECONDS)
        # What the resource's account is refused, root by the unix socket may still see: an election needs the facts.
        self._root_reader = make_reader(lambda: own_target(self.settings, program.socket), SQL_SECONDS)

    def use(self, settings: Settings) -> None:
        """Go by other settings from now on, and by another account: reload-agent stored them."""
        self.settings = settings
        self._reader.close()

    # --- looking

    def look(self) -> None:
        """See whether the server runs, and what it says. What ended by itself is in `end`."""
        before = self.process
        self.process = look(before.pid, before.started) if before else None
        if before and self.process is None:
            self._lose(before)
        if self.process is None and self.end is None:
            self._find()
        if self.process is None:
            return
        self._follow_transfer()
        self._read()
        if self.transfer is None and self.state is not State.STOPPED and not self.directory.has_record():
            self.directory.write_record(self.record)  # a state transfer swept it away

    def _find(self) -> None:
        found = find_server(self.memory.search)
        if found is not None and not found.recovering:
            self.memory.note(found)
            self.process, self.standing, self.served = found, None, False
            # Ours know where to tell their state, also after another keeper launched them.
            ours = read_environ(found.pid).get("NOTIFY_SOCKET") == self.notifier.path
            self.newcomer = None if ours else found
            self.met_at = time.monotonic()

    def _lose(self, process: Process) -> None:
        self._reader.close()
        self.end = End(process, self.served, self.launched, self.read_errors())
        self.forget_server()

    def read_errors(self) -> tuple[str, ...]:
        """Return what the running server, or the one that has just ended, complained of since it was launched."""
        try:
            return find_errors(
                read_log(self.program.account, self.program.log, self.launched.log_from if self.launched else 0)
            )
        except OSError as error:
            return (f"its error log {self.program.log} cannot be read ({(error.strerror or str(error)).lower()})",)

    def forget_server(self) -> None:
        """Nothing that was known of the server, or of the data before it ran, holds any more."""
        self.memory.note(None)
        self.process = self.launched = self.newcomer = None
        self.standing = self.reading = self.verdict = self.transfer = None
        self.served = False
        self.answered_at = self.asked_at = 0.0
        with contextlib.suppress(OSError):  # the next look at the data says why it cannot be read
            self.record = self._read_record() or self.record

    def _follow_transfer(self) -> None:
        assert self.process
        before = self.transfer
        serves = self.state is State.PRIMARY and not self._is_donor()
        self.transfer = None if serves else find_transfer(self.process, self.memory.search.trust)
        if self.transfer and (before is None or before.progress != self.transfer.progress):
            self.progress_at = time.monotonic()

    def _is_donor(self) -> bool:
        return self.reading is not None and self.reading.status.wsrep_local_state == LocalState.DONOR

    def _read(self) -> None:
        now = time.monotonic()
        silent = self.asked_at > self.answered_at
        if self.process is None or self.process.stopped or (silent and now - self.asked_at < SILENCE_SECONDS):
            return
        snapshot = self._reader.take()
        self.verdict, reading = snapshot.verdict, snapshot.reading
        if self.verdict.code in _REFUSED:
            reading = self._root_reader.take().reading
        self.notifier.drain()
        if isinstance(reading, Reading):
            self.reading, self.answered_at, self.asked_at = reading, now, now
            self.served = self.served or self._is_serving(reading)
        elif self.answered_at:  # one that never answered may not listen yet
            self.asked_at = now

    @property
    def has_left(self) -> bool:
        """Whether the running server has left its group for good, as after a state transfer that failed."""
        return self.reading is not None and self.reading.status.wsrep_cluster_status == "Disconnected"

    @property
    def is_deaf(self) -> bool:
        """Whether nobody listens where the server should: it waits for its group, and serves nothing."""
        return self.verdict is not None and self.verdict.code is Code.SERVER_DOWN

    # --- what it is

    @property
    def state(self) -> State:
        """How far the server is, for the report."""
        if self.process is None:
            return State.STOPPED
        if self.reading is not None and self._is_serving(self.reading):
            return State.PRIMARY
        joined = self.served or self.launched is None
        if joined and self.reading is not None and self.reading.status.wsrep_cluster_status != "Primary":
            return State.NON_PRIMARY
        restoring = self.launched is not None and self.launched.phase is Phase.RESTORING
        return State.RESTORING if restoring else State.STARTING

    @staticmethod
    def _is_serving(reading: Reading) -> bool:
        status = reading.status
        return status.wsrep_cluster_status == "Primary" and status.wsrep_local_state in _SERVING

    @property
    def is_ready(self) -> bool:
        """Whether applications may use it: in a Primary component, and the server says so itself."""
        return self.state is State.PRIMARY and self.reading is not None and self.reading.status.wsrep_ready is True

    @property
    def _free(self) -> int:
        return self.directory.read_contents().free_bytes

    @property
    def arrived(self) -> int:
        """By how many bytes the disk has filled since the server was launched."""
        return max(0, self.launched.free - self._free) if self.launched else 0

    def facts(self, announced: State | None, addresses: tuple[str, ...]) -> Facts:
        """Return what a report is made of. announced: the state of a server that is about to be started."""
        return Facts(
            state=announced if announced is not None and self.process is None else self.state,
            record=NodeRecord() if self.is_unknown else self.record,  # where nobody could look, neither is read
            standing=self.standing,
            reading=self.reading,
            gvwstate=None if self.is_unknown else self._view,
            safe_to_bootstrap=self.grastate_safe,
            transfer=self.transfer is not None and self.transfer.role == "joiner",
            boot_id=self.boot_id,
            addresses=addresses,
        )

    @property
    def _view(self) -> GvwState | None:
        restoring = self.launched is not None and self.state is State.RESTORING
        return self.launched.view if self.launched and restoring else self.directory.read_gvwstate()

    @property
    def position(self) -> Position:
        """Where the data of the running server end, by its last reading."""
        return reading_position(self.reading)

    # --- its life

    def start(self, phase: Phase, *, bootstrap: bool = False) -> None:
        """Start the server. :raises InUse, Unusable, OSError: as launch does."""
        position = self.standing.position if self.standing and self.standing.position.real else None
        copied = not bootstrap and self.standing is not None and self.standing.kind is not Kind.INTACT
        self.notifier.forget()
        self.run.remove_status()
        self.memory.note(None)  # whatever becomes of us: the directory is known from now on
        log_from, view = read_size(self.program.account, self.program.log), self.directory.read_gvwstate()
        self.process = launch(
            self.program,
            position,
            provider_options=without_gcache(self.options.wsrep_provider_options) if copied else None,
            bootstrap=bootstrap,
            notify_socket=self.notifier.path,
            status_file=self.run.status_path if self.options.wsrep_status_file is not None else "",
        )
        self.memory.note(self.process)
        now = self.met_at = time.monotonic()
        self.launched, self.end, self.served = Launched(phase, now, log_from, self._free, view), None, False
        self.progress_at = now
        self.answered_at = self.asked_at = 0.0

    def stop(self, seconds: float) -> bool:
        """Stop the server and return whether nothing is left of it."""
        self._reader.close()
        left = terminate(self.memory.search, time.monotonic() + seconds)
        if not left:
            self.forget_server()
        return not left

    def revive(self) -> str:
        """Make this server's component Primary (pc.bootstrap); return "" or why the server refused.

        The check's account may lack the privilege; root by the unix socket has it wherever it can log in.
        """
        refused = ""
        for find in (find_target, own_target):
            try:
                execute(find(self.settings, self.program.socket), _REVIVE, SQL_SECONDS)
            except (ReadError, ConfigError) as error:
                refused = str(error)
                continue
            return ""
        return refused
