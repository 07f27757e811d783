"""What /proc says about processes: proc(5), read without psutil, whose import alone takes a monitor's whole time.

A process is identified by its pid and start time together, because pids are reused.

Only "no such file" and "no such process" mean that a process is gone. Every other error, for instance that this process
has no descriptor left or the kernel no memory, says nothing about it and raises OSError.
"""

from __future__ import annotations

import errno
import os

from ...core.text.escape import blank
from ...core.text.light_typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_BYTES = 1 << 17
_GONE = "ZXx"
_CAP_SYS_PTRACE = 1 << 19
_STOPPED = "Tt"
_DELETED = " (deleted)"


class Process(NamedTuple):
    """One process. started is in clock ticks since boot, state is the kernel's letter, name has at most 15 characters.

    argv is empty if it was not read. threads counts the living ones; ticks are the CPU time of all of them, in clock
    ticks.
    """

    pid: int
    started: int
    state: str = "?"
    name: str = ""
    argv: tuple[str, ...] = ()
    parent: int = 0
    group: int = 0
    threads: int = 1
    ticks: int = 0

    @property
    def stopped(self) -> bool:
        """Whether a signal or a debugger has stopped it: it does not answer, and SIGTERM is not delivered."""
        return self.state in _STOPPED

    @property
    def recovering(self) -> bool:
        """Whether it is a server that only reports its position (--wsrep-recover) and then ends."""
        words = (word.partition("=")[0].replace("_", "-") for word in self.argv[1:])
        return any(word in ("--wsrep-recover", "--loose-wsrep-recover") for word in words)

    @property
    def creating(self) -> bool:
        """Whether it is a server that only creates a database (mysql_install_db) and then ends."""
        return any(word.startswith(("--bootstrap", "--initialize")) for word in self.argv[1:])

    def __str__(self) -> str:
        # A process chooses its own name: line breaks and terminal control characters must not reach a log.
        return f"{blank(self.name, '?') or 'process'}, pid {self.pid}"


def is_gone(error: OSError) -> bool:
    """Return whether an error of a file in /proc/PID means that the process does not exist; other errors do not."""
    return error.errno in (errno.ENOENT, errno.ESRCH)


def look(pid: int, started: int) -> Process | None:
    """Return the process with this pid and start time as it is now, without argv; None if it is gone.

    :raises OSError: if that cannot be determined.
    """
    process = read_process(pid)
    return process if process is not None and process.started == started else None


def read_process(pid: int) -> Process | None:
    """Return a process without its argv; None if it does not exist. A zombie counts as gone.

    :raises OSError: if that cannot be determined.
    """
    text = _read(f"/proc/{pid}/stat").decode("utf-8", "replace")
    # A name may contain blanks and parentheses; the text after the last parenthesis does not.
    head, _, tail = text.rpartition(")")
    fields = tail.split()
    if len(fields) < 20:
        return None
    state, threads = fields[0], int(fields[17])
    # The first thread may have ended while others still write: the process ends with its last thread.
    if state in _GONE and threads <= 1:
        return None
    return Process(
        pid,
        started=int(fields[19]),
        state=state,
        name=head.partition("(")[2],
        parent=int(fields[1]),
        group=int(fields[2]),
        threads=threads,
        ticks=int(fields[11]) + int(fields[12]),
    )


def read_pids() -> list[int]:
    """Return the pids of this pid namespace. :raises OSError: if /proc is not mounted."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def read_processes() -> tuple[Process, ...]:
    """Return every process of this pid namespace that may be seen, without argv."""
    found = []
    for pid in read_pids():
        try:
            found.append(read_process(pid))
        except PermissionError:
            continue
    return tuple(process for process in found if process is not None)


def is_own() -> bool:
    """Return whether /proc is mounted and is that of this pid namespace; otherwise its pids mean other processes."""
    try:
        return os.readlink("/proc/self") == str(os.getpid())
    except OSError:
        return False


def sees_all_processes() -> bool:
    """Return whether /proc hides no process: with hidepid, root needs CAP_SYS_PTRACE to see others' (proc(5))."""
    line = next((line for line in _read("/proc/self/status").split(b"\n") if line.startswith(b"CapEff:")), b": 0")
    if os.geteuid() != 0 or int(line.split()[1], 16) & _CAP_SYS_PTRACE:
        return True
    mounted = (line for line in _read("/proc/self/mountinfo").split(b"\n") if b" /proc " in line)
    return not any(b"hidepid=" in line for line in mounted)


def with_argv(process: Process) -> Process:
    """Return the process with its argument vector; it stays empty if the kernel does not tell it."""
    words = _read_if_told(f"/proc/{process.pid}/cmdline").decode("utf-8", "surrogateescape").rstrip("\0").split("\0")
    return process._replace(argv=tuple(words) if words != [""] else ())


