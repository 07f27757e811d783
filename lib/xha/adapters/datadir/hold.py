"""Holds a data directory for a start, a recovery or a creation: only if nothing uses it, and one holder at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from typing import TYPE_CHECKING

from ..mysqld.trust import trust_of
from .contents import DataDirectory
from .users import NotAllExamined, Search, find_occupants

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..mysqld.program import Program
    from .users import Occupant

_LOCKS = "/run/xha/locks"
# For one look at the open files of all processes. Any user can open so many that the look takes minutes.
_LOOK_SECONDS = 10.0


class InUse(Exception):
    """The data directory is in use; the text says by which process."""


@contextlib.contextmanager
def hold(program: Program) -> Iterator[int]:
    """Hold a data directory that nothing uses, against other recoveries and launches.

    Yields the descriptor of the lock.

    :raises InUse: if something uses it; the text names the process.
    :raises OSError: as DataDirectory does.
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
    """Open the file whose lock stands for a data directory. It is root's own, in a directory that only root can enter.

    The data directory itself is not locked, because any user can lock what they can open: in a test one user did, and
    no server was started. Without root's rights the data directory itself is used.
    """
    with data_of(program).open() as directory:
        if os.geteuid() != 0:
            return os.dup(directory.fileno())
        seen = os.fstat(directory.fileno())
    os.makedirs(_LOCKS, mode=0o700, exist_ok=True)
    name = f"{seen.st_dev}-{seen.st_ino}"
    return os.open(f"{_LOCKS}/{name}", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def check_unused(program: Program) -> None:
    """Return if nothing uses a data directory.

    If other users' processes have more files open than can be read in time, only the server's locks decide: no user can
    keep a server from its start that way.

    :raises InUse: if something uses it; the text names the process.
    :raises OSError: if that cannot be determined.
    """
    datadir = program.datadir
    occupants: tuple[Occupant, ...] = ()
    with contextlib.suppress(NotAllExamined):
        occupants = find_occupants(Search((datadir,), trust_of(program)), time.monotonic() + _LOOK_SECONDS)
    if occupants:
        raise InUse(f"{datadir} is in use by {occupants[0]}")
    locked = data_of(program).find_lock()
    if locked:
        raise InUse(f"{datadir} is in use: {locked} is locked, by a process that cannot be seen from here")


def data_of(program: Program) -> DataDirectory:
    """Return the data directory of a server program, with the server's account as its owner."""
    return DataDirectory(program.datadir, program.account.owner, program.state, program.places)
