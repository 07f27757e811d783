"""--watch of services: a live table of services on a terminal, a line a change in a pipe."""

from __future__ import annotations

import sys
import time
from shutil import get_terminal_size
from typing import TYPE_CHECKING

from ....adapters.files.config_files import config_signature
from ....adapters.host.faults import Faults
from ....adapters.host.log import Log
from ....core.node.verdict import NagiosCode
from ....core.services.model.result import worst_exit_code
from ....core.text.values import ConfigError
from ...terminal.frame import fit_lines, wrap_texts
from ...terminal.live import Pipe, Screen, exit_on_signals, look_on, print_now
from .results import choose_services, result_cells, run_services
from .screen import screen_lines

if TYPE_CHECKING:
    from ....core.services.model.result import Result
    from .options import Wanted
    from .results import Chosen

_SECONDS = 2.0
_MOST_CHANGES = 3  # of the lines below the services


def watch_services(wanted: Wanted) -> int:
    """Check again and again until Ctrl-C; return the exit code of the last round."""
    choice = _Choice(wanted)
    choice.refresh()
    exit_code: int = NagiosCode.UNKNOWN
    show = _Screen() if sys.stdout.isatty() else _Lines()
    faults = Faults(Log("xha-check", use_syslog=True))
    exit_on_signals()
    changes: dict[str, str] = {}
    last: dict[str, Result] = {}
    try:
        with show:
            while True:
                results, below = look_on(choice.look, _broken, faults)
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


class _Choice:
    """Which services are watched: chosen anew whenever xha.conf changes, and in each round those that have appeared."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._seen: set[str] = set()
        self._services: list[Chosen] = []
        self._signature: tuple[int, ...] | None = None

    def refresh(self) -> None:
        """Read xha.conf and the processes. :raises ConfigError: if nothing can be chosen."""
        self._signature = config_signature(self._wanted.config)
        self._services = choose_services(self._wanted, self._seen)
        self._seen.update(one.kind for one in self._services)

    def look(self) -> tuple[list[Result], str]:
        """Check what is chosen now. While xha.conf is wrong, what was chosen before is checked, and that is said."""
        below = ""
        if not self._wanted.names or config_signature(self._wanted.config) != self._signature:
            try:
                self.refresh()
            except ConfigError as error:
                self._signature = None
                below = f"xha.conf as it was before: {error}"
        return run_services(self._services, self._wanted), below


def _broken(said: str) -> tuple[list[Result], str]:
    return [], said


class _Screen(Screen):
    """A table, and when each service changed last."""

    def update(self, results: list[Result], changes: dict[str, str], below: str) -> None:
        size = get_terminal_size()
        sentences = [f"{name}: changed at {text}" for name, text in changes.items()][-_MOST_CHANGES:]
        sentences += [below] if below else []
        under = wrap_texts(sentences, size.columns)
        room = size.lines - 1 - len(under)  # the last line has the time
        self.draw(fit_lines(screen_lines(results, size.columns, room), room, "xha-check services"), under)


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
