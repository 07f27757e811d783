"""The data directory of a server that does not run: Galera's saved state, xha's record of the node, and other contents.

The directory belongs to the database's user, and root reads and writes in it. All access goes through files/foreign.py,
which says what attacks it stops.

Galera's saved state may be in a directory of its own (wsrep_data_home_dir, or the provider's base_dir). xha's record is
beside it: it says what that state belongs to.

A file that is absent is returned as None. A file that exists and cannot be read raises OSError, because its content is
unknown.
"""

from __future__ import annotations

import fcntl
import os
import struct
from functools import partial
from typing import TYPE_CHECKING, Callable, NamedTuple

from ...core.galera.engine_files import GRASTATE, GVWSTATE, RECORD, TRANSFER_MARK, is_of_users, may_be_schema
from ...core.galera.node_record import NodeRecord, parse_node_record, render_node_record
from ...core.galera.position import GraState, GvwState, Position, parse_grastate, parse_gvwstate, render_grastate
from ..files.foreign import Directory, UnfitPath
from .quarantine import BROUGHT, SAVED, fill, next_number, number_of, stamp

if TYPE_CHECKING:
    from collections.abc import Iterable

# Exists while a database is being created. While it exists, the files in the directory may be an incomplete database,
# and the next creation removes them first (lifecycle/remains.py). It belongs to the server's account: it is a claim.
# The name begins with a dot because mysqld --initialize wants a directory without other files.
CREATION_MARK = ".xha-creating"
VIEWS_KEPT = 3

_LOCKED = ("ibdata1", "aria_log_control")
_ENGINES = ("ibdata1", "ib_logfile0", "aria_log_control")
_MAX_BYTES = 1 << 16
_ASIDE = f"{GVWSTATE}.xha-"


class Contents(NamedTuple):
    """What a data directory contains.

    initialised: a server was created in it. free_bytes: what the database's user may still write, in bytes.
    """

    initialised: bool
    user_schemas: bool
    transfer_begun: bool
    free_bytes: int