def read_environ(pid: int) -> dict[str, str]:
    """Return the environment that a process was started with; empty if the kernel does not tell it."""
    words = _read_if_told(f"/proc/{pid}/environ").decode("utf-8", "surrogateescape").split("\0")
    return {name: value for name, equals, value in (word.partition("=") for word in words) if equals}


def descendants(pid: int, among: Iterable[Process] | None = None) -> tuple[Process, ...]:
    """Return the children of a process, their children and so on, without argv. among: processes read before."""
    children: dict[int, list[Process]] = {}
    for process in read_processes() if among is None else among:
        children.setdefault(process.parent, []).append(process)
    found: list[Process] = []
    waiting = children.pop(pid, [])
    while waiting:
        process = waiting.pop(0)
        found.append(process)
        waiting += children.pop(process.pid, [])
    return tuple(found)


def read_transferred(pid: int) -> int:
    """Return the bytes that a process read and wrote on files, pipes and sockets; 0 if the kernel does not tell."""
    lines = _read_if_told(f"/proc/{pid}/io").split(b"\n")
    return sum(int(line.split()[1]) for line in lines if line.startswith((b"rchar:", b"wchar:")))


def read_cgroups(pid: int) -> str:
    """Return what /proc says of a process's control groups, "" if it is gone. :raises OSError: if it cannot be read."""
    return _read(f"/proc/{pid}/cgroup").decode("utf-8", "replace")


def read_boot_id() -> str:
    """Return the kernel's random id of this boot (random(4)), which containers of one host share; "" if unknown."""
    return _read("/proc/sys/kernel/random/boot_id").decode("ascii", "replace").strip()


def fingerprint(process: Process, host: str) -> str:
    """Return an id of 16 hexadecimal digits that only this process ever has, on any host."""
    from hashlib import blake2b

    return blake2b(f"{host} {read_boot_id()} {process.pid} {process.started}".encode(), digest_size=8).hexdigest()


def identity(path: str) -> tuple[int, int] | None:
    """Return what distinguishes a file of xha's from every other one (device, inode); None if it does not exist.

    Not for another process's open files or working directory: see datadir/open_files.py.
    :raises OSError: if that cannot be determined.
    """
    try:
        seen = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return seen.st_dev, seen.st_ino


def read_program(pid: int) -> str:
    """Return the path of the program that a process runs, as seen in its own mount namespace.

    :raises PermissionError: if it may not be seen. :raises OSError: if the process is gone, or is a kernel thread.
    """
    return without_deleted(os.readlink(f"/proc/{pid}/exe"))


def without_deleted(path: str) -> str:
    """Return a path of /proc without the suffix that marks a deleted file."""
    return path[: -len(_DELETED)] if path.endswith(_DELETED) else path


def read_uid(pid: int) -> int | None:
    """Return the effective uid of a process; None if it is gone.

    The kernel makes it the owner of the process's directory, also if the process is not dumpable (fs/proc/base.c).
    """
    try:
        return os.stat(f"/proc/{pid}").st_uid
    except (FileNotFoundError, ProcessLookupError):
        return None


def read_uids(pid: int) -> frozenset[int]:
    """Return the real, effective, saved and file system uid of a process; empty if it is gone."""
    line = next((line for line in _read(f"/proc/{pid}/status").split(b"\n") if line.startswith(b"Uid:")), b"")
    return frozenset(int(word) for word in line.split()[1:])


def read_gids(pid: int) -> frozenset[int]:
    """Return the groups of a process, including the supplementary ones; empty if it is gone."""
    lines = [line for line in _read(f"/proc/{pid}/status").split(b"\n") if line.startswith((b"Gid:", b"Groups:"))]
    return frozenset(int(word) for line in lines for word in line.split()[1:])


class Descriptor(NamedTuple):
    """The id of the mount that an open file of a process is on, and the file's inode, 0 before Linux 5.14."""

    mount: str
    inode: int = 0


def read_descriptor(pid: int, number: str) -> Descriptor | None:
    """Return what the kernel tells about an open file, without touching the file; None if it is closed."""
    text = _read(f"/proc/{pid}/fdinfo/{number}").decode("ascii", "replace")
    said = dict(line.split(":", 1) for line in text.split("\n") if ":" in line)
    try:
        return Descriptor(said["mnt_id"].strip(), int(said.get("ino", "0")))
    except (KeyError, ValueError):
        return None


def _read_if_told(path: str) -> bytes:
    """Return the content of another process's file; nothing if it may not be read."""
    try:
        return _read(path)
    except PermissionError:
        return b""


def _read(path: str) -> bytes:
    """Return the content of a file; nothing if the process is gone. :raises OSError: if it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, ProcessLookupError):
        return b""
    try:
        return os.read(descriptor, _MAX_BYTES)
    except ProcessLookupError:
        return b""
    finally:
        os.close(descriptor)
