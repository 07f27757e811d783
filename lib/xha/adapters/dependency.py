"""Whether what a service depends on answers at all, asked without an account (PyMySQL)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pymysql

from ..core.services.http import DATABASE, Cause
from .deadline import begin_step

if TYPE_CHECKING:
    from ..core.services.http import HttpSettings

# A login that is refused: an account that has no rights proves as much as one that has, and nobody has to keep it.
# Connecting without a login would count as an interrupted connect, and max_connect_errors locks the host out.
_NOBODY = "xha-probe-nobody"
_ANSWERS = {1044, 1045, 1130, 1251, 1698}
_SECONDS = 1.5


def ask_database(address: tuple[str, int], seconds: float) -> str:
    """Return what is wrong with the database at an address; nothing if it answers a login, be it with a refusal."""
    host, port = address
    begin_step(f"the database at {host} port {port}", blame=DATABASE)
    try:
        pymysql.connect(
            host=host, port=port, user=_NOBODY, password="", connect_timeout=seconds, read_timeout=seconds
        ).close()
    except pymysql.MySQLError as error:
        code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        if code in _ANSWERS:
            return ""
        if code == 1040:
            return "too many connections"
        return "no answer" if "timed out" in str(error) or code == 2013 else f"no login ({code})"
    except (OSError, RuntimeError):  # RuntimeError: an answer to a login that PyMySQL cannot give (a plugin)
        return ""
    return ""


def find_cause(settings: HttpSettings, keystone: str | None = None) -> Cause:
    """Return what the database behind a service answers, beside what keystone came to."""
    if settings.database is None:
        return Cause(keystone)
    return Cause(keystone, ask_database(settings.database, min(_SECONDS, settings.deadline / 5)))
