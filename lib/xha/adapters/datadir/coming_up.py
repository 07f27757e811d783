"""Whether a server to which nobody can log in is coming up: it has been started, and does not listen yet.

InnoDB's recovery after a crash, and the wait for a group, take minutes, and a restart begins them anew. What tells such
a server from one that is down is its process (joiner.py says whose counts). What tells it from one that ends, which
listens no more either, is its error log. A reader that may not open that log knows only that a process is there; if
that was started after the last answer, it cannot have been the one that answered.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, NamedTuple

from ...core.galera.error_log import has_come_up
from ..mysqld.error_log import read_log, read_written_at
from ..mysqld.program import Unusable, find_account
from ..process.age import age_of
from .joiner import find_asked_server, option_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from ..process.procfs import Process
    from .joiner import Asked

# A recovery writes a line every 15 s (InnoDB, "To recover"); whoever waits for its group writes every second or two.
_WRITES_SECONDS = 60.0
# The server's account names the log, and a probe waits.
_READ_SECONDS = 0.5


class ComingUp(NamedTuple):
    """What is known of a process that could be the server. sure: it is coming up; else that is not known, or untrue."""

    text: str
    sure: bool


class ComingUpWatch:
    """Looks at the server that was asked. From one look to the next it remembers how much that has worked."""

    def __init__(self) -> None:
        self._process = (0, 0)
        self._ticks, self._worked_at = -1, 0.0

    def look(self, asked: Asked, uids: Collection[int], server_user: str, answered_at: float | None) -> ComingUp | None:
        """Return what is known; None if there is no such process, or nothing can be seen.

        server_user: the login name of the server's account. answered_at: when a server answered there last, by the
        monotonic clock.
        """
        try:
            server = find_asked_server(asked, uids)
        except OSError:
            return None
        if server is None or server.stopped:
            return None
        self._note(server)
        return _by_log(server, server_user) or self._by_process(server, answered_at)

    def _note(self, server: Process) -> None:
        if self._process != (server.pid, server.started) or self._ticks != server.ticks:
            self._worked_at = time.monotonic()
        self._process, self._ticks = (server.pid, server.started), server.ticks

    def _by_process(self, server: Process, answered_at: float | None) -> ComingUp:
        now = time.monotonic()
        started_at = now - age_of(server.started)
        if answered_at is not None and started_at > answered_at and now - self._worked_at < _WRITES_SECONDS:
            return ComingUp(f"{server} was started {now - started_at:.0f} s ago, and works", sure=True)
        why = "its error log cannot be read from here"
        return ComingUp(
            f"{server} runs and does not listen; whether it comes up or ends is not known: {why}", sure=False
        )


def _by_log(server: Process, server_user: str) -> ComingUp | None:
    """Return what its error log says; None where that cannot be read, or does not go back to its start."""
    try:
        path = option_of(server.argv, "--log-error") or os.readlink(f"/proc/{server.pid}/fd/2")
        if not path.startswith("/") or path.startswith("/dev/"):
            return None
        account = find_account(server_user)
        come_up = has_come_up(read_log(account, path, seconds=_READ_SECONDS))
        quiet = max(0.0, time.time() - read_written_at(account, path, _READ_SECONDS))
    except (OSError, Unusable, ValueError):
        return None
    if come_up is None:
        return None
    if come_up:
        return ComingUp(f"{server} has served, and listens no more: by its error log it ends", sure=False)
    wrote = f"by its error log, to which it wrote {quiet:.0f} s ago"
    return ComingUp(f"{server} comes up, {wrote}", sure=quiet < _WRITES_SECONDS)
