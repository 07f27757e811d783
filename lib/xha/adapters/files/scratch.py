"""A temporary directory of the server's account, for the run of one program: a recovery, a listing, a creation.

It is also the tmpdir of that program: a server that starts removes the temporary tables of every other server in its
tmpdir (observed).
"""

from __future__ import annotations

import contextlib
import itertools
import os
from typing import TYPE_CHECKING

from ..host.log import Log
from ..process.procfs import look, read_process
from .as_account import act_as
from .foreign import Directory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .as_account import Account

# In root's own /run: no other account can make a name there, and a boot empties it.
BASE = "/run/xha/scratch"

# For one removal. A listing takes 0.06 s, and the account must not be able to delay it.
_SECONDS = 1.0
_MOST_REMOVED, _MOST_LOOKED_AT = 8, 1000
_AT_ONCE = 1000
_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


@contextlib.contextmanager
def scratch(account: Account, purpose: str) -> Iterator[Directory]:
    """Make an empty directory that the account owns, and remove it after the block.

    If a process is killed in its block, the next call removes what it left. The account may hinder a removal: each
    removal takes at most a second, and the next call tries what remains.

    :raises OSError: as mkdir does.
    """
    if os.geteuid() != 0:
        import tempfile

        with tempfile.TemporaryDirectory(prefix=f"xha-{purpose}-") as path, Directory(path) as directory:
            yield directory
        return
    os.makedirs(BASE, mode=0o755, exist_ok=True)
    with Directory(BASE, owner=0) as base:
        _remove(base, _choose(_find_left(base)), account)
        own = read_process(os.getpid())
        name = f"{purpose}-{os.getpid()}-{own.started if own else 0}-{os.urandom(4).hex()}"
        directory = base.make_directory(name, 0o700, *account.owner)
        try:
            yield directory
        finally:
            directory.close()
            _remove(base, [name], account)
            if base.exists(name):
                _log_leftover(base, name, account)


def _find_left(base: Directory) -> list[str]:
    """Return the directories whose process no longer exists, among the first _MOST_LOOKED_AT names."""
    left = []
    with os.scandir(base.fileno()) as entries:
        for entry in itertools.islice(entries, _MOST_LOOKED_AT):
            pid, _, rest = entry.name.partition("-")[2].partition("-")
            started = rest.partition("-")[0]
            if pid.isdecimal() and started.isdecimal() and look(int(pid), int(started)) is None:
                left.append(entry.name)
    return left


def _choose(left: list[str]) -> list[str]:
    """Return a random selection, so that directories that cannot be removed do not keep the others from being tried."""
    import random

    return random.SystemRandom().sample(left, min(len(left), _MOST_REMOVED))


def _log_leftover(base: Directory, name: str, account: Account) -> None:
    """Log that one more directory could not be removed; once for each."""
    path, count = os.path.join(base.path, name), len(_find_left(base)) + 1
    Log("xha").warning(
        f"{path} could not be emptied as {account.user} within {_SECONDS:g} s, and stays; {count} such directories are "
        f"there: see what {account.user} runs that hinders it, and remove them"
    )


def _remove(base: Directory, names: list[str], account: Account) -> None:
    """Remove directories with everything that the account left in them, using only the account's own rights.

    One child and one deadline serve all of them. The child has the account's rights, so the account can stop or kill
    it. What the child has not removed by the deadline stays.
    """

    def empty() -> bytes:
        for name in names:
            with contextlib.suppress(OSError):
                descriptor = os.open(name, _OPEN, dir_fd=base.fileno())
                try:
                    _empty(descriptor)
                finally:
                    os.close(descriptor)
        return b""

    if not names:
        return
    with contextlib.suppress(OSError):
        act_as(account, empty, _SECONDS)
    for name in names:
        with contextlib.suppress(OSError):
            base.remove_directory(name)


def _empty(top: int) -> None:
    """Remove everything in an open directory, whatever its depth, with two descriptors and without recursion.

    The subdirectories of a subdirectory are first moved up.

    :raises OSError: if something cannot be removed.
    """
    numbers = itertools.count()
    while True:
        with os.scandir(top) as entries:
            found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in itertools.islice(entries, _AT_ONCE)]
        if not found:
            return
        for name, is_directory in found:
            if not is_directory:
                os.unlink(name, dir_fd=top)
                continue
            inside = _open(name, top)
            try:
                _lift(inside, top, numbers)
            finally:
                os.close(inside)
            os.rmdir(name, dir_fd=top)


def _lift(inside: int, top: int, numbers: Iterator[int]) -> None:
    """Remove the files of a directory, and move its subdirectories to the top under names that are not used there."""
    stamp = os.urandom(8).hex()
    while True:
        with os.scandir(inside) as entries:
            found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in itertools.islice(entries, _AT_ONCE)]
        if not found:
            return
        for name, is_directory in found:
            if not is_directory:
                os.unlink(name, dir_fd=inside)
                continue
            os.close(_open(name, inside))  # a directory that its owner may not write cannot be moved
            os.rename(name, f"{stamp}-{next(numbers)}", src_dir_fd=inside, dst_dir_fd=top)


def _open(name: str, above: int) -> int:
    """Open a directory of the account's own, even if its mode forbids it. This runs as the account."""
    with contextlib.suppress(OSError):
        os.chmod(name, 0o700, dir_fd=above)
    return os.open(name, _OPEN, dir_fd=above)
