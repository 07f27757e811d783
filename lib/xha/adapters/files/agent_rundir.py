"""/run/xha/galera/RESOURCE: what the agent's processes leave for each other until the next boot.

Every file is replaced in one step, so that no reader sees half of it. No file needs to survive a power failure, so none
is flushed to the disk. Modules that monitor does not need are imported inside the methods, because imports are most of
a monitor's run time.
"""

from __future__ import annotations

import os

from ...core.monitor.keeper_status import KeeperStatus, parse_keeper_status, render_keeper_status
from ...core.ocf.galera_settings import Settings, load_settings, render_settings
from ...core.text.light_typing import TYPE_CHECKING
from ..process.procfs import with_argv

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...core.galera.known_servers import KnownServer
    from ...core.galera.node_record import NodeRecord
    from ...core.monitor.keeper_tally import KeeperTally
    from ...core.monitor.start_failures import Failure
    from ...core.node.writer_rule import WriterOrder, WriterRecord
    from ...core.text.repeats import Repeats
    from ..process.procfs import Process

BASE = "/run/xha/galera"
KEEPER_FILE, TALLY_FILE, WRITER_FILE = "keeper.json", "tally.json", "writer.json"
_SETTINGS, _ORDER, _FAILURES = "settings.json", "switchover.json", "failures.json"
_JOINING, _RECOVERY, _REMEMBERED = "joining.json", "recovery.log", "servers.json"
_SERVERS, _STATUS, _SAID, _RECOVERED = "mysqld", "status.json", "said.json", "recovered.json"
_MOST_BYTES, _MOST_LOG = 1 << 20, 1 << 18


