"""xha-services: checks the configured services again and again, and writes what came of it for the responder."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING

from ..adapters import systemd
from ..adapters.files.result_files import read_record, remove_other_records, write_record
from ..adapters.log import Log
from ..adapters.reader import ConfigFile
from ..core.config import ConfigError
from ..core.services.record import STALE_INTERVALS, Record, next_record
from ..core.services.result import Result, Status
from ..core.throttle import Throttle
from .forks import Child, collect_lost, job_of, load_checks, uninterrupted, wait_children

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..core.services.settings import ServiceConfig

NAME = "xha-services"
_TICK = 1.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM; return the exit code."""
    from .options import Parser

    parser = Parser(prog=NAME, description="Checks the services of xha.conf for xha-responder's /service/NAME.")
    parser.add_argument("--config", metavar="FILE", help="read this in place of /etc/xha/xha.conf")
    said = parser.parse_args(sys.argv[1:] if argv is None else list(argv))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    runner = Runner(ConfigFile(said.config), Log(NAME))
    runner.refresh()
    systemd.notify("READY=1")
    try:
        while True:
            runner.turn()
            systemd.notify("WATCHDOG=1")
    finally:
        runner.close()


class Runner:
    """Starts each check when it is due, at most one of a service at a time, and keeps what each came to."""

    def __init__(self, file: ConfigFile, log: Log) -> None:
        self._file, self._log = file, log
        self._complaint: str | None = None
        self._services: dict[str, ServiceConfig] = {}
        self._due: dict[str, float] = {}
        self._children: dict[str, Child] = {}
        self._records: dict[str, Record] = {}
        self._changes = Throttle(burst=20, period=60)
        self._directory = ""

    def refresh(self) -> None:
        """Take over what xha.conf says now. While it is wrong, what it said last goes on."""
        try:
            config = self._file.refresh()
        except ConfigError as error:
            if self._complaint != str(error):
                self._complaint = str(error)
                self._log.warning(self._complaint)
            return
        self._complaint = None
        services = {one.name: one._replace(settings=one.row.complete(one.settings, config)) for one in config.services}
        if services == self._services and config.responder.services_directory == self._directory:
            return
        self._directory = config.responder.services_directory
        self._prepare_directory()
        load_checks(services.values())
        now = time.monotonic()
        for name, service in services.items():
            if self._services.get(name) != service:
                self._due[name] = now
                self._records.pop(name, None)
                old = read_record(self._directory, name)
                if old and now - old.at <= STALE_INTERVALS * service.interval and old.at <= now:
                    self._records[name] = old
        self._services = services
        for name in set(self._due) - set(services):
            del self._due[name]
            self._records.pop(name, None)
        remove_other_records(self._directory, services)
        self._log.info(f"checking {', '.join(services) or 'nothing: xha.conf has no [service NAME]'}")

    def _prepare_directory(self) -> None:
        tokens = os.path.join(self._directory, ".tokens")
        try:
            os.makedirs(self._directory, mode=0o755, exist_ok=True)
            os.makedirs(tokens, mode=0o700, exist_ok=True)
        except OSError as error:
            self._log.warning(f"{self._directory}: {(error.strerror or str(error)).lower()}")
        os.environ["XHA_TOKENS"] = tokens

    def turn(self) -> None:
        """Start what is due, and wait a moment for what runs."""
        self.refresh()
        collect_lost()
        now = time.monotonic()
        for name, service in self._services.items():
            if self._due[name] <= now and name not in self._children:
                self._start(name, service, now)
        for child in wait_children(list(self._children.values()), max(0.0, self._next(now) - now)):
            name = next(name for name, one in self._children.items() if one is child)
            del self._children[name]
            self._finish(name, child, child.end())

    def _next(self, now: float) -> float:
        """Return when something is to be done again."""
        waiting = [at for name, at in self._due.items() if name not in self._children]
        return min([now + _TICK, *waiting, *(child.ends for child in self._children.values())])

    def _start(self, name: str, service: ServiceConfig, now: float) -> None:
        # At the start all at once; from then on spread over the interval, so that no burst of processes recurs.
        first = name not in self._records
        phase = list(self._services).index(name) / len(self._services) if first else 0.0
        self._due[name] = now + service.interval * (1 - phase / 2)
        with uninterrupted():
            self._children[name] = Child(job_of(service))

    def _finish(self, name: str, child: Child, result: Result) -> None:
        service = self._services.get(name)
        if service is None or child.job.service != service:
            return  # it is no longer checked, or otherwise
        last = self._records.get(name)
        ago = time.monotonic() - child.began
        record = next_record(service, last, result, child.began, time.time() - ago)
        self._records[name] = record
        try:
            write_record(self._directory, record)
        except OSError as error:
            self._log.warning(f"{self._directory}: {(error.strerror or str(error)).lower()}")
        if last is None or (last.result.status, last.result.blame) != (result.status, result.blame):
            self._tell(result)

    def _tell(self, result: Result) -> None:
        now = time.monotonic()
        quiet = self._changes.take_quiet(now)
        if quiet:
            self._log.warning(f"{quiet} more changes in the last minute")
        if self._changes.admit(now):
            write = self._log.info if result.status in (Status.OK, Status.NOT_APPLICABLE) else self._log.warning
            write(f"{result.name}: {' '.join(filter(None, (result.status.value, result.blame)))}: {result.message}")

    def close(self) -> None:
        """End every check that runs."""
        for child in self._children.values():
            child.end()
