"""The check of an API: its process; one request without credentials; one with a token, which needs its database."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ...adapters.network.port_probe import Endpoint, probe_ports
from ...adapters.network.whereabouts import judge_unreachable
from ...adapters.process.alarm import note_proof
from ...adapters.process.daemons import check_process, is_there
from ...core.election.facts import Probe
from ...core.services.api.judge import (
    ApiAnswer,
    find_unmet,
    judge_cause,
    judge_no_token,
    judge_protocol,
    judge_request,
)
from ...core.services.model.reach import Attempt
from ...core.services.model.result import Level, Status, not_applicable, passed, unknown
from ...core.text.values import ConfigError

if TYPE_CHECKING:
    from typing import Callable

    from ...adapters.http.keystone_tokens import KeystoneToken
    from ...core.services.api.judge import HttpSettings
    from ...core.services.model.result import Result

# What the check imports where it is used, below xha.adapters, and the level that first needs it; None: only a failure.
LIBRARIES = {"http.client": Level.PROTOCOL, "http.keystone_tokens": Level.DEEP, "mysql.anonymous_ping": None}


def check(settings: HttpSettings, level: Level) -> Result:
    """Check the service at one level, and return the result."""
    return check_levels(settings, level, _check_deep)


def check_levels(settings: HttpSettings, level: Level, deep: Callable[[HttpSettings, str], Result]) -> Result:
    """Check a service that speaks HTTP, and return the result.

    `deep` is called last, for Level.DEEP, with what is proved by then.
    """
    if level is Level.PROCESS:
        return _unless_absent(settings, _check_process(settings))
    result = _check_protocol(settings)
    if result.status is not Status.OK or level is Level.PROTOCOL:
        return _unless_absent(settings, result._replace(level=level))
    note_proof(result.proved)
    return deep(settings, result.proved)


def _check_process(settings: HttpSettings) -> Result:
    result = check_process(settings, Level.PROCESS)
    if result.is_down and settings.shared_process and is_there(settings.shared_process):
        message = "needs process, or display-name=%{GROUP} of its WSGIDaemonProcess: an apache runs, whose is not known"
        return unknown(settings.name, Level.PROCESS, message)
    return result


def _unless_absent(settings: HttpSettings, result: Result) -> Result:
    """Return the result, or "not applicable" if the service is absent and not required here.

    A service that accepts a connection and sends nothing is present, whatever the name of its process.
    """
    if (
        settings.required
        or not result.is_down
        or is_there(settings.process)
        or not _is_refused(find_endpoint(settings))
    ):
        return result
    return not_applicable(settings.name, result.level, "not on this host, and it need not be (required = 0)")


def find_endpoint(settings: HttpSettings) -> Endpoint:
    """Return the address at which the service listens, from its URL; the host is "" if the URL has none."""
    url = urlsplit(settings.url)
    return Endpoint(url.hostname or "", url.port or (443 if url.scheme == "https" else 80))


def _is_refused(endpoint: Endpoint) -> bool:
    return not endpoint.host or probe_ports({endpoint.host: [endpoint]})[endpoint.host].result is Probe.REFUSED


def _check_protocol(settings: HttpSettings) -> Result:
    """Send a request without credentials.

    If there is no answer, all workers of the service may be waiting for its database or for keystone, because each
    client occupies one. These are then asked too.
    """
    from ...adapters.http.client import Web

    answer = Web.of(settings).ask("GET", settings.url + settings.protocol_request.path)
    result = judge_protocol(settings, answer)
    # Nobody answers, or something else: the service may listen elsewhere.
    if answer.unreached or (result.is_down and answer.status in settings.protocol_request.statuses):
        endpoint = find_endpoint(settings)
        attempt = Attempt((endpoint.host, endpoint.port), result.message, "url")
        return judge_unreachable(settings, Level.PROTOCOL, attempt)
    if not answer.overdue:
        return result
    from ...adapters.http.keystone_tokens import ask_version
    from ...adapters.mysql.anonymous_ping import find_cause

    elsewhere = settings.auth_url not in (None, settings.url)
    cause = find_cause(settings, ask_version(settings) if elsewhere else None)
    return judge_cause(settings.name, result.message, result.proved, cause)._replace(level=result.level)


def _check_deep(settings: HttpSettings, proved: str) -> Result:
    from ...adapters.http.keystone_tokens import KeystoneToken, ask_keystone, ask_with_token

    name, request = settings.name, settings.plan.deep
    if not settings.auth_url or request is None:
        needs = "needs an account: auth_url, username, project, and password_file or password_env"
        return unknown(name, Level.DEEP, needs, proved=proved)
    try:
        token, answer = ask_with_token(settings, lambda token: _ask(settings, token))
    except ConfigError as error:
        return unknown(name, Level.DEEP, f"needs its password: {error}", proved=proved)
    if not isinstance(token, KeystoneToken):
        return _without_token(settings, token, proved)
    fault = judge_request(request._replace(path=request.path.partition("?")[0]), answer)
    if not fault:
        return passed(name, Level.DEEP, f"GET {request.path} with a token answered {answer.status}")
    unmet = find_unmet(request, answer)
    if unmet:
        return unknown(name, Level.DEEP, f"needs {unmet}: {fault}", proved=proved)
    if answer.status == 403:
        return unknown(name, Level.DEEP, f"needs an account with more rights: {fault}", proved=proved)
    from ...adapters.mysql.anonymous_ping import find_cause

    return judge_cause(name, fault, proved, find_cause(settings, ask_keystone(settings, token)))


def _ask(settings: HttpSettings, token: KeystoneToken) -> ApiAnswer:
    from ...adapters.http.client import Web

    assert settings.plan.deep
    path = settings.plan.deep.path.replace("{project}", token.project)
    return Web.of(settings).ask("GET", settings.url + path, headers={"X-Auth-Token": token.text})


def _without_token(settings: HttpSettings, answer: ApiAnswer, proved: str) -> Result:
    said = judge_no_token(settings.name, answer, proved)
    if said:
        return said
    from ...adapters.mysql.anonymous_ping import find_cause

    fault = answer.fault or f"answered {answer.status}"
    cause = find_cause(settings, f"gives no token, {fault}")
    return judge_cause(settings.name, "no token to ask with", proved, cause)
