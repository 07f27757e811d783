"""--watch of services: a live table of services on a terminal, a line a change in a pipe."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from ....adapters.host.faults import Faults
from ....adapters.host.log import Log
from ....core.node.verdict import NagiosCode
from ....core.services.model.result import worst_exit_code
from ...terminal.live import Pipe, Screen, exit_on_signals, look_on, print_now
from .results import choose_services, result_cells, result_lines, run_services

if TYPE_CHECKING:
    from ....core.services.model.result import Result
    from .options import Wanted

_SECONDS = 2.0


def watch_services(wanted: Wanted) -> int:
    """Check again and again until Ctrl-C; return the exit code of the last round."""
    services = choose_services(wanted)
    exit_code: int = NagiosCode.UNKNOWN
    show = _Screen() if sys.stdout.isatty() else _Lines()
    faults = Faults(Log("xha-check", use_syslog=True))
    exit_on_signals()
    changes: dict[str, str] = {}
    last: dict[str, Result] = {}
    try:
        with show:
            while True:
                results, below = look_on(lambda: (run_services(services, wanted), ""), _broken, faults)
                exit_code = worst_exit_code(results)
                for one in results:
                    before = last.get(one.name)
                    if before and (before.status, before.blame) != (one.status, one.blame):
                        changes[one.name] = f"{time.strftime('%H:%M:%S')} was {before.status.value}"
                    last[one.name] = one
                show.update(results, changes, below)
                time.sleep(_SECONDS)
    except KeyboardInterrupt:
        return exit_code


def _broken(said: str) -> tuple[list[Result], str]:
    return [], said


class _Screen(Screen):
    """A table, and when each service changed last."""

    def update(self, results: list[Result], changes: dict[str, str], below: str) -> None:
        sentences = [f"{name}: changed at {text}" for name, text in changes.items()]
        self.draw(result_lines(results), [*sentences, below] if below else sentences)


class _Lines(Pipe):
    """Prints a line for each service that is news, with the time; durations are no news."""

    def __init__(self) -> None:
        self._news: dict[str, tuple[object, ...]] = {}
        self._below = ""

    def update(self, results: list[Result], changes: dict[str, str], below: str) -> None:
        if below and below != self._below:
            print_now(below)
        self._below = below
        for one in results:
            news = (one.status, one.blame)
            if self._news.get(one.name) != news:
                print_now("  ".join(result_cells(one)))
            self._news[one.name] = news
