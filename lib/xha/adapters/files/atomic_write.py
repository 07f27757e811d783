"""Replaces a file in one step, so that no reader sees half of it."""

from __future__ import annotations

import contextlib
import os
import re
import time

# O_EXCL: in a directory that other accounts can write, a name that can be guessed may already be a link to anything.
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# Nobody takes so long to write a file of a few KiB.
_LEFT_SECONDS = 60.0
_UNFINISHED = re.compile(r"\.([1-9][0-9]*)\.new\Z")


def replace_text(path: str, text: str, mode: int, *, flush: bool = False) -> None:
    """Replace a file by this text, with this mode whatever the umask is.

    flush: the text is on the disk before it replaces the file.

    :raises OSError: as open does; the old file is then still in place.
    """
    temporary = unfinished_name(path)
    with contextlib.suppress(FileNotFoundError):  # an earlier process with this pid was killed in here
        os.unlink(temporary)
    descriptor = os.open(temporary, _CREATE, mode)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)
            if flush:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise


def unfinished_name(path: str) -> str:
    """Return the name by which this process, and no other, writes what is to stand at a path."""
    return f"{path}.{os.getpid()}.new"


def is_unfinished(name: str) -> bool:
    """Return whether a name is one of those."""
    return _UNFINISHED.search(name) is not None


def remove_unfinished(directory: str, of: str = "") -> None:
    """Remove what processes that were killed while they wrote have left in a directory.

    of: what the names of the files begin with, for a directory that is not xha's own. What a living process writes
    stays, and what somebody has just written: a process of another pid namespace, as a container's, is not in this
    /proc, and its rename would fail. What cannot be removed stays too: it is in nobody's way.
    """
    with contextlib.suppress(OSError):
        for name in os.listdir(directory):
            found = _UNFINISHED.search(name)
            if name.startswith(of) and found is not None and not os.path.exists(f"/proc/{found[1]}"):
                path = os.path.join(directory, name)
                with contextlib.suppress(OSError):
                    if time.time() - os.lstat(path).st_mtime >= _LEFT_SECONDS:
                        os.unlink(path)
