"""Removes what a creation left that was cut short, so that the next one begins in a directory without it.

The program that creates a database goes on with the tables that it finds: with those of a creation that ended between
the table of accounts and root's row in it, nobody could log in (seen, MariaDB 10.11).

The mark of a creation belongs to the server's account, so it is a claim. What follows from it here:

1. Nothing is removed if anything in the directory may be of users. What no creation makes stays in any case.
2. A child with the rights of that account removes the files (files/as_account.py): it can remove only what the account
   itself could.
3. The child works from the descriptor of the data directory, unlinks symbolic links, and enters no file system but that
   of the directory.
4. The child holds the lock of the data directory, as everything that the holder of the lock forks: until it has ended,
   no other creation begins.
"""

from __future__ import annotations

import itertools
import os
import stat
import time
from typing import TYPE_CHECKING

from ...core.galera.engine_files import DIRECTORIES, GRASTATE, RECORD, TRANSFER_MARK, is_file_made, is_made
from ...core.galera.position import NO_UUID
from ..datadir.contents import CREATION_MARK
from ..datadir.hold import data_of
from ..files.as_account import SECONDS, act_as
from ..files.foreign import MOST_NAMES
from ..host.mounts import Mounts
from ..mysqld.engine_places import find_engine_places
from ..mysqld.program import Unusable, read_options

if TYPE_CHECKING:
    from ..datadir.contents import DataDirectory
    from ..files.foreign import Directory
    from ..mysqld.engine_places import EnginePlaces
    from ..mysqld.program import Program

# A creation leaves 200 files (measured, MariaDB 10.11).
_SECONDS = 60.0
_AT_ONCE = 1000
_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_FEW = 3
_REMAINS = "the remains of a creation that was not finished"
# A server that accepts connections makes multi-master.info, and the index of its binary logs; a creation makes neither
# (measured, MariaDB 10.11).
_SERVED, _BINARY_LOGS = "multi-master.info", ".index"
_OTHERS = frozenset({"lost+found"})


def remove_remains(program: Program, deadline: float) -> str:
    """Remove the files of an unfinished creation. The data directory has its mark, and is held (datadir/hold.py).

    The mark stays. deadline is a time of time.monotonic(). If this is interrupted, the next call goes on. Return what
    was done, as a sentence for the log.

    :raises Unusable: if something there may be of users, or cannot be removed; the text says the remedy.
    :raises TimeoutError: if it takes too long; the next call goes on.
    :raises OSError: if it cannot be determined what is there.
    """
    data, engines = data_of(program), find_engine_places(read_options(program)[1])
    with data.open() as directory:
        evidence = _find_evidence(data, directory, engines)
        if evidence:
            raise Unusable(
                f"{data.path} has the mark of a creation that was not finished, {CREATION_MARK}, but {evidence}: "
                f"nothing is removed. If the database there is complete, remove {data.path}/{CREATION_MARK}; if "
                f"nothing in it is wanted, empty {data.path}"
            )
        _check_elsewhere(program, engines)
        own = tuple(file for file in engines.files if os.path.dirname(file) == data.path)
        names = [name for name in directory.names() if is_made(name, own)]
        _check_mounts(directory, names)
        seconds = max(0.0, min(_SECONDS, deadline - time.monotonic()))
        answer = act_as(program.account, lambda: _remove(directory.fileno(), names), seconds)
        hindrance = answer.decode("utf-8", "surrogateescape")
        if hindrance:
            raise Unusable(
                f"{data.path} has {_REMAINS}, and {program.account.user} cannot remove them: {hindrance}; empty "
                f"{data.path}, if nothing in it is wanted"
            )
        directory.sync()
    return f"{data.path} had {_REMAINS}: {', '.join(names) or 'nothing but its mark'}; they were removed"