class RunDir:
    """The directory of one resource. name: its OCF_RESOURCE_INSTANCE without a clone's :N.

    Reading never raises: a file that is absent, torn or unreadable gives None or an empty value. Writing raises
    OSError.
    """

    def __init__(self, name: str, base: str = "") -> None:
        self.path = os.path.join(base or BASE, name)

    def file(self, name: str) -> str:
        """Return the path of a file in the directory, such as keeper.lock or notify."""
        return os.path.join(self.path, name)

    def make(self) -> None:
        """Make the directory with mode 0755 if it does not exist."""
        _make_directory(self.path)

    def make_server_directory(self, uid: int, gid: int) -> str:
        """Make the directory that belongs to the server's account, and return its path.

        :raises UnfitPath: if a directory of another account has that name.
        """
        from .foreign import Directory

        self.make()
        with Directory(self.path) as directory, directory.make_directory(_SERVERS, 0o755, uid, gid) as made:
            return made.path

    def read_status(self, server: Process) -> str:
        """Return the server's own status file (wsrep_status_file); "" if it cannot be read, or is not this server's."""
        from .foreign import Directory

        if not self._is_told_to_write_here(server):
            return ""
        try:
            with Directory(self.file(_SERVERS)) as directory:
                return directory.read(_STATUS, _MOST_BYTES).decode("utf-8", "replace")
        except OSError:
            return ""

    @property
    def status_path(self) -> str:
        """The path of the server's status file, for the server's options."""
        return self.file(f"{_SERVERS}/{_STATUS}")

    def status_signature(self, server: Process) -> tuple[int, ...]:
        """Return a value that changes whenever the server writes its status file; () if it has written none."""
        if not self._is_told_to_write_here(server):
            return ()
        try:  # compared only, and never opened: nothing depends on what stands there
            seen = os.stat(self.status_path, follow_symlinks=False)
        except OSError:
            return ()
        return seen.st_ino, seen.st_mtime_ns, seen.st_size

    def _is_told_to_write_here(self, server: Process) -> bool:
        """Return whether what stands in the status file is this server's.

        It is where a keeper has launched the server, which first removes what an earlier one has left. Anybody else's
        writes its file elsewhere, or none. Times would not tell: a host's clock jumps.
        """
        return f"--wsrep-status-file={self.status_path}" in with_argv(server).argv

    def remove_status(self) -> None:
        """Remove the status file of an earlier server, whose content is out of date.

        :raises OSError: as unlink does.
        """
        from .foreign import Directory

        with Directory(self.file(_SERVERS)) as directory:
            directory.remove(_STATUS)

    def read_settings(self) -> Settings | None:
        """Return the settings that start or reload-agent stored last."""
        return load_settings(self._read(_SETTINGS))

    def write_settings(self, settings: Settings) -> None:
        """Store the settings, readable by root only."""
        self._write(_SETTINGS, render_settings(settings), 0o600)

    def settings_signature(self) -> tuple[int, ...]:
        """Return a value that changes whenever the settings are stored again."""
        try:
            seen = os.stat(self.file(_SETTINGS))
        except OSError:
            return ()
        return seen.st_ino, seen.st_mtime_ns, seen.st_size

    def read_keeper_status(self) -> KeeperStatus | None:
        """Return what the keeper published last. Its pid and start time tell whether it still runs."""
        return parse_keeper_status(self._read(KEEPER_FILE))

    def write_keeper_status(self, keeper_status: KeeperStatus) -> None:
        """Publish what the keeper does, readable by every account of this host."""
        self._write(KEEPER_FILE, render_keeper_status(keeper_status), 0o644)

    def read_keeper_tally(self) -> KeeperTally | None:
        """Return what the keepers have counted since the host booted; None if nothing is there that can be read."""
        from ...core.monitor.keeper_tally import parse_keeper_tally

        return parse_keeper_tally(self._read(TALLY_FILE))

    def write_keeper_tally(self, tally: KeeperTally) -> None:
        """Write down what the keeper counts, readable by every account of this host."""
        from ...core.monitor.keeper_tally import render_keeper_tally

        self._write(TALLY_FILE, render_keeper_tally(tally), 0o644)

    def read_writer(self) -> WriterRecord | None:
        """Return what the keeper wrote down of the writer last; None if it has not, or what is there cannot be read.

        :raises OSError: where it cannot be looked at, or is not root's nor this process's own.
        """
        from ...core.node.writer_rule import MAX_BYTES, parse_writer_record
        from .whole_file import read_text

        try:
            return parse_writer_record(read_text(self.file(WRITER_FILE), MAX_BYTES, (0, os.geteuid())))
        except FileNotFoundError:
            return None

    def write_writer(self, record: WriterRecord) -> None:
        """Tell this host's responder who the writer is."""
        from ...core.node.writer_rule import render_writer_record

        self._write(WRITER_FILE, render_writer_record(record), 0o644)

    def read_order(self, now: float) -> WriterOrder | None:
        """Return what a person wants of the keeper. now: seconds of the monotonic clock."""
        from ...core.node.writer_rule import parse_writer_order

        return parse_writer_order(self._read(_ORDER), now)

    def write_order(self, order: WriterOrder | None) -> None:
        """Tell the keeper what a person wants; None: nothing any more."""
        from ...core.node.writer_rule import render_writer_order

        if order is None:
            self.remove(_ORDER)
        else:
            self._write(_ORDER, render_writer_order(order), 0o600)

    def read_recovery(self, key: str) -> str:
        """Return what was found out of the data that this key stands for, "" where nothing was."""
        stood, _, text = self._read(_RECOVERED).partition("\n")
        return text if key and stood == key else ""

    def write_recovery(self, key: str, text: str) -> None:
        """Hand what was found out of the data to the next keeper. key: what they are, one line."""
        self._write(_RECOVERED, f"{key}\n{text}", 0o600)

    def read_failures(self) -> tuple[Failure, ...]:
        """Return the recorded failures, the oldest first."""
        from ...core.monitor.start_failures import parse_failures

        return parse_failures(self._read(_FAILURES))

    def write_failures(self, failures: Iterable[Failure]) -> None:
        """Record the failures; without any, the file is removed."""
        from ...core.monitor.start_failures import render_failures

        kept = tuple(failures)
        if kept:
            self._write(_FAILURES, render_failures(kept), 0o644)
        else:
            self.remove(_FAILURES)

    def read_joining(self) -> NodeRecord | None:
        """Return the record of a join in progress; None if there is none.

        It is kept here because a state transfer deletes the record that is beside the data.
        """
        from ...core.galera.node_record import parse_node_record

        return parse_node_record(self._read(_JOINING))

    def write_joining(self, record: NodeRecord | None) -> None:
        """Keep the record that becomes valid once the donor's data have arrived.

        None: they have arrived, and the record is beside the data.
        """
        if record is None:
            self.remove(_JOINING)
        else:
            from ...core.galera.node_record import render_node_record

            self._write(_JOINING, render_node_record(record), 0o600)

    def write_recovery_log(self, text: str) -> str:
        """Keep the end of the last recovery's output, readable by root only; return the path."""
        # What a server prints need not be UTF-8.
        self._write(_RECOVERY, text[-_MOST_LOG:].encode("utf-8", "replace").decode("utf-8"), 0o600)
        return self.file(_RECOVERY)

    def read_known_servers(self) -> tuple[KnownServer, ...]:
        """Return the data directories that this resource used, each with its server; the present one is the last."""
        from ...core.galera.known_servers import parse_known_servers

        return parse_known_servers(self._read(_REMEMBERED))

    def write_known_servers(self, servers: Iterable[KnownServer]) -> None:
        """Remember the directories and servers; without any, the file is removed."""
        from ...core.galera.known_servers import render_known_servers

        kept = tuple(servers)
        if kept:
            self._write(_REMEMBERED, render_known_servers(kept), 0o644)
        else:
            self.remove(_REMEMBERED)

    def read_said(self, word: str = "") -> Repeats:
        """Return what the last keepers said; word: what one of the agent's actions did."""
        from ...core.text.repeats import parse_repeats

        return parse_repeats(self._read(word + _SAID))

    def write_said(self, text: str, word: str = "") -> None:
        """Keep what was said, for the next process."""
        self._write(word + _SAID, text, 0o600)

    def remove(self, name: str) -> None:
        """Remove a file of the directory; a missing file is no error."""
        try:
            os.unlink(self.file(name))
        except FileNotFoundError:
            return

    def _read(self, name: str) -> str:
        try:
            with open(self.file(name), encoding="utf-8", errors="replace") as file:
                return file.read(_MOST_BYTES)
        except OSError:
            return ""

    def _write(self, name: str, text: str, mode: int) -> None:
        from .atomic_write import replace_text

        self.make()
        replace_text(self.file(name), text + "\n", mode)


def _make_directory(path: str) -> None:
    if os.path.isdir(path):
        return
    _make_directory(os.path.dirname(path))
    os.mkdir(path)
    os.chmod(path, 0o755)  # noqa: S103 - whatever the umask is: other accounts read keeper.json
