"""One connection to a MariaDB or Percona server (PyMySQL)."""

from __future__ import annotations

import socket
import traceback
from typing import TYPE_CHECKING

import pymysql
from pymysql.constants import CLIENT, CR, ER

from ..core.config import DEFAULT_QUERY
from ..core.reading import STATUS_NAMES, VARIABLE_NAMES, Reading, parse_status, parse_variables
from ..core.verdict import Code, Unreadable

if TYPE_CHECKING:
    from typing import Any, Callable

    from .target import Target

# Error numbers of MariaDB and MySQL that PyMySQL has no name for.
_ACCOUNT_LOCKED, _MYSQL_ACCOUNT_LOCKED, _PASSWORD_EXPIRED = 4151, 3118, 1862
_MUST_CHANGE_PASSWORD, _NO_SOCKET_LOGIN, _AUTH_PLUGIN = 1820, 1698, 2059

_DENIED = {
    ER.ACCESS_DENIED_ERROR,
    ER.HOST_NOT_PRIVILEGED,
    ER.HOST_IS_BLOCKED,
    ER.NOT_SUPPORTED_AUTH_MODE,
    _MUST_CHANGE_PASSWORD,
    _NO_SOCKET_LOGIN,
    _ACCOUNT_LOCKED,
    _MYSQL_ACCOUNT_LOCKED,
    _PASSWORD_EXPIRED,
    _AUTH_PLUGIN,
}
_FULL = {ER.CON_COUNT_ERROR, ER.TOO_MANY_USER_CONNECTIONS, ER.USER_LIMIT_REACHED}
_GONE = {ER.SERVER_SHUTDOWN, CR.CR_SERVER_LOST, CR.CR_SERVER_GONE_ERROR, CR.CR_CONN_HOST_ERROR}
# The probe query itself is at fault, not the node.
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


# SHOW, not SELECT: a SELECT on the status tables can wait for the cluster (wsrep_sync_wait; measured).
_SHOW = (
    f"SHOW GLOBAL STATUS WHERE Variable_name IN ({_name_list(STATUS_NAMES)}); "
    f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({_name_list(VARIABLE_NAMES)}); "
)


class ReadError(Exception):
    """The server was asked and no reading came of it."""

    def __init__(self, unreadable: Unreadable) -> None:
        super().__init__(unreadable.detail)
        self.unreadable = unreadable


class _CleartextRefused(Exception):
    pass


class _RefuseCleartext:
    """Stands in for PyMySQL's plugins that would hand the password to whoever asks for it."""

    def __init__(self, connection: object) -> None:
        pass

    def authenticate(self, packet: object) -> None:
        raise _CleartextRefused("the server asks for the password in clear text; use TLS with ssl-verify-server-cert")


_REFUSE: dict[str, Callable[[Any], Any]] = {"mysql_clear_password": _RefuseCleartext, "dialog": _RefuseCleartext}


class Session:
    """One open connection, prepared so that no reading waits for the cluster.

    :raises ReadError: from the constructor and from read; after one from read the connection is closed.
    """

    def __init__(self, target: Target, timeout: float, probe_query: str = DEFAULT_QUERY) -> None:
        self.target = target
        self._statements = _SHOW + probe_query
        self._connection = _connect(target, timeout)
        self._prepare()

    def _prepare(self) -> None:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute("SET SESSION wsrep_sync_wait = 0, wsrep_dirty_reads = 0")
        except pymysql.MySQLError as error:
            # A server without Galera has no such variables: its reading will say wsrep-off.
            if _errno(error) != ER.UNKNOWN_SYSTEM_VARIABLE:
                self.close()
                raise ReadError(_classify(error, self.target)) from None

    def read(self) -> Reading:
        """Read the node in one round trip."""
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(self._statements)
                status = parse_status(cursor.fetchall())
                cursor.nextset()
                variables = parse_variables(cursor.fetchall())
                return Reading(status, variables, self._probe_errno(cursor))
        except pymysql.MySQLError as error:
            self.close()
            raise ReadError(_classify(error, self.target)) from None

    def execute(self, statement: str) -> None:
        """Have the server do something. :raises ReadError: as read does; the connection is closed then."""
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(statement)
        except pymysql.MySQLError as error:
            self.close()
            raise ReadError(_classify(error, self.target)) from None

    def _probe_errno(self, cursor: pymysql.cursors.Cursor) -> int:
        try:
            while cursor.nextset():
                pass
        except pymysql.MySQLError as error:
            errno = _errno(error)
            if errno in _BAD_QUERY:
                raise ReadError(Unreadable(Code.CONFIG_ERROR, f"probe_query: {_text(error)}")) from None
            if errno in _GONE or errno < 1000:
                raise
            return errno
        return 0

    @property
    def is_open(self) -> bool:
        """Whether the next read may succeed."""
        return self._connection.open

    def close(self) -> None:
        """Close the connection; closing twice is harmless."""
        if self._connection.open:
            self._connection.close()


