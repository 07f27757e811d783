"""A file that is replaced in one step, so that no reader sees half of it."""

from __future__ import annotations

import contextlib
import os

# O_EXCL: in a directory that others can write, a name that can be guessed may be a link to anything by now.
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def replace_text(path: str, text: str, mode: int, *, flush: bool = False) -> None:
    """Put a text in the place of a file, with this mode whatever the umask is.

    flush: it is on the disk before it takes that place. :raises OSError: as open does; the old file stands then.
    """
    temporary = f"{path}.{os.getpid()}"
    with contextlib.suppress(FileNotFoundError):  # an earlier process of this pid was killed in here
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
