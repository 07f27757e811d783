"""The data directory of a server that does not run: Galera's saved state, xha's own record, what the directory holds.

It belongs to the database's user, and root reads and writes in it: by files/foreign.py, which says what that stops.
What is absent is None; what is there and cannot be read raises OSError: it may say anything.
"""

from __future__ import annotations

import fcntl
import os
import re
import struct
import time
from typing import NamedTuple

from ...core.galera.node_record import NodeRecord, parse_node_record, render_node_record
from ...core.galera.position import GraState, GvwState, Position, parse_grastate, parse_gvwstate, render_grastate
from ..files.foreign import Directory

GRASTATE, GVWSTATE, RECORD = "grastate.dat", "gvwstate.dat", "xha-node.json"
TRANSFER_MARK = "sst_in_progress"
# There while a database is being created: with it, what is there may be a part of one. It begins with a dot, because
# mysqld --initialize wants an empty directory.
CREATION_MARK = ".xha-creating"
VIEWS_KEPT = QUARANTINES_KEPT = 3

_SYSTEM_SCHEMAS = {"mysql", "performance_schema", "sys", "lost+found"}
_LOCKED = ("ibdata1", "aria_log_control")
_MAX_BYTES = 1 << 16
_ASIDE = f"{GVWSTATE}.xha-"
_NUMBERED = re.compile(r"(?:^|-)(\d{4,})-\d{8}T")
_QUARANTINE = re.compile(r"\d{4,}-\d{8}T\d{6}Z-\d{9}")
_WHY, _LOG_TAIL = "README", "error-log-tail"
# What a quarantine keeps: of a state, and of a state transfer.
_STATES = (
    *(GRASTATE, GVWSTATE, RECORD, TRANSFER_MARK),
    *("mariadb_backup_galera_info", "mariadb_backup_info", "xtrabackup_galera_info", "xtrabackup_info"),
)


class Contents(NamedTuple):
    """What a data directory holds. initialised: a server was created in it. free_bytes: to the database's user."""

    initialised: bool
    user_schemas: bool
    transfer_begun: bool
    free_bytes: int


