"""Where to log in, as which account, and with which TLS: from xha.conf and the MySQL option file that it names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from ...core.config.xha_conf import DEFAULT_PORT, Database
from ...core.text.values import ConfigError, parse_port
from ..host.login_name import own_account, server_uids
from .option_files import ClientOptions, read_client_options

if TYPE_CHECKING:
    import ssl

# The path in Debian, then that in Red Hat.
DEFAULT_SOCKETS = ("/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock")

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Target(NamedTuple):
    """Where to log in, and as which account. Exactly one of socket and host is set.

    tls is None for no TLS. It is used where the server offers it; with tls_required there is no login without it.
    server_uids: the accounts that may be behind the socket; nothing is sent to any other account.
    tls_words: the options that tls was made of: no context equals another.
    looked_at: the files and directories on which all of this rests, absent ones, too.
    """

    user: str
    password: str = ""
    socket: str | None = None
    host: str | None = None
    port: int = DEFAULT_PORT
    tls: ssl.SSLContext | None = None
    tls_required: bool = False
    warnings: tuple[str, ...] = ()
    server_uids: frozenset[int] = frozenset()
    tls_words: tuple[tuple[str, str], ...] = ()
    looked_at: tuple[str, ...] = ()

    def is_like(self, other: Target | None) -> bool:
        """Return whether a login to the other one is the same: server, account, password and TLS."""
        return other is not None and self._bare() == other._bare()

    def _bare(self) -> Target:
        return self._replace(tls=None, warnings=(), looked_at=())

    def __repr__(self) -> str:  # a tuple's own would show the password
        return f"Target({self.user}@{self})"

    def __str__(self) -> str:
        return self.socket or (f"[{self.host}]:{self.port}" if ":" in str(self.host) else f"{self.host}:{self.port}")

    @property
    def local(self) -> bool:
        """Whether the server runs on this host, so that the processes of this host can explain its state."""
        return self.socket is not None or self.host in _LOOPBACK or str(self.host).startswith("127.")


def read_target(database: Database, options: ClientOptions | None = None) -> Target:
    """Return where to log in: xha.conf takes precedence, then the option file, then MySQL's defaults.

    options: what is known already, in the place of the option file that database names.

    :raises ConfigError: for an option file that cannot be used.
    """
    options = options or read_client_options(database.defaults_file)
    values, path = options.values, options.source
    try:
        port = database.port or (parse_port(values["port"]) if "port" in values else DEFAULT_PORT)
    except ValueError as error:
        raise ConfigError(f"{path}: port: {error}") from None
    # As for MySQL's clients, localhost means the socket; in xha.conf a port alone means TCP.
    host = database.host or ("127.0.0.1" if database.port and not database.socket else None)
    if host is None and database.socket is None:
        host = values.get("host")
    over_tcp = database.socket is None and host not in (None, "localhost")
    tls, tls_required = _tls(values, path) if over_tcp else (None, False)
    socket = database.socket or values.get("socket")
    return Target(
        user=values.get("user") or own_account(),
        password=values.get("password", ""),
        socket=None if over_tcp else socket or _default_socket(),
        host=host if over_tcp else None,
        port=port,
        tls=tls,
        tls_required=tls_required,
        warnings=options.warnings,
        server_uids=server_uids(database.server_user),
        tls_words=tuple(sorted((name, value) for name, value in values.items() if "ssl" in name)) if over_tcp else (),
        looked_at=options.looked_at if over_tcp or socket else (*options.looked_at, *DEFAULT_SOCKETS),
    )


def _default_socket() -> str:
    return next((path for path in DEFAULT_SOCKETS if os.path.exists(path)), DEFAULT_SOCKETS[0])


def unverified_tls() -> ssl.SSLContext:
    """Return TLS that does not ask who the server is, as MySQL's clients do it where nothing is configured.

    It keeps listeners out, and nobody who can change packets: no password is told through it.
    """
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


_ON = ("1", "on", "true", "")
_OFF = ("0", "off", "false")


def _tls(values: dict[str, str], path: str) -> tuple[ssl.SSLContext | None, bool]:
    """Return the TLS settings of MariaDB's and MySQL's option names, and whether TLS is required.

    Without an option, TLS is used where the server offers it (ssl-mode=PREFERRED, the default of MySQL's clients since
    5.7 and of MariaDB's since 11.4). An option that only makes sense with TLS requires it, as for MariaDB's clients.
    """
    mode = values.get("ssl-mode", "").upper()
    identity = mode == "VERIFY_IDENTITY" or values.get("ssl-verify-server-cert", "0").lower() in _ON
    authority = any(name in values for name in ("ssl-ca", "ssl-capath")) or mode == "VERIFY_CA"
    named = identity or authority or any(name in values for name in ("ssl-cert", "ssl-key", "ssl-cipher"))
    switch = values.get("ssl", "1" if named or mode == "REQUIRED" else "preferred").lower()
    if mode == "DISABLED" or "skip-ssl" in values or switch in _OFF:
        return None, False
    from ..network.tls import verifying_tls

    for name in ("ssl-ca", "ssl-capath", "ssl-cert", "ssl-key"):
        if name in values and not os.access(values[name], os.R_OK):
            raise ConfigError(f"{path}: {name}: {values[name]} is not there, or may not be read")
    try:
        context = unverified_tls()
        if identity or authority:
            context = verifying_tls(values.get("ssl-ca"), values.get("ssl-capath"))
            context.check_hostname = identity
        if "ssl-cert" in values:
            context.load_cert_chain(values["ssl-cert"], values.get("ssl-key"))
        _choose_ciphers(context, values.get("ssl-cipher", ""))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: ssl-ca, ssl-capath, ssl-cert, ssl-key or ssl-cipher: {error}") from None
    return context, switch != "preferred"


def _choose_ciphers(context: ssl.SSLContext, listed: str) -> None:
    # Python's ssl has no switch for the ciphers of TLS 1.3, whose names begin so: they are all on.
    ciphers = ":".join(name for name in listed.replace(",", ":").split(":") if name and not name.startswith("TLS_"))
    if ciphers:
        context.set_ciphers(ciphers)
