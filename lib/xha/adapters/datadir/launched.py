"""The servers that a resource has launched, by what their processes themselves still say of it.

What was written down below /run may be gone, and the parameters and the option file may name another directory by now.
A server that a keeper launched has the socket of its resource in its environment, as long as it runs.
"""

from __future__ import annotations

import os

from ...core.galera.known_servers import KnownServer
from ...core.text.light_typing import TYPE_CHECKING
from ..process.procfs import is_gone, read_environ, read_pids, read_process, read_program, read_uid

if TYPE_CHECKING:
    from ..mysqld.trust import Trust


def find_launched(notify_socket: str, trust: Trust) -> tuple[KnownServer, ...]:
    """Return the trusted servers whose keeper gave them this NOTIFY_SOCKET, each with the directory it works in.

    A process that may not be examined is left out: whoever looks for users of the data (users.py) says so.
    :raises OSError: where the system refuses for another reason.
    """
    found = (_examine(pid, notify_socket, trust) for pid in read_pids())
    return tuple(one for one in found if one is not None)


def _examine(pid: int, notify_socket: str, trust: Trust) -> KnownServer | None:
    try:
        program = read_program(pid) if trust.holds_account(pid) else ""
        if program not in trust.programs or read_environ(pid).get("NOTIFY_SOCKET") != notify_socket:
            return None
        if not os.path.samestat(os.stat(f"/proc/{pid}/root"), os.stat("/")):
            return None  # a container's: the same path is another socket there, and its keeper another one
        process, directory = read_process(pid), os.readlink(f"/proc/{pid}/cwd")
        uid = read_uid(pid)
    except OSError as error:
        if is_gone(error) or isinstance(error, PermissionError):
            return None
        raise
    return None if process is None or uid is None else KnownServer(directory, (program,), uid, pid, process.started)
