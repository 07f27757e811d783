"""docs/performance.md and the ratios beside it: what was measured last, and what became worse since."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from bench.growth import Growth
from bench.measures import Row
from loopback.doors import CHECKOUT

PAGE, FIGURES = CHECKOUT / "docs/performance.md", CHECKOUT / "docs/performance.json"
# A ratio within one run varies by this much on a busy machine.
WORSE = 1.25
HEAD = """\
# What it costs

Written by `make bench PAGE=write`, or a part of it (`PARTS="growth services"`). Subject and yardstick run in turns on
one machine, and each figure is a median; a ratio says more than a figure, because machines differ. Processor time is
that of the process and its children. Nothing here fails a build. `make bench` compares the ratios with those in
performance.json, and says what became worse.

"""


class Part(NamedTuple):
    """What one part of a run measured: when, at which load, and its rows or its growths."""

    when: str
    load: float
    rows: tuple[Row, ...] = ()
    growths: tuple[Growth, ...] = ()


def make_part(found: list[Row] | list[Growth]) -> Part:
    """Return what was measured just now."""
    rows = tuple(one for one in found if isinstance(one, Row))
    growths = tuple(one for one in found if isinstance(one, Growth))
    return Part(time.strftime("%Y-%m-%d"), round(os.getloadavg()[1], 1), rows, growths)


def figures(parts: Mapping[str, Part]) -> dict[str, float]:
    """Return each ratio by its name; less is better."""
    named = {row.what: row.ratio for part in parts.values() for row in part.rows if row.ratio}
    growths = (one for part in parts.values() for one in part.growths)
    return {**named, **{f"{one.what}: {one.large} against {one.small}": one.ratio for one in growths}}


def compare(now: Mapping[str, float], before: Mapping[str, float]) -> list[str]:
    """Return a line for each ratio that has become worse."""
    both = ((name, before[name], ratio) for name, ratio in now.items() if before.get(name))
    return [f"worse: {name}: {old:.2f} before, {new:.2f} now" for name, old, new in both if new > old * WORSE]


def read_parts(path: Path = FIGURES) -> dict[str, Part]:
    """Return what was committed last, {} where that is nothing."""
    try:
        said = json.loads(path.read_text())
        return {
            str(name): Part(
                str(one["when"]),
                float(one["load"]),
                tuple(Row(*row) for row in one["rows"]),
                tuple(Growth(*growth) for growth in one["growths"]),
            )
            for name, one in said.items()
        }
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return {}


def render(parts: Mapping[str, Part]) -> str:
    """Return the tables: what was measured, and cost against size in milliseconds of processor time."""
    lines = [f"## {name.capitalize()}\n\n{_render(part)}" for name, part in sorted(parts.items())]
    return HEAD + "\n".join(lines)


def _render(part: Part) -> str:
    text = f"{part.when}, {os.cpu_count()} cores, load {part.load:g}.\n\n"
    if part.growths:
        text += "| what | small | large | times as much |\n|---|---|---|---|\n"
    else:
        text += "| what | xha | yardstick | target | met |\n|---|---|---|---|---|\n"
    for one in part.growths:
        sizes = f"{one.small}: {one.small_ms:.1f} ms | {one.large}: {one.large_ms:.1f} ms"
        text += f"| {one.what} | {sizes} | {one.ratio:.1f} |\n"
    for row in part.rows:
        met = "yes" if row.met else "NO"
        text += f"| {row.what} | {row.xha} | {row.yardstick} | {row.target} | {met} |\n"
    return text


def write(parts: Mapping[str, Part], page: Path = PAGE, path: Path = FIGURES) -> None:
    """Write the page and the figures. What was not measured now stays as it was."""
    all_parts = {**read_parts(path), **parts}
    path.write_text(json.dumps({name: one._asdict() for name, one in sorted(all_parts.items())}, indent=1) + "\n")
    page.write_text(render(all_parts))
