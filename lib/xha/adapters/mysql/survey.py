"""All settings and counters of a server, what its tables lack, and its accounts: read by xha-check doctor, once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ...core.doctor.facts import DatabaseAccount, ServerFacts, TableFacts
from ...core.node.verdict import Code, Unreadable
from ...core.text.escape import clean
from ...core.text.numbers import LATEST, parse_float, parse_int
from ..network.channel import Allowance
from .commit_probe import SHAPE
from .session import ReadError, Session

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
        keyless, others = self._table(2, _KEYLESS), self._table(3, _OTHERS)
        size = self._value("SELECT COALESCE(SUM(DATA_LENGTH + INDEX_LENGTH), 0) FROM information_schema.TABLES")
        canary = self._table(2, SHAPE)
        return TableFacts(
            tuple(f"{schema}.{table}" for schema, table in keyless),
            tuple(f"{schema}.{table} ({engine})" for schema, table, engine in others),
            (canary[0][0].lower(), canary[0][1]) if canary else (),
            self._number("the size of all tables", size),
        )

    def read_accounts(self, users: Collection[str]) -> tuple[DatabaseAccount, ...]:
        """Return all accounts; the grants only of these users. What a grant says of a password is left out."""
        rows = self._table(3, "SELECT User, Host, max_user_connections FROM mysql.user WHERE Host <> ''")
        found = []
        for user, host, most in rows:
            lines = self._table(1, "SHOW GRANTS FOR %s@%s", user, host) if user in users else ()
            grants = tuple(_without_password(line[0]) for line in lines)
            found.append(
                DatabaseAccount(user, host, grants, self._number(f"max_user_connections of {user}", most or "0"))
            )
        return tuple(found)

    def read_own_grants(self) -> DatabaseAccount:
        """Return the account of this connection, with its grants."""
        name = self._value("SELECT CURRENT_USER()")
        user, _, host = name.rpartition("@")
        return DatabaseAccount(user, host, tuple(_without_password(row[0]) for row in self._table(1, "SHOW GRANTS")))

    def read_clock(self) -> float:
        """Return by how many seconds the server's clock is ahead of this host's."""
        before = time.time()
        told = self._value("SELECT UNIX_TIMESTAMP(SYSDATE(6))")
        seconds = parse_float(told)
        if seconds is None or not 0 <= seconds <= LATEST:
            raise self._unfit("its clock", told)
        return seconds - (before + time.time()) / 2

    def close(self) -> None:
        """Log out."""
        self._session.close()

    def _table(self, columns: int, statement: str, *parameters: object) -> tuple[tuple[str, ...], ...]:
        rows = self.ask(statement, *parameters)
        for row in rows:
            if len(row) != columns:
                raise self._unfit(f"rows of {columns} columns", ", ".join(row))
        return rows

    def _value(self, statement: str) -> str:
        rows = self._table(1, statement)
        if len(rows) != 1:
            raise self._unfit("one row", f"{len(rows)} rows")
        return rows[0][0]

    def _number(self, what: str, text: str) -> int:
        number = parse_int(text.partition(".")[0])
        if number is None:
            raise self._unfit(what, text)
        return number

    def _unfit(self, what: str, told: str) -> ReadError:
        detail = f"{self.target}: asked for {what}, it answers {clean(told, 100)!r}; find out what answers there"
        return ReadError(Unreadable(Code.CONFIG_ERROR, detail))

    def _pairs(self, statement: str) -> dict[str, str]:
        return {row[0].lower(): row[1] for row in self.ask(statement) if len(row) == 2}

    def _allowance(self) -> Allowance:
        return Allowance(self._seconds, _MOST_BYTES)


def _without_password(grant: str) -> str:
    """Return a line of SHOW GRANTS up to TO. GRANT OPTION, which follows it, is put among the privileges."""
    before, _, after = grant.partition(" TO ")
    hands_on = " GRANT OPTION" in after and " ON " in before
    return before.replace("GRANT ", "GRANT GRANT OPTION, ", 1) if hands_on else before


def _rate(before: dict[str, str], after: dict[str, str], seconds: float) -> float | None:
    try:
        counts = [(parse_int(before[name]), parse_int(after[name])) for name in _WRITTEN]
    except KeyError:
        return None
    written = [late - early for early, late in counts if early is not None and late is not None]
    return max(0.0, sum(written) / seconds) if seconds > 0 and len(written) == len(_WRITTEN) else None
