"""Whose word a process's may be taken for: only the server's own account, or root, running the server's program.

Any user can call a program mysqld and stand in the data directory. A name and a working directory are no proof: a
monitor that took them for one sent a password to such a process, and a stop had the node fenced for it (measured).
"""

from __future__ import annotations

import os

from ...core.light_typing import TYPE_CHECKING, NamedTuple
from ..process.procfs import read_uids

if TYPE_CHECKING:
    from ...core.galera.known_servers import Remembered
    from ...core.ocf.galera_settings import Settings
    from .program import Program


class Trust(NamedTuple):
    """The accounts that a server may have, and the paths of its program, links resolved."""

    uids: frozenset[int]
    programs: frozenset[str] = frozenset()

    def holds_account(self, pid: int) -> bool:
        """Return whether a process is of such an account, by all of its uids: a setuid program has two."""
        uids = read_uids(pid)
        return bool(uids) and uids <= self.uids

    def with_remembered(self, servers: tuple[Remembered, ...]) -> Trust:
        """Return a trust that holds for servers that were trusted before, too."""
        return Trust(
            self.uids.union(one.uid for one in servers), self.programs.union(*(one.programs for one in servers))
        )


# Root could do all that the server's account can, and so can we.
OURS = Trust(frozenset((0, os.geteuid())))


def trust_of(program: Program) -> Trust:
    """Return the trust in servers of a program."""
    return Trust(OURS.uids | {program.account.uid}, paths_of(program.binary))


def guess_trust(settings: Settings) -> Trust:
    """Return the trust as well as it can be told where the program or the account is no longer there.

    Without the parameter binary it is a server in any of the system's places: all of them are root's.
    """
    import contextlib

    from .program import Unusable, find_account, find_binary

    uids, programs = OURS.uids, frozenset((settings.binary,))
    with contextlib.suppress(Unusable):
        uids |= {find_account(settings.user).uid}
    with contextlib.suppress(Unusable):
        programs |= paths_of(find_binary(settings.binary))
    return Trust(uids, (programs if settings.binary else programs | _system_paths()) - {""})


def paths_of(binary: str) -> frozenset[str]:
    """Return the paths that a server's program may have in /proc: mysqld and mariadbd beside it are links, or twins.

    A script runs the server in its own place, and does not say which: one of the system's is trusted then.
    """
    from .program import NAMES

    real = os.path.realpath(binary)
    beside = (os.path.join(os.path.dirname(path), name) for path in (binary, real) for name in NAMES)
    found = frozenset((binary, real, *(path for one in beside for path in (one, os.path.realpath(one)))))
    return found | _system_paths() if _is_script(real) else found


def _system_paths() -> frozenset[str]:
    from .program import DIRECTORIES, NAMES

    paths = [os.path.join(directory, name) for directory in DIRECTORIES for name in NAMES]
    return frozenset((*paths, *map(os.path.realpath, paths)))


def _is_script(path: str) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.read(descriptor, 2) == b"#!"
    except OSError:
        return False
    finally:
        os.close(descriptor)
