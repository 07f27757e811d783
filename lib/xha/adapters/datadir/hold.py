"""Holding a data directory for a start, a recovery or a creation: only one that nobody uses, and one at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from typing import TYPE_CHECKING

from ..mysqld.trust import trust_of
from .contents import DataDirectory
from .users import Search, StrangersLeft, find_occupants

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..mysqld.program import Program
    from .users import Occupant

_LOCKS = "/run/xha/locks"
# For a look at everybody's open files: any user can have as many as take minutes.
_LOOK_SECONDS = 10.0


class InUse(Exception):
    """The data directory is in use; the text says by whom."""


@contextlib.contextmanager
def hold(program: Program) -> Iterator[int]:
    """Hold a data directory that nobody uses, against another recovery or launch; the descriptor is the lock's.

    :raises InUse: naming who uses it. :raises OSError: as DataDirectory does.
    """
    descriptor = _open_lock(program)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUse(f"{program.datadir} is in use: another start or recovery is under way") from None
        check_unused(program)
        yield descriptor
    finally:
        os.close(descriptor)


def _open_lock(program: Program) -> int:
    """Open the file whose lock stands for a data directory: root's own, where nobody else can open it.

    The directory itself would do, but that any user can lock what it can open: one did, and no server was started.
    """
    with data_of(program).open() as directory:
        if os.geteuid() != 0:
            return os.dup(directory.fileno())
        seen = os.fstat(directory.fileno())
    os.makedirs(_LOCKS, mode=0o700, exist_ok=True)
    name = f"{seen.st_dev}-{seen.st_ino}"
    return os.open(f"{_LOCKS}/{name}", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def check_unused(program: Program) -> None:
    """Return if nothing uses a data directory. :raises InUse: naming what does. :raises OSError: if it is not known.

    Where strangers have more files open than there is time for, the locks tell: no user keeps a server from its start.
    """
    datadir = program.datadir
    occupants: tuple[Occupant, ...] = ()
    with contextlib.suppress(StrangersLeft):
        occupants = find_occupants(Search((datadir,), trust_of(program)), time.monotonic() + _LOOK_SECONDS)
    if occupants:
        raise InUse(f"{datadir} is in use by {occupants[0]}")
    locked = data_of(program).find_lock()
    if locked:
        raise InUse(f"{datadir} is in use: {locked} is locked, by a process that cannot be seen from here")


def data_of(program: Program) -> DataDirectory:
    """Return the data directory of a program, which belongs to the server's account."""
    return DataDirectory(program.datadir, program.account.owner)