def _find_evidence(data: DataDirectory, directory: Directory, engines: EnginePlaces) -> str:
    """Return what says that the directory may hold data of users or of a cluster, "" for nothing."""
    names, record, grastate = directory.names(), data.read_record(), data.read_grastate()
    own = {os.path.relpath(place, data.path).partition("/")[0] for place in (*engines.elsewhere, data.state_path)}
    for name in directory.subdirectories():
        if name in DIRECTORIES or name in _OTHERS or name[:1] in ".#":
            continue
        if name not in own or directory.holds_files(name):  # the engines' own directories may be in this one
            return f"no creation makes the directory or link {name}, which may be a schema"
    if data.has_grastate() and (grastate is None or grastate.uuid != NO_UUID):
        return f"{GRASTATE} names a cluster's data, or cannot be read"
    if data.has_record() and (record is None or record.line or record.view or record.clean_stop):
        return f"{RECORD} names the history of data, or cannot be read"
    if TRANSFER_MARK in names:
        return f"a state transfer has begun ({TRANSFER_MARK})"
    served = [name for name in names if name == _SERVED or name.endswith(_BINARY_LOGS)]
    return f"a server has served there since ({served[0]})" if served else ""


def _check_elsewhere(program: Program, engines: EnginePlaces) -> None:
    """Return if no engine has files outside of the data directory. Such files are never removed here.

    :raises Unusable: with their names.
    """
    if not engines.elsewhere:
        return
    answer = act_as(program.account, lambda: _find_files(engines), SECONDS)
    found = answer.decode("utf-8", "surrogateescape").split("\0")
    if any(found):
        few = ", ".join((*found[:_FEW], *(("...",) if len(found) > _FEW else ())))
        raise Unusable(
            f"{program.datadir} has {_REMAINS}, and files of an engine are outside of it: {few}; remove them, if they "
            "belong to no other database"
        )


def _find_files(engines: EnginePlaces) -> bytes:
    """Return the paths of the engines' files outside of the data directory. This runs as the server's account."""
    found = []
    for place in engines.elsewhere:
        own = tuple(file for file in engines.files if os.path.dirname(file) == place)
        try:
            with os.scandir(place) as entries:
                names = [entry.name for entry in itertools.islice(entries, MOST_NAMES)]
        except FileNotFoundError:
            continue
        found += [os.path.join(place, name) for name in sorted(names) if is_file_made(name, own)]
    return "\0".join(found[: _FEW + 1]).encode("utf-8", "surrogateescape")


def _check_mounts(directory: Directory, names: list[str]) -> None:
    """:raises Unusable: if another file system, or another part of this one, is mounted where files are removed."""
    path = os.readlink(f"/proc/self/fd/{directory.fileno()}")
    for point in Mounts().below(path):
        if os.path.relpath(point, path).partition("/")[0] in names:
            raise Unusable(
                f"{directory.path} has {_REMAINS}, and {point} is a mount: empty {directory.path} and {point}, if "
                "nothing in them is wanted"
            )


def _remove(top: int, names: list[str]) -> bytes:
    """Remove names in an open directory, and what the directories among them hold. This runs as the server's account.

    Return what hinders it, nothing if all is removed. The system's schemas hold files and no directories.
    """
    device = os.fstat(top).st_dev
    for name in names:
        try:
            seen = os.stat(name, dir_fd=top, follow_symlinks=False)
            if not stat.S_ISDIR(seen.st_mode):
                os.unlink(name, dir_fd=top)
                continue
            if name not in DIRECTORIES or seen.st_dev != device:
                return f"{name} is a directory of somebody else, or a mount".encode("utf-8", "surrogateescape")
            _empty(name, top, device)
            os.rmdir(name, dir_fd=top)
        except FileNotFoundError:
            continue
        except OSError as error:
            return f"{name}: {(error.strerror or str(error)).lower()}".encode("utf-8", "surrogateescape")
    return b""


def _empty(name: str, top: int, device: int) -> None:
    """Remove the files in a directory. :raises OSError: also for a directory in it, and for another file system."""
    inside = os.open(name, _OPEN, dir_fd=top)
    try:
        if os.fstat(inside).st_dev != device:  # another directory has taken its place
            raise OSError("it is another file system")
        while True:
            with os.scandir(inside) as entries:
                found = [entry.name for entry in itertools.islice(entries, _AT_ONCE)]
            if not found:
                return
            for one in found:
                os.unlink(one, dir_fd=inside)
    finally:
        os.close(inside)
