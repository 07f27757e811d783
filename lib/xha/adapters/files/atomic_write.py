"""Replaces a file in one step, so that no reader sees half of it."""

from __future__ import annotations

import contextlib
import os
import re

# O_EXCL: in a directory that other accounts can write, a name that can be guessed may already be a link to anything.
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
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
    stays, and so does what cannot be removed: it is in nobody's way.
    """
    with contextlib.suppress(OSError):
        for name in os.listdir(directory):
            found = _UNFINISHED.search(name)
            if name.startswith(of) and found is not None and not os.path.exists(f"/proc/{found[1]}"):
                os.unlink(os.path.join(directory, name))
