"""Workers without a port take calls from RabbitMQ. So the check calls them there, and judges the answers. Pure.

A worker that answers a call is alive. Whether its work succeeds is known only to the service list, some 60 seconds
late. A worker that does not answer because the broker does not deliver the call is not to blame.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from ..api.judge import API_KEYS, ApiRequest, HttpSettings, RequestPlan
from ..model.result import Level, Result, cautioned, dependency, failed, not_applicable, passed, unknown
from ..rabbitmq.login import MISCONFIGURED, AmqpError
from .oslo_rpc import Answered, RpcReply, RpcTarget, nova_target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from ..model.kind import Secret
    from ..model.reach import Place
    from .oslo_config import Messaging

RABBITMQ = dependency("rabbitmq")


class ExpectedWorker(Enum):
    """Where the worker should run, as seen from this host."""

    RUNNING = "running"
    STOPPED = "stopped"
    ONE = "one"  # here or on another host, as Pacemaker decides, but never on two


class WorkerSettings(NamedTuple):
    """The section of a worker. hosts: its names on the bus, if its own file does not give them.

    topics, exchange, binary and services come from the row: what the worker listens to, and where the service list has
    it.
    """

    name: str
    process: str
    deadline: float
    topics: tuple[str, ...]
    exchange: str
    config: str
    binary: str
    services: str | None = None
    expect: ExpectedWorker = ExpectedWorker.RUNNING
    required: bool = True
    hosts: tuple[str, ...] = ()
    transport_url_file: Secret | None = None
    transport_url_env: Secret | None = None
    url: str = ""
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    database: tuple[str, int] | None = None
    auth_url: str | None = None
    username: str | None = None
    user_domain: str = "Default"
    project: str | None = None
    project_domain: str = "Default"
    password_file: Secret | None = None
    password_env: Secret | None = None
    neighbours: tuple[Place, ...] = ()

    @property
    def transport_url(self) -> Secret | None:
        """Where the transport URL is, or None if the worker's own file has it."""
        return self.transport_url_file or self.transport_url_env

    @property
    def api(self) -> str:
        """Who is to blame if there is no service list."""
        return dependency(self.binary.partition("-")[0] + "-api")

    @property
    def account(self) -> HttpSettings:
        """The settings for asking the API that has the service list."""
        same = {key: getattr(self, key) for key in ("name", "process", "deadline", *API_KEYS)}
        return HttpSettings(plan=RequestPlan(ApiRequest("/")), **same)


class Silence(Enum):
    """Why a call was not answered."""

    NO_EXCHANGE = "the broker has no exchange of that name: has the file another control_exchange?"
    # oslo.messaging declares a deleted queue anew within 2 s (measured): one that stays away has another name.
    NO_QUEUE = "the broker has no such queue: the worker has another host name, or declares it anew in a moment"
    QUEUE_DOWN = "the queue is on a node of RabbitMQ that is down"
    NO_CONSUMER = "nobody listens on its queue"
    TIMEOUT = "no answer in time: it is frozen or overloaded"
    BLOCKED = "not sent: publishers are blocked by a resource alarm"


class Ping(NamedTuple):
    """One call and its outcome. instances: how many consumers the queue has that each instance consumes once."""

    target: RpcTarget
    outcome: RpcReply | Silence
    instances: int = 0
    milliseconds: int = 0


def find_targets(settings: WorkerSettings, messaging: Messaging, hostname: str) -> tuple[RpcTarget, ...]:
    """Return whom to call: each topic under each of the worker's names."""
    exchange = messaging.exchange or settings.exchange
    here = messaging.host or hostname
    backends = tuple(f"{here}{one}" if one.startswith("@") else one for one in messaging.backends)
    hosts = settings.hosts or (backends if settings.binary == "cinder-volume" else ()) or (here,)
    if settings.binary.startswith("nova-"):
        return tuple(nova_target(topic, host, exchange) for topic in settings.topics for host in hosts)
    return tuple(RpcTarget(exchange, topic, host) for topic in settings.topics for host in hosts)


def judge_broker(settings: WorkerSettings, level: Level, error: AmqpError, proved: str) -> Result:
    """Return the result if none of the worker's own brokers can be used."""
    if error.unmet or error.fault in MISCONFIGURED:
        needs = error.unmet or "the worker's own account"
        return unknown(settings.name, level, f"needs {needs}: {error}", proved=proved)
    return failed(settings.name, level, str(error), blame=RABBITMQ, proved=proved)


