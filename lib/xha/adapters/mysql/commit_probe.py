"""The commit probe's own connection: a row in xha.canary, and never a second statement while the first is out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.galera.reading import parse_status
from ..network.channel import Allowance
from .session import Session

if TYPE_CHECKING:
    from .login_target import Target

# A conflict with another write, a lock that another session holds, an interrupted query.
AGAIN = (1213, 1205, 1317)
# What says that the server cannot store the row.
FAILED = (1180, 1021, 1114, 1026, 3)
_LOGIN_SECONDS = 5.0
# A statement that the server does not answer stays in the server, whoever gives up. Waiting costs one sleeping thread.
_PATIENCE = 86400.0
# Without it a lock on the table or the row would look like a node that cannot commit. MySQL makes a second of 0.
_PREPARE = "SET SESSION autocommit = 1, lock_wait_timeout = 0, innodb_lock_wait_timeout = 0"
_WRITE = "INSERT INTO xha.canary (node, at) VALUES (%s, NOW(3)) ON DUPLICATE KEY UPDATE at = NOW(3)"
# An account sees its own threads without any privilege. This finds what an earlier process has left in the server.
_OUTSTANDING = (
    "SELECT MAX(TIME) FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND INFO LIKE "
    "'INSERT INTO xha.canary (node, at)%'"
)


class CommitProbe:
    """A connection that only this probe uses. :raises ReadError: from all methods, with the server's error number."""

    def __init__(self, target: Target) -> None:
        self._session = Session(target, Allowance(_LOGIN_SECONDS))
        self._session.execute(_PREPARE, Allowance(_LOGIN_SECONDS))

    @property
    def is_open(self) -> bool:
        """Whether the next statement may succeed."""
        return self._session.is_open

    def find_outstanding(self) -> float | None:
        """Return for how many seconds another session's statement of the probe waits; None if none does."""
        rows = self._session.execute(_OUTSTANDING, Allowance(_LOGIN_SECONDS))
        seconds = rows[0][0] if rows else None
        return None if seconds is None else float(seconds)

    def count_ordered(self) -> int | None:
        """Return how many write sets of this node the group has ordered so far; None without Galera."""
        rows = self._session.execute("SHOW GLOBAL STATUS LIKE 'wsrep_replicated'", Allowance(_LOGIN_SECONDS))
        return parse_status(rows).wsrep_replicated

    def write(self, node: str) -> None:
        """Write and commit the node's row. It returns when the server has answered."""
        self._session.execute(_WRITE, Allowance(_PATIENCE), node)

    def close(self) -> None:
        """Close the connection."""
        self._session.close()
