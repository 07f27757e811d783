"""Chooses the account with which the agent reads its server, from the parameters and files that can name one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .galera_settings import Settings


class Credentials(NamedTuple):
    """An account.

    option_file takes precedence over user. Without either, the agent logs in as root by the unix socket.
    port: a TCP port of this host, None for the unix socket.
    source: what named the account, for messages.
    """

    user: str = ""
    password: str = ""
    option_file: str = ""
    port: int | None = None
    source: str = "root by the unix socket"

    def __repr__(self) -> str:  # a tuple's own would show the password
        return f"Credentials({self.source})"


def choose_credentials(settings: Settings, sysconfig: Mapping[str, str]) -> Credentials:
    """Return the account that the parameters name, otherwise the one of clustercheck's files, otherwise none.

    sysconfig: the assignments of /etc/sysconfig/clustercheck and /etc/default/clustercheck. As in ocf:heartbeat:galera,
      user and password each come from there if the parameter is empty, and MYSQL_PORT together with
      MYSQL_HOST=127.0.0.1 selects the server's extra_port. A MYSQL_HOST other than this host is ignored.
    """
    if settings.test_conf:
        return Credentials(option_file=settings.test_conf, source=f"test_conf {settings.test_conf}")
    if settings.test_user and not settings.check_user:
        return Credentials(settings.test_user, settings.test_passwd, source="test_user")
    user = settings.check_user or sysconfig.get("MYSQL_USERNAME", "")
    password = settings.check_passwd or sysconfig.get("MYSQL_PASSWORD", "")
    if settings.check_passwd_use_empty:
        password = ""
    if user:
        source = "check_user" if settings.check_user else "MYSQL_USERNAME of clustercheck's files"
        return Credentials(user, password, port=_port(sysconfig), source=source)
    # In mysql-wss the default of test_user is root.
    return Credentials(password=password or settings.test_passwd)


def _port(sysconfig: Mapping[str, str]) -> int | None:
    text, host = sysconfig.get("MYSQL_PORT", ""), sysconfig.get("MYSQL_HOST", "")
    # As in MySQL's clients, localhost means the socket, whatever the port.
    here = host in ("127.0.0.1", "::1") or host.startswith("127.")
    return int(text) if here and text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65536 else None
