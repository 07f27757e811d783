"""What can be seen from outside of why a server program cannot read its data: owners, limits, free space.

This is only text for an operator. No decision depends on it, and what cannot be seen is left out.
"""

from __future__ import annotations

import os
import resource
from typing import TYPE_CHECKING

from ..host.login_name import account_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..mysqld.program import Program

# What a server opens before it can report a position.
_OPENED = ("", "ibdata1", "ib_logfile0", "undo001", "aria_log_control", "mysql")
_FEW_FILES, _LITTLE_ROOM = 256, 16 << 20


def find_suspects(program: Program) -> tuple[str, ...]:
    """Return what is unusual about the data of a program, one sentence each. Paths are examined, never opened."""
    return (*_find_owners(program), *_find_limits(program))


def _find_owners(program: Program) -> Iterator[str]:
    for name in _OPENED:
        path = os.path.join(program.datadir, name) if name else program.datadir
        try:
            uid = os.lstat(path).st_uid
        except OSError:
            continue
        if uid != program.account.uid:
            yield f"{path} belongs to {account_name(uid)}, and not to {program.account.user}"


def _find_limits(program: Program) -> Iterator[str]:
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if 0 <= files < _FEW_FILES:
        yield f"it may open {files} files only (ulimit -n)"
    try:
        found = os.statvfs(program.datadir)
    except OSError:
        return
    if found.f_bavail * found.f_frsize < _LITTLE_ROOM or (found.f_files and not found.f_favail):
        yield f"the disk of {program.datadir} is full"
