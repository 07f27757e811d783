"""How the agent logs in to its own server: turns the resource's settings into a Target, and executes statements."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ...core.config.xha_conf import Database
from ...core.ocf.credentials import choose_credentials
from ...core.text.values import ConfigError
from ..files.config_files import read_sysconfig
from ..host.login_name import own_account, server_uids
from .login_target import Target, read_target, unverified_tls

if TYPE_CHECKING:
    from ...core.ocf.galera_settings import Settings


def find_target(settings: Settings, socket: str) -> Target:
    """Return where and as which account to log in. socket: the unix socket of the server of this data directory.

    Files are read on every call: a changed password counts from the next login on.
    :raises ConfigError: if test_conf names a file that does not exist or cannot be used.
    """
    chosen = choose_credentials(settings, read_sysconfig())
    if chosen.option_file:
        if not os.path.exists(chosen.option_file):
            raise ConfigError(f"test_conf: {chosen.option_file}: no such file")
        return read_target(Database(defaults_file=chosen.option_file, socket=socket, server_user=settings.user))
    user = chosen.user or own_account()
    target = Target(user, chosen.password, server_uids=server_uids(settings.user))
    if chosen.port:
        return target._replace(host="127.0.0.1", port=chosen.port, tls=unverified_tls())
    return target._replace(socket=socket)


def own_target(settings: Settings, socket: str) -> Target:
    """Return how this process's own account logs in, whatever is configured: root needs no password."""
    return Target(own_account(), socket=socket, server_uids=server_uids(settings.user))


def execute(target: Target, statement: str, seconds: float) -> None:
    """Log in and execute one statement, all within `seconds`.

    :raises ReadError: ReadError.unreadable.code says why (core/node/verdict.py). Only SERVER_DOWN means that no server
    listens.
    """
    from ..network.channel import Allowance
    from .session import Session

    allowance = Allowance(seconds)
    session = Session(target, allowance)
    try:
        session.execute(statement, allowance)
    finally:
        session.close()
