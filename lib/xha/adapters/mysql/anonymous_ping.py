"""Whether what a service depends on answers at all, asked without an account (PyMySQL)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pymysql

from ...core.services.api.judge import DATABASE, Cause
from ..network.channel import Allowance, TooLate
from ..process.alarm import begin_step
from .authentication import LoginRefused, open_connection
from .login_target import Target

if TYPE_CHECKING:
    from ...core.services.api.judge import HttpSettings

# A login that is refused: an account that has no rights proves as much as one that has, and nobody has to keep it.
# Connecting without a login would count as an interrupted connect, and max_connect_errors locks the host out.
_NOBODY = "xha-probe-nobody"
_ANSWERS = {1044, 1045, 1130, 1251, 1698}
_SECONDS = 1.5
_NO_SERVER = "no MySQL server"


def ask_database(address: tuple[str, int], seconds: float) -> str:
    """Return what is wrong with the database at an address; nothing if it answers a login, be it with a refusal."""
    host, port = address
    begin_step(f"the database at {host} port {port}", blame=DATABASE)
    try:
        open_connection(Target(_NOBODY, host=host, port=port), Allowance(seconds)).close()
    except pymysql.MySQLError as error:
        code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        if code in _ANSWERS:
            return ""
        if code == 1040:
            return "too many connections"
        if code == 2013:
            return "no answer"
        return f"no login ({code})" if code else _NO_SERVER
    except LoginRefused:  # it answers, by a plugin that is not for us
        return ""
    except TooLate:
        return "no answer"
    except OSError as error:
        return f"no connection: {(error.strerror or str(error)).lower()}"
    except Exception:  # PyMySQL's parsers raise all kinds of things for what is no MySQL
        return _NO_SERVER
    return ""


def find_cause(settings: HttpSettings, keystone: str | None = None) -> Cause:
    """Return what the database behind a service answers, beside what keystone came to."""
    if settings.database is None:
        return Cause(keystone)
    return Cause(keystone, ask_database(settings.database, min(_SECONDS, settings.deadline / 5)))
