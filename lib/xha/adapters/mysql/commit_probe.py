"""The commit probe's own connection: a row in xha.canary, and never a second statement while the first is out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...core.galera.reading import parse_status
from ...core.node.verdict import Code, Unreadable
from ..network.channel import Allowance
from .session import ReadError, Session

if TYPE_CHECKING:
    from .login_target import Target

# A conflict with another write, a lock that another session holds, an interrupted query.
AGAIN = (1213, 1205, 1317)
# What says that the server cannot store the row; and what does with the system's number for a full disk or quota.
_CANNOT_STORE = (1180, 1021, 1114, 1026, 3)
_ENGINE_FAILED, _NO_ROOM = 1030, re.compile(r"\berror (28|122)\b")
_LOGIN_SECONDS = 5.0
# A statement that the server does not answer stays in the server, whoever gives up. Waiting costs one sleeping thread.
_PATIENCE = 86400.0
# Without it a lock on the table or the row would look like a node that cannot commit. MySQL makes a second of 0.
_PREPARE = "SET SESSION autocommit = 1, lock_wait_timeout = 0, innodb_lock_wait_timeout = 0"
_WRITE = "INSERT INTO xha.canary (node, at) VALUES (%s, NOW(3)) ON DUPLICATE KEY UPDATE at = NOW(3)"
# An account sees its own threads without any privilege. This finds what an earlier process has left in the server. An
# applier shows the statement of another node while it applies its row.
_OUTSTANDING = (
    "SELECT MAX(TIME) FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND USER <> 'system user' "
    "AND INFO LIKE 'INSERT INTO xha.canary (node, at)%'"
)
_LOCKED = "SELECT GREATEST(@@lock_wait_timeout, @@innodb_lock_wait_timeout)"
# InnoDB ends such a wait up to a second late.
_LOCKS_CHECKED = 1.0
# Another engine commits without Galera, and without this key each write would leave a row more.
SHAPE = (
    "SELECT t.ENGINE, (SELECT GROUP_CONCAT(c.COLUMN_NAME) FROM information_schema.COLUMNS c WHERE "
    "c.TABLE_SCHEMA = 'xha' AND c.TABLE_NAME = 'canary' AND c.COLUMN_KEY = 'PRI') "
    "FROM information_schema.TABLES t WHERE t.TABLE_SCHEMA = 'xha' AND t.TABLE_NAME = 'canary'"
)


def cannot_store(errno: int, text: str) -> bool:
    """Return whether an error of the probe says that the server cannot store the row. text: the server's own."""
    return errno in _CANNOT_STORE or (errno == _ENGINE_FAILED and _NO_ROOM.search(text) is not None)


class CommitProbe:
    """A connection that only this probe uses. lock_seconds: how long a lock may hold up a write of it.

    :raises ReadError: from all methods, with the server's error number.
    """

    def __init__(self, target: Target) -> None:
        self._session = Session(target, Allowance(_LOGIN_SECONDS))
        self._session.execute(_PREPARE, Allowance(_LOGIN_SECONDS))
        waits = float(self._session.execute(_LOCKED, Allowance(_LOGIN_SECONDS))[0][0])
        self.lock_seconds = waits + _LOCKS_CHECKED if waits else 0.0

    def check_table(self) -> None:
        """Refuse a table to which a write proves nothing, or that grows. Of one that it cannot see, the write tells."""
        for engine, key in self._session.execute(SHAPE, Allowance(_LOGIN_SECONDS)):
            if (str(engine).lower(), key) != ("innodb", "node"):
                self.close()
                wrong = (
                    f"xha.canary has ENGINE={engine} and PRIMARY KEY ({key or 'none'}): make it as docs/commits.md says"
                )
                raise ReadError(Unreadable(Code.CONFIG_ERROR, wrong))

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
