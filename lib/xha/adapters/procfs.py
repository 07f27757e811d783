"""What /proc says about processes: proc(5), read without psutil, whose import alone is a monitor's whole budget.

A process is named by its pid and its start time together: pids come round again.
"""

from __future__ import annotations

import os

from ..core.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_BYTES = 1 << 17
_GONE = "ZXx"
_STOPPED = "Tt"
# The service that our own agent runs in: a server that it started is in the same cgroup, and belongs to Pacemaker.
_PACEMAKERS = ("pacemaker.service", "pacemaker_remote.service", "corosync.service")


class Process(NamedTuple):
    """One process. started is in clock ticks since boot, state the kernel's letter, name cut at 15 characters.

    argv is empty where it was not read. threads counts those that live; ticks are the CPU time that all of them used.
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
        """Whether a signal or a debugger holds it: it answers nothing, and SIGTERM is not delivered."""
        return self.state in _STOPPED

    @property
    def recovering(self) -> bool:
        """Whether it is a server that only tells where its data end (--wsrep-recover), and ends then."""
        words = (word.partition("=")[0].replace("_", "-") for word in self.argv[1:])
        return any(word in ("--wsrep-recover", "--loose-wsrep-recover") for word in words)

    def __str__(self) -> str:
        return f"{self.name or 'process'}, pid {self.pid}"


def look(pid: int, started: int) -> Process | None:
    """Return the process with this pid and start time as it is now, without argv; None once it is gone."""
    process = read_process(pid)
    return process if process is not None and process.started == started else None


def read_process(pid: int) -> Process | None:
    """Return a process without its argv, None where there is none. One that was not yet waited for is gone."""
    text = _read(f"/proc/{pid}/stat").decode("utf-8", "replace")
    # A name may hold blanks and parentheses: what follows the last parenthesis does not.
    head, _, tail = text.rpartition(")")
    fields = tail.split()
    if len(fields) < 20:
        return None
    state, threads = fields[0], int(fields[17])
    # The first thread may have ended while others still write: only the last one's end is the process's.
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


def read_processes() -> tuple[Process, ...]:
    """Return every process of this pid namespace, without argv."""
    found = (read_process(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return tuple(process for process in found if process is not None)


def with_argv(process: Process) -> Process:
    """Return the process with its argument vector; it stays empty where the kernel does not tell."""
    words = _read(f"/proc/{process.pid}/cmdline").decode("utf-8", "surrogateescape").rstrip("\0").split("\0")
    return process._replace(argv=tuple(words) if words != [""] else ())


def read_environ(pid: int) -> dict[str, str]:
    """Return the environment that a process was started with; empty where the kernel does not tell."""
    words = _read(f"/proc/{pid}/environ").decode("utf-8", "surrogateescape").split("\0")
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
    """Return how many bytes a process read and wrote, on files, pipes and sockets; 0 where the kernel does not tell."""
    lines = _read(f"/proc/{pid}/io").split(b"\n")
    return sum(int(line.split()[1]) for line in lines if line.startswith((b"rchar:", b"wchar:")))


def unit_of(pid: int) -> str | None:
    """Return the systemd service that a process is in, by its cgroup; None for Pacemaker's own and for a session.

    That a process is in a service does not make it the service: a server that a job of cron.service started is there.
    """
    return parse_unit(_read(f"/proc/{pid}/cgroup").decode("utf-8", "replace"))


def parse_unit(cgroups: str) -> str | None:
    """Return the service that a /proc/PID/cgroup names, of version 1, 2 or both (cgroups(7))."""
    for line in cgroups.split("\n"):
        hierarchy, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if (hierarchy == "0" and not controllers) or controllers == "name=systemd":
            unit = _service(path)
            if unit:
                return unit
    return None


def _service(path: str) -> str | None:
    parts = path.split("/")
    if "user.slice" in parts:
        return None
    unit = next((part for part in reversed(parts) if part.endswith(".service")), None)
    return None if unit in _PACEMAKERS else unit


def read_boot_id() -> str:
    """Return the kernel's random id of this boot (random(4)); containers of one host share it. "" if it is not told."""
    return _read("/proc/sys/kernel/random/boot_id").decode("ascii", "replace").strip()


def fingerprint(process: Process, host: str) -> str:
    """Return an id of 16 digits that a process has as long as it lives, and no other one ever, on whatever host."""
    from hashlib import blake2b

    return blake2b(f"{host} {read_boot_id()} {process.pid} {process.started}".encode(), digest_size=8).hexdigest()


def identity(path: str) -> tuple[int, int] | None:
    """Return what tells a file from every other one, in whatever mount namespace; None where there is none."""
    try:
        seen = os.stat(path)
    except OSError:
        return None
    return seen.st_dev, seen.st_ino


def has_open(pid: int, files: set[tuple[int, int]]) -> bool:
    """Return whether a process has one of the files open."""
    try:
        names = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return False
    return any(identity(f"/proc/{pid}/fd/{name}") in files for name in names)


def find_listening(pid: int) -> str:
    """Return the path of the unix socket that a process listens at, "" where there is none to be seen."""
    import contextlib

    own = set()
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                own.add(os.readlink(f"/proc/{pid}/fd/{name}"))
        with open(f"/proc/{pid}/net/unix", encoding="utf-8", errors="surrogateescape") as file:
            lines = [line.rstrip("\n").split(None, 7) for line in file]
    except OSError:
        return ""
    # Num RefCount Protocol Flags Type St Inode Path; the flag is __SO_ACCEPTCON (net/unix/af_unix.c, unix_seq_show).
    found = (line[7] for line in lines if len(line) == 8 and line[3] == "00010000" and f"socket:[{line[6]}]" in own)
    return next((path for path in found if path.startswith("/")), "")


def _read(path: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(descriptor, _MAX_BYTES)
    except OSError:
        return b""
    finally:
        os.close(descriptor)
