"""--watch of nodes: a live table on a terminal, a line a change in a pipe."""

from __future__ import annotations

import sys
import time
from shutil import get_terminal_size
from typing import TYPE_CHECKING, NamedTuple

from ...adapters.host.faults import Faults
from ...adapters.host.log import Log
from ...core.node.verdict import NagiosCode
from ..terminal.frame import fit_frame
from ..terminal.live import Pipe, Screen, exit_on_signals, look_on, print_now
from ..terminal.table import Row, lines

if TYPE_CHECKING:
    from typing import Callable

_SECONDS = 1.0


class Look(NamedTuple):
    """What one look came to: a row for each node, and the sentences below them."""

    rows: list[Row]
    below: list[str]
    exit_code: int


def watch(look: Callable[[], Look], command: str) -> int:
    """Look every second until Ctrl-C; return the exit code of the last look.

    command: the one that shows all, where a terminal is too small for it.
    """
    exit_code: int = NagiosCode.UNKNOWN
    show = _Screen(command) if sys.stdout.isatty() else _Lines()
    faults = Faults(Log("xha-check", use_syslog=True))
    exit_on_signals()
    try:
        with show:
            while True:
                seen = look_on(look, _broken, faults)
                exit_code = seen.exit_code
                show.update(seen)
                time.sleep(_SECONDS)
    except KeyboardInterrupt:
        return exit_code


def _broken(said: str) -> Look:
    return Look([], [said], NagiosCode.UNKNOWN)


class _Screen(Screen):
    def __init__(self, command: str) -> None:
        self._command = command

    def update(self, look: Look) -> None:
        size = get_terminal_size()
        below = [f"{one.cells[0]}: {one.message}" for one in look.rows if one.message]
        table = lines(look.rows, sys.stdout, size.columns)
        # The last line has the time.
        self.draw(*fit_frame(table, [*below, *look.below], size.columns, size.lines - 1, self._command))


class _Lines(Pipe):
    """Prints a line for each node and sentence that is news, with the time."""

    def __init__(self) -> None:
        self._news: dict[str, tuple[str, ...]] = {}
        self._below: list[str] = []

    def update(self, look: Look) -> None:
        for one in look.rows:
            name, news = one.cells[0], one.news
            if self._news.get(name) != news:
                print_now("  ".join([*one.cells, *filter(None, [one.message])]))
            self._news[name] = news
        for line in look.below:
            if line not in self._below:
                print_now(line)
        for line in self._below:
            if line not in look.below:
                print_now(f"over: {line}")
        self._below = look.below
