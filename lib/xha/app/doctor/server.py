"""What the server of this host tells the doctor: to root by the socket, to anybody else as the check's account."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from ...adapters.host.login_name import own_account
from ...adapters.mysql.login_target import read_target
from ...adapters.mysql.session import ReadError
from ...adapters.mysql.survey import Survey
from ...core.doctor.unseen import Unseen
from ...core.node.verdict import Code
from ...core.text.values import ConfigError

if TYPE_CHECKING:
    from typing import Callable, TypeVar

    from ...adapters.mysql.login_target import Target
    from ...core.config.xha_conf import Config
    from ...core.doctor.facts import DatabaseAccount, ServerFacts, TableFacts
    from ...core.doctor.unseen import Look

    T = TypeVar("T")

# A listing of a busy server takes longer than a probe may.
_SECONDS = 10.0
# The account of the responder's unit, where no option file names one.
_RESPONDER_ACCOUNT = "xha"
_ROOT = "root on the server's host"


class ServerLook(NamedTuple):
    """What one connection told. root_login: "" if root's login by the socket works, else why it does not."""

    server: Look[ServerFacts]
    root_login: Look[str]
    tables: Look[TableFacts]
    accounts: Look[tuple[DatabaseAccount, ...]]
    check_user: str = _RESPONDER_ACCOUNT


def look_at_server(config: Config, sample: float) -> ServerLook:
    """Log in, read, and log out. sample: for how many seconds writes are counted."""
    root_login: Look[str] = Unseen("whether root may log in by the server's socket", _ROOT)
    try:
        target = read_target(config.database)
    except ConfigError as error:
        unseen = Unseen(f"the server of this host: {error}", "a correct option file")
        return ServerLook(unseen, root_login, unseen, unseen)
    check_user = _RESPONDER_ACCOUNT if (target.user, os.geteuid()) == (own_account(), 0) else target.user
    survey, root_login = _open(target, root_login)
    if isinstance(survey, Unseen):
        return ServerLook(survey, root_login, survey, survey, check_user)
    try:
        server = _try("the server of this host", lambda: survey.read_server(sample))
        tables = _read_tables(survey)
        accounts = _try("the accounts of the server", lambda: survey.read_accounts({check_user}), _ROOT)
        return ServerLook(server, root_login, tables, accounts, check_user)
    finally:
        survey.close()


def _open(target: Target, root_login: Look[str]) -> tuple[Look[Survey], Look[str]]:
    if os.geteuid() == 0 and target.socket:
        try:
            return Survey(target._replace(user=own_account(), password=""), _SECONDS), ""
        except ReadError as error:
            if error.unreadable.code is Code.ACCESS_DENIED:
                root_login = str(error)
    return _try("the server of this host", lambda: Survey(target, _SECONDS)), root_login


def _read_tables(survey: Survey) -> Look[TableFacts]:
    own = _try("the grants of this account", survey.read_own_grants)
    if isinstance(own, Unseen):
        return own
    if not own.has("SELECT"):  # others' tables are not listed to it
        return Unseen(f"the tables of the server: {own} does not see all of them", f"{_ROOT}, or SELECT on *.*")
    return _try("the tables of the server", survey.read_tables)


def _try(what: str, read: Callable[[], T], needs: str = "") -> Look[T]:
    try:
        return read()
    except ReadError as error:
        return Unseen(f"{what}: {error}", needs or error.unreadable.code.rule.remedy or "a server that answers")
