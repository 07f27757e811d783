"""What the server of this host tells the doctor: to root by the socket, to anybody else as the check's account."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from ...adapters.host.login_name import own_account
from ...adapters.mysql.login_target import read_target
from ...adapters.mysql.session import ReadError
from ...adapters.mysql.survey import Survey
from ...core.doctor.unseen import Unseen
from ...core.text.values import ConfigError

if TYPE_CHECKING:
    from ...core.config.xha_conf import Config
    from ...core.doctor.facts import ServerFacts
    from ...core.doctor.unseen import Look

# A listing of a busy server takes longer than a probe may.
_SECONDS = 10.0


class ServerLook(NamedTuple):
    """What one connection told. root_login: "" if root's login by the socket works, else why it does not."""

    server: Look[ServerFacts]
    root_login: Look[str]


def look_at_server(config: Config, sample: float) -> ServerLook:
    """Log in, read, and log out. sample: for how many seconds writes are counted."""
    survey, root_login = _open(config)
    if isinstance(survey, Unseen):
        return ServerLook(survey, root_login)
    try:
        return ServerLook(survey.read_server(sample), root_login)
    except ReadError as error:
        return ServerLook(_unseen(error), root_login)
    finally:
        survey.close()


def _open(config: Config) -> tuple[Look[Survey], Look[str]]:
    try:
        target = read_target(config.database)
    except ConfigError as error:
        return Unseen(f"the server of this host: {error}", "a correct option file"), Unseen("root's login", "the same")
    root_login: Look[str] = Unseen("whether root may log in by the server's socket", "root on the server's host")
    if os.geteuid() == 0 and target.socket:
        try:
            return Survey(target._replace(user=own_account(), password=""), _SECONDS), ""
        except ReadError as error:
            root_login = str(error)
    try:
        return Survey(target, _SECONDS), root_login
    except ReadError as error:
        return _unseen(error), root_login


def _unseen(error: ReadError) -> Unseen:
    remedy = error.unreadable.code.rule.remedy or "a server that answers"
    return Unseen(f"the server of this host: {error}", remedy)
