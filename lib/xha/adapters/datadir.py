"""The data directory of a server that does not run: Galera's saved state, xha's own record, what the directory holds.

It belongs to the database's user, and root writes in it: nothing here follows a symbolic link of that user's making.
"""

from __future__ import annotations

import fcntl
import os
import stat
import struct
import time
from typing import NamedTuple

from ..core.noderecord import NodeRecord, parse_node_record, render_node_record
from ..core.position import GraState, GvwState, Position, parse_grastate, parse_gvwstate, render_grastate

GRASTATE, GVWSTATE, RECORD = "grastate.dat", "gvwstate.dat", "xha-node.json"
TRANSFER_MARK = "sst_in_progress"
# There while a database is being created: with it, what is there may be a part of one. It begins with a dot, because
# mysqld --initialize wants an empty directory.
CREATION_MARK = ".xha-creating"
VIEWS_KEPT = QUARANTINES_KEPT = 3

_SYSTEM_SCHEMAS = {"mysql", "performance_schema", "sys", "lost+found"}
_LOCKED = ("ibdata1", "aria_log_control")
_MAX_BYTES = 1 << 16
_LOG_TAIL = 1 << 18
_SECRETS = (".pem", ".key", ".crt", ".cnf", ".p12")


class Contents(NamedTuple):
    """What a data directory holds. initialised: a server was created in it. free_bytes: to the database's user."""

    initialised: bool
    user_schemas: bool
    transfer_begun: bool
    free_bytes: int


