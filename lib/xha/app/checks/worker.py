"""The check of a worker without a port: its process; its connection to RabbitMQ and a call; the service list."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, NamedTuple

from ...adapters.files.secrets import read_secret
from ...adapters.process.alarm import note_proof
from ...adapters.process.daemons import UnknownDaemons, find_daemons, judge_daemons
from ...adapters.rabbitmq.oslo_files import read_options
from ...core.services.api.judge import ApiRequest, find_unmet, judge_cause, judge_no_token
from ...core.services.model.result import Level, Status, failed, unknown
from ...core.services.rabbitmq.login import MISCONFIGURED, AmqpError
from ...core.services.workers.judge import (
    RABBITMQ,
    ExpectedWorker,
    find_targets,
    judge_absence,
    judge_broker,
    judge_pings,
    judge_services,
    judge_sockets,
    parse_services,
)
from ...core.services.workers.oslo_config import Messaging, parse_messaging
from ...core.services.workers.oslo_url import parse_transport
from ...core.text.values import ConfigError

if TYPE_CHECKING:
    from ...adapters.http.keystone_tokens import KeystoneToken
    from ...adapters.rabbitmq.amqp import Channel
    from ...core.services.api.judge import ApiAnswer
    from ...core.services.model.result import Result
    from ...core.services.rabbitmq.login import Login
    from ...core.services.workers.judge import WorkerSettings
    from ...core.services.workers.oslo_rpc import RpcTarget

# Shares of the deadline: for finding a usable broker, and for all answers together.
_CONNECT, _ANSWER = 0.35, 0.4
# What the check imports where it is used, below xha.adapters, and the level that first needs it; None: only a failure.
LIBRARIES = {
    "rabbitmq.amqp_sockets": Level.PROTOCOL,
    "rabbitmq.oslo_rpc": Level.PROTOCOL,
    "rabbitmq.amqp": Level.PROTOCOL,
    "http.keystone_tokens": Level.DEEP,
    "mysql.anonymous_ping": None,
}


class _Bus(NamedTuple):
    """The worker's brokers, the names under which it listens, and its pids. proved: what was seen of its processes."""

    brokers: tuple[Login, ...]
    targets: tuple[RpcTarget, ...]
    pids: tuple[int, ...]
    proved: str


def check(settings: WorkerSettings, level: Level) -> Result:
    """Check the worker at one level, and return the result."""
    try:
        daemons = find_daemons(settings.process)
    except UnknownDaemons as error:
        return unknown(settings.name, level, f"needs {error}")
    said = judge_absence(settings, level, bool(daemons))
    if said:
        return said
    here = judge_daemons(settings, level, daemons)
    elsewhere = settings.expect is ExpectedWorker.ONE and not daemons
    if level is Level.PROCESS or (here.status is not Status.OK and not elsewhere):
        return here
    proved = "" if elsewhere else here.proved
    note_proof(proved)
    try:
        messaging = _read_messaging(settings)
    except ConfigError as error:
        return unknown(settings.name, level, f"needs its messaging: {error}", proved=proved)
    pids = tuple(pid for daemon in daemons for pid in daemon.pids)
    bus = _Bus(messaging.brokers, find_targets(settings, messaging, socket.gethostname()), pids, proved)
    result = _check_bus(settings, bus)
    if level is Level.PROTOCOL or result.status is not Status.OK:
        return result._replace(level=level)
    return _check_list(settings, bus, result.proved)


def _read_messaging(settings: WorkerSettings) -> Messaging:
    """Return the brokers and names of the worker.

    :raises ConfigError: without the value, which may contain a password.
    """
    try:
        if settings.transport_url and settings.hosts:
            messaging = Messaging()  # nothing else in the file is needed
        else:
            messaging = parse_messaging(read_options(settings.config, settings.binary))
        if settings.transport_url:
            url = read_secret(settings.transport_url)
            messaging = messaging._replace(brokers=parse_transport(url))
    except OSError as error:
        raise ConfigError(f"{error.filename or settings.config}: {(error.strerror or 'unreadable').lower()}") from None
    except ValueError as error:
        raise ConfigError(f"{settings.config}: {error}") from None
    if not messaging.brokers:
        raise ConfigError(f"{settings.config} has no transport_url; or say transport_url_file")
    if settings.ca_file:
        brokers = tuple(one._replace(ca_file=settings.ca_file) if one.tls else one for one in messaging.brokers)
        messaging = messaging._replace(brokers=brokers)
    return messaging


