"""xha-check --watch: a live table on a terminal, a line a change in a pipe."""

from __future__ import annotations

import signal
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

from ..core.config import ConfigError
from ..core.report import cluster_exit_code
from ..core.verdict import ExitCode
from .cluster import cluster_rows, disagreement_lines, read_cluster
from .node import node_name, node_reader
from .table import HEADINGS, Row, lines, row

if TYPE_CHECKING:
    from typing import Callable

    from ..core.cluster import Member
    from .check import Command

_SECONDS = 1.0

# What a healthy node changes all the time is no news.
_QUIET = ("SEQNO", "QUEUE")


class Look(NamedTuple):
    """What one look came to: a row for each node, and the sentences below them."""

    rows: list[Row]
    below: list[str]
    exit_code: int


def watch(command: Command) -> int:
    """Look every second until Ctrl-C; return the exit code of the last look."""
    look = _cluster_look(command) if command.mode == "cluster" else _node_look(command)
    exit_code: int = ExitCode.UNKNOWN
    show = _Screen() if sys.stdout.isatty() else _Lines()
    # Ended by `timeout` or a closed window, it still gives the terminal its cursor back.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda signum, _: sys.exit(128 + signum))
    try:
        with show:
            while True:
                seen = look()
                exit_code = seen.exit_code
                show.update(seen)
                time.sleep(_SECONDS)
    except KeyboardInterrupt:
        return exit_code


def _cluster_look(command: Command) -> Callable[[], Look]:
    remembered: tuple[Member, ...] = ()

    def look() -> Look:
        nonlocal remembered
        try:
            view = read_cluster(command, remembered)
        except ConfigError as error:
            if not remembered:
                raise
            return Look([], [f"xha-check: {error}"], ExitCode.UNKNOWN)
        # Who was seen once is looked at again: a node that dies takes its knowledge of the others with it.
        remembered = tuple(view.members)
        return Look(cluster_rows(view), disagreement_lines(view), cluster_exit_code(view.answers, view.disagreements))

    return look


def _node_look(command: Command) -> Callable[[], Look]:
    reader, name = node_reader(command), node_name(command)

    def look() -> Look:
        snapshot = reader.take()
        return Look([row(name, snapshot.verdict, snapshot.reading)], [], snapshot.verdict.exit_code)

    return look


class _Screen:
    """Redraws in place."""

    def __enter__(self) -> _Screen:
        from rich.live import Live

        self._live = Live(auto_refresh=False)
        self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._live.stop()

    def update(self, look: Look) -> None:
        from rich.console import Group
        from rich.text import Text

        clock = f"{time.strftime('%H:%M:%S')}  Ctrl-C ends"
        # Rows are cut at the edge, sentences are not: a disagreement is the last thing to cut short.
        table = [Text.from_ansi(line, no_wrap=True, overflow="ellipsis") for line in lines(look.rows, sys.stdout)]
        self._live.update(Group(*table, *(Text(line) for line in (*look.below, clock))), refresh=True)


class _Lines:
    """Prints a line for each node and sentence that is news, with the time; no colour, no redraw."""

    def __init__(self) -> None:
        self._news: dict[str, tuple[str, ...]] = {}
        self._below: list[str] = []

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *exception: object) -> None:
        return None

    def update(self, look: Look) -> None:
        clock = time.strftime("%Y-%m-%d %H:%M:%S")
        for one in look.rows:
            name = one.cells[0]
            news = tuple(cell for heading, cell in zip(HEADINGS, one.cells) if heading not in _QUIET)
            if self._news.get(name) != news:
                print(f"{clock}  {'  '.join(one.cells)}", flush=True)
            self._news[name] = news
        for line in look.below:
            if line not in self._below:
                print(f"{clock}  {line}", flush=True)
        for line in self._below:
            if line not in look.below:
                print(f"{clock}  over: {line}", flush=True)
        self._below = look.below
