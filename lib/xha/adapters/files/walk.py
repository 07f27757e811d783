"""Opens a directory from / on if other accounts own a part of the path; foreign.py says what each step stops."""

from __future__ import annotations

import errno
import os
import stat

from ...core.text.escape import clean
from ..host.login_name import ROOT, account_name

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_MOST_LINKS = 40  # as in the kernel (include/linux/namei.h, MAXSYMLINKS)


class UnfitPath(OSError):
    """A name leads to something that cannot be used: a link, a FIFO, a file of another account, one that is too large.

    The text says which.
    """

    def __init__(self, path: str, reason: str) -> None:
        # The other account chooses the names, and they are shown on terminals.
        super().__init__(errno.EPERM, clean(reason, 300), path)

    def __str__(self) -> str:
        return f"{self.filename}: {self.strerror}"


def walk(path: str) -> tuple[int, bool]:
    """Open a directory by an absolute path. Return its descriptor, and whether only root controls the path to it.

    :raises UnfitPath: if the path is not absolute, or contains a link that another account could have made.
    :raises OSError: as open does.
    """
    if not path.startswith("/"):
        raise UnfitPath(path, "it is not an absolute path")
    waiting = _split(os.path.normpath(path))
    here, controlled, links = os.open("/", _DIRECTORY), True, 0
    try:
        while waiting:
            found = os.open(waiting.pop(), os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
            seen = os.fstat(found)
            if not stat.S_ISLNK(seen.st_mode):
                os.close(here)
                here, controlled = found, controlled and _is_controlled(seen)
                continue
            links += 1
            try:
                target = os.readlink("", dir_fd=found)
            finally:
                os.close(found)
            if not controlled or seen.st_uid not in (ROOT, os.geteuid()):
                maker = account_name(seen.st_uid)
                raise UnfitPath(
                    path, f"a part of it is a symbolic link of {maker}'s, to {target}; name the directory itself"
                )
            if links > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            waiting += _split(target)
            if target.startswith("/"):
                os.close(here)
                here = os.open("/", _DIRECTORY)
        opened = os.open(".", _DIRECTORY, dir_fd=here)
    except OSError as error:
        if isinstance(error, UnfitPath) or error.filename == path:
            raise
        raise OSError(error.errno, error.strerror, path) from None
    finally:
        os.close(here)
    return opened, controlled


def _split(path: str) -> list[str]:
    """Return the components of a path, the first one last."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


def _is_controlled(seen: os.stat_result) -> bool:
    """Return whether only root, or this process's account, can replace a name in such a directory.

    In a directory with the sticky bit, such as /tmp, only the owner of a name can replace it; walk checks the owner of
    each link.
    """
    others = seen.st_mode & stat.S_IWOTH or (seen.st_mode & stat.S_IWGRP and seen.st_gid != ROOT)
    return seen.st_uid in (ROOT, os.geteuid()) and (not others or bool(seen.st_mode & stat.S_ISVTX))
