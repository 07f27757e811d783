"""The clients of this host's server, and an end for those that are idle."""

from __future__ import annotations

import time
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
# InnoDB copies its transactions for INNODB_TRX at most every 0.1 s, and each look at the copy puts that off
# (trx0i_s.cc, can_cache_be_updated; measured: by looks 50 ms apart a transaction is not seen within 1.5 s). Who looks
# again waits.
LOOK_PAUSE = 0.12
# A client may begin to work between the look and the KILL: the server compares how long it has been idle by then.
_KILL_IDLE = (
    "BEGIN NOT ATOMIC IF EXISTS (SELECT 1 FROM information_schema.PROCESSLIST "
    "WHERE ID = {number:d} AND COMMAND = 'Sleep' AND TIME_MS >= {idle:.1f}) "
    "THEN KILL CONNECTION {number:d}; SELECT 1; END IF; END"
)
_ROUNDING_MS = 2.0
_PARSE_ERROR = 1064
# A restarted server gives its clients the numbers of others.
_REMEMBERED_SECONDS = 10.0
_SECONDS = 2.0
# A row takes 60 bytes.
_MOST_BYTES = 4 << 20


class Clients:
    """A connection of its own to the server, for a drain. Nothing of it raises.

    What it knows of the clients outlives `close`: the next look logs in again.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._session: Session | None = None
        self._idle: dict[int, float] = {}  # by number: for how many seconds, at the last look
        self._first: dict[int, float] = {}  # by number: when a look first met it, by the monotonic clock
        self._looked_at, self._errno = 0.0, 0

    def look(self) -> tuple[ClientSeen, ...] | None:
        """Return the clients; None if they cannot be read within two seconds."""
        self._idle.clear()
        rows = self._execute(_CLIENTS)
        if rows is None:
            return None
        now = time.monotonic()
        if now - self._looked_at > _REMEMBERED_SECONDS:
            self._first.clear()
        self._looked_at = now
        there = tuple(
            ClientSeen(
                number=int(row[0]),
                idle=float(row[2]) / 1000 if int(row[1]) else None,
                transaction=str(row[3] or ""),
                local=bool(int(row[4])),
                known=now - self._first.get(int(row[0]), now),
            )
            for row in rows
        )
        self._first = {one.number: now - one.known for one in there}
        self._idle.update((one.number, one.idle) for one in there if one.idle is not None)
        return there

    def close_connection(self, number: int) -> bool:
        """Close the connection of a client that has been idle since the last look. Return whether that was so."""
        if number not in self._idle:
            return False
        idle = self._idle[number] + time.monotonic() - self._looked_at
        closed = self._execute(_KILL_IDLE.format(number=number, idle=idle * 1000 - _ROUNDING_MS))
        if closed is None and self._errno == _PARSE_ERROR:  # MySQL and Percona's have no such statement
            return self._execute(f"KILL CONNECTION {number:d}") is not None
        return bool(closed)

    def _execute(self, statement: str) -> tuple[tuple[Any, ...], ...] | None:
        allowance = Allowance(_SECONDS, _MOST_BYTES)
        try:
            if self._session is None or not self._session.is_open:
                self._session = Session(self._target, allowance)
            return self._session.execute(statement, allowance)
        except ReadError as error:
            self._errno = error.errno
            return None

    def close(self) -> None:
        """Log out."""
        if self._session is not None:
            self._session.close()