def judge_pings(settings: WorkerSettings, pings: Sequence[Ping], is_here: bool, proved: str) -> Result:
    """Return the result of the calls. is_here: whether a process of the worker runs on this host."""
    name, level = settings.name, Level.PROTOCOL
    crowded = [ping for ping in pings if ping.instances > 1]
    if crowded and settings.binary == "cinder-volume":
        ping = crowded[0]
        text = f"{ping.instances} active ones serve {ping.target.host}: each overwrites what the other does"
        return failed(name, level, text, proved=proved)
    silent = [ping for ping in pings if isinstance(ping.outcome, Silence)]
    if silent:
        is_known = len(silent) < len(pings)
        return _judge_silence(settings, silent[0], is_here, proved, is_known=is_known)
    slowest = max(ping.milliseconds for ping in pings)
    said = f"{', '.join(ping.target.queue for ping in pings)} answered a call, {slowest} ms"
    errors = [ping for ping in pings if isinstance(ping.outcome, RpcReply) and ping.outcome.kind is Answered.FAILED]
    if errors and isinstance(errors[0].outcome, RpcReply):
        return cautioned(name, level, f"{errors[0].target} answered with {errors[0].outcome.detail}", proved=said)
    if not is_here:
        return not_applicable(name, level, f"not on this host, and it need not be: {said}")
    return passed(name, level, said)


def _judge_silence(settings: WorkerSettings, ping: Ping, is_here: bool, proved: str, *, is_known: bool) -> Result:
    """Return the result of a call without an answer. is_known: another call was answered, so its names are right."""
    name, level, silence = settings.name, Level.PROTOCOL, ping.outcome
    assert isinstance(silence, Silence)
    text = f"{ping.target}: {silence.value}"
    if silence in (Silence.QUEUE_DOWN, Silence.BLOCKED):
        return failed(name, level, text, blame=RABBITMQ, proved=proved)
    if silence is Silence.NO_EXCHANGE:
        return unknown(name, level, f"needs the right exchange, {ping.target.exchange} is none: {text}", proved=proved)
    if not is_here:
        return failed(name, level, f"it runs on no host: {text}", proved=proved)
    if silence is Silence.NO_QUEUE and not is_known:  # it is connected, so it may listen under another name
        return unknown(name, level, f"needs hosts, the worker's names on the bus: {text}", proved=proved)
    return failed(name, level, text, proved=proved)


def judge_sockets(established: int, others: Iterable[str], ports: Iterable[int]) -> str:
    """Return what is wrong with a worker's connections to the ports of its brokers, "" if one is established."""
    if established:
        return ""
    listing = ", ".join(str(port) for port in sorted(set(ports)))
    states = sorted(set(others))
    has = f"only {', '.join(states)}" if states else "none"
    return f"no connection to RabbitMQ (port {listing}) is established: {has}"


def judge_absence(settings: WorkerSettings, level: Level, is_here: bool) -> Result | None:
    """Return the result if the presence or absence of the process alone decides it; None: check further."""
    name, expect = settings.name, settings.expect
    if expect is ExpectedWorker.STOPPED:
        if is_here:
            return failed(name, level, "it runs on this host, and should not (expect = stopped)")
        return passed(name, level, "no process of it runs here, as it should be (expect = stopped)")
    if is_here:
        return None
    if not settings.required:
        return not_applicable(name, level, "not on this host, and it need not be (required = 0)")
    if expect is ExpectedWorker.ONE and level is Level.PROCESS:
        return not_applicable(name, level, "not on this host: another one may have it (expect = one)")
    return None


class ServiceRow(NamedTuple):
    """One row of a service list (os-services of nova and cinder)."""

    host: str
    up: bool
    enabled: bool
    forced_down: bool
    reason: str
    updated: str


def parse_services(document: Any, binary: str) -> tuple[ServiceRow, ...]:
    """Return the rows of one binary. :raises ValueError: for a document that is no service list."""
    rows = document.get("services") if isinstance(document, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("not a service list")
    return tuple(_parse_row(row) for row in rows if row.get("binary") == binary)


def _parse_row(row: Mapping[str, Any]) -> ServiceRow:
    return ServiceRow(
        str(row.get("host", "")),
        row.get("state") == "up",
        row.get("status") != "disabled",
        row.get("forced_down") is True,
        str(row.get("disabled_reason") or "")[:100],
        str(row.get("updated_at") or "never"),
    )


def judge_services(settings: WorkerSettings, hosts: Iterable[str], rows: Sequence[ServiceRow], proved: str) -> Result:
    """Return what the service list says about a worker that answers calls.

    The list shows `down` only 60 s after the last report (service_down_time), and shows `up` until then. So it is read
    after the call. The workers report by themselves: in nova, only the hypervisors report through a conductor.
    """
    name, level = settings.name, Level.DEEP
    known = {row.host: row for row in rows}
    wanted = tuple(hosts)
    missing = [host for host in wanted if host not in known]
    if missing:
        return failed(name, level, f"the service list has no {settings.binary} on {', '.join(missing)}", proved=proved)
    down = [known[host] for host in wanted if not known[host].up]
    if down and all(row.forced_down for row in down):
        return cautioned(name, level, f"{down[0].host} is forced down by an operator", proved=proved)
    if down:
        text = f"the service list has {down[0].host} down, last report {down[0].updated}, though it answers calls"
        return failed(name, level, text, proved=proved)
    off = [known[host] for host in wanted if not known[host].enabled]
    if off:
        why = f": {off[0].reason}" if off[0].reason else ""
        return cautioned(name, level, f"{off[0].host} is disabled by an operator{why}", proved=proved)
    return passed(name, level, f"{proved}; the service list has {', '.join(wanted)} up")
