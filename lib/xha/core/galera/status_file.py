"""What a server writes about itself into --wsrep-status-file (MariaDB 10.9 and later, MDEV-26971).

Read without an account, and so on a server that refuses ours. Measured with MariaDB 10.11.19 and Galera 26.4.23:
- It is replaced as a whole (a new file, renamed; mode 0600) at each change and at nothing else. A frozen server's and a
  killed one's says for ever what was true last: who reads it must know that the server lives, who starts a server
  removes it first.
- wsrep_desync, a read lock and wsrep_reject_queries do not show: it says SYNCED.
- DISCONNECTED is a server that starts, was evicted, is inconsistent, or has wsrep_on=OFF: only the errors tell.
- A change of the view may show CONNECTED, which else is non-Primary, for a millisecond.
- A server that cannot write it says so in its error log, and works on.
"""

from __future__ import annotations

from enum import Enum

from ..light_typing import TYPE_CHECKING, NamedTuple
from ..text.numbers import parse_json, parse_moment, parse_number

if TYPE_CHECKING:
    from typing import Any


class ServerState(str, Enum):
    """The server's words (wsrep-lib, reporter.cpp). UNKNOWN is any other word."""

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
    """The file's content.

    comment is the server's own, such as `Receiving SST`. changed_at: seconds since 1970, when it was written. done and
    total: progress in the unit of the state, -1 where the server gives none; older
    servers give a share, here in per mille. errors: what its error log had, oldest first, the last few.
    """

    state: ServerState
    comment: str = ""
    changed_at: float = 0.0
    done: int = -1
    total: int = -1
    errors: tuple[str, ...] = ()

    @property
    def evicted(self) -> bool:
        """Whether the group has shut this server out: it comes back only by a restart."""
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
    """Return done and total. `total` of 0 is the server's word for a state in which there is nothing to be done."""
    if isinstance(value, dict):
        done, total = parse_number(value["done"]), parse_number(value["total"])
        return (done, total) if 0 <= done <= total and total > 0 else (-1, -1)
    return (int(value * 1000), 1000) if 0 <= value <= 1 else (-1, -1)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
