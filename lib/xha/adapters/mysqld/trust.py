"""Which processes are trusted as the server: those of the server's account, or root, that run the server's program.

Any user can name a program mysqld and run it in the data directory. A name and a working directory prove nothing: a
monitor that relied on them sent a password to such a process, and a stop that did had the node fenced (measured).
"""

from __future__ import annotations

import os

from ...core.text.light_typing import TYPE_CHECKING, NamedTuple
from ..process.procfs import read_uids

if TYPE_CHECKING:
    from ...core.galera.known_servers import KnownServer
    from ...core.ocf.galera_settings import Settings
    from .program import Program


class Trust(NamedTuple):
    """The accounts that a server may have, and the paths of its program, with links resolved."""

    uids: frozenset[int]
    programs: frozenset[str] = frozenset()

    def holds_account(self, pid: int) -> bool:
        """Return whether all uids of a process are such accounts. A setuid program has two different ones."""
        uids = read_uids(pid)
        return bool(uids) and uids <= self.uids

    def with_known_servers(self, servers: tuple[KnownServer, ...]) -> Trust:
        """Return a trust that also covers the servers that were trusted before."""
        return Trust(
            self.uids.union(one.uid for one in servers), self.programs.union(*(one.programs for one in servers))
        )


# Root could do everything that the server's account can, and so could this process's own account.
OURS = Trust(frozenset((0, os.geteuid())))


def trust_of(program: Program) -> Trust:
    """Return the trust for servers of a program."""
    return Trust(OURS.uids | {program.account.uid}, paths_of(program.binary))


def guess_trust(settings: Settings) -> Trust:
    """Return the best possible trust if the program or the account no longer exists.

    Without the parameter binary, a server in any of the system's directories counts: all of them belong to root.
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
    """Return the paths that /proc may show for a server's program. mysqld and mariadbd beside it are links or copies.

    A script replaces itself by a server and does not say which: then one in the system's directories is trusted too.
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
