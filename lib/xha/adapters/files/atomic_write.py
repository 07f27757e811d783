"""Replaces a file in one step, so that no reader sees half of it."""

from __future__ import annotations

import contextlib
import os

# O_EXCL: in a directory that other accounts can write, a name that can be guessed may already be a link to anything.
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def replace_text(path: str, text: str, mode: int, *, flush: bool = False) -> None:
    """Replace a file by this text, with this mode whatever the umask is.

    flush: the text is on the disk before it replaces the file.

    :raises OSError: as open does; the old file is then still in place.
    """
    temporary = f"{path}.{os.getpid()}"
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
