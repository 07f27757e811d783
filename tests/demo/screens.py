"""How the demonstration is shown: a live table on a terminal, otherwise one line after the other."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from demo.scene import View
from demo.script import Step

PROGRESS_SECONDS = 2.0  # a step that takes longer prints its progress this often


class Lines(AbstractContextManager["Lines"]):
    """Steps and their outcome line by line, for a log."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._number = 0
        self._begun = 0.0
        self._next_progress = 0.0

    def __exit__(self, *_: object) -> None:
        """There is nothing to restore."""

    def begin(self, step: Step) -> None:
        self._number += 1
        self._begun = time.monotonic()
        self._next_progress = self._begun + PROGRESS_SECONDS
        print(f"demo: step {self._number} of {self._total}: {step.title}", flush=True)

    def show(self, view: View) -> None:
        now = time.monotonic()
        if now < self._next_progress:
            return
        self._next_progress = now + PROGRESS_SECONDS
        seen = "; ".join(f"{row.node} {row.verdict}, HAProxy {row.haproxy}" for row in view.rows)
        print(f"demo:   {now - self._begun:4.1f} s  {seen}; client on {view.client}", flush=True)

    def end(self, step: Step, came_true: bool) -> None:
        outcome = "ok" if came_true else "FAILED"
        print(f"demo:   {time.monotonic() - self._begun:4.1f} s  {outcome}: {step.expected}", flush=True)


class Terminal(AbstractContextManager["Terminal"]):
    """The steps so far above a table that follows the scene."""

    def __init__(self) -> None:
        self._live = Live(console=Console(), refresh_per_second=8)
        self._past: list[Text] = []
        self._step: Step | None = None
        self._begun = 0.0
        self._view = View((), "-")

    def __enter__(self) -> Terminal:
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._live.stop()

    def begin(self, step: Step) -> None:
        self._step = step
        self._begun = time.monotonic()
        self._draw()

    def show(self, view: View) -> None:
        self._view = view
        self._draw()

    def end(self, step: Step, came_true: bool) -> None:
        seconds = f"{time.monotonic() - self._begun:5.1f} s  "
        mark = Text("ok      ", "green") if came_true else Text("FAILED  ", "bold red")
        self._past.append(Text.assemble("  ", mark, seconds, step.title, (f"\n    {step.expected}", "dim")))
        self._step = None
        self._draw()

    def _draw(self) -> None:
        parts: list[RenderableType] = [*self._past]
        if self._step is not None:
            seconds = f"{time.monotonic() - self._begun:5.1f} s  "
            doing = Text.assemble("  ", ("now     ", "bold yellow"), seconds, (self._step.title, "bold"))
            parts.append(Text.assemble(doing, (f"\n    until {self._step.expected}", "dim")))
        self._live.update(Group(*parts, table(self._view)))


def table(view: View) -> Table:
    """For each node: xha's view, the node's own view, HAProxy's view, and where clients are."""
    drawn = Table("node", "verdict", "reason", "state", "queue", "HAProxy", "clients", expand=True)
    for row in view.rows:
        drawn.add_row(
            f"{row.node}\n{row.address}",
            Text(row.verdict, _colour(row.verdict == "synced", row.verdict)),
            row.reason,
            row.state,
            row.queue,
            Text(f"{row.haproxy}\n{row.seen_by_check}", _colour(row.haproxy.startswith("UP"), row.haproxy)),
            "<-- here" if row.serves_clients else "",
        )
    return drawn


def _colour(good: bool, text: str) -> str:
    return "dim" if text == "-" else "green" if good else "bold red"
