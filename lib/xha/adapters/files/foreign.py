"""Names inside a directory that another account owns. Root accesses such names only through this module.

The owner of a directory can replace any name in it at any moment, also between a check and the use that follows. These
are the measures, each with what it stops:

- Every name is looked up from the descriptor of its directory, never by a path: replacing a parent directory after the
  walk changes nothing.
- The walk to a directory (walk.py) opens one component at a time with O_NOFOLLOW. It follows a symbolic link only if
  root made it in a directory that only root can write: a link in place of a parent directory does not redirect root.
- O_NOFOLLOW on the last name: a link to /etc/shadow is not read, and one to /etc/ld.so.preload is not written.
- O_NONBLOCK and O_NOCTTY: a FIFO without a writer does not block, and a terminal does not become this process's own.
- fstat of the descriptor that is used: only a regular file of the expected account and size counts. A file of root's
  counts only while it has a single name and that account may read it anyway. A second name is a hard link that the
  other account made (possible with fs.protected_hardlinks=0). It becomes the only name as soon as root replaces the
  file, as passwd does with /etc/shadow, and its content must not reach that account's logs.
- A directory is read up to MOST_NAMES names: 200,000 took 2.5 s and 64 MB (measured).
- O_EXCL for a new file: a file that was put there first is not written to.
- fchown and fchmod only on the descriptor that this process has just created: no other file gets a new owner or mode.

A name that does not exist raises FileNotFoundError. A name that exists and cannot be used raises UnfitPath: its
content is unknown, which is never treated as absent.
"""

from __future__ import annotations

import errno
import os
import stat

from ...core.text.light_typing import TYPE_CHECKING
from ..host.login_name import ROOT, account_name
from .walk import UnfitPath, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

__all__ = ["MOST_NAMES", "ROOT", "Directory", "UnfitPath"]

