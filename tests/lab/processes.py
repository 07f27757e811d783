"""Finds the laboratory's processes: those in one of its network namespaces, and the containers that hold them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")


def each_pid() -> Iterator[int]:
    return (int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())


def in_namespace(namespace: Path) -> list[int]:
    """The pids, as the machine counts them, of the processes in the network namespace kept at `namespace`."""
    try:
        wanted = os.stat(namespace).st_ino
    except FileNotFoundError:
        return []
    found = []
    for pid in each_pid():
        with suppress(OSError):
            if os.stat(PROC / str(pid) / "ns/net").st_ino == wanted:
                found.append(pid)
    return found


def init_of(namespace: Path) -> int | None:
    """The process that is PID 1 for the host in `namespace`. None while the host has no power."""
    for pid in in_namespace(namespace):
        with suppress(OSError):
            if pid_inside(pid) == 1:
                return pid
    return None


def pid_inside(pid: int) -> int:
    """The number of `pid` in the innermost process namespace that it belongs to."""
    for line in (PROC / str(pid) / "status").read_text().splitlines():
        if line.startswith("NSpid:"):
            return int(line.split()[-1])
    raise ProcessLookupError(pid)


def naming(text: str) -> list[int]:
    """The pids of the processes with an argument that contains `text`, without this process."""
    found = []
    for pid in each_pid():
        with suppress(OSError):
            arguments = (PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
            if pid != os.getpid() and any(text.encode() in argument for argument in arguments):
                found.append(pid)
    return found


def kill(pids: list[int]) -> None:
    """SIGKILL each. A process that is already gone is no error."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
