"""What a server wrote about leaving its group: its status file, or its error log.

SHOW GLOBAL STATUS does not tell an eviction from other reasons. The server's account owns both files, and the server
names them, so they are opened as that account (files/as_account.py). A reader that is neither root nor that account can
seldom read them, and then knows less.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from ...core.galera.error_log import find_errors, is_evicted, since_start, tell
from ...core.galera.reading import Departure
from ...core.galera.status_file import parse_status_file
from ...core.text.escape import clean
from .error_log import read_log, read_written_at
from .program import Unusable, find_account

if TYPE_CHECKING:
    from ...core.galera.reading import Reading, Variables

# For each of the two files. The server's account may name one that never answers, and a keeper or a monitor waits.
_SECONDS = 0.5
_NOT_SET = ("", "none", "OFF", "stderr")


def read_departure(reading: Reading, server_user: str) -> Departure | None:
    """Return what the server of this host wrote last; None if it wrote nothing that this process may read.

    server_user: the login name of the server's account.
    """
    variables = reading.variables
    own = _wrote(variables, variables.wsrep_status_file, server_user, reading.status.uptime)
    status = parse_status_file(_read(variables, variables.wsrep_status_file, server_user)) if own else None
    if status is not None and status.errors:
        return Departure(status.evicted, clean(status.errors[-1]))
    log = _read(variables, variables.log_error, server_user)
    return Departure(is_evicted(log), clean(tell(find_errors(since_start(log))))) if log else None


def _wrote(variables: Variables, name: str | None, server_user: str, uptime: int | None) -> bool:
    """Return whether this very server wrote the file: one that cannot leaves what an earlier one wrote.

    uptime: in whole seconds; where it is not known, neither is that. What is of the future says nothing.
    """
    place = _place(variables, name)
    if place is None or uptime is None:
        return False
    try:
        written = read_written_at(find_account(server_user), place, _SECONDS)
    except (Unusable, OSError, ValueError):
        return False
    now = time.time()
    return now - uptime - 1 <= written <= now + 1


def _read(variables: Variables, name: str | None, server_user: str) -> str:
    place = _place(variables, name)
    if place is None:
        return ""
    try:
        return read_log(find_account(server_user), place, seconds=_SECONDS)
    except (Unusable, OSError, ValueError):  # ValueError: no name of a file, as one with a NUL byte
        return ""


def _place(variables: Variables, name: str | None) -> str | None:
    if name is None or name in _NOT_SET or not variables.datadir:
        return None
    return os.path.join(variables.datadir, name)
