"""Turns a snapshot into the bytes of a response; shared by the resident responder and the one for a single request."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING, NamedTuple

from ...core.http.haproxy_state import parse_last_server
from ...core.http.routes import HISTORY_PATH, SERVICE_PATH, Answer, judge_peer, refuse, render_answer, render_history
from ...core.node.verdict import LastNode, judge
from ...core.text.values import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Callable

    from ...adapters.files.result_files import RecordCache
    from ...core.config.xha_conf import Config, Responder
    from ...core.http.message import Request
    from ...core.node.balancers import Balancers
    from ...core.node.report import NodeReport
    from ...core.node.verdict import Verdict
    from ...core.node.writer_rule import WriterReport, WriterStanding
    from ...core.services.settings import ServiceConfig, ServiceFault
    from ..node.reader import ConfigFile, Reader, Snapshot

# How long an answer from the result files is reused, in seconds: reading the files is most of an answer's cost.
LOOK_SECONDS = 0.05


def read_writer(config: Config) -> WriterStanding:
    """Return what the keeper of this host's resource has written down of the writer (`[database] resource`)."""
    from ...adapters.files.agent_rundir import RunDir
    from ...core.node.writer_rule import WriterStanding
    from ..node.keepers import find_writer_resources

    named = config.database.resource
    try:
        found = (named,) if named else find_writer_resources()
        if len(found) != 1:
            several = f"{' and '.join(found)} each have a writer" if found else ""
            return WriterStanding(unknown=several)
        return WriterStanding(RunDir(found[0]).read_writer())
    except OSError as error:
        return WriterStanding(unknown=f"{error.filename}: {(error.strerror or 'unreadable').lower()}")


def keeper_metrics() -> str:
    """Return the metrics of this host's keepers, in the text exposition format of Prometheus; "" without any."""
    from ...core.monitor.keeper_tally import render_keeper_metrics
    from ..node.keepers import see_keepers

    with contextlib.suppress(OSError):  # of a directory that cannot be looked at nothing is known: no series, no zero
        return render_keeper_metrics(see_keepers(), time.monotonic())
    return ""


class Surroundings(NamedTuple):
    """What a response may tell besides a reading; each is called only where a path needs it.

    services: the metrics of the services and of the keepers. balancers, takers: who asks, and who asks for the writer;
    None where that is not remembered. writer: what this host's keeper says of the writer. since: since when the node is
    as it is, in seconds since 1970; None where that was not seen. cluster: its name, "" if unknown.
    """

    services: Callable[[], str]
    counters: Callable[[], Mapping[str, tuple[str, int]]] = dict
    balancers: Callable[[], Balancers | None] = lambda: None
    takers: Callable[[], Balancers | None] = lambda: None
    writer: Callable[[Config], WriterStanding] = read_writer
    since: Callable[[], float | None] = lambda: None
    cluster: Callable[[], str] = str


def reply_once(reader: Reader, file: ConfigFile) -> Callable[[Request, str, float], bytes]:
    """Return the function that answers the one request of a process that xinetd started, from a reading taken then."""

    def answer(request: Request, host: str, now: float) -> bytes:
        if request.path.startswith(SERVICE_PATH):
            return Services(file).reply(request, host)
        if request.path == HISTORY_PATH:  # who answers one request remembers nothing
            return reply_history(request, host, file.config.responder, None)
        snapshot = reader.take_once()
        age = time.monotonic() - now
        refused = refusal(request, host, snapshot.config.responder)
        return refused or reply(
            request, host, snapshot, age, Surroundings(lambda: keeper_metrics() + Services(file).metrics())
        )

    return answer


def refusal(request: Request, host: str, responder: Responder) -> bytes | None:
    """Return the response to a request that needs no reading; None for one that does."""
    return refuse(request, judge_peer(host, responder.allow_from, responder.detail_from))


def reply_history(request: Request, host: str, responder: Responder, tail: str | None) -> bytes:
    """Return the response to `/history`. tail: the newest lines of the ledger, None without any."""
    refused = refusal(request, host, responder)
    if refused:
        return refused
    from ...core.cluster.history.ledger_lines import without_addresses

    if tail is not None and judge_peer(host, responder.allow_from, responder.detail_from).remote:
        tail = without_addresses(tail)
    return render_history(request, tail)


