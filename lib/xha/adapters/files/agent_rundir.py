"""/run/xha/galera/RESOURCE: what the agent's processes leave for each other until the next boot.

Every file is replaced in one step, so that no reader sees half of it; none is kept through a power cut, so none is
flushed to the disk. What monitor does not read is imported where it is: a monitor's time is the import of its modules.
"""

from __future__ import annotations

import os

from ...core.light_typing import TYPE_CHECKING
from ...core.monitor.keeper_status import Bulletin, parse_bulletin, render_bulletin
from ...core.ocf.galera_settings import Settings, load_settings, render_settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...core.galera.known_servers import Remembered
    from ...core.galera.node_record import NodeRecord
    from ...core.monitor.start_failures import Failure

BASE = "/run/xha/galera"
_SETTINGS, _KEEPER, _FAILURES = "settings.json", "keeper.json", "failures.json"
_JOINING, _RECOVERY, _REMEMBERED = "joining.json", "recovery.log", "servers.json"
_SERVERS, _STATUS = "mysqld", "status.json"
_MOST_BYTES, _MOST_LOG = 1 << 20, 1 << 18


class RunDir:
    """The directory of one resource. name: its OCF_RESOURCE_INSTANCE without a clone's :N.

    Reading never raises: what is absent, torn or unreadable is None, or nothing. Writing raises OSError.
    """

    def __init__(self, name: str, base: str = "") -> None:
        self.path = os.path.join(base or BASE, name)

    def file(self, name: str) -> str:
        """Return the path of a file in it: keeper.lock, notify."""
        return os.path.join(self.path, name)

    def make(self) -> None:
        """Make the directory, 0755, where it is not there."""
        _make_directory(self.path)

    def make_server_directory(self, uid: int, gid: int) -> str:
        """Make the directory that belongs to the server's account, and return its path.

        :raises Unfit: where another account's stands there.
        """
        from .foreign import Directory

        self.make()
        with Directory(self.path) as directory, directory.make_directory(_SERVERS, 0o755, uid, gid) as made:
            return made.path

    def read_status(self) -> str:
        """Return what the server's own status file says (wsrep_status_file), "" where nothing can be read."""
        from .foreign import Directory

        try:
            with Directory(self.file(_SERVERS)) as directory:
                return directory.read(_STATUS, _MOST_BYTES).decode("utf-8", "replace")
        except OSError:
            return ""

    @property
    def status_path(self) -> str:
        """The path of that file, for the server."""
        return self.file(f"{_SERVERS}/{_STATUS}")

    def remove_status(self) -> None:
        """Remove what an earlier server wrote there: it says what was true then. :raises OSError: as unlink does."""
        from .foreign import Directory

        with Directory(self.file(_SERVERS)) as directory:
            directory.remove(_STATUS)

    def read_settings(self) -> Settings | None:
        """Return the settings that start or reload-agent stored last."""
        return load_settings(self._read(_SETTINGS))

    def write_settings(self, settings: Settings) -> None:
        """Store the settings, for root alone."""
        self._write(_SETTINGS, render_settings(settings), 0o600)

    def settings_signature(self) -> tuple[int, ...]:
        """Return what changes whenever the settings are stored again."""
        try:
            seen = os.stat(self.file(_SETTINGS))
        except OSError:
            return ()
        return seen.st_ino, seen.st_mtime_ns, seen.st_size

    def read_bulletin(self) -> Bulletin | None:
        """Return what the keeper said last. Whether it lives is another question: see its pid and start time."""
        return parse_bulletin(self._read(_KEEPER))

    def write_bulletin(self, bulletin: Bulletin) -> None:
        """Say what the keeper does, for everybody on this host."""
        self._write(_KEEPER, render_bulletin(bulletin), 0o644)

    def read_failures(self) -> tuple[Failure, ...]:
        """Return the failures that were written down, the oldest first."""
        from ...core.monitor.start_failures import parse_failures

        return parse_failures(self._read(_FAILURES))

    def write_failures(self, failures: Iterable[Failure]) -> None:
        """Write the failures down; none removes the file."""
        from ...core.monitor.start_failures import render_failures

        kept = tuple(failures)
        if kept:
            self._write(_FAILURES, render_failures(kept), 0o644)
        else:
            self.remove(_FAILURES)

    def read_joining(self) -> NodeRecord | None:
        """Return the record of a join under way, None for none: a transfer sweeps the one beside the data away."""
        from ...core.galera.node_record import parse_node_record

        return parse_node_record(self._read(_JOINING))

    def write_joining(self, record: NodeRecord | None) -> None:
        """Keep the record that holds once the data of a donor are here; None: they are, and it stands beside them."""
        if record is None:
            self.remove(_JOINING)
        else:
            from ...core.galera.node_record import render_node_record

            self._write(_JOINING, render_node_record(record), 0o600)

    def write_recovery_log(self, text: str) -> str:
        """Keep the end of what the last recovery said, for root alone; return its path."""
        # What a server prints need not be UTF-8.
        self._write(_RECOVERY, text[-_MOST_LOG:].encode("utf-8", "replace").decode("utf-8"), 0o600)
        return self.file(_RECOVERY)

    def read_remembered(self) -> tuple[Remembered, ...]:
        """Return the data directories that this resource used, each with its server; the present one is the last."""
        from ...core.galera.known_servers import parse_remembered

        return parse_remembered(self._read(_REMEMBERED))

    def write_remembered(self, servers: Iterable[Remembered]) -> None:
        """Remember them; none removes the file."""
        from ...core.galera.known_servers import render_remembered

        kept = tuple(servers)
        if kept:
            self._write(_REMEMBERED, render_remembered(kept), 0o644)
        else:
            self.remove(_REMEMBERED)

    def remove(self, name: str) -> None:
        """Remove a file of it; one that is not there is no error."""
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


def read_bulletins(base: str = BASE) -> list[tuple[str, Bulletin]]:
    """Return what the keepers of this host said last, each with its resource."""
    try:
        names = sorted(os.listdir(base))
    except OSError:
        return []
    said = ((name, RunDir(name, base).read_bulletin()) for name in names)
    return [(name, bulletin) for name, bulletin in said if bulletin is not None]


def _make_directory(path: str) -> None:
    if os.path.isdir(path):
        return
    _make_directory(os.path.dirname(path))
    os.mkdir(path)
    os.chmod(path, 0o755)  # noqa: S103 - whatever the umask is: others read keeper.json
