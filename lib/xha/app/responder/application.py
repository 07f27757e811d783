"""The resident responder's application: takes requests from the server loop and answers them from readings."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from typing import TYPE_CHECKING

from ...adapters.host import sd_notify as systemd
from ...adapters.host.faults import Faults
from ...core.http.haproxy_state import parse_server_name, takes_server_in, takes_server_out
from ...core.http.routes import HISTORY_PATH, SERVICE_PATH, WRITER_PATH
from ...core.node.balancers import BalancerList, RefusalCounts
from ...core.node.freshness import Due, Freshness
from ...core.node.verdict import Code, Unreadable, judge
from ...core.text.values import ConfigError
from ..node.background_reader import BackgroundReader
from ..node.reader import Reader, Snapshot
from .event_log import EventLog
from .ledger import Ledger
from .responses import (
    LOOK_SECONDS,
    Services,
    Surroundings,
    judge_snapshot,
    keeper_metrics,
    read_writer,
    refusal,
    reply,
    reply_history,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Callable

    from ...adapters.host.log import Log
    from ...adapters.http.server import Server
    from ...adapters.mysql.login_target import Target
    from ...core.config.xha_conf import Config
    from ...core.http.message import Request
    from ...core.node.writer_rule import WriterStanding
    from ..node.reader import ConfigFile
    from .asked import ProgramAnswers

_ASKED_BY_BALANCERS = ("/", "/ready", WRITER_PATH)
_HEARTBEAT_SECONDS = 1.0  # shorter if systemd's watchdog requires it


class _Counters:
    def __init__(self) -> None:
        self.requests = self.readings = self.complaints = self.faults = 0

    def document(self) -> Mapping[str, tuple[str, int]]:
        return {
            "xha_requests_total": ("requests answered", self.requests),
            "xha_readings_total": ("readings taken of the database", self.readings),
            "xha_complaints_total": ("connections that came to nothing", self.complaints),
            "xha_faults_total": ("exceptions of the responder's own: its log has them", self.faults),
        }


class ResponderApplication:
    """Answers from readings that a thread takes. core/node/freshness.py decides which reading answers which probe.

    leave is called when the process that started this one, xinetd, has ended.
    """

    def __init__(self, file: ConfigFile, log: Log, leave: Callable[[], object] | None = None) -> None:
        self._file = file
        self._services = Services(file)
        # Read by the loop itself: where all clients are silent, no reading would notice that answer_silent was set.
        self._loops_file = file.copy()
        self._log = log
        self._event_log = EventLog(log)
        self._faults = Faults(log)
        self._ledger, self._refusals = Ledger(log.warning), RefusalCounts()
        self._counters = _Counters()
        # Who sends no new connections here; and of those that ask for the writer, who does.
        self._balancers, self._takers = BalancerList(time.monotonic()), BalancerList(time.monotonic())
        self._writer: WriterStanding | None = None
        self._writer_at, self._writer_config = 0.0, file.config
        self._surroundings = Surroundings(
            lambda: self._refusals.render() + keeper_metrics() + self._services.metrics(),
            self._document_counters,
            lambda: self._balancers.look(time.monotonic()),
            lambda: self._takers.look(time.monotonic()),
            self._look_at_writer,
            lambda: self._ledger.since,
            lambda: self._ledger.cluster,
        )
        # the first probe reports the error; deadline and allow_from of the last valid file apply
        with contextlib.suppress(ConfigError):
            file.refresh()
        responder = file.config.responder
        self._freshness: Freshness[Snapshot] = Freshness(responder.max_age, responder.deadline)
        self._hung: Snapshot | None = None
        self._asked: ProgramAnswers | None = None
        self._wanted = False
        self._parent, self._leave = os.getppid(), leave
        self._heartbeat = min(_HEARTBEAT_SECONDS, systemd.watchdog_interval() or _HEARTBEAT_SECONDS)
        self._next_heartbeat = 0.0
        self.answer_silent = responder.answer_silent

    def attach(self, server: Server, asked: ProgramAnswers | None = None) -> None:
        """Start taking readings, and make the server collect each one. asked: who answers programs of this host."""
        self._server, self._asked = server, asked
        wake_sender, listener = socket.socketpair()
        self._wake_receiver = listener
        from ...adapters.mysql.login_target import read_target
        from ..node.commit_watch import CommitWatch

        reader = Reader(self._file, resident=True, watch=CommitWatch(read_target, self._log.warning))
        reader.prepare()
        self._node = reader
        self._reader = BackgroundReader(reader, lambda: wake_sender.send(b"!"))
        server.watch(listener, self._collect)
        if asked:
            asked.attach(server, self)

    def answer(self, request: Request, host: str, now: float) -> bytes | None:
        """Return the response; None while the reading that will answer the request is not there."""
        self._counters.requests += 1
        if request.path.startswith(SERVICE_PATH):
            return self._services.reply(request, host)
        if request.path == HISTORY_PATH:
            return reply_history(request, host, self._file.config.responder, self._ledger.tail)
        refused = refusal(request, host, self._file.config.responder)
        if refused:
            return refused
        return None if self.look(now) is Due.WAIT else self.render(request, host, now)

    def look(self, now: float) -> Due:
        """Return how who asks now is answered, and ask for a reading where there is need of one."""
        self._notice_overdue(now)  # the loop may have been busy since its last tick
        due = self._freshness.due(now)
        if due is not Due.FINISHED:
            self._wanted = True
            self._ask(now)
        return due

    def answer_waiting(self, request: Request, host: str, now: float) -> bytes:
        """Return the response to a request whose reading has arrived or is overdue."""
        return self.render(request, host, now)

    def standing(self, now: float) -> tuple[Snapshot, float]:
        """Return the reading that answers now, and the time.monotonic() of its query; of one that is overdue, now."""
        snapshot = self._hung if self._freshness.hung else self._freshness.snapshot
        assert snapshot is not None  # Freshness answers from a reading, or as hung
        return snapshot, now if self._freshness.hung else now - self._freshness.age(now)

    @property
    def target(self) -> Target | None:
        """Where the readings are taken."""
        return self._node.target

    @property
    def login_fails(self) -> bool:
        """Whether a new login would fail where the open connection still works."""
        return self._node.logins.fails

    def render(self, request: Request, host: str, now: float) -> bytes:
        """Return the response from the reading that answers now."""
        snapshot, _ = self.standing(now)
        age, responder = self._freshness.age(now), snapshot.config.responder
        # Checked again: the configuration may have changed since the request.
        refused = refusal(request, host, responder)
        if refused:
            return refused
        if request.path in _ASKED_BY_BALANCERS:
            self._note_balancer(request, host, now, snapshot)
            if not snapshot.verdict.available:
                self._refusals.note(host)
        return reply(request, host, snapshot, age, self._surroundings)

    def _note_balancer(self, request: Request, host: str, now: float, snapshot: Snapshot) -> None:
        state = request.server_state or ""
        name, out, told = parse_server_name(state), takes_server_out(state), snapshot.verdict.code is Code.DRAINING
        if request.path == WRITER_PATH:
            serves = judge_snapshot(snapshot, self._look_at_writer(snapshot.config)).available
            self._takers.note(host, now, told=serves, name=name, done=takes_server_in(state))
            host, told = f"{host} {WRITER_PATH}", not serves  # a host may ask both
        self._balancers.note(host, now, told=told, name=name, done=out)

    def _look_at_writer(self, config: Config) -> WriterStanding:
        """Return what the keeper says of the writer; one look serves many requests."""
        now = time.monotonic()
        if self._writer is None or now - self._writer_at > LOOK_SECONDS or config is not self._writer_config:
            self._writer, self._writer_at, self._writer_config = read_writer(config), now, config
        return self._writer

    def _document_counters(self) -> Mapping[str, tuple[str, int]]:
        ledger = self._ledger
        programs = self._asked
        return {
            **self._counters.document(),
            "xha_programs_answered_total": ("programs of this host answered", programs.answered if programs else 0),
            "xha_programs_referred_total": ("programs of this host left to look", programs.referred if programs else 0),
            "xha_outages_total": ("how often the node went out of service, planned or not", ledger.outages),
            "xha_drains_total": ("how often the node began to drain", ledger.drains),
        }

    def _ask(self, now: float) -> None:
        at = self._freshness.may_ask_at()
        if self._wanted and at is not None and at <= now:
            self._wanted = False
            self._freshness.asked(now)
            self._counters.readings += 1
            self._reader.ask()

    def _collect(self) -> None:
        self._wake_receiver.recv(64)
        snapshot = self._reader.collect()
        if snapshot is None:
            return
        gave_up = isinstance(snapshot.reading, Unreadable) and snapshot.reading.code is Code.HUNG
        self._freshness.max_age = snapshot.config.responder.max_age
        self._freshness.deadline = snapshot.config.responder.deadline
        self._freshness.finished(snapshot, answered=not gave_up)
        try:
            if gave_up:
                self._note_hung()
            else:
                self._event_log.note(snapshot)
                self._ledger.note(snapshot, time.monotonic())
            if snapshot.fault:
                self.fault("reading the node", snapshot.fault)
        finally:  # whatever happened to the log
            self._answer_waiting()

    def _answer_waiting(self) -> None:
        self._server.answer_waiting()
        if self._asked:
            self._asked.answer_waiting()

    def _note_hung(self) -> None:
        """Make the snapshot for "the server does not answer", and log it."""
        last = self._freshness.snapshot
        config = last.config if last else self._file.config
        reading = Unreadable(Code.HUNG)
        withdrawal = last.withdrawal if last else None
        self._hung = Snapshot(reading, judge(reading, config.policy), config, time.time(), withdrawal)
        self._event_log.note(self._hung)
        self._ledger.note(self._hung, time.monotonic())

    def complain(self, host: str, why: str) -> None:
        """Count a connection that got no regular answer, and log it."""
        self._counters.complaints += 1
        self._event_log.complain(host, why)

    def fault(self, doing: str, error: BaseException) -> None:
        """Count an unexpected exception, and log it."""
        self._counters.faults += 1
        self._faults.note(doing, error)

    def tick(self, now: float) -> float:
        """Do what is due, and return the seconds until something is due again."""
        if now >= self._next_heartbeat:
            self._beat(now)
        self._ask(now)
        self._notice_overdue(now)
        overdue = self._freshness.overdue_at()
        ask_at = self._freshness.may_ask_at() if self._wanted else None
        late = self._asked.drop_late(now) if self._asked else None
        times = [at for at in (overdue, ask_at, self._next_heartbeat, late) if at is not None]
        return max(0.0, min(times) - now)

    def _notice_overdue(self, now: float) -> None:
        """Answer the clients that wait once the reading in progress is overdue."""
        overdue = self._freshness.overdue_at()
        if overdue is not None and overdue <= now:
            self._freshness.due(now)
            try:
                self._note_hung()
            finally:
                self._answer_waiting()

    def _beat(self, now: float) -> None:
        """Notify systemd's watchdog from the loop, never from the database's thread.

        Call `leave` if xinetd has ended.
        """
        self._next_heartbeat = now + self._heartbeat
        if self._leave is not None and os.getppid() != self._parent:
            self._leave()
        systemd.notify("WATCHDOG=1")
        with contextlib.suppress(ConfigError):  # the last valid value stays in force
            self.answer_silent = self._loops_file.refresh().responder.answer_silent
        if self._hung is not None and self._freshness.in_flight and self._freshness.hung:
            self._ledger.note(self._hung, now)  # whoever waits for an answer looks
        self._log.settle()
