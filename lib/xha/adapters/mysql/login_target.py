"""Where to log in, as which account, and with which TLS: from xha.conf and the MySQL option file that it names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from ...core.config.xha_conf import DEFAULT_PORT, Database
from ...core.text.values import ConfigError, parse_port
from ..files.config_files import read_client_options
from ..host.login_name import own_account, server_uids

if TYPE_CHECKING:
    import ssl

# The path in Debian, then that in Red Hat.
DEFAULT_SOCKETS = ("/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock")

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Target(NamedTuple):
    """Where to log in, and as which account. Exactly one of socket and host is set. tls is None for no TLS.

    server_uids: the accounts that may be behind the socket; nothing is sent to any other account.
    """

    user: str
    password: str = ""
    socket: str | None = None
    host: str | None = None
    port: int = DEFAULT_PORT
    tls: ssl.SSLContext | None = None
    warnings: tuple[str, ...] = ()
    server_uids: frozenset[int] = frozenset()

    def __repr__(self) -> str:  # a tuple's own would show the password
        return f"Target({self.user}@{self})"

    def __str__(self) -> str:
        return self.socket or (f"[{self.host}]:{self.port}" if ":" in str(self.host) else f"{self.host}:{self.port}")

    @property
    def local(self) -> bool:
        """Whether the server runs on this host, so that the processes of this host can explain its state."""
        return self.socket is not None or self.host in _LOOPBACK or str(self.host).startswith("127.")


def read_target(database: Database) -> Target:
    """Return where to log in: xha.conf takes precedence, then the option file, then MySQL's defaults.

    :raises ConfigError: for an option file that cannot be used.
    """
    options = read_client_options(database.defaults_file)
    values, path = options.values, database.defaults_file
    try:
        port = database.port or (parse_port(values["port"]) if "port" in values else DEFAULT_PORT)
    except ValueError as error:
        raise ConfigError(f"{path}: port: {error}") from None
    # As for MySQL's clients, localhost means the socket; in xha.conf a port alone means TCP.
    host = database.host or ("127.0.0.1" if database.port and not database.socket else None)
    if host is None and database.socket is None:
        host = values.get("host")
    over_tcp = database.socket is None and host not in (None, "localhost")
    return Target(
        user=values.get("user") or own_account(),
        password=values.get("password", ""),
        socket=None if over_tcp else database.socket or values.get("socket") or _default_socket(),
        host=host if over_tcp else None,
        port=port,
        tls=_tls(values, path) if over_tcp else None,
        warnings=options.warnings,
        server_uids=server_uids(database.server_user),
    )


def _default_socket() -> str:
    return next((path for path in DEFAULT_SOCKETS if os.path.exists(path)), DEFAULT_SOCKETS[0])


def _tls(values: dict[str, str], path: str) -> ssl.SSLContext | None:
    """Return the TLS settings of MariaDB's and MySQL's option names; None if no option requests TLS."""
    mode = values.get("ssl-mode", "").upper()
    wanted = any(name in values for name in ("ssl-ca", "ssl-capath", "ssl-cert", "ssl-verify-server-cert"))
    switch = values.get("ssl", "1" if wanted or mode.startswith(("REQUIRED", "VERIFY")) else "0")
    if mode == "DISABLED" or "skip-ssl" in values or switch.lower() in ("0", "off", "false"):
        return None
    import ssl

    for name in ("ssl-ca", "ssl-capath", "ssl-cert", "ssl-key"):
        if name in values and not os.access(values[name], os.R_OK):
            raise ConfigError(f"{path}: {name}: {values[name]} is not there, or may not be read")
    identity = mode == "VERIFY_IDENTITY" or values.get("ssl-verify-server-cert", "0").lower() in ("1", "on", "true", "")
    try:
        context = ssl.create_default_context(cafile=values.get("ssl-ca"), capath=values.get("ssl-capath"))
        # The servers' self-signed certificates lack what this flag of Python 3.13 requires.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        context.check_hostname = identity
        if not identity and not ("ssl-ca" in values or "ssl-capath" in values or mode == "VERIFY_CA"):
            context.verify_mode = ssl.CERT_NONE
        if "ssl-cert" in values:
            context.load_cert_chain(values["ssl-cert"], values.get("ssl-key"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: ssl-ca, ssl-capath, ssl-cert or ssl-key: {error}") from None
    return context
