"""Whether the database that a service depends on answers, asked without an account (PyMySQL)."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from ...core.node.codes import Code
from ...core.node.refusals import code_of_error
from ...core.services.api.judge import DATABASE, Cause
from ..network.channel import Allowance, TooLate
from ..process.alarm import begin_step
from .authentication import LoginRefused, open_connection
from .driver import pymysql
from .login_target import Target

if TYPE_CHECKING:
    from ...core.services.api.judge import HttpSettings

# A login that is refused proves as much as one that succeeds, and needs no account. A connection without a login would
# count as an interrupted connect, and max_connect_errors then blocks the host.
_NOBODY = "xha-probe-nobody"
# 1129 is none of them: this host is blocked, for the service too.
_DENIED_DATABASE, _HOST_BLOCKED = 1044, 1129
_REFUSALS = {
    Code.TOO_MANY_CONNECTIONS: "too many connections",
    Code.OUT_OF_RESOURCES: "out of memory or threads",
    Code.MAINTENANCE: "in maintenance (offline_mode)",
}
_SECONDS = 1.5
_NO_SERVER = "no MySQL server"


def ask_database(address: tuple[str, int], seconds: float) -> str | None:
    """Return what is wrong with the database at an address; "" if it answers a login, even with a refusal.

    None if its name is unknown: that is an error of the setting.
    """
    host, port = address
    begin_step(f"the database at {host} port {port}", blame=DATABASE)
    try:
        open_connection(Target(_NOBODY, host=host, port=port), Allowance(seconds)).close()
    except pymysql.MySQLError as error:
        code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        refusal = code_of_error(code)
        if code == _DENIED_DATABASE or (refusal is Code.ACCESS_DENIED and code != _HOST_BLOCKED):
            return ""
        if refusal in _REFUSALS:
            return _REFUSALS[refusal]
        if code == 2013:
            return "no answer"
        return f"no login ({code})" if code else _NO_SERVER
    except LoginRefused:  # it answers, with a login plugin that xha does not use
        return ""
    except TooLate:
        return "no answer"
    except socket.gaierror:
        return None
    except OSError as error:
        return f"no connection: {(error.strerror or str(error)).lower()}"
    except Exception:  # PyMySQL's parsers raise various errors for bytes that are no MySQL protocol
        return _NO_SERVER
    return ""


def find_cause(settings: HttpSettings, keystone: str | None = None) -> Cause:
    """Return the answer of the database behind a service, together with keystone's result."""
    if settings.database is None:
        return Cause(keystone)
    return Cause(keystone, ask_database(settings.database, min(_SECONDS, settings.deadline / 5)))
