"""One connection to a MariaDB or Percona server (PyMySQL)."""

from __future__ import annotations

import contextlib
import errno
import socket
from typing import TYPE_CHECKING

from ...core.config.xha_conf import DEFAULT_QUERY
from ...core.galera.reading import (
    STATUS_NAMES,
    VARIABLE_NAMES,
    Reading,
    Working,
    parse_status,
    parse_threads,
    parse_variables,
)
from ...core.node.refusals import code_of_error
from ...core.node.verdict import Code, Unreadable
from ...core.text.escape import clean
from ..host.login_name import account_name
from ..network.channel import Allowance, Nonsense, TooLate, WrongAccount
from .authentication import LoginRefused, open_connection
from .driver import CR, ER, pymysql

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .login_target import Target

# Seconds for closing a connection properly: a server that does not accept five bytes need not be told.
_CLOSE_SECONDS = 0.1
# The longest message of a server has 512 characters (MYSQL_ERRMSG_SIZE).
_LONGEST_TEXT = 512

# PyMySQL's own numbers, those of MySQL's client library, begin at 2000; MariaDB's and MySQL's new ones at 3000.
_CLIENT_ERRORS = range(2000, 3000)
_AUTH_PLUGIN = 2059
_GONE = {CR.CR_SERVER_LOST, CR.CR_SERVER_GONE_ERROR, CR.CR_CONN_HOST_ERROR}
_OWN_WANT = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
# The probe query itself is wrong; the node is not.
_BAD_QUERY = {
    ER.NO_SUCH_TABLE,
    ER.BAD_DB_ERROR,
    ER.PARSE_ERROR,
    ER.BAD_FIELD_ERROR,
    ER.TABLEACCESS_DENIED_ERROR,
    ER.COLUMNACCESS_DENIED_ERROR,
    ER.DBACCESS_DENIED_ERROR,
    ER.NO_DB_ERROR,
}