class DataDirectory:
    """One data directory. owner is the uid and gid of the database's user; without it, the directory's owner is used.

    state_path: the directory of Galera's saved state, "" if that is the data directory itself. places: the names in the
    data directory that the server's options give to directories of its own.

    Every method raises OSError if the directory, or an existing file in it, cannot be used (files/foreign.py).
    """

    def __init__(
        self, path: str, owner: tuple[int, int] | None = None, state_path: str = "", places: Iterable[str] = ()
    ) -> None:
        self.path, self._owner, self.state_path = path, owner, state_path or path
        self._places = frozenset(places)

    def open(self) -> Directory:
        """Open the directory; the caller closes it. :raises FileNotFoundError: if it does not exist."""
        return Directory(self.path, *(self._owner or (None, None)))

    def _open_state(self) -> Directory:
        """Open the directory of the saved state. One of its own that is missing may be a disk without its mount."""
        if self.state_path == self.path:
            return self.open()
        try:
            return Directory(self.state_path, *(self._owner or (None, None)))
        except FileNotFoundError:
            said = "there is no such directory (wsrep_data_home_dir, base_dir): mount it, or make it"
            raise UnfitPath(self.state_path, said) from None

    def read_identity(self) -> tuple[int, int] | None:
        """Return what distinguishes the directory from every other one (device, inode); None if it cannot be opened."""
        try:
            with self.open() as directory:
                seen = os.fstat(directory.fileno())
        except OSError:
            return None
        return seen.st_dev, seen.st_ino

    def mark_creation(self) -> None:
        """Mark that a database is being created here. An existing mark is replaced."""
        with self.open() as directory:
            directory.replace(CREATION_MARK, b"", 0o600)

    def unmark_creation(self) -> None:
        """Remove the mark: the database was created. That is on the disk when this returns."""
        with self.open() as directory:
            directory.remove(CREATION_MARK)
            directory.sync()

    def has_creation_mark(self) -> bool:
        """Return whether a creation was begun and not finished, for instance because a stop interrupted it."""
        return _exists(self.open, CREATION_MARK)

    def has_grastate(self) -> bool:
        """Return whether Galera's saved state exists, readable or not."""
        return _exists(self._open_state, GRASTATE)

    def read_grastate(self) -> GraState | None:
        """Return Galera's saved state; None if the file is absent or parse_grastate refuses it."""
        text = self._read(GRASTATE)
        return None if text is None else parse_grastate(text)

    def write_grastate(self, position: Position, safe_to_bootstrap: bool) -> None:
        """Replace Galera's saved state in one step. It is on the disk when this returns. No server may run meanwhile.

        :raises OSError: as open does; the old state is then still in place.
        """
        self._write(GRASTATE, render_grastate(position, safe_to_bootstrap), 0o660)

    def read_gvwstate(self) -> GvwState | None:
        """Return the last Primary view that Galera saved; None if the file is absent or parse_gvwstate refuses it."""
        text = self._read(GVWSTATE)
        return None if text is None else parse_gvwstate(text)

    def set_view_aside(self) -> bool:
        """Rename gvwstate.dat, so that no server restores that view. Return whether it existed.

        The newest three are kept.
        """
        with self._open_state() as directory:
            old = [name for name in directory.names() if name.startswith(_ASIDE)]
            try:
                directory.rename(GVWSTATE, f"{_ASIDE}{next_number(_ASIDE, old):04d}-{stamp()}")
            except FileNotFoundError:
                return False
            for name in sorted(old, key=number_of)[: 1 - VIEWS_KEPT]:
                directory.remove(name)
        return True

    def read_record(self) -> NodeRecord | None:
        """Return xha's record of the node; None if the file is absent, torn or of another schema.

        Earlier versions left it in the data directory, wherever the saved state was.
        """
        text = self._read(RECORD)
        text = self._read(RECORD, self.open) if text is None and self.state_path != self.path else text
        return None if text is None else parse_node_record(text)

    def has_record(self) -> bool:
        """Return whether xha's record of the node exists, readable or not."""
        return _exists(self._open_state, RECORD) or _exists(self.open, RECORD)

    def write_record(self, record: NodeRecord) -> None:
        """Replace xha's record of the node. It is on the disk when this returns. :raises OSError: as open does."""
        self._write(RECORD, render_node_record(record), 0o640)
        if self.state_path != self.path:
            # Two paths may lead to one directory, by a link of root's or a mount: there is only one record then.
            with self._open_state() as saved, self.open() as directory:
                if not os.path.sameopenfile(saved.fileno(), directory.fileno()):
                    directory.remove(RECORD)

    def discard(self) -> None:
        """Give up the data, because an operator granted it. Nothing is deleted; the next join is a state transfer.

        1. The record is written first: if this is interrupted at any point, no election counts the data again.
        2. A saved state of zero makes Galera ignore every start position and ask for a full transfer
           (replicator_smm.cpp).
        3. The saved view is renamed, so that no server restores it.

        :raises OSError: as open does; this may then be called again.
        """
        record = self.read_record() or NodeRecord()
        self.write_record(record._replace(discarded=True, superseded=True, clean_stop=None))
        self.write_grastate(Position(), safe_to_bootstrap=False)
        self.set_view_aside()

    def read_contents(self) -> Contents:
        """Return what the directory contains; empty contents if it does not exist.

        :raises OSError: if that cannot be determined.
        """
        try:
            directory = self.open()
        except FileNotFoundError:
            return Contents(False, False, False, 0)
        with directory:
            names, space = directory.names(), os.fstatvfs(directory.fileno())
            return Contents(
                initialised="mysql" in names and directory.holds_files("mysql"),
                user_schemas=any(
                    directory.holds_files(name, partial(is_of_users, name, places=self._places))
                    for name in filter(may_be_schema, names)
                ),
                transfer_begun=TRANSFER_MARK in names,
                free_bytes=space.f_bavail * space.f_frsize,
            )

    def read_engine_stamp(self) -> str:
        """Return what changes whenever something is written to the data; "" where the engines keep theirs elsewhere.

        A server that is opened for a recovery and ends changes aria_log_control even where it has nothing to write. One
        that gets SIGKILL before it wrote anything changes nothing (measured, 10.11).
        """
        with self.open() as directory:
            stamps = [_stamp(directory, name) for name in _ENGINES]
        return "" if "-" in stamps else " ".join(stamps)

    def read_state_stamp(self, *, record: bool = True) -> str:
        """Return what changes whenever Galera's saved state, xha's record beside it or the marks are written.

        record: whether xha's own counts.
        """
        with self._open_state() as saved, self.open() as directory:
            states = [_stamp(saved, name) for name in (GRASTATE, GVWSTATE, *([RECORD] if record else []))]
            return " ".join((*states, *(_stamp(directory, name) for name in (TRANSFER_MARK, CREATION_MARK))))

    def find_lock(self) -> str | None:
        """Return the name of a file that a server has locked; None if none is locked.

        A server in any namespace is found. The content of these files is not read, so their owner does not matter.

        :raises OSError: if that cannot be determined, for instance on storage without locks.
        """
        with self.open() as directory:
            for name in _LOCKED:
                try:
                    descriptor = directory.open(name, any_owner=True)
                except FileNotFoundError:
                    continue
                try:
                    if _is_locked(descriptor):
                        return name
                finally:
                    os.close(descriptor)
        return None

    def quarantine(self, why: str, log_tail: str = "") -> str:
        """Copy the small files that describe the state, and the end of the error log, to a directory beside the data.

        Return the path of the copy. It contains no data: rows, engine logs and keys stay where they are. Only root can
        read it. Three quarantines are kept; their order is that of their numbers, because a clock may go back.

        If the database's account owns the parent directory, it may put another directory of root's in place of this
        one. For that reason only names that xha itself uses are ever removed.
        """
        above, name = os.path.split(self.path.rstrip("/"))
        with self.open() as data, self._open_state() as saved, Directory(above) as parent:
            beside = parent.make_directory(f"{name}.xha-quarantine", 0o700, os.geteuid(), os.getegid())
            with beside:
                return fill(beside, why, log_tail, {**dict.fromkeys(SAVED, saved), **dict.fromkeys(BROUGHT, data)})

    def _read(self, name: str, open_directory: Callable[[], Directory] | None = None) -> str | None:
        try:
            with (open_directory or self._open_state)() as directory:
                return directory.read(name, _MAX_BYTES).decode("utf-8", "surrogateescape")
        except FileNotFoundError:
            return None

    def _write(self, name: str, text: str, mode: int) -> None:
        with self._open_state() as directory:
            directory.replace(name, text.encode("utf-8", "surrogateescape"), mode)


def _exists(open_directory: Callable[[], Directory], name: str) -> bool:
    try:
        with open_directory() as directory:
            return directory.exists(name)
    except FileNotFoundError:
        return False


def _stamp(directory: Directory, name: str) -> str:
    """Return what tells this file from what it was before it was written last; "-" where there is none."""
    try:
        descriptor = directory.open(name, any_owner=True)
    except FileNotFoundError:
        return "-"
    try:
        seen = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    return f"{seen.st_dev}:{seen.st_ino}:{seen.st_size}:{seen.st_mtime_ns}:{seen.st_ctime_ns}"


def _is_locked(descriptor: int) -> bool:
    request = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0).ljust(struct.calcsize("hhqqi0q"), b"\0")
    answer = fcntl.fcntl(descriptor, fcntl.F_GETLK, request)
    return bool(struct.unpack_from("h", answer)[0] != fcntl.F_UNLCK)
