"""How the agent logs in to its own server: the settings of the resource in, a Target or an open Session out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..core.config import ConfigError, Database
from ..core.credentials import choose_credentials
from .account import own_account
from .files.config_files import read_sysconfig
from .target import Target, read_target

if TYPE_CHECKING:
    from ..core.parameters import Settings
    from .database import Session


def find_target(settings: Settings, socket: str) -> Target:
    """Return where and as whom to log in. socket: the unix socket that the server of this data directory has.

    Files are read again on every call: a password that was changed there counts from the next login on.
    :raises ConfigError: for a test_conf that is not there or cannot be used.
    """
    chosen = choose_credentials(settings, read_sysconfig())
    if chosen.option_file:
        if not os.path.exists(chosen.option_file):
            raise ConfigError(f"test_conf: {chosen.option_file}: no such file")
        return read_target(Database(defaults_file=chosen.option_file, socket=socket))
    user = chosen.user or own_account()
    if chosen.port:
        return Target(user, chosen.password, host="127.0.0.1", port=chosen.port)
    return Target(user, chosen.password, socket=socket)


def open_session(settings: Settings, socket: str, timeout: float) -> Session:
    """Log in. timeout: seconds for each step. :raises ConfigError, ReadError: neither says that the server is down.

    ReadError.unreadable.code tells what it was (core/verdict.py): only SERVER_DOWN means that nobody listens.
    """
    from .database import Session

    return Session(find_target(settings, socket), timeout)