def reply(request: Request, host: str, snapshot: Snapshot, age: float, surroundings: Surroundings) -> bytes:
    """Return the response for a snapshot. age in seconds."""
    responder, policy = snapshot.config.responder, snapshot.config.policy
    if request.server_state is not None and policy.last_node is LastNode.HAPROXY:
        last = parse_last_server(request.server_state)
        verdict = judge(snapshot.reading, policy, snapshot.withdrawal, last, snapshot.commits)
        snapshot = snapshot._replace(verdict=verdict)

    def report() -> NodeReport:
        made = snapshot.report(socket.gethostname(), age)
        writer = _report_writer(snapshot, surroundings)
        since, cluster = surroundings.since(), surroundings.cluster()
        return made._replace(balancers=surroundings.balancers(), since=since, cluster=cluster, writer=writer)

    answer = Answer(
        snapshot.verdict,
        age,
        responder.body,
        report,
        surroundings.counters,
        surroundings.services,
        lambda: judge_snapshot(snapshot, surroundings.writer(snapshot.config)),
    )
    return render_answer(request, judge_peer(host, responder.allow_from, responder.detail_from), answer)


def judge_snapshot(snapshot: Snapshot, standing: WriterStanding) -> Verdict:
    """Return the verdict for /writer."""
    from ...core.node.writer_rule import judge_writer

    return judge_writer(snapshot.verdict, standing, time.monotonic())


def _report_writer(snapshot: Snapshot, surroundings: Surroundings) -> WriterReport:
    from ...core.node.writer_rule import WriterReport

    standing = surroundings.writer(snapshot.config)
    return WriterReport(standing, judge_snapshot(snapshot, standing), surroundings.takers())


class Services:
    """Answers for the services, from the files that xha-services writes. No request ever starts a check."""

    def __init__(self, file: ConfigFile) -> None:
        self._file = file.copy()
        self._cache: RecordCache | None = None
        self._config: Config | None = None
        self._services: dict[str, ServiceConfig] = {}
        self._faults: tuple[ServiceFault, ...] = ()
        self._names: set[str] = set()
        self._answers: dict[tuple[Request, str], bytes] = {}
        self._answered_since = float("-inf")

    def reply(self, request: Request, host: str) -> bytes:
        """Return the response to a request below /service/.

        As with a reading of the node, one look serves many requests.
        """
        now = time.monotonic()
        if now - self._answered_since > LOOK_SECONDS:
            self._answers.clear()
            self._answered_since = now
        answer = self._answers.get((request, host))
        if answer is None:
            answer = self._answers[request, host] = self._look(request, host)
        return answer

    def _look(self, request: Request, host: str) -> bytes:
        from ...core.services.last_result import MISCONFIGURED, ServiceStanding, judge_record, render_standing

        try:
            config, known = self._file.refresh(), True
        except ConfigError:  # it is unknown what is configured: the answer is not green
            config, known = self._file.config, False
        responder = config.responder
        peer = judge_peer(host, responder.allow_from, responder.detail_from)
        self._parse(config)
        refused = refuse(request, peer, self._names if known else None)
        if refused:
            return refused
        if not known:
            return render_standing(request, ServiceStanding(False, "unknown config-error"))
        service = self._services.get(request.path[len(SERVICE_PATH) :])
        if service is None:
            return render_standing(request, MISCONFIGURED)
        record = self._records().get(responder.services_directory, service.name)
        return render_standing(request, judge_record(service, record, time.monotonic()))

    def metrics(self) -> str:
        """Return the metrics of the services, in the text exposition format of Prometheus."""
        try:
            config = self._file.refresh()
        except ConfigError:
            return ""
        self._parse(config)
        if not self._names:
            return ""
        from ...core.services.last_result import render_service_metrics

        directory, records = config.responder.services_directory, self._records()
        pairs = [(one, records.get(directory, one.name)) for one in self._services.values()]
        return render_service_metrics(pairs, time.monotonic(), self._faults)

    def _parse(self, config: Config) -> None:
        """Use the services of a configuration. Each configuration is parsed only once."""
        if config is self._config:
            return
        self._services, self._faults = {}, ()
        if config.service_sections:  # without services, the catalogue is not imported
            from ...core.services.settings import parse_services

            services, self._faults = parse_services(config)
            self._services = {one.name: one for one in services}
        self._names = {*self._services, *(one.name for one in self._faults)}
        self._config = config

    def _records(self) -> RecordCache:
        if self._cache is None:
            from ...adapters.files.result_files import RecordCache

            self._cache = RecordCache()
        return self._cache