class DataDirectory:
    """One data directory. owner is the uid and gid for new files; without it, those of the directory."""

    def __init__(self, path: str, owner: tuple[int, int] | None = None) -> None:
        self.path, self._owner = path, owner

    def mark_creation(self) -> None:
        """Note that a database is being created here. :raises OSError: as open does."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        os.close(os.open(os.path.join(self.path, CREATION_MARK), flags, 0o600))

    def unmark_creation(self) -> None:
        """Note that it was created. :raises OSError: as unlink does."""
        os.unlink(os.path.join(self.path, CREATION_MARK))

    def has_creation_mark(self) -> bool:
        """Return whether a creation was begun and not finished, as where a stop came between."""
        return os.path.lexists(os.path.join(self.path, CREATION_MARK))

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
        try:
            os.rename(self._in(GVWSTATE), self._in(f"{GVWSTATE}.xha-{_stamp()}"))
        except FileNotFoundError:
            return False
        old = sorted(name for name in os.listdir(self.path) if name.startswith(f"{GVWSTATE}.xha-"))
        for name in old[:-VIEWS_KEPT]:
            os.unlink(self._in(name))
        self._sync()
        return True

    def read_record(self) -> NodeRecord | None:
        """Return xha's own record, None for a file that is absent, torn or of another schema."""
        text = self._read(RECORD)
        return None if text is None else parse_node_record(text)

    def has_record(self) -> bool:
        """Return whether xha's own record is there, readable or not."""
        return os.path.lexists(self._in(RECORD))

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
        """Return what the directory holds; nothing at all where it does not exist. :raises OSError: as listdir does."""
        try:
            names = os.listdir(self.path)
        except FileNotFoundError:
            return Contents(False, False, False, 0)
        space = os.statvfs(self.path)
        return Contents(
            initialised="mysql" in names and self._holds_files("mysql"),
            user_schemas=any(self._holds_files(name) for name in names if _is_schema(name)),
            transfer_begun=TRANSFER_MARK in names,
            free_bytes=space.f_bavail * space.f_frsize,
        )

    def find_lock(self) -> str | None:
        """Return the name of a file that a server has locked, whatever namespace it runs in; None if none is."""
        for name in _LOCKED:
            try:
                descriptor = os.open(self._in(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError:
                continue
            try:
                if _is_locked(descriptor):
                    return name
            finally:
                os.close(descriptor)
        return None

    def quarantine(self, why: str, log: str = "") -> str:
        """Copy the small files that tell of a state, and the end of the error log, to a directory beside; return it.

        It keeps no data: rows, logs of the engine and keys stay where they are. For root's eyes only; three are kept.
        :raises OSError: as mkdir and open do.
        """
        beside = f"{self.path.rstrip('/')}.xha-quarantine"
        os.makedirs(beside, mode=0o700, exist_ok=True)
        target = os.path.join(beside, _stamp())
        os.mkdir(target, 0o700)
        _create(os.path.join(target, "README"), f"{why}\n\nThis directory keeps no data of the database.\n".encode())
        for name in sorted(os.listdir(self.path)):
            content = None if name.endswith(_SECRETS) else self._read_bytes(self._in(name), _MAX_BYTES)
            if content is not None:
                _create(os.path.join(target, name), content)
        if log:
            _create(os.path.join(target, "error-log-tail"), read_tail(log).encode("utf-8", "surrogateescape"))
        for name in sorted(os.listdir(beside))[:-QUARANTINES_KEPT]:
            _remove(os.path.join(beside, name))
        return target

    def _in(self, name: str) -> str:
        return os.path.join(self.path, name)

    def _holds_files(self, name: str) -> bool:
        try:
            return any(not entry.is_dir(follow_symlinks=False) for entry in os.scandir(self._in(name)))
        except NotADirectoryError:
            return False

    def _read(self, name: str) -> str | None:
        content = self._read_bytes(self._in(name), _MAX_BYTES)
        return None if content is None else content.decode("utf-8", "surrogateescape")

    def _read_bytes(self, path: str, limit: int) -> bytes | None:
        """Return a small regular file's content, None for anything else."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            seen = os.fstat(descriptor)
            if not stat.S_ISREG(seen.st_mode) or seen.st_size > limit:
                return None
            return os.read(descriptor, limit)
        except OSError:
            return None
        finally:
            os.close(descriptor)

    def _write(self, name: str, text: str, mode: int) -> None:
        path, temporary = self._in(name), self._in(f".{name}.xha")
        if os.path.lexists(temporary):
            os.unlink(temporary)
        try:
            _create(temporary, text.encode("utf-8", "surrogateescape"), mode, self._owner_of(path))
            os.rename(temporary, path)
        except OSError:
            if os.path.lexists(temporary):
                os.unlink(temporary)
            raise
        self._sync()

    def _owner_of(self, path: str) -> tuple[int, int]:
        if self._owner:
            return self._owner
        seen = os.lstat(path if os.path.lexists(path) else self.path)
        return seen.st_uid, seen.st_gid

    def _sync(self) -> None:
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_tail(path: str, offset: int = 0) -> str:
    """Return the end of a log from an offset in bytes on, a quarter of a megabyte at most; "" if it cannot be read.

    A log that is shorter than the offset was rotated: all of the new one counts.
    """
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(offset if offset <= size else 0, size - _LOG_TAIL))
            return file.read(_LOG_TAIL).decode("utf-8", "surrogateescape")
    except OSError:
        return ""


def _stamp() -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()) + f"-{time.time_ns() % 10**9:09d}"


def _is_schema(name: str) -> bool:
    return name not in _SYSTEM_SCHEMAS and not name.startswith(("#", "."))


def _is_locked(descriptor: int) -> bool:
    request = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0).ljust(struct.calcsize("hhqqi0q"), b"\0")
    try:
        answer = fcntl.fcntl(descriptor, fcntl.F_GETLK, request)
    except OSError:
        return False
    return bool(struct.unpack_from("h", answer)[0] != fcntl.F_UNLCK)


def _create(path: str, content: bytes, mode: int = 0o600, owner: tuple[int, int] | None = None) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    with open(descriptor, "wb") as file:
        if owner and os.geteuid() == 0:
            os.fchown(descriptor, *owner)
        os.fchmod(descriptor, mode)
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _remove(directory: str) -> None:
    for name in os.listdir(directory):
        os.unlink(os.path.join(directory, name))
    os.rmdir(directory)
