"""The check of RabbitMQ: its process; a greeting or a login; a message's round trip, and the state of its cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...adapters.files.secrets import read_secret
from ...adapters.network.client_tls import TlsFiles
from ...adapters.network.whereabouts import judge_unreachable
from ...adapters.process.alarm import CheckStep, seconds_left
from ...adapters.process.daemons import check_process
from ...core.services.model.reach import Attempt, Unmet
from ...core.services.model.result import SELF, Level, dependency, failed, passed, unknown
from ...core.services.rabbitmq.cluster import find_gaps, judge_cluster
from ...core.services.rabbitmq.login import PORT, TLS_PORT, AmqpError, AmqpFault, Login
from ...core.services.rabbitmq.state import Cluster, Fault
from ...core.services.rabbitmq.table import judge_fault
from ...core.text.values import ConfigError

if TYPE_CHECKING:
    from ...core.services.model.result import Result
    from ...core.services.rabbitmq.table import RabbitSettings

# Shares of the deadline, so that the message names the part that did not answer.
_CONNECT, _PEER, _CLUSTER = 0.3, 0.15, 0.5
_OF_THE_REST = 0.8
# What the check imports where it is used, below xha.adapters, and the level that first needs it.
LIBRARIES = {"rabbitmq.amqp": Level.PROTOCOL, "rabbitmq.management_api": Level.DEEP}


def check(settings: RabbitSettings, level: Level) -> Result:
    """Check the broker at one level, and return the result."""
    if level is Level.PROCESS:
        return check_process(settings, level)
    try:
        login = _read_login(settings)
    except ConfigError as error:
        return unknown(settings.name, level, f"needs its password: {error}")
    if not settings.username:
        return _check_greeting(settings, level, login)
    if level is Level.PROTOCOL:
        return _check_login(settings, login)
    return _check_deep(settings, login)


def _read_login(settings: RabbitSettings) -> Login:
    password = read_secret(settings.password) if settings.password else ""
    files = (settings.ca_file, settings.cert_file, settings.key_file)
    return Login(settings.host, settings.port, settings.username or "", password, settings.vhost, settings.tls, *files)


def _check_greeting(settings: RabbitSettings, level: Level, login: Login) -> Result:
    from ...adapters.rabbitmq.amqp import read_greeting

    try:
        greeting = read_greeting(login, settings.deadline * _CONNECT)
    except AmqpError as error:
        return _judge_fault(settings, level, error)
    proved = f"{greeting.product} {greeting.version} greets in AMQP 0-9-1 at {login}"
    if level is Level.DEEP:
        return unknown(settings.name, level, "needs username, and password_file or password_env", proved=proved)
    return passed(settings.name, level, proved)


def _check_login(settings: RabbitSettings, login: Login) -> Result:
    from ...adapters.rabbitmq.amqp import open_channel

    try:
        with open_channel(login, settings.deadline * _CONNECT):
            return passed(settings.name, Level.PROTOCOL, f"a login at {login} opens the virtual host {login.vhost}")
    except AmqpError as error:
        return _judge_fault(settings, Level.PROTOCOL, error)


def _judge_fault(settings: RabbitSettings, level: Level, error: AmqpError) -> Result:
    """Return the result if there is no login: whose fault it is, and why the ports of a drained broker are closed."""
    if error.fault not in (AmqpFault.REFUSED, AmqpFault.UNREACHABLE, AmqpFault.NOT_AMQP):
        return judge_fault(settings, level, error, "")
    if level is Level.DEEP and settings.rabbitmqctl:
        from ...adapters.rabbitmq.rabbitmqctl import read_cluster_status

        seconds = settings.deadline * _CLUSTER
        cluster = read_cluster_status(settings.rabbitmqctl, settings.node, seconds, CheckStep(), is_local=True)
        if any(node.maintenance and node.name == cluster.own for node in cluster.nodes or ()):
            return failed(settings.name, level, f"in maintenance, drained by an operator: {error}")
    ports = (PORT, TLS_PORT, settings.port)  # and not that of the cluster, on which a drained broker listens too
    place = (settings.host, settings.port)
    return judge_unreachable(settings, level, Attempt(place, str(error), "host and port", ports))


def _check_deep(settings: RabbitSettings, login: Login) -> Result:
    from ...adapters.rabbitmq.amqp import open_channel, prove_round_trip
    from ...adapters.rabbitmq.management_api import Refused

    findings: list[Fault] = []
    blocked, proved = None, ""
    try:
        with open_channel(login, settings.deadline * _CONNECT) as channel:
            proved = f"a login at {login}"
            findings = _find_frozen_peers(settings, login)
            # A call on this broker, which is healthy, waits as long as a peer is frozen (measured).
            blame = findings[0].blame if findings else SELF
            proved = prove_round_trip(channel, login, blame=blame)
    except AmqpError as error:
        if not proved:
            return _judge_fault(settings, Level.DEEP, error)
        if error.fault is not AmqpFault.BLOCKED:
            return judge_fault(settings, Level.DEEP, error, proved, findings[0].blame if findings else SELF)
        blocked = Fault(str(error))
    step = CheckStep(blame=findings[0].blame if findings else SELF, proved=proved)
    try:
        cluster = _read_cluster(settings, step)
    except Unmet as unmet:
        cluster = Cluster(gaps=(f"its cluster, which needs {unmet}",))
    except Refused as error:
        return unknown(settings.name, Level.DEEP, f"needs an account with the tag monitoring: {error}", proved=proved)
    except ConfigError as error:
        return unknown(settings.name, Level.DEEP, f"needs its password: {error}", proved=proved)
    # The alarm itself, if it was seen, says more: it names the node.
    if blocked and not cluster.alarms:
        findings.append(blocked)
    return judge_cluster(settings.name, settings.nodes, cluster, proved, findings)


def _find_frozen_peers(settings: RabbitSettings, login: Login) -> list[Fault]:
    """Return the expected nodes that accept a connection and do not answer on it. Nodes that refuse are only down."""
    from ...adapters.rabbitmq.amqp import open_channel

    findings = []
    for host in settings.peers:
        if host == login.host:
            continue
        try:
            with open_channel(login._replace(host=host), settings.deadline * _PEER):
                pass
        except AmqpError as error:
            if error.fault is AmqpFault.SILENT:
                findings.append(Fault(f"a node does not answer, and calls wait for it: {error}", dependency(host)))
    return findings


def _read_cluster(settings: RabbitSettings, step: CheckStep) -> Cluster:
    seconds, told = settings.deadline * _CLUSTER, None
    if settings.api and settings.api_password:
        from ...adapters.rabbitmq.management_api import Api

        account = (settings.api_username or settings.username or "", read_secret(settings.api_password))
        files = TlsFiles(settings.ca_file, settings.cert_file, settings.key_file)
        told = Api(settings.api, account, files, seconds, step).read_cluster()
        if not settings.rabbitmqctl or not (find_gaps(told) or told.nodes is None):
            return told
    if settings.rabbitmqctl:
        from ...adapters.rabbitmq.rabbitmqctl import read_cluster_status

        # The API may have taken its whole time. A rabbitmqctl that hangs must end before the check does.
        seconds = min(seconds, _OF_THE_REST * seconds_left())
        local = read_cluster_status(settings.rabbitmqctl, settings.node, seconds, step)
        return local if told is None else told._replace(own=told.own or local.own, nodes=local.nodes or told.nodes)
    return Cluster()
