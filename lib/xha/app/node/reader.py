"""Takes readings of one node and judges them."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, NamedTuple

from ...adapters.files.config_files import config_signature, read_config, read_withdrawal
from ...core.config.xha_conf import Config
from ...core.galera.reading import Reading
from ...core.node.commits import Commits
from ...core.node.verdict import Code, Unreadable, Verdict, judge
from ...core.node.warnings import find_warnings
from ...core.text.values import ConfigError
from .host_evidence import HostEvidence
from .login_watch import LoginWatch

if TYPE_CHECKING:
    from typing import Callable, Protocol

    from ...adapters.mysql.login_target import Target
    from ...adapters.mysql.session import Session
    from ...adapters.network.channel import Allowance
    from ...core.config.xha_conf import Database
    from ...core.node.report import NodeReport
    from ...core.node.withdrawal import Withdrawal
    from .commit_watch import CommitWatch

    class ConfigSource(Protocol):
        """The source of a configuration."""

        @property
        def config(self) -> Config:
            """The last valid one."""

        def refresh(self) -> Config:
            """Return the present one. :raises ConfigError: while it is invalid."""


class Snapshot(NamedTuple):
    """A reading, what else was seen with it, and the verdict. time is in seconds since the epoch.

    fault: the exception of xha's own because of which nothing could be read.
    """

    reading: Reading | Unreadable
    verdict: Verdict
    config: Config
    time: float
    withdrawal: Withdrawal | None = None
    warnings: tuple[str, ...] = ()
    fault: BaseException | None = None
    commits: Commits = Commits(unknown="the server was not read")

    def report(self, host: str, age: float) -> NodeReport:
        """Return the report for JSON or metrics. age in seconds."""
        from datetime import datetime, timezone

        from ...core.node.report import NodeReport

        return NodeReport(
            host=host,
            time=datetime.fromtimestamp(self.time, timezone.utc).isoformat(timespec="milliseconds"),
            age=age,
            verdict=self.verdict,
            policy=self.config.policy,
            withdrawal=self.withdrawal,
            reading=self.reading,
            warnings=self.warnings,
            commits=self.commits,
        )


class FixedConfig(NamedTuple):
    """A configuration that no file changes."""

    config: Config

    def refresh(self) -> Config:
        """Return it."""
        return self.config


class ConfigFile:
    """xha.conf, read again whenever it changes. override applies what the command line says."""

    def __init__(self, path: str | None, override: Callable[[Config], Config] = lambda config: config) -> None:
        self._path, self._override = path, override
        self._signature: tuple[int, ...] | None = ()
        self._error: ConfigError | None = None
        self.config = override(Config())

    def copy(self) -> ConfigFile:
        """Return a new object for the same file, for another thread."""
        return ConfigFile(self._path, self._override)

    def refresh(self) -> Config:
        """Return the present configuration. :raises ConfigError: while the file is invalid."""
        signature = config_signature(self._path)
        if signature != self._signature:
            try:
                self.config, self._error = self._override(read_config(self._path)), None
            except ConfigError as error:
                self._error = error
            self._signature = signature
        if self._error:
            # A new error each time: raising the stored one adds to its traceback, which keeps the frames of every
            # request.
            raise ConfigError(*self._error.args)
        return self.config


class Reader:
    """Owns the one connection to the database; used by one thread at a time.

    A reading with its login may take the configured deadline. In a resident process, which keeps its connection, it may
    take hang_reset. resolve returns the login target of a configuration; the default is
    adapters.mysql.login_target.read_target. watch: what a resident process keeps in mind of the server's commits;
    without it, the file of this host's responder tells of them.
    """

    def __init__(
        self,
        source: ConfigSource,
        resident: bool = False,
        resolve: Callable[[Database], Target] | None = None,
        watch: CommitWatch | None = None,
    ) -> None:
        self._source, self._resident, self._resolve, self._watch = source, resident, resolve, watch
        self._session: Session | None = None
        self._session_database: Database | None = None
        self._opened_at = 0.0
        self.logins = LoginWatch()
        self._target: Target | None = None
        self._evidence = HostEvidence()

    @property
    def target(self) -> Target | None:
        """Where the last reading logged in, or tried to; None before the first one."""
        return self._session.target if self._session else self._target

    @staticmethod
    def prepare() -> None:
        """Import now what a reading needs: from a cold disk that may take longer than the first probe waits."""
        from ...adapters.datadir import coming_up, joiner  # noqa: F401
        from ...adapters.mysql import login_target, session  # noqa: F401

    def take(self) -> Snapshot:
        """Read the node once and judge it. Never raises for anything that the node or its configuration does."""
        try:
            return self._take()
        except Exception as error:  # an unexpected exception
            return self.give_up(error)

    def take_once(self) -> Snapshot:
        """Read the node as `take` does, and log out.

        A connection that is only dropped is a warning in the server's log: "Aborted connection", one for each check.
        """
        try:
            return self.take()
        finally:
            self.close()

    def give_up(self, error: BaseException) -> Snapshot:
        """Return the snapshot after an exception: nothing is known of the node."""
        try:
            self.close()
        except Exception:
            self._session = None
        reading, config = Unreadable(Code.CONFIG_ERROR, f"{type(error).__name__}: {error}"), self._source.config
        return Snapshot(reading, judge(reading, config.policy), config, time.time(), fault=error)

    def _take(self) -> Snapshot:
        try:
            config = self._source.refresh()
        except ConfigError as error:
            return self._snapshot(Unreadable(Code.CONFIG_ERROR, str(error)), self._source.config)
        return self._snapshot(self._read(config), config)

    def _snapshot(self, reading: Reading | Unreadable, config: Config) -> Snapshot:
        withdrawal = read_withdrawal(config.responder)
        if not isinstance(reading, Reading):
            return Snapshot(reading, judge(reading, config.policy, withdrawal), config, time.time(), withdrawal)
        commits = self._judge_commits(reading, config, withdrawal)
        verdict = judge(reading, config.policy, withdrawal, commits=commits)
        warnings = self.logins.warnings + find_warnings(reading) + commits.warnings
        return Snapshot(reading, verdict, config, time.time(), withdrawal, warnings, commits=commits)

    def _judge_commits(self, reading: Reading, config: Config, withdrawal: Withdrawal | None) -> Commits:
        if self._watch is not None:
            local = self._session is not None and self._session.target.local
            return self._watch.note(reading, config, bool(withdrawal and not withdrawal.drains), local)
        from ...adapters.files.commit_file import read_commit_file

        return read_commit_file(config.responder.commit_file, reading.status.wsrep_gcomm_uuid)

    def _read(self, config: Config) -> Reading | Unreadable:
        # Imported here: clustercheck on a disabled node, and --help, do not need PyMySQL.
        from ...adapters.mysql.session import ReadError
        from ...adapters.network.channel import Allowance

        if self._watch is not None:
            self._watch.begin()
        seconds = config.responder.hang_reset if self._resident else config.responder.deadline
        try:
            session, reading = self._ask(config, Allowance(seconds))
            if self._resident:
                self.logins.check(config, lambda: self._find_target(config.database))
            evident = self._evidence.add(reading, session.target, config.database.server_user)
            return self._with_threads(evident, session, config)
        except ReadError as error:
            return self._evidence.explain(error.unreadable, self._target, config.database.server_user)
        except ConfigError as error:
            return Unreadable(Code.CONFIG_ERROR, str(error))

    def _ask(self, config: Config, allowance: Allowance) -> tuple[Session, Reading]:
        from ...adapters.mysql.session import ReadError

        kept = self._session
        session = self._open(config, allowance)
        try:
            return session, session.read(allowance)
        except ReadError as error:
            # The server closes a connection that is idle for wait_timeout, and a restarted server does not know an old
            # connection: both say nothing about the node. A server that did not answer would not answer a second time.
            if session is not kept or session.is_open or error.unreadable.code is Code.HUNG:
                raise
        session = self._open(config, allowance)
        return session, session.read(allowance)

    def _open(self, config: Config, allowance: Allowance) -> Session:
        """Return the open connection, or a new one after a failure or a change of the configuration."""
        if self._session and self._session.is_open and self._session_database == config.database:
            return self._session
        from ...adapters.mysql.session import Session

        self.close()
        if self._session_database != config.database:
            self._session_database, self._evidence = config.database, HostEvidence()
        self._target = target = self._find_target(config.database)
        self._session = Session(target, allowance, config.database.probe_query)
        self._opened_at = time.monotonic()
        self.logins.succeeded(target)
        return self._session

    def _find_target(self, database: Database) -> Target:
        from ...adapters.mysql.login_target import read_target

        return (self._resolve or read_target)(database)

    def _with_threads(self, reading: Reading, session: Session, config: Config) -> Reading:
        """Add what the server's threads do, where a stall or a late commit is to be explained."""
        if self._watch is None or not self._watch.wants_threads(reading):
            return reading
        from ...adapters.mysql.session import ReadError
        from ...adapters.network.channel import Allowance

        try:
            # As with a login: what it may take must not make the reading overdue.
            working = session.read_threads(Allowance(config.responder.deadline / 4))
        except ReadError:
            return reading
        if working is None and time.monotonic() - self._opened_at > config.responder.hang_reset:
            self._renew(config)
        return reading._replace(working=working)

    def _renew(self, config: Config) -> None:
        """Log in anew: a privilege that was granted since counts for new sessions only.

        The open connection is kept until then. Where commits hang, they soon use up the connections of the server.
        """
        from ...adapters.mysql.session import ReadError, Session
        from ...adapters.network.channel import Allowance

        self._opened_at = time.monotonic()
        with contextlib.suppress(ReadError, ConfigError):
            allowance = Allowance(config.responder.deadline / 4)
            session = Session(self._find_target(config.database), allowance, config.database.probe_query)
            self.close()
            self._session = session

    def close(self) -> None:
        """Close the connection to the database."""
        if self._session:
            self._session.close()
        self._session = None
