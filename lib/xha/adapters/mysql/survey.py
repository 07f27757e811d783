"""All settings and counters of a server, what its tables lack, and its accounts: read by xha-check doctor, once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ...core.doctor.facts import DatabaseAccount, ServerFacts, TableFacts
from ..network.channel import Allowance
from .commit_probe import SHAPE
from .session import Session

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

    from .login_target import Target

# MariaDB 10.11 sends 60 KiB of each (measured). The tables of a schema are asked for the first ones only.
_MOST_BYTES = 8 << 20
_WRITTEN = ("wsrep_replicated_bytes", "wsrep_received_bytes")
_USERS = (
    "t.TABLE_TYPE = 'BASE TABLE' AND t.TABLE_SCHEMA NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')"
)
_KEYLESS = (
    "SELECT t.TABLE_SCHEMA, t.TABLE_NAME FROM information_schema.TABLES t LEFT JOIN "  # noqa: S608
    "information_schema.TABLE_CONSTRAINTS c ON c.TABLE_SCHEMA = t.TABLE_SCHEMA AND c.TABLE_NAME = t.TABLE_NAME AND "
    f"c.CONSTRAINT_TYPE = 'PRIMARY KEY' WHERE {_USERS} AND c.CONSTRAINT_NAME IS NULL AND t.ENGINE = 'InnoDB' LIMIT 1000"
)
_OTHERS = (
    f"SELECT t.TABLE_SCHEMA, t.TABLE_NAME, t.ENGINE FROM information_schema.TABLES t WHERE {_USERS} "  # noqa: S608
    "AND t.ENGINE <> 'InnoDB' AND t.ENGINE <> 'SEQUENCE' LIMIT 1000"
)


class Survey:
    """A connection that only reads. seconds: for each question.

    :raises ReadError: from the constructor and from every method.
    """

    def __init__(self, target: Target, seconds: float) -> None:
        self.target, self._seconds = target, seconds
        self._session = Session(target, self._allowance())

    def read_server(self, sample: float) -> ServerFacts:
        """Return what the server says of itself, and what is written a second, counted over `sample` seconds."""
        before, began = self._pairs("SHOW GLOBAL STATUS"), time.monotonic()
        variables = self._pairs("SHOW GLOBAL VARIABLES")
        time.sleep(max(0.0, sample - (time.monotonic() - began)))
        after, took = self._pairs("SHOW GLOBAL STATUS"), time.monotonic() - began
        return ServerFacts(str(self.target), variables, after, _rate(before, after, took))

    def ask(self, statement: str, *parameters: object) -> tuple[tuple[str, ...], ...]:
        """Return the rows of a question, as texts; NULL is ""."""
        if not self._session.is_open:  # a refusal ends a session
            self._session = Session(self.target, self._allowance())
        rows: tuple[tuple[Any, ...], ...] = self._session.execute(statement, self._allowance(), *parameters)
        return tuple(tuple("" if cell is None else str(cell) for cell in row) for row in rows)

    def read_tables(self) -> TableFacts:
        """Return what users' tables lack. Each table that is open is looked at; one that is not is opened for it."""
        keyless, others = self.ask(_KEYLESS), self.ask(_OTHERS)
        size = self.ask("SELECT COALESCE(SUM(DATA_LENGTH + INDEX_LENGTH), 0) FROM information_schema.TABLES")
        canary = self.ask(SHAPE)
        return TableFacts(
            tuple(f"{schema}.{table}" for schema, table in keyless),
            tuple(f"{schema}.{table} ({engine})" for schema, table, engine in others),
            (canary[0][0].lower(), canary[0][1]) if canary else (),
            int(size[0][0].partition(".")[0]),
        )

    def read_accounts(self, users: Collection[str]) -> tuple[DatabaseAccount, ...]:
        """Return all accounts; the grants only of these users. What a grant says of a password is left out."""
        rows = self.ask("SELECT User, Host, max_user_connections FROM mysql.user WHERE Host <> ''")
        found = []
        for user, host, most in rows:
            lines = self.ask("SHOW GRANTS FOR %s@%s", user, host) if user in users else ()
            grants = tuple(line[0].partition(" TO ")[0] for line in lines)
            found.append(DatabaseAccount(user, host, grants, int(most or 0)))
        return tuple(found)

    def read_own_grants(self) -> DatabaseAccount:
        """Return the account of this connection, with its grants."""
        ((name,),) = self.ask("SELECT CURRENT_USER()")
        user, _, host = name.rpartition("@")
        return DatabaseAccount(user, host, tuple(row[0].partition(" TO ")[0] for row in self.ask("SHOW GRANTS")))

    def read_clock(self) -> float:
        """Return by how many seconds the server's clock is ahead of this host's."""
        before = time.time()
        ((told,),) = self.ask("SELECT UNIX_TIMESTAMP(SYSDATE(6))")
        return float(told) - (before + time.time()) / 2

    def close(self) -> None:
        """Log out."""
        self._session.close()

    def _pairs(self, statement: str) -> dict[str, str]:
        return {row[0].lower(): row[1] for row in self.ask(statement) if len(row) == 2}

    def _allowance(self) -> Allowance:
        return Allowance(self._seconds, _MOST_BYTES)


def _rate(before: dict[str, str], after: dict[str, str], seconds: float) -> float | None:
    try:
        written = sum(int(after[name]) - int(before[name]) for name in _WRITTEN)
    except (KeyError, ValueError):
        return None
    return max(0.0, written / seconds) if seconds > 0 else None
