"""xha-services: checks the configured services repeatedly, and writes the results for the responder."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

from ..adapters.files.atomic_write import remove_unfinished
from ..adapters.files.result_files import read_record, remove_other_records, write_record
from ..adapters.host import sd_notify as systemd
from ..adapters.host.faults import Faults
from ..adapters.host.log import Log
from ..adapters.network.epoll import reason
from ..app.checks.fork_runner import Child, collect_lost, job_of, load_checks, uninterrupted, wait_children
from ..app.node.reader import ConfigFile
from ..core.services.last_result import STALE_INTERVALS, Record, next_record
from ..core.services.model.result import Result, Status
from ..core.services.settings import parse_services
from ..core.text.values import ConfigError
from .terminal.streams import mend_streams

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..core.config.xha_conf import Config
    from ..core.services.settings import ServiceConfig, ServiceFault

NAME = "xha-services"
_TICK = 1.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM; return the exit code."""
    from .check.options import services_parser

    mend_streams()
    said = services_parser().parse_args(sys.argv[1:] if argv is None else list(argv))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    runner = Runner(ConfigFile(said.config), Log(NAME))
    with runner.guard("reading xha.conf"):
        runner.refresh()
    systemd.notify("READY=1")
    try:
        while True:
            runner.serve_turn()
            systemd.notify("WATCHDOG=1")
    finally:
        runner.close()


class Runner:
    """Starts each check when it is due, at most one for each service at a time, and keeps the last results."""

    def __init__(self, file: ConfigFile, log: Log) -> None:
        self._file, self._log = file, log
        self._config: Config | None = None
        self._wrong: tuple[ServiceFault, ...] = ()
        self._services: dict[str, ServiceConfig] = {}
        self._due: dict[str, float] = {}
        self._children: dict[str, Child] = {}
        self._records: dict[str, Record] = {}
        self._faults = Faults(log)
        self._directory = ""
        self._changes = 0

    def refresh(self) -> None:
        """Use what xha.conf says now. While xha.conf is wrong, the last valid configuration stays in use.

        A service whose own section is wrong is not checked until the section is corrected. The others are.
        """
        try:
            config = self._file.refresh()
        except ConfigError as error:
            self._log.warning(str(error))
            return
        if config is self._config:
            return
        self._changes += 1  # what is said of another configuration is news, though it may have been said before
        parsed, faults = parse_services(config)
        for fault in faults:
            if fault not in self._wrong:
                self._log.warning(fault.message, kind=f"{fault.message} in configuration {self._changes}")
        self._wrong = faults
        self._take_over({one.name: one for one in parsed}, config)
        self._config = config

    def _take_over(self, services: dict[str, ServiceConfig], config: Config) -> None:
        if services == self._services and config.responder.services_directory == self._directory:
            return
        self._directory = config.responder.services_directory
        self._prepare_directory()
        load_checks(map(job_of, services.values()), stays=True)
        now = time.monotonic()
        for name, service in services.items():
            if self._services.get(name) != service:
                self._due[name] = now
                self._records.pop(name, None)
                old = read_record(self._directory, name)
                if isinstance(old, Record) and 0 <= now - old.at <= STALE_INTERVALS * service.interval:
                    self._records[name] = old
        self._services = services
        for name in set(self._due) - set(services):
            del self._due[name]
            self._records.pop(name, None)
        remove_other_records(self._directory, services)
        named = ", ".join(services) or "nothing: xha.conf has no [service NAME] that is right"
        self._log.info(f"checking {named}", kind=f"checking in configuration {self._changes}")

    def _prepare_directory(self) -> None:
        tokens = os.path.join(self._directory, ".tokens")
        try:
            os.makedirs(self._directory, mode=0o755, exist_ok=True)
            os.makedirs(tokens, mode=0o700, exist_ok=True)
        except OSError as error:
            self._log.warning(f"{self._directory}: {reason(error)}")
        remove_unfinished(tokens)
        os.environ["XHA_TOKENS"] = tokens

    def serve_turn(self) -> None:
        """Take one turn. An unexpected exception is logged, and the next turn follows."""
        try:
            self.turn()
        except Exception as error:
            self._faults.note("checking services", error)
            time.sleep(_TICK)

    def turn(self) -> None:
        """Start the checks that are due, and wait a moment for those that run.

        A fault of one service does not affect the others.
        """
        with self.guard("reading xha.conf"):
            self.refresh()
        collect_lost()
        self._log.settle()
        now = time.monotonic()
        for name, service in self._services.items():
            if self._due[name] <= now and name not in self._children:
                with self.guard(f"starting the check of {name}"):
                    self._start(name, service, now)
        for child in wait_children(list(self._children.values()), max(0.0, self._next(now) - now)):
            name = next(name for name, one in self._children.items() if one is child)
            # SIGTERM ends neither the list without the check, nor the record without its line in the log.
            with self.guard(f"taking the result of {name}"), uninterrupted():
                del self._children[name]
                self._finish(name, child, child.end())

    @contextlib.contextmanager
    def guard(self, doing: str) -> Iterator[None]:
        """End the block on an unexpected exception, and log it."""
        try:
            yield
        except Exception as error:
            self._faults.note(doing, error)

    def _next(self, now: float) -> float:
        """Return when there is something to do next."""
        waiting = [at for name, at in self._due.items() if name not in self._children]
        return min([now + _TICK, *waiting, *(child.ends for child in self._children.values())])

    def _start(self, name: str, service: ServiceConfig, now: float) -> None:
        # At the start, all checks run at once. From then on they are spread over the interval, so that the burst of
        # processes does not recur.
        first = name not in self._records
        phase = list(self._services).index(name) / len(self._services) if first else 0.0
        self._due[name] = now + service.interval * (1 - phase / 2)
        try:
            with uninterrupted():
                self._children[name] = Child(job_of(service))
        except OSError as error:  # no process, descriptor or memory is left: this says nothing about the service
            self._due[name] = now + _TICK
            self._log.warning(f"{name}: the check cannot be started: {reason(error)}")

    def _finish(self, name: str, child: Child, result: Result) -> None:
        service = self._services.get(name)
        if service is None or child.job.service != service:
            return  # the service is no longer checked, or its settings have changed
        last = self._records.get(name)
        ago = time.monotonic() - child.began
        record = next_record(service, last, result, child.began, time.time() - ago)
        self._records[name] = record
        try:
            write_record(self._directory, record)
        except OSError as error:
            self._log.warning(f"{self._directory}: {reason(error)}")
        if last is None or (last.result.status, last.result.blame) != (result.status, result.blame):
            self._tell(result)

    def _tell(self, result: Result) -> None:
        write = self._log.info if result.status in (Status.OK, Status.NOT_APPLICABLE) else self._log.warning
        state = " ".join(filter(None, (result.status.value, result.blame)))
        write(f"{result.name}: {state}: {result.message}", about=result.name, kind=state)

    def close(self) -> None:
        """End every check that runs."""
        for child in self._children.values():
            with self.guard("ending a check"):
                child.end()
