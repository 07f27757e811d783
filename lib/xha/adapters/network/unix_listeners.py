"""The path at which a process listens, from the kernel's table of unix sockets (proc(5), /proc/net/unix)."""

from __future__ import annotations

import contextlib
import os

from ...core.text.light_typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

_MOST_SOCKETS = 1 << 23


def find_listening(pid: int) -> str:
    """Return the path of the unix socket at which a process listens; "" if none can be seen.

    Any user can bind a path that contains a line break, and so add a line to the kernel's table. Only an absolute path
    counts, in a line of eight fields with the inode of a socket of this process. If two lines have the same inode,
    neither counts.
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
    # A truncated table may lack the second line that would disqualify the first.
    return parse_listening(table.split(b"\n"), own) if len(table) < _MOST_SOCKETS else ""


def parse_listening(lines: Iterable[bytes], own: Container[str]) -> str:
    """Return the absolute path at which one of these sockets listens, from lines of /proc/net/unix; "" if unknown."""
    found = [line.split() for line in lines]
    # Num RefCount Protocol Flags Type St Inode Path; the flag is __SO_ACCEPTCON (net/unix/af_unix.c, unix_seq_show).
    mine = [line for line in found if len(line) == 8 and line[3] == b"00010000" and _socket(line[6]) in own]
    inodes = [line[6] for line in mine]
    paths = (os.fsdecode(line[7]) for line in mine if inodes.count(line[6]) == 1)
    return next((path for path in paths if path.startswith("/")), "")


def _socket(inode: bytes) -> str:
    return f"socket:[{inode.decode('ascii', 'replace')}]"
