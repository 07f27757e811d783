"""Where a process listens, by the kernel's table of unix sockets (proc(5), /proc/net/unix)."""

from __future__ import annotations

import contextlib
import os

from ...core.light_typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

_MOST_SOCKETS = 1 << 23


def find_listening(pid: int) -> str:
    """Return the path of the unix socket that a process listens at, "" where there is none to be seen.

    Any user can bind a path with a line break in it, and so write a line of the kernel's table. Only an absolute path
    counts, in a line of eight fields with the inode of a socket of this process's: of two such lines, neither.
    """
    own = set()
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                own.add(os.readlink(f"/proc/{pid}/fd/{name}"))
        with open(f"/proc/{pid}/net/unix", "rb") as file:
            table = file.read(_MOST_SOCKETS)
    except OSError:
        return ""
    # One that is cut may lack the line that gives another one the lie.
    return parse_listening(table.split(b"\n"), own) if len(table) < _MOST_SOCKETS else ""


def parse_listening(lines: Iterable[bytes], own: Container[str]) -> str:
    """Return the absolute path that one of these sockets listens at, by the lines of /proc/net/unix; "" if unknown."""
    found = [line.split() for line in lines]
    # Num RefCount Protocol Flags Type St Inode Path; the flag is __SO_ACCEPTCON (net/unix/af_unix.c, unix_seq_show).
    mine = [line for line in found if len(line) == 8 and line[3] == b"00010000" and _socket(line[6]) in own]
    inodes = [line[6] for line in mine]
    paths = (os.fsdecode(line[7]) for line in mine if inodes.count(line[6]) == 1)
    return next((path for path in paths if path.startswith("/")), "")


def _socket(inode: bytes) -> str:
    return f"socket:[{inode.decode('ascii', 'replace')}]"