class DataDirectory:
    """One data directory. owner is the uid and gid of the database's user; without it, whoever owns the directory.

    Every method raises OSError where the directory, or a file in it that is there, cannot be used (files/foreign.py).
    """

    def __init__(self, path: str, owner: tuple[int, int] | None = None) -> None:
        self.path, self._owner = path, owner

    def open(self) -> Directory:
        """Open it; the caller closes it. :raises FileNotFoundError: where there is none."""
        return Directory(self.path, *(self._owner or (None, None)))

    def mark_creation(self) -> None:
        """Note that a database is being created here, as it may have been noted before."""
        with self.open() as directory:
            directory.replace(CREATION_MARK, b"", 0o600)

    def unmark_creation(self) -> None:
        """Note that it was created."""
        with self.open() as directory:
            directory.remove(CREATION_MARK)

    def has_creation_mark(self) -> bool:
        """Return whether a creation was begun and not finished, as where a stop came between."""
        return self._has(CREATION_MARK)

    def read_grastate(self) -> GraState | None:
        """Return Galera's saved state, None for a file that is absent, or that parse_grastate refuses."""
        text = self._read(GRASTATE)
        return None if text is None else parse_grastate(text)

    def write_grastate(self, position: Position, safe_to_bootstrap: bool) -> None:
        """Replace Galera's saved state, all of it at once, on disk when this returns. No server may run.

        :raises OSError: as open does; the old state stands then.
        """
        self._write(GRASTATE, render_grastate(position, safe_to_bootstrap), 0o660)

    def read_gvwstate(self) -> GvwState | None:
        """Return the last Primary view that Galera saved, None for none, or one that parse_gvwstate refuses."""
        text = self._read(GVWSTATE)
        return None if text is None else parse_gvwstate(text)

    def set_view_aside(self) -> bool:
        """Rename gvwstate.dat, so that no server restores that view; return whether there was one. Three are kept."""
        with self.open() as directory:
            old = [name for name in directory.names() if name.startswith(_ASIDE)]
            try:
                directory.rename(GVWSTATE, f"{_ASIDE}{_next_number(_ASIDE, old):04d}-{_stamp()}")
            except FileNotFoundError:
                return False
            for name in sorted(old, key=_number_of)[: 1 - VIEWS_KEPT]:
                directory.remove(name)
        return True

    def read_record(self) -> NodeRecord | None:
        """Return xha's own record, None for a file that is absent, torn or of another schema."""
        text = self._read(RECORD)
        return None if text is None else parse_node_record(text)

    def has_record(self) -> bool:
        """Return whether xha's own record is there, readable or not."""
        return self._has(RECORD)

    def write_record(self, record: NodeRecord) -> None:
        """Replace xha's own record; it is on disk when this returns. :raises OSError: as open does."""
        self._write(RECORD, render_node_record(record), 0o640)

    def discard(self) -> None:
        """Give up the data by an operator's grant: nothing is deleted, the next join is a state transfer.

        The record comes first: whatever interrupts this, no election counts the data again. A saved state of zero makes
        Galera ignore every start position, and ask for a full transfer (replicator_smm.cpp); and no view is restored.

        :raises OSError: as open does; then it may be called again.
        """
        record = self.read_record() or NodeRecord()
        self.write_record(record._replace(discarded=True, superseded=True, clean_stop=None))
        self.write_grastate(Position(), safe_to_bootstrap=False)
        self.set_view_aside()

    def read_contents(self) -> Contents:
        """Return what the directory holds; nothing at all where it does not exist. :raises OSError: if unknown."""
        try:
            directory = self.open()
        except FileNotFoundError:
            return Contents(False, False, False, 0)
        with directory:
            names, space = directory.names(), os.fstatvfs(directory.fileno())
            return Contents(
                initialised="mysql" in names and directory.holds_files("mysql"),
                user_schemas=any(directory.holds_files(name) for name in names if _is_schema(name)),
                transfer_begun=TRANSFER_MARK in names,
                free_bytes=space.f_bavail * space.f_frsize,
            )

    def find_lock(self) -> str | None:
        """Return the name of a file that a server has locked, whatever namespace it runs in; None if none is.

        Nothing is read of such a file, so it does not matter whose it is.

        :raises OSError: where that cannot be told, as on storage that knows no locks.
        """
        with self.open() as directory:
            for name in _LOCKED:
                try:
                    descriptor = directory.open(name, anybodys=True)
                except FileNotFoundError:
                    continue
                try:
                    if _is_locked(descriptor):
                        return name
                finally:
                    os.close(descriptor)
        return None

    def quarantine(self, why: str, log_tail: str = "") -> str:
        """Copy the small files that tell of a state, and the end of the error log, to a directory beside; return it.

        It keeps no data: rows, logs of the engine and keys stay where they are. For root's eyes only; three are kept,
        by their numbers: a clock may go back. Where the account owns what is above, it may put another directory of
        root's in this one's place: so only what is named as xha names it is ever removed.
        """
        above, name = os.path.split(self.path.rstrip("/"))
        with self.open() as data, Directory(above) as parent:
            beside = parent.make_directory(f"{name}.xha-quarantine", 0o700, os.geteuid(), os.getegid())
            with beside:
                old = sorted(filter(_QUARANTINE.fullmatch, beside.names()), key=_number_of)
                for one in old[: 1 - QUARANTINES_KEPT]:
                    _remove(beside, one)
                kept = beside.make_directory(f"{_next_number('', old):04d}-{_stamp()}", 0o700)
                with kept:
                    kept.create(_WHY, f"{why}\n\nThis directory keeps no data of the database.\n".encode(), 0o600)
                    for state in _STATES:
                        _copy(data, kept, state)
                    if log_tail:
                        kept.create(_LOG_TAIL, log_tail.encode("utf-8", "surrogateescape"), 0o600)
                return kept.path

    def _has(self, name: str) -> bool:
        try:
            with self.open() as directory:
                return directory.exists(name)
        except FileNotFoundError:
            return False

    def _read(self, name: str) -> str | None:
        try:
            with self.open() as directory:
                return directory.read(name, _MAX_BYTES).decode("utf-8", "surrogateescape")
        except FileNotFoundError:
            return None

    def _write(self, name: str, text: str, mode: int) -> None:
        with self.open() as directory:
            directory.replace(name, text.encode("utf-8", "surrogateescape"), mode)


def _stamp() -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()) + f"-{time.time_ns() % 10**9:09d}"


def _is_schema(name: str) -> bool:
    return name not in _SYSTEM_SCHEMAS and not name.startswith(("#", "."))


def _next_number(prefix: str, names: list[str]) -> int:
    return 1 + max((_number_of(name) for name in names if name.startswith(prefix)), default=0)


def _number_of(name: str) -> int:
    """Return the number in a name of ours, 0 for a name that has none, as those of earlier versions."""
    match = _NUMBERED.search(name)
    return int(match[1]) if match else 0


def _is_locked(descriptor: int) -> bool:
    request = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0).ljust(struct.calcsize("hhqqi0q"), b"\0")
    answer = fcntl.fcntl(descriptor, fcntl.F_GETLK, request)
    return bool(struct.unpack_from("h", answer)[0] != fcntl.F_UNLCK)


def _copy(data: Directory, kept: Directory, name: str) -> None:
    try:
        content = data.read(name, _MAX_BYTES)
    except OSError:  # absent, too large to be a state, or what cannot be read: it stays where it is
        return
    kept.create(name, content, 0o600)


def _remove(beside: Directory, name: str) -> None:
    """Remove a quarantine with what xha puts into one; with anything else in it, it stays."""
    try:
        with beside.make_directory(name, 0o700) as directory:
            for entry in (_WHY, _LOG_TAIL, *_STATES):
                directory.remove(entry)
        beside.remove_directory(name)
    except OSError:
        return
