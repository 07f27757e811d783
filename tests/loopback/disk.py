"""A file system of its own for a server's directory: it can be filled and frozen, and nothing else on the machine is.

A global sync(2) waits for a frozen file system, whoever calls it: such tests have the marker `alone`.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path

from loopback.daemon import Disposable, find_program
from loopback.galera import server_user

_CHUNK = 64 << 10


def _run(program: str, package: str, *words: object) -> None:
    subprocess.run([find_program(program, package), *map(str, words)], check=True, capture_output=True)


class Disk(Disposable):
    """An ext4 file system in a file, mounted at `path`."""

    def __init__(self, path: Path, size: int = 64 << 20) -> None:
        self.path, self._size = path, size
        self._image = path.with_name(f"{path.name}.img")
        self._filler = path / "filler"
        self._frozen = self._mounted = False

    def start(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        with self._image.open("wb") as image:
            image.truncate(self._size)
        # No room for root alone: the server is not root, and the test that fills it is.
        _run("mkfs.ext4", "e2fsprogs", "-q", "-m", "0", self._image)
        _run("mount", "mount", "-o", "loop", self._image, self.path)
        self._mounted = True
        (self.path / "lost+found").rmdir()
        user = server_user()
        if user:
            shutil.chown(self.path, user, user)

    def freeze(self) -> None:
        _run("fsfreeze", "util-linux", "--freeze", self.path)
        self._frozen = True

    def fill(self) -> None:
        with self._filler.open("wb", buffering=0) as filler, contextlib.suppress(OSError):
            size = _CHUNK
            while size:
                try:
                    while filler.write(bytes(size)) == size:
                        pass
                except OSError:
                    size //= 16  # down to the last block

    def mend(self) -> None:
        """Thaw it, and make room."""
        if self._frozen:
            self._frozen = False
            _run("fsfreeze", "util-linux", "--unfreeze", self.path)
        self._filler.unlink(missing_ok=True)

    def kill(self) -> None:
        if self._mounted:
            self.mend()
            self._mounted = False
            _run("umount", "mount", "--lazy", self.path)
        self._image.unlink(missing_ok=True)
