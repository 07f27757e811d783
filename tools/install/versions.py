"""The versions of xha on a host: HOME/versions/VERSION-DIGEST/python. One is never changed once it has its name.

A launcher names one version, and holds it open as long as its process lives: a process imports from one version to
its end, however late, and whatever is installed meanwhile. So what changes at an installation is one launcher at a
time, by a rename, and each is complete before and after. What no process holds is removed by a later installation.
"""

from __future__ import annotations

import compileall
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Callable, NamedTuple

from saying import CannotInstall, say

_HELD = re.compile(r"/versions/([^/]+)/python$")


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """While the block runs, no other installation into this home. Waits for one; a killed one leaves nothing locked."""
    home.mkdir(parents=True, exist_ok=True)
    path = home / ".install.lock"
    descriptor = _lock(path)
    while not _names(path, descriptor):  # the one that we waited for has removed it
        os.close(descriptor)
        descriptor = _lock(path)
    try:
        yield
    finally:
        path.unlink()
        os.close(descriptor)


def _lock(path: Path) -> int:
    # 0600: whoever may open it may lock it.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say(f"waits for another installation: it holds {path}")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def _names(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path, follow_symlinks=False), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def begin(home: Path) -> Path:
    """Return a directory for a version in the making, and remove those of installations that were killed."""
    versions = home / "versions"
    versions.mkdir(parents=True, exist_ok=True)
    for left in versions.glob(".new-*"):
        shutil.rmtree(left)
    fresh = versions / f".new-{os.getpid()}"
    (fresh / "python").mkdir(parents=True)
    return fresh


def finish(
    fresh: Path, version: str, home: str, *, is_staged: bool, write_launchers: Callable[[Path, str], None] | None = None
) -> str:
    """Compile what is in the directory, put it on the disk, give it its name, and return that.

    home: where versions/ is, for those who run. write_launchers: called with the directory and the path of the
    library that it will have, to add what names that. Compiled here, because the users of this directory may not write
    to it, and root does not.
    """
    python, sums = fresh / "python", []
    for path in sorted(path for path in python.rglob("*") if path.is_file()):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        sums.append(f"{digest}  {path.relative_to(fresh)}\n")
    manifest = "".join(sums)
    (fresh / "SHA256SUMS").write_text(manifest)
    wanted = f"{version}-{hashlib.sha256(manifest.encode()).hexdigest()[:12]}"
    taken = set(os.listdir(fresh.parent))
    # The same content once more is another directory: the one that is there may be in use, and may have been changed.
    name = next(name for name in [wanted, *(f"{wanted}.{count}" for count in range(2, 10000))] if name not in taken)
    # with the names that the files will have, for tracebacks
    final = f"{home}/versions/{name}/python"
    if not compileall.compile_dir(python, quiet=1, stripdir=str(python), prependdir=final):
        raise CannotInstall("a file could not be compiled: the sentence above names it")
    for path in (fresh, *fresh.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    if write_launchers:
        write_launchers(fresh, final)
    if not is_staged:
        # A host that loses its power has the whole of it, or the old launchers.
        subprocess.run(["sync", "--file-system", str(fresh)], check=True)
    fresh.rename(fresh.parent / name)
    return name


def put(target: Path, content: bytes, mode: int) -> None:
    """Give a file this content in one step: whoever opens it finds all of the old one or all of the new one.

    The temporary name begins with a dot: nobody reads it for an agent, a unit or a stanza.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.new")
    with suppress(FileNotFoundError):  # of an installation that was killed
        fresh.unlink()
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)
    fresh.rename(target)


def point(link: Path, target: str) -> str:
    """Make the link name the target in one step, and return what it named before, "" for nothing."""
    before = os.readlink(link) if link.is_symlink() else ""
    fresh = link.with_name(f".{link.name}.new")
    with suppress(FileNotFoundError):
        fresh.unlink()
    fresh.symlink_to(target)
    fresh.rename(link)
    return before


class Users(NamedTuple):
    """Who runs from which version. unknown: processes of a launcher that hold none, or that cannot be looked at."""

    by_version: dict[str, int]
    unknown: list[int]


def find_users(launchers: Iterable[str]) -> Users:
    """Look through /proc at what each process holds. Nothing behind a descriptor is touched: its mount may be stalled.

    A process that has only just begun, and one of an xha that held nothing open, are told by their command line.
    """
    wanted = {os.fsencode(launcher) for launcher in launchers}
    users = Users({}, [])
    for pid in (int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended
            held = _held(pid)
            if held:
                users.by_version[held] = pid
            elif not wanted.isdisjoint(Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")):
                users.unknown.append(pid)
    return users


def _held(pid: int) -> str | None:
    """Return the version that a process holds open, None also where it may not be looked at."""
    with suppress(PermissionError):
        for descriptor in os.listdir(f"/proc/{pid}/fd"):
            with suppress(FileNotFoundError):
                found = _HELD.search(os.readlink(f"/proc/{pid}/fd/{descriptor}"))
                if found:
                    return found[1]
    return None


def remove_old(home: Path, keep: set[str], launchers: Iterable[str]) -> None:
    """Remove the versions that no process runs from, but for those to keep, and say why one stays."""
    versions = home / "versions"
    old = [path for path in versions.iterdir() if path.name not in keep and not path.name.startswith(".")]
    before_versions = home / "python"  # where xha was installed before there were versions
    if before_versions.is_dir() and not before_versions.is_symlink():
        old.append(before_versions)
    if not old:
        return
    users = find_users(launchers)
    for path in old:
        pid = users.by_version.get(path.name)
        if pid is not None:
            say(f"{path} stays: process {pid} runs from it")
        elif users.unknown:
            say(f"{path} stays: process {users.unknown[0]} may run from it")
        else:
            # Out of sight first: a removal that is interrupted leaves no half of a version.
            aside = versions / f".new-{path.name}"
            path.rename(aside)
            shutil.rmtree(aside)