def _check_bus(settings: WorkerSettings, bus: _Bus) -> Result:
    """Call the worker through the first of its brokers that can be used."""
    from ...adapters.rabbitmq.amqp import open_channel

    refusal: AmqpError | None = None
    for login in bus.brokers:
        reached = False
        try:
            with open_channel(login, settings.deadline * _CONNECT / len(bus.brokers), blame=RABBITMQ) as channel:
                reached = True
                return _call(settings, bus, channel)
        except AmqpError as error:
            # A broker that refuses the account says more than one that does not answer.
            if refusal is None or error.fault in MISCONFIGURED:
                refusal = error
            if reached:
                break
    assert refusal is not None
    return judge_broker(settings, Level.PROTOCOL, refusal, bus.proved)


def _call(settings: WorkerSettings, bus: _Bus, channel: Channel) -> Result:
    from ...adapters.rabbitmq.oslo_rpc import send_ping

    # Only after the login: without a broker, the worker is not to blame for a missing connection.
    fault = _find_socket_fault(bus) if bus.pids else ""
    if fault:
        return failed(settings.name, Level.PROTOCOL, fault, proved=bus.proved)
    seconds = settings.deadline * _ANSWER / len(bus.targets)
    pings = [send_ping(channel, target, seconds, bus.proved) for target in bus.targets]
    return judge_pings(settings, pings, bool(bus.pids), bus.proved)


def _find_socket_fault(bus: _Bus) -> str:
    from ...adapters.rabbitmq.amqp_sockets import HiddenSockets, find_sockets

    ports = {login.port for login in bus.brokers}
    try:
        sockets = find_sockets(bus.pids, ports)
    except HiddenSockets:
        return ""  # an answer to the call proves as much, unless two hosts share a name
    return judge_sockets(sockets.established, sockets.others, ports)


def _check_list(settings: WorkerSettings, bus: _Bus, proved: str) -> Result:
    name, account = settings.name, settings.account
    note_proof(proved)
    if not settings.auth_url:
        needs = "needs an administrator's auth_url, username, project, and password_file or password_env"
        return unknown(name, Level.DEEP, needs, proved=proved)
    from ...adapters.http.keystone_tokens import KeystoneToken, ask_with_token

    try:
        token, answer = ask_with_token(account, lambda token: _ask_list(settings, token))
    except ConfigError as error:
        return unknown(name, Level.DEEP, f"needs its password: {error}", proved=proved)
    if not isinstance(token, KeystoneToken):
        said = judge_no_token(name, token, proved)
        if said:
            return said
        from ...adapters.mysql.anonymous_ping import find_cause

        fault = token.fault or f"answered {token.status}"
        cause = find_cause(account, f"gives no token, {fault}")
        return judge_cause(name, "no token to ask for the service list with", proved, cause)
    unmet = find_unmet(ApiRequest(settings.services or ""), answer)
    if unmet:
        fault = answer.fault or f"answered {answer.status}"
        return unknown(name, Level.DEEP, f"needs {unmet}: the service list: {fault}", proved=proved)
    if answer.status == 403:
        return unknown(name, Level.DEEP, "needs an administrator's account: the service list is refused", proved=proved)
    return _judge_list(settings, bus, answer, token, proved)


def _judge_list(settings: WorkerSettings, bus: _Bus, answer: ApiAnswer, token: KeystoneToken, proved: str) -> Result:
    """Judge the list. A missing list is never this worker's fault."""
    try:
        if answer.status != 200:
            raise ValueError(answer.fault or f"answered {answer.status}")
        rows = parse_services(answer.document, settings.binary)
    except ValueError as error:
        from ...adapters.http.keystone_tokens import ask_keystone
        from ...adapters.mysql.anonymous_ping import find_cause

        cause = find_cause(settings.account, ask_keystone(settings.account, token))
        result = judge_cause(settings.name, f"the service list: {error}", proved, cause)
        blame = settings.api if result.is_down else str(result.blame)
        return failed(settings.name, Level.DEEP, result.message, blame=blame, proved=proved)
    hosts = tuple(dict.fromkeys(target.host for target in bus.targets))
    return judge_services(settings, hosts, rows, proved)


def _ask_list(settings: WorkerSettings, token: KeystoneToken) -> ApiAnswer:
    from ...adapters.http.client import Web

    path = (settings.services or "").replace("{project}", token.project)
    url = f"{settings.url}{path}?binary={settings.binary}"
    web = Web.of(settings.account)._replace(blame=settings.api)
    return web.ask("GET", url, headers={"X-Auth-Token": token.text})
