"""xha-check --watch: a live table on a terminal, a line a change in a pipe."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from ..core.report import cluster_exit_code
from .cluster import cluster_lines, read_cluster
from .node import node_name, node_reader
from .table import lines, row

if TYPE_CHECKING:
    from typing import Callable

    from .check import Command

_SECONDS = 1.0


def watch(command: Command) -> int:
    """Look every second until Ctrl-C; return the exit code of the last look."""
    look = _cluster_look(command) if command.mode == "cluster" else _node_look(command)
    exit_code = 3
    show = _Screen() if sys.stdout.isatty() else _Lines()
    try:
        with show:
            while True:
                text, exit_code = look()
                show.update(text)
                time.sleep(_SECONDS)
    except KeyboardInterrupt:
        return exit_code


def _cluster_look(command: Command) -> Callable[[], tuple[list[str], int]]:
    def look() -> tuple[list[str], int]:
        view = read_cluster(command)
        return cluster_lines(view), cluster_exit_code(view.answers, view.disagreements)

    return look


def _node_look(command: Command) -> Callable[[], tuple[list[str], int]]:
    reader, name = node_reader(command), node_name(command)

    def look() -> tuple[list[str], int]:
        snapshot = reader.take()
        return lines([row(name, snapshot.verdict, snapshot.reading)]), snapshot.verdict.exit_code

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

    def update(self, text: list[str]) -> None:
        from rich.text import Text

        clock = time.strftime("%H:%M:%S")
        self._live.update(Text.from_ansi("\n".join([*text, f"{clock}  Ctrl-C ends"]), no_wrap=True), refresh=True)


class _Lines:
    """Prints what differs from the last look, with the time; no colour, no redraw."""

    def __init__(self) -> None:
        self._last: list[str] = []

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *exception: object) -> None:
        return None

    def update(self, text: list[str]) -> None:
        clock = time.strftime("%H:%M:%S")
        for line in text:
            if line not in self._last:
                print(f"{clock}  {line}", flush=True)
        self._last = text