def _name_list(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


# SHOW and not SELECT: a SELECT on the status tables can wait for the cluster (wsrep_sync_wait; measured).
_SHOW = (
    f"SHOW GLOBAL STATUS WHERE Variable_name IN ({_name_list(STATUS_NAMES)}); "
    f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({_name_list(VARIABLE_NAMES)}); "
)


# What holds up the commits that come after it: statements on definitions, and the appliers. Without the privilege
# PROCESS an account sees only its own threads. The limit keeps the answer small, however many clients there are.
# What programs write before such a statement: comments, also conditional ones, and MariaDB's SET STATEMENT ... FOR.
_BEFORE = "([[:space:]]|/[*][^*]*[*]+([^/*][^*]*[*]+)*/|/[*]M?![0-9]*|SET[[:space:]]+STATEMENT[^;]* FOR[[:space:]])*"
_WORDS = "ALTER|CREATE|DROP|TRUNCATE|RENAME|OPTIMIZE|REPAIR|ANALYZE"
DEFINITION = f"^{_BEFORE}({_WORDS})[[:space:]]"
_DEFINES = f"LEFT(INFO, 512) REGEXP '{DEFINITION}'"
# Never more of a statement: it may hold a password.
_WORD = f"IF(LTRIM(INFO) REGEXP '^({_WORDS})', UPPER(LEFT(LTRIM(INFO), 8)), 'DDL')"
_THREADS = (
    f"SELECT USER, STATE, IF({_DEFINES}, {_WORD}, '') FROM information_schema.PROCESSLIST "  # noqa: S608
    f"WHERE ID <> CONNECTION_ID() AND (USER = 'system user' OR {_DEFINES}) LIMIT 256"
)


class ReadError(Exception):
    """The server was asked, and there is no reading. errno: the error number of the server or its library, or 0."""

    def __init__(self, unreadable: Unreadable, errno: int = 0) -> None:
        super().__init__(unreadable.detail)
        self.unreadable, self.errno = unreadable, errno


class Session:
    """One open connection, prepared so that no reading waits for the cluster.

    :raises ReadError: from the constructor, read and execute. The connection is then closed, except after a wrong probe
    query.
    """

    def __init__(self, target: Target, allowance: Allowance, probe_query: str = DEFAULT_QUERY) -> None:
        self.target = target
        self._statements = _SHOW + probe_query
        try:
            self._connection = open_connection(target, allowance)
        except Exception as error:
            raise ReadError(_classify(error, target)) from None
        with self._speaking(allowance), self._connection.cursor() as cursor:
            try:
                cursor.execute("SET SESSION wsrep_sync_wait = 0, wsrep_dirty_reads = 0")
            except pymysql.MySQLError as error:
                # A server without Galera has no such variables: its reading gives wsrep-off.
                if _errno(error) != ER.UNKNOWN_SYSTEM_VARIABLE:
                    raise

    def read(self, allowance: Allowance) -> Reading:
        """Read the node in one round trip."""
        with self._speaking(allowance), self._connection.cursor() as cursor:
            cursor.execute(self._statements)
            status = parse_status(cursor.fetchall())
            cursor.nextset()
            variables = parse_variables(cursor.fetchall())
            return Reading(status, variables, self._probe_errno(cursor))

    def read_threads(self, allowance: Allowance) -> Working | None:
        """Read what may hold up commits; None if the account may not see it."""
        rows = self.execute(_THREADS, allowance)
        # Whatever a server calls its columns' types: they are texts here, and three.
        texts = [tuple(str(cell or "") for cell in row) for row in rows]
        return parse_threads((text[0], text[1], text[2]) for text in texts if len(text) == 3)

    def execute(self, statement: str, allowance: Allowance, *parameters: object) -> tuple[tuple[Any, ...], ...]:
        """Execute one statement, and return its rows."""
        with self._speaking(allowance), self._connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return tuple(cursor.fetchall())

    @contextlib.contextmanager
    def _speaking(self, allowance: Allowance) -> Iterator[None]:
        """Turn every failure into a ReadError with a readable text: PyMySQL's parsers raise various errors."""
        self._connection.channel.allowance = allowance
        try:
            yield
        except ReadError:  # the server has answered; the probe query was wrong
            raise
        except Exception as error:
            self.close()
            raise ReadError(_classify(error, self.target), _errno(error)) from None

    def _probe_errno(self, cursor: pymysql.cursors.Cursor) -> int:
        try:
            while cursor.nextset():
                pass
        except pymysql.MySQLError as error:
            number = _errno(error)
            if number in _BAD_QUERY:
                raise ReadError(Unreadable(Code.CONFIG_ERROR, f"probe_query: {_text(error)}")) from None
            if number == ER.SERVER_SHUTDOWN or number < 1000 or number in _CLIENT_ERRORS:
                raise
            return number
        return 0

    @property
    def is_open(self) -> bool:
        """Whether the next read may succeed."""
        return self._connection.open

    def close(self) -> None:
        """Close the connection. A second call does nothing."""
        if self._connection.open:
            self._connection.channel.allowance = Allowance(_CLOSE_SECONDS)
            self._connection.close()


def _classify(error: Exception, target: Target) -> Unreadable:
    """Classify a failure.

    SERVER_DOWN only for what proves that no server is there: a failed check is no failed database.
    """
    number = _errno(error)
    # PyMySQL wraps the operating system's error.
    wrapped = getattr(error, "original_exception", None) or error.__context__
    cause = wrapped if wrapped and not isinstance(error, OSError) else error
    detail = f"{target}: {_text(error)}"
    # A unix socket whose backlog is full refuses at once: the server does not accept the connections that wait.
    if isinstance(error, TooLate) or isinstance(cause, BlockingIOError):
        return Unreadable(Code.HUNG, f"{target}: no answer in time")
    if isinstance(error, LoginRefused) or number == _AUTH_PLUGIN:
        return Unreadable(Code.ACCESS_DENIED, detail)
    if number >= 1000 and number not in _CLIENT_ERRORS:  # the server's own word
        return _refusal(number, detail, target)
    if isinstance(error, WrongAccount):
        return Unreadable(Code.CONFIG_ERROR, f"{target}: {_wrong_account_text(error.uid, target)}")
    # A name that does not resolve, and a resource that this process lacks, say nothing about the server.
    mine = isinstance(cause, OSError) and cause.errno in _OWN_WANT
    if mine or isinstance(cause, (PermissionError, socket.gaierror)) or type(cause).__module__ == "ssl":
        return Unreadable(Code.CONFIG_ERROR, f"{target}: {_os_text(cause)}")
    if isinstance(error, OSError) or number in _GONE:
        return Unreadable(Code.SERVER_DOWN, f"{target}: {_os_text(cause)}" if isinstance(cause, OSError) else detail)
    if number:
        return Unreadable(Code.CONFIG_ERROR, detail)
    known = isinstance(error, (Nonsense, pymysql.MySQLError))
    said = _text(error) if known else f"{type(error).__name__} while reading its packets"
    detail = f"{target}: what answers there is no MySQL server, or a broken one ({said}); find out what it is"
    return Unreadable(Code.CONFIG_ERROR, detail)


def _refusal(number: int, detail: str, target: Target) -> Unreadable:
    code = code_of_error(number)
    if code is Code.ACCESS_DENIED and target.host is not None and target.tls is None:
        detail += "; the login was not encrypted, and the server may require that: allow TLS in the option file"
    return Unreadable(code, detail)


def _wrong_account_text(uid: int, target: Target) -> str:
    trusted = ", ".join(account_name(each) for each in sorted(target.server_uids))
    return (
        f"a process of {account_name(uid)} (uid {uid}) listens at this socket, and not one of {trusted}: nothing was "
        "sent to it. If that is the server's account, say so: server_user in [database] of xha.conf, "
        "MYSQL_SERVER_USER for clustercheck, the parameter user of the agent"
    )


def _errno(error: Exception) -> int:
    said = isinstance(error, pymysql.MySQLError) and error.args and isinstance(error.args[0], int)
    # PyMySQL takes the two bytes of a packet for a signed number.
    return int(error.args[0]) & 0xFFFF if said else 0


def _text(error: Exception) -> str:
    if len(error.args) > 1:
        return f"{clean(str(error.args[1]), _LONGEST_TEXT)} (error {error.args[0]})"
    return clean(str(error), 2 * _LONGEST_TEXT)


def _os_text(error: BaseException) -> str:
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
