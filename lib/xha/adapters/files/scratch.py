"""A directory of the server's account for as long as one of its programs runs: for a recovery, a listing, a creation.

Also for temporary tables: a server that starts removes those of every other server in its tmpdir (seen).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from typing import TYPE_CHECKING

from ..procfs import look, read_process
from .as_account import act_as
from .foreign import Directory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .as_account import Account

# In root's own /run, where no other account can put a name, and which a boot empties.
BASE = "/run/xha/scratch"


@contextlib.contextmanager
def scratch(account: Account, purpose: str) -> Iterator[Directory]:
    """Make an empty directory, owned by the account, for the time of a block.

    What a process left that was killed in its block is removed by the next one. :raises OSError: as mkdir does.
    """
    if os.geteuid() != 0:
        with tempfile.TemporaryDirectory(prefix=f"xha-{purpose}-") as path, Directory(path) as directory:
            yield directory
        return
    os.makedirs(BASE, mode=0o755, exist_ok=True)
    with Directory(BASE, owner=0) as base:
        _sweep(base, account)
        own = read_process(os.getpid())
        name = f"{purpose}-{os.getpid()}-{own.started if own else 0}-{os.urandom(4).hex()}"
        directory = base.make_directory(name, 0o700, *account.owner)
        try:
            yield directory
        finally:
            directory.close()
            _remove(base, name, account)


def _sweep(base: Directory, account: Account) -> None:
    for name in base.names():
        pid, _, rest = name.partition("-")[2].partition("-")
        started = rest.partition("-")[0]
        if pid.isdecimal() and started.isdecimal() and look(int(pid), int(started)) is None:
            _remove(base, name, account)


def _remove(base: Directory, name: str, account: Account) -> None:
    """Remove a directory with all that the account left in it, which only the account's own rights may touch."""
    path = os.path.join(base.path, name)

    def empty() -> bytes:
        for entry in os.scandir(path):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                os.unlink(entry.path)
        return b""

    # What cannot be removed now is left to the next sweep.
    with contextlib.suppress(OSError):
        act_as(account, empty)
    with contextlib.suppress(OSError):
        base.remove_directory(name)
