"""The way to a directory, from / on, where other accounts own a part of it: foreign.py says what each step stops."""

from __future__ import annotations

import errno
import os
import stat

from ...core.text.escape import clean
from ..host.login_name import ROOT, account_name

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_MOST_LINKS = 40  # as the kernel has it (include/linux/namei.h, MAXSYMLINKS)


class UnfitPath(OSError):
    """What stands at a name cannot be used: a link, a FIFO, another account's, one too large. The text says which."""

    def __init__(self, path: str, reason: str) -> None:
        # Names are the other account's words, and are shown on terminals.
        super().__init__(errno.EPERM, clean(reason, 300), path)

    def __str__(self) -> str:
        return f"{self.filename}: {self.strerror}"


def walk(path: str) -> tuple[int, bool]:
    """Open a directory by an absolute path; return its descriptor, and whether root alone controls the way to it."""
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
    """Return the names of a path, the first one last."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


def _is_controlled(seen: os.stat_result) -> bool:
    """Return whether nobody but root, or this process's account, can replace a name in such a directory.

    In one with the sticky bit, as /tmp, only the owner of a name can: that is checked of each link.
    """
    others = seen.st_mode & stat.S_IWOTH or (seen.st_mode & stat.S_IWGRP and seen.st_gid != ROOT)
    return seen.st_uid in (ROOT, os.geteuid()) and (not others or bool(seen.st_mode & stat.S_ISVTX))