# For a directory that is read whole. A data directory has one name for each database, and a hundred more.
MOST_NAMES = 100_000

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Directory:
    """An open directory. Names are looked up in it and nowhere else; no name may contain a slash.

    owner: the uid of the account that owns the directory and everything created in it; group: its gid. Without root's
    rights, new files belong to this process's own account. A context manager; close() closes it.
    """

    def __init__(self, path: str, owner: int | None = None, group: int | None = None) -> None:
        """Open the directory by its absolute path. Without an owner, any owner is accepted.

        :raises FileNotFoundError: if it does not exist.
        :raises UnfitPath: if it belongs to another account, or is reached by a link that another account made.
        :raises OSError: as open does.
        """
        self.path = path
        self._descriptor, self.controlled = walk(path)
        seen = os.fstat(self._descriptor)
        self.owner, self.group = seen.st_uid if owner is None else owner, seen.st_gid if group is None else group
        if seen.st_uid != self.owner and os.geteuid() == ROOT:
            self.close()
            raise UnfitPath(path, self._tell_owner(seen.st_uid))

    def __enter__(self) -> Directory:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the directory. A second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def fileno(self) -> int:
        """Return the descriptor, which remains this object's."""
        return self._descriptor

    # --- reading

    def names(self) -> list[str]:
        """Return the names in the directory, sorted. :raises UnfitPath: for more than MOST_NAMES."""
        return sorted(entry.name for entry in _scan(self._descriptor, self.path))

    def subdirectories(self) -> list[str]:
        """Return the names of directories and of links, which may lead to one, sorted. :raises UnfitPath: as names."""
        entries = _scan(self._descriptor, self.path)
        return sorted(entry.name for entry in entries if entry.is_symlink() or entry.is_dir(follow_symlinks=False))

    def exists(self, name: str) -> bool:
        """Return whether something has this name, whatever it is. :raises OSError: if that cannot be determined."""
        try:
            os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    def holds_files(self, name: str, counts: Callable[[str], bool] = bool) -> bool:
        """Return whether a subdirectory contains anything but directories. False for a file, True for a link.

        counts: whether a name in it counts.
        A link may lead to anything, so it counts as one that holds files.

        :raises UnfitPath: for more than MOST_NAMES directories.
        :raises OSError: if that cannot be determined.
        """
        mode = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False).st_mode
        if not stat.S_ISDIR(mode):
            return stat.S_ISLNK(mode)
        descriptor = os.open(name, _DIRECTORY, dir_fd=self._descriptor)
        try:
            entries = _scan(descriptor, self._in(name))
            return any(counts(entry.name) and not entry.is_dir(follow_symlinks=False) for entry in entries)
        finally:
            os.close(descriptor)

    def open(self, name: str, *, any_owner: bool = False) -> int:
        """Open a regular file for reading, and return the descriptor, which the caller closes.

        any_owner: accept any owner; for questions about the file itself and not about its content.

        :raises FileNotFoundError: if it does not exist.
        :raises UnfitPath: if it is not such a file.
        :raises OSError: as open does.
        """
        try:
            descriptor = os.open(name, _READ, dir_fd=self._descriptor)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENXIO):
                raise UnfitPath(self._in(name), "it is a symbolic link or a socket, and no file; remove it") from None
            raise
        seen = os.fstat(descriptor)
        reason = "" if any_owner and stat.S_ISREG(seen.st_mode) else self._find_fault(seen)
        if reason:
            os.close(descriptor)
            raise UnfitPath(self._in(name), reason)
        return descriptor

    def read(self, name: str, limit: int) -> bytes:
        """Return a file's content. :raises UnfitPath: also if it is larger than `limit` bytes. Otherwise as open."""
        descriptor = self.open(name)
        try:
            content = b""
            while len(content) <= limit:
                chunk = os.read(descriptor, limit + 1 - len(content))
                if not chunk:
                    return content
                content += chunk
        finally:
            os.close(descriptor)
        raise UnfitPath(self._in(name), f"it is larger than {limit} bytes")

    def _find_fault(self, seen: os.stat_result) -> str:
        if not stat.S_ISREG(seen.st_mode):
            return "it is no regular file; remove it"
        of_root = seen.st_uid == ROOT and seen.st_nlink == 1 and self._may_read(seen)
        expected = seen.st_uid == self.owner or of_root
        return "" if expected or os.geteuid() != ROOT else self._tell_owner(seen.st_uid)

    def _may_read(self, seen: os.stat_result) -> bool:
        """Return whether the owner of the directory may read a file of another account."""
        return bool(seen.st_mode & (stat.S_IRGRP if seen.st_gid == self.group else stat.S_IROTH))

    def _tell_owner(self, uid: int) -> str:
        return f"it belongs to {account_name(uid)}, and not to {account_name(self.owner)}; mend that with chown"

    # --- writing

    def create(self, name: str, content: bytes, mode: int) -> None:
        """Create a file that belongs to the owner. It is on the disk when this returns.

        :raises FileExistsError: if the name exists.
        :raises OSError: as open does; the incomplete file is removed.
        """
        descriptor = os.open(name, _CREATE, 0o600, dir_fd=self._descriptor)
        try:
            with open(descriptor, "wb") as file:
                self._give(descriptor, mode)
                file.write(content)
                file.flush()
                os.fsync(descriptor)
        except OSError:
            self.remove(name)
            raise

    def replace(self, name: str, content: bytes, mode: int) -> None:
        """Replace whatever has this name by a file of the owner's. It is on the disk when this returns.

        :raises OSError: as open does; the earlier file is then still in place.
        """
        temporary = f".{name}.xha"
        self.remove(temporary)
        self.create(temporary, content, mode)
        try:
            self.rename(temporary, name)
        except OSError:
            self.remove(temporary)
            raise

    def rename(self, old: str, new: str) -> None:
        """Rename an entry, whatever it is. The new name is on the disk when this returns."""
        os.rename(old, new, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)
        self.sync()

    def remove(self, name: str) -> None:
        """Remove a file or link; a missing name is no error. :raises OSError: as unlink does."""
        try:
            os.unlink(name, dir_fd=self._descriptor)
        except FileNotFoundError:
            return

    def sync(self) -> None:
        """Flush the directory's entries to the disk."""
        os.fsync(self._descriptor)

    def make_directory(self, name: str, mode: int, owner: int | None = None, group: int | None = None) -> Directory:
        """Make a subdirectory if it does not exist, and open it. Without an owner, it gets the owner of this directory.

        :raises UnfitPath: if it exists and belongs to another account.
        :raises OSError: as mkdir and open do.
        """
        inside = Directory.__new__(Directory)
        inside.path, inside.controlled = self._in(name), self.controlled
        inside.owner, inside.group = (self.owner if owner is None else owner), (self.group if group is None else group)
        made = True
        try:
            os.mkdir(name, 0o700, dir_fd=self._descriptor)
        except FileExistsError:
            made = False
        inside._descriptor = os.open(name, _DIRECTORY, dir_fd=self._descriptor)
        try:
            # Another account may have replaced the directory that was just made by one of its own. Only a directory
            # that belongs to this process is given to the owner.
            uid = os.fstat(inside.fileno()).st_uid
            if made and uid == os.geteuid():
                inside._give(inside.fileno(), mode)
            elif uid != inside.owner and os.geteuid() == ROOT:
                raise UnfitPath(inside.path, inside._tell_owner(uid))
        except OSError:
            inside.close()
            raise
        return inside

    def remove_directory(self, name: str) -> None:
        """Remove an empty subdirectory. :raises OSError: as rmdir does."""
        os.rmdir(name, dir_fd=self._descriptor)

    def _give(self, descriptor: int, mode: int) -> None:
        if os.geteuid() == ROOT:
            os.fchown(descriptor, self.owner, self.group)
        os.fchmod(descriptor, mode)

    def _in(self, name: str) -> str:
        return os.path.join(self.path, name)


def _scan(descriptor: int, path: str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(descriptor) as entries:
        for number, entry in enumerate(entries):
            if number == MOST_NAMES:
                raise UnfitPath(path, f"it holds more than {MOST_NAMES} names; remove what is not the server's")
            yield entry
