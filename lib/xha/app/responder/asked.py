"""Answers those programs of this host and account that would else read the node themselves, each for one answer.

A responder that xinetd starts for one probe (`wait = no`) and clustercheck ask here first. They get what they would
find out themselves, byte for byte, from a reading that is as fresh as theirs has to be; where that is not sure, they
are refused, and look themselves. It is not sure

- where they see another xha.conf or another option file than this process, or where the reading is of an earlier one;
- where they log in elsewhere, with another account or with another TLS, or a new login would fail;
- for paths that tell of the process that answers: /node, /metrics, /history.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, NamedTuple

from ...adapters.files.config_files import read_withdrawal
from ...adapters.mysql.login_target import read_target
from ...adapters.network.resident_client import same_files
from ...adapters.network.resident_listener import AskingProgram, Unanswerable
from ...core.http.clustercheck_body import Body, render_clustercheck
from ...core.http.message import BadRequest, parse_request
from ...core.http.routes import SERVICE_PATH
from ...core.node.freshness import Due
from ...core.node.verdict import Code, Unreadable, judge, judge_withdrawal
from ...core.text.values import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Callable

    from ...adapters.http.server import Server
    from ...adapters.mysql.login_target import Target
    from ...adapters.network.resident_listener import ResidentListener
    from ...core.config.xha_conf import Config
    from ...core.http.message import Request
    from ...core.node.verdict import Verdict
    from ..node.reader import ConfigFile, Snapshot

HTTP, CLUSTERCHECK = b"http", b"clustercheck"
_OF_THIS_PROCESS = ("/node", "/metrics", "/history")
_MOST = 256
# Who was accepted has its question ready; one that was stopped meanwhile looks itself afterwards.
_QUESTION_SECONDS = 1.0


class ProgramSettings(NamedTuple):
    """What a program of its own settings would look at, and where it would log in."""

    config: Config
    target: Target


if TYPE_CHECKING:
    from typing import Protocol

    ReadSettings = Callable[[list[str], Mapping[str, str]], ProgramSettings]

    class Readings(Protocol):
        """The readings of the node, and the responses that are made of them."""

        @property
        def target(self) -> Target | None:
            """Where they are taken."""

        @property
        def login_fails(self) -> bool:
            """Whether a new login would fail where the open connection still works."""

        def look(self, now: float) -> Due:
            """Return how who asks now is answered."""

        def standing(self, now: float) -> tuple[Snapshot, float]:
            """Return the reading that answers now, and the time.monotonic() of its query."""

        def answer(self, request: Request, host: str, now: float) -> bytes | None:
            """Return the response to a request that has just arrived; None to wait for a reading."""

        def render(self, request: Request, host: str, now: float) -> bytes:
            """Return the response from the reading that answers now."""


class _Probe(NamedTuple):
    """A request that a client sent to a program of this host."""

    request: Request
    host: str


class ProgramAnswers:
    """The questions that are open.

    read_settings returns those of clustercheck, for its arguments and environment. :raises ConfigError: where they
    cannot be used here.
    """

    def __init__(self, listener: ResidentListener, file: ConfigFile, read_settings: ReadSettings) -> None:
        self._listener, self._file, self._read_settings = listener, file, read_settings
        # How many were answered, and how many were left to look themselves.
        self.answered = self.referred = 0
        self._unread: dict[int, AskingProgram] = {}
        self._waiting: list[tuple[AskingProgram, _Probe | ProgramSettings]] = []

    def attach(self, server: Server, application: Readings) -> None:
        """Have the server's loop call this."""
        self._server, self._application = server, application
        server.watch(self._listener, self._accept)

    def _accept(self) -> None:
        question = self._listener.accept()
        if question is None:
            return
        if len(self._unread) + len(self._waiting) >= _MOST:
            question.close()
            return
        self._unread[question.fileno()] = question
        self._server.watch(question, lambda: self._read(question))
        self._read(question)

    def drop_late(self, now: float) -> float:
        """Close who has asked nothing for too long. Return the time.monotonic() of the next one; inf without any."""
        while self._unread:
            first = next(iter(self._unread.values()))  # it came first, too
            until = first.began + _QUESTION_SECONDS
            if now < until:
                return until
            self._server.forget(first.fileno())
            del self._unread[first.fileno()]
            first.close()
        return float("inf")

    def _read(self, question: AskingProgram) -> None:
        try:
            if not question.read(self._listener.own):
                return
            self._server.forget(question.fileno())
            del self._unread[question.fileno()]
            self._take(question)
        except (Unanswerable, ConfigError, BadRequest, OSError, ValueError):
            self._unread.pop(question.fileno(), None)
            self._server.forget(question.fileno())
            self._refer(question)

    def _take(self, question: AskingProgram) -> None:
        """Answer at once, or note the question until its reading has come."""
        now = time.monotonic()
        if question.kind == HTTP:
            asked: _Probe | ProgramSettings | None = self._take_probe(question, now)
        elif question.kind == CLUSTERCHECK:
            asked = self._take_program(question, now)
        else:
            raise Unanswerable("nothing of that kind is answered here")
        if asked is None:
            return
        if self._application.look(now) is Due.WAIT:
            own = self._file.refresh().responder.deadline
            question.wait(own if isinstance(asked, _Probe) else min(own, asked.config.responder.deadline))
            self._waiting.append((question, asked))
        else:
            self._finish(question, asked, now)

    def _take_probe(self, question: AskingProgram, now: float) -> _Probe | None:
        """Return the request if it needs a reading. words: the client's address, the request, and the files seen."""
        host, data, *files = question.words
        self._compare(tuple(files))
        request = parse_request(data)
        if request is None or request.path in _OF_THIS_PROCESS:
            raise Unanswerable("a request that is not whole, or of the process that answers")
        probe, config = _Probe(request, host.decode("ascii")), self._file.refresh()
        if not request.path.startswith(SERVICE_PATH):
            return probe
        answer = self._application.answer(request, probe.host, now)
        if answer is None:
            raise Unanswerable("a service has no reading of the node")
        self._answer(question, answer, now, config)
        return None

    def _take_program(self, question: AskingProgram, now: float) -> ProgramSettings | None:
        """Return clustercheck's settings if it needs a reading.

        words: how many files there are, the files, how many arguments, the arguments, the environment.
        """
        number, *words = question.words
        self._compare(tuple(words[: int(number)]))
        arguments, *given = [os.fsdecode(word) for word in words[int(number) :]]
        environment = dict(one.partition("=")[::2] for one in given[int(arguments) :])
        program = self._read_settings(given[: int(arguments)], environment)
        withdrawal = read_withdrawal(program.config.responder)
        if withdrawal is None:
            return program
        self._tell(question, judge_withdrawal(withdrawal), now, program)
        return None

    def _refer(self, question: AskingProgram) -> None:
        self.referred += 1
        question.refuse()

    def _compare(self, files: tuple[bytes, ...]) -> None:
        if not same_files(files):
            raise Unanswerable("who asks sees other files")

    def answer_waiting(self) -> None:
        """Answer those that wait for the reading that has come, or is overdue."""
        waiting, self._waiting = self._waiting, []
        for question, asked in waiting:
            try:
                self._finish(question, asked, time.monotonic())
            except (Unanswerable, ConfigError, OSError, ValueError):
                self._refer(question)

    def _finish(self, question: AskingProgram, asked: _Probe | ProgramSettings, now: float) -> None:
        """Answer from the reading that is fresh now. :raises Unanswerable: where who asks may see another node."""
        snapshot, read_at = self._application.standing(now)
        if snapshot.fault or snapshot.config != self._file.refresh() or self._application.login_fails:
            raise Unanswerable("the reading is of another configuration, or a new login would fail")
        if isinstance(asked, _Probe):
            target = read_target(snapshot.config.database)
            self._require_target(target)
            answer = self._application.render(asked.request, asked.host, now)
            self._answer(question, answer, read_at, snapshot.config, _paths(snapshot.config, target))
            return
        self._require_target(asked.target)
        _require_alike(snapshot, asked.config)
        verdict = judge(snapshot.reading, asked.config.policy, commits=snapshot.commits)
        self._tell(question, verdict, read_at, asked)

    def _require_target(self, target: Target) -> None:
        if not target.is_like(self._application.target):
            raise Unanswerable("who asks logs in elsewhere, or as another account")

    def _tell(self, question: AskingProgram, verdict: Verdict, read_at: float, asked: ProgramSettings) -> None:
        answer = render_clustercheck(verdict, Body.PERCONA)
        self.answered += 1
        code = 0 if verdict.available else 1
        question.answer(answer, read_at, asked.config.responder.max_age, code, _paths(*asked))

    def _answer(
        self, question: AskingProgram, answer: bytes, read_at: float, config: Config, seen: tuple[str | None, ...] = ()
    ) -> None:
        self.answered += 1
        question.answer(answer, read_at, config.responder.max_age, seen=seen)


def _paths(config: Config, target: Target) -> tuple[str | None, ...]:
    """Return what decides, and may be hidden from one of the two: the socket, the login's files, those of xha.conf.

    Of clustercheck's own option file, which it need not be able to read, counts that it is there, too.
    """
    files = config.responder
    tls = (value for _, value in target.tls_words if "/" in value)
    return (
        target.socket,
        *tls,
        config.database.defaults_file,
        *target.looked_at,
        files.disabled_file,
        files.legacy_disabled_file,
        files.drain_file,
    )


def _require_alike(snapshot: Snapshot, config: Config) -> None:
    """Raise Unanswerable where a program with this configuration reads the same server in another way."""
    ours, theirs = snapshot.config, config
    if (
        ours.database.server_user != theirs.database.server_user
        or ours.database.probe_query != theirs.database.probe_query
        or ours.responder.commit_file != theirs.responder.commit_file
    ):
        raise Unanswerable("another account of the server, another query, or another record of its commits")
    hung = isinstance(snapshot.reading, Unreadable) and snapshot.reading.code is Code.HUNG
    if hung and ours.responder.deadline != theirs.responder.deadline:
        raise Unanswerable("another deadline")