class _Connection(pymysql.Connection):
    server_capabilities: int

    def _request_authentication(self) -> None:
        # PyMySQL before 1.2 went on in clear text where the server offers no TLS.
        if self.ssl and not self.server_capabilities & CLIENT.SSL:
            raise pymysql.OperationalError(CR.CR_SSL_CONNECTION_ERROR, "TLS is asked for and the server offers none")
        super()._request_authentication()  # type: ignore[misc]


def _connect(target: Target, timeout: float) -> pymysql.Connection[pymysql.cursors.Cursor]:
    trusted = target.tls is not None and target.tls.check_hostname
    try:
        return _Connection(
            user=target.user,
            # PyMySQL would make Latin-1 of it; MySQL's clients send what stands in the file.
            password=target.password.encode("utf-8", "surrogateescape"),
            unix_socket=target.socket,
            host=target.host,
            port=target.port,
            connect_timeout=timeout,
            read_timeout=timeout,
            write_timeout=timeout,
            autocommit=None,  # anything else costs a round trip
            ssl=target.tls,
            ssl_disabled=target.tls is None,
            client_flag=CLIENT.MULTI_STATEMENTS,
            auth_plugin_map={} if trusted else _REFUSE,
            program_name="xha",
        )
    except _CleartextRefused as error:
        raise ReadError(Unreadable(Code.ACCESS_DENIED, str(error))) from None
    except RuntimeError as error:  # PyMySQL lacks a package that the account's authentication plugin needs
        raise ReadError(Unreadable(Code.ACCESS_DENIED, f"{target}: {error}")) from None
    except (pymysql.MySQLError, OSError, ValueError) as error:
        # PyMySQL leaves the socket of a failed connect in a frame, for the garbage collector to find some day.
        traceback.clear_frames(error.__traceback__)
        raise ReadError(_classify(error, target)) from None


def _classify(error: Exception, target: Target) -> Unreadable:
    """Name a failure. "A failed check is not a failed database": only what proves the server's absence says so."""
    errno = _errno(error)
    cause = getattr(error, "original_exception", None) or error.__context__ or error
    detail = f"{target}: {_text(error)}"
    # A unix socket refuses at once where the backlog is full: nobody accepts what waits there.
    if isinstance(cause, (socket.timeout, BlockingIOError)):
        return Unreadable(Code.HUNG, f"{target}: no answer in time")
    if errno in _DENIED:
        return Unreadable(Code.ACCESS_DENIED, detail)
    if errno in _FULL:
        return Unreadable(Code.TOO_MANY_CONNECTIONS, detail)
    if errno == ER.UNKNOWN_COM_ERROR:
        return Unreadable(Code.NOT_READY, detail)
    # A name that does not resolve says nothing of the server behind it.
    if isinstance(cause, (PermissionError, socket.gaierror)) or type(cause).__module__ == "ssl":
        return Unreadable(Code.CONFIG_ERROR, f"{target}: {_os_text(cause)}")
    if errno in _GONE:
        return Unreadable(Code.SERVER_DOWN, f"{target}: {_os_text(cause)}" if isinstance(cause, OSError) else detail)
    return Unreadable(Code.CONFIG_ERROR, detail)


def _errno(error: Exception) -> int:
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0


def _text(error: Exception) -> str:
    return f"{error.args[1]} (error {error.args[0]})" if len(error.args) > 1 else str(error)


def _os_text(error: BaseException) -> str:
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
