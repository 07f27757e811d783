"""The quarantine beside a data directory: copies of the small files that describe a state, three of them."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from ...core.galera.engine_files import GRASTATE, GVWSTATE, RECORD, TRANSFER_MARK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..files.foreign import Directory

QUARANTINES_KEPT = 3
# The files that describe a state, and what a state transfer leaves in the data directory.
SAVED = (GRASTATE, GVWSTATE, RECORD)
BROUGHT = (
    TRANSFER_MARK,
    *("mariadb_backup_galera_info", "mariadb_backup_info", "xtrabackup_galera_info", "xtrabackup_info"),
)

_MAX_BYTES = 1 << 16
_NUMBERED = re.compile(r"(?:^|-)(\d{4,})-\d{8}T")
_QUARANTINE = re.compile(r"\d{4,}-\d{8}T\d{6}Z-\d{9}")
_WHY, _LOG_TAIL = "README", "error-log-tail"


def fill(beside: Directory, why: str, log_tail: str, sources: Mapping[str, Directory]) -> str:
    """Make a quarantine in the directory of the quarantines, and return its path. The oldest one is removed.

    sources: where each file that is copied stands.
    """
    old = sorted(filter(_QUARANTINE.fullmatch, beside.names()), key=number_of)
    for one in old[: 1 - QUARANTINES_KEPT]:
        _remove(beside, one)
    with beside.make_directory(f"{next_number('', old):04d}-{stamp()}", 0o700) as kept:
        kept.create(_WHY, f"{why}\n\nThis directory keeps no data of the database.\n".encode(), 0o600)
        for name, source in sources.items():
            _copy(source, kept, name)
        if log_tail:
            kept.create(_LOG_TAIL, log_tail.encode("utf-8", "surrogateescape"), 0o600)
        return kept.path


def stamp() -> str:
    """Return the time now, for a name, to the nanosecond."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()) + f"-{time.time_ns() % 10**9:09d}"


def next_number(prefix: str, names: list[str]) -> int:
    """Return the number after the highest in the names with this prefix."""
    return 1 + max((number_of(name) for name in names if name.startswith(prefix)), default=0)


def number_of(name: str) -> int:
    """Return the number in a name that xha made; 0 for a name without one, as earlier versions made them."""
    match = _NUMBERED.search(name)
    return int(match[1]) if match else 0


def _copy(data: Directory, kept: Directory, name: str) -> None:
    try:
        content = data.read(name, _MAX_BYTES)
    except OSError:  # absent, too large for a state file, or unreadable: it stays where it is
        return
    kept.create(name, content, 0o600)


def _remove(beside: Directory, name: str) -> None:
    """Remove a quarantine with the files that xha puts into one. If it contains anything else, it stays."""
    try:
        with beside.make_directory(name, 0o700) as directory:
            for entry in (_WHY, _LOG_TAIL, *SAVED, *BROUGHT):
                directory.remove(entry)
        beside.remove_directory(name)
    except OSError:
        return
