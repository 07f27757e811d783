"""The files by which xha-services reports the services to the responder: one for each, replaced in one step."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from ...core.services.last_result import MAX_BYTES, Record, UnusableRecord, parse_record, render_record
from .atomic_write import replace_text
from .whole_file import read_text

if TYPE_CHECKING:
    from collections.abc import Iterable

_SUFFIX = ".json"


def write_record(directory: str, record: Record) -> None:
    """Replace the file of the record's service. :raises OSError: as open does."""
    # Every account may read it, because the responder is another user.
    replace_text(_path(directory, record.result.name), render_record(record), 0o644)


def read_record(directory: str, name: str) -> Record | UnusableRecord | None:
    """Return the last record of a service; None if there is no file, UnusableRecord if it is no record."""
    try:
        record = parse_record(read_text(_path(directory, name), MAX_BYTES))
    except FileNotFoundError:
        return None
    except OSError as error:
        return UnusableRecord((error.strerror or "unreadable").lower())
    except ValueError as error:
        return UnusableRecord(str(error))
    return record if record.result.name == name else UnusableRecord("it is of another service")


def remove_other_records(directory: str, names: Iterable[str]) -> None:
    """Remove the files of services that are no longer checked."""
    kept = {f"{name}{_SUFFIX}" for name in names}
    with contextlib.suppress(OSError):
        for entry in os.listdir(directory):
            if _SUFFIX in entry and entry not in kept:  # also NAME.json.PID.new, which a killed writer leaves
                with contextlib.suppress(OSError):
                    os.unlink(os.path.join(directory, entry))


class RecordCache:
    """The records that were read last. A file that was not replaced since is not read again."""

    def __init__(self) -> None:
        self._read: dict[str, tuple[tuple[int, ...], Record | UnusableRecord | None]] = {}

    def get(self, directory: str, name: str) -> Record | UnusableRecord | None:
        """Return the same as read_record."""
        path = _path(directory, name)
        try:
            seen = os.lstat(path)
        except OSError:
            self._read.pop(path, None)
            return None
        signature = (seen.st_ino, seen.st_mode, seen.st_ctime_ns, seen.st_mtime_ns, seen.st_size)
        known = self._read.get(path)
        if known is None or known[0] != signature:
            known = self._read[path] = (signature, read_record(directory, name))
        return known[1]


def _path(directory: str, name: str) -> str:
    return f"{directory}/{name}{_SUFFIX}"
