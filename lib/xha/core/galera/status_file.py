"""The file that a server writes about itself with --wsrep-status-file (MariaDB 10.9 and later, MDEV-26971).

Reading it needs no account, so it works on a server that refuses xha's account. Measured with MariaDB 10.11.19 and
Galera 26.4.23:

- The server replaces the whole file (a new file, renamed; mode 0600) at each change and at no other time. The file of a
  frozen or killed server keeps its last content forever. So whoever reads it must know that the server lives, and
  whoever starts a server removes it first.
- wsrep_desync, a read lock and wsrep_reject_queries do not show: the file says SYNCED.
- DISCONNECTED can mean that the server starts, was evicted, is inconsistent, or has wsrep_on=OFF. Only the errors tell
  which.
- CONNECTED means non-Primary, but a change of the view may also show it for a millisecond.
- A server that cannot write the file says so in its error log, and continues to work.
"""

from __future__ import annotations

from enum import Enum

from ..text.light_typing import TYPE_CHECKING, NamedTuple
from ..text.numbers import parse_json, parse_moment, parse_number

if TYPE_CHECKING:
    from typing import Any


class ServerState(str, Enum):
    """The server's own words (wsrep-lib, reporter.cpp). UNKNOWN stands for any other word."""

    DISCONNECTED = "DISCONNECTED"
    CONNECTED = "CONNECTED"
    JOINING = "JOINING"
    JOINED = "JOINED"
    SYNCED = "SYNCED"
    DONOR = "DONOR"
    DISCONNECTING = "DISCONNECTING"
    UNKNOWN = "UNKNOWN"

    @property
    def in_primary(self) -> bool:
        """Whether a server in this state is a member of a Primary component."""
        return self in (ServerState.JOINING, ServerState.JOINED, ServerState.SYNCED, ServerState.DONOR)


class ServerStatus(NamedTuple):
    """The content of the file.

    comment: the server's own words, such as `Receiving SST`.
    changed_at: when the file was written, in seconds since 1970.
    done and total: progress in the unit of the state, -1 if the server gives none. Older servers give a share, which is
      converted to per mille.
    errors: the last few errors of the server's log, oldest first.
    """

    state: ServerState
    comment: str = ""
    changed_at: float = 0.0
    done: int = -1
    total: int = -1
    errors: tuple[str, ...] = ()

    @property
    def evicted(self) -> bool:
        """Whether the group has shut this server out. Only a restart brings it back."""
        return self.state is ServerState.DISCONNECTED and any("evicted" in error for error in self.errors)

    @property
    def inconsistent(self) -> bool:
        """Whether the group has voted this server out because its rows differ."""
        return self.state is ServerState.DISCONNECTED and any("nconsisten" in error for error in self.errors)


def parse_status_file(text: str) -> ServerStatus | None:
    """Return what the file says, None for a text that is torn, empty or of another shape."""
    try:
        document = parse_json(text)
        said, word = document["status"], document["status"]["state"]
        done, total = _parse_progress(said["progress"])
        return ServerStatus(
            ServerState(word) if word in ServerState.__members__ else ServerState.UNKNOWN,
            _text(said["comment"]),
            parse_moment(document["timestamp"]),
            done,
            total,
            tuple(_text(error["msg"]) for error in document["errors"]),
        )
    except (ValueError, KeyError, TypeError):
        return None


def _parse_progress(value: Any) -> tuple[int, int]:
    """Return done and total. The server sends `total` 0 in a state that has no progress."""
    if isinstance(value, dict):
        done, total = parse_number(value["done"]), parse_number(value["total"])
        return (done, total) if 0 <= done <= total and total > 0 else (-1, -1)
    return (int(value * 1000), 1000) if 0 <= value <= 1 else (-1, -1)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
