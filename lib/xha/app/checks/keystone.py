"""The check of keystone: that of an API, and a login that keystone can only refuse or grant by asking its database."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from ...core.services.api.judge import ApiAnswer, ApiRequest, find_unmet, judge_cause, judge_no_token
from ...core.services.model.result import Level, passed, unknown
from ...core.text.values import ConfigError
from .http import LIBRARIES, check_levels

if TYPE_CHECKING:
    from ...core.services.api.judge import HttpSettings
    from ...core.services.model.result import Result

__all__ = ["LIBRARIES", "check"]


def check(settings: HttpSettings, level: Level) -> Result:
    """Check keystone at one level, and return the result."""
    return check_levels(settings, level, _check_deep)


def _check_deep(settings: HttpSettings, proved: str) -> Result:
    return _check_login(settings, proved) if settings.password else _check_refusal(settings, proved)


def _check_refusal(settings: HttpSettings, proved: str) -> Result:
    from ...adapters.http.client import Web
    from ...adapters.http.keystone_tokens import password_login, tokens_url

    # Measured on keystone 22: 401 in 75 to 108 ms; with its database stopped, the connection is closed without an
    # answer.
    login = password_login("xha-probe-nobody", "Default", secrets.token_hex(8))
    answer = Web.of(settings).ask("POST", tokens_url(settings.url), document=login)
    if answer.status == 401:
        return passed(settings.name, Level.DEEP, "the login of a user that does not exist is refused")
    unmet = find_unmet(ApiRequest("", (401,)), answer)
    if unmet:
        said = answer.fault or f"answered {answer.status}"
        return unknown(settings.name, Level.DEEP, f"needs {unmet}: a login: {said}", proved=proved)
    return _blame(settings, answer, proved)


def _check_login(settings: HttpSettings, proved: str) -> Result:
    from ...adapters.http.keystone_tokens import KeystoneToken, get_token

    here = settings._replace(auth_url=settings.url)
    try:
        token = get_token(here, renew=True)
    except ConfigError as error:
        return unknown(settings.name, Level.DEEP, f"needs its password: {error}", proved=proved)
    if isinstance(token, KeystoneToken):
        return passed(settings.name, Level.DEEP, f"it gives {settings.username} a token")
    return judge_no_token(settings.name, token, proved) or _blame(settings, token, proved)


def _blame(settings: HttpSettings, answer: ApiAnswer, proved: str) -> Result:
    from ...adapters.mysql.anonymous_ping import find_cause

    fault = answer.fault or f"answered {answer.status}"
    return judge_cause(settings.name, f"a login: {fault}", proved, find_cause(settings))
