"""The clients of this host's server, and an end for those that are idle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.node.drain_rule import ClientSeen
from ..network.channel import Allowance
from .session import ReadError, Session

if TYPE_CHECKING:
    from typing import Any

    from .login_target import Target

# Threads of the server itself are no clients, and neither is the commit probe, which may hang. MariaDB and Percona's
# servers have TIME_MS; MySQL's, which have no Galera, do not.
_CLIENTS = (
    "SELECT p.ID, p.COMMAND = 'Sleep', p.TIME_MS, t.trx_started, p.HOST = 'localhost' "
    "FROM information_schema.PROCESSLIST p "
    "LEFT JOIN information_schema.INNODB_TRX t ON p.ID = t.trx_mysql_thread_id WHERE p.ID <> CONNECTION_ID() "
    "AND p.USER NOT IN ('system user', 'event_scheduler', 'unauthenticated user') "
    "AND COALESCE(p.INFO, '') NOT LIKE 'INSERT INTO xha.canary (node, at)%'"
)
_SECONDS = 2.0
# A row takes 60 bytes.
_MOST_BYTES = 4 << 20


class Clients:
    """A connection of its own to the server, for a drain. Nothing of it raises."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._session: Session | None = None

    def look(self) -> tuple[ClientSeen, ...] | None:
        """Return the clients; None if they cannot be read within two seconds."""
        rows = self._execute(_CLIENTS)
        if rows is None:
            return None
        return tuple(
            ClientSeen(int(row[0]), float(row[2]) / 1000 if int(row[1]) else None, str(row[3] or ""), bool(int(row[4])))
            for row in rows
        )

    def close_connection(self, number: int) -> bool:
        """Close a client's connection. Return whether it was there."""
        return self._execute(f"KILL CONNECTION {number:d}") is not None

    def _execute(self, statement: str) -> tuple[tuple[Any, ...], ...] | None:
        allowance = Allowance(_SECONDS, _MOST_BYTES)
        try:
            if self._session is None or not self._session.is_open:
                self._session = Session(self._target, allowance)
            return self._session.execute(statement, allowance)
        except ReadError:
            return None

    def close(self) -> None:
        """Log out."""
        if self._session is not None:
            self._session.close()
