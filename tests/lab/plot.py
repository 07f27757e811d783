"""Draws docs/lab/outages.svg from the reports of the agents: the seconds without a write in each fault. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

from lab.faults import FAULTS
from lab.trial import Outcome
from lab.worlds import FAST

WIDTH, LEFT, RIGHT, TOP, BAR, SPACE = 900, 150, 40, 92, 11, 12
# The axis, in seconds. It is logarithmic: a tenth of a second and three minutes are to be seen side by side.
LEAST, MOST, TICKS = 0.05, 200.0, (0.1, 0.3, 1, 3, 10, 30, 100)
# A median of fewer runs is drawn hollow.
RUNS = 3
NEVER = "#c00000"


class Series(NamedTuple):
    """The runs of one agent in one world."""

    agent: str
    world: str
    colour: str


SERIES = (
    Series("ocf:heartbeat:galera", "seed", "#a6a6a6"),
    Series("ocf:heartbeat:galera", "sound", "#737373"),
    Series("ocf:xha:galera", "seed", "#9ecae1"),
    Series("ocf:xha:galera", "sound", "#4292c6"),
    Series("ocf:xha:galera", "fast", "#08519c"),
)


def render_plot(reports: Mapping[str, Sequence[tuple[str, Outcome]]], names: Sequence[str] = FAST.faults) -> str:
    """Return the drawing, SVG. reports: agent -> every run, each with its world.

    A bar is the median of the longest time without an acknowledged write, a dot is a run. A fault or an agent that
    was not tried has no bar: nothing is drawn for what was not measured.
    """
    parts: list[str] = []
    top = TOP
    for name in (name for name in names if name in FAULTS):
        rows = [(each, runs) for each in SERIES if (runs := runs_of(reports, each, name))]
        if not rows:
            continue
        height = len(rows) * BAR
        parts.append(text(LEFT - 8, top + height / 2 + 4, name, "end"))
        for number, (each, runs) in enumerate(rows):
            parts += draw_row(top + number * BAR, each.colour, runs)
        top += height + SPACE
    return "\n".join([*begin(top), *draw_legend(), *draw_axis(top), *parts, "</svg>", ""])


def runs_of(reports: Mapping[str, Sequence[tuple[str, Outcome]]], each: Series, name: str) -> list[Outcome]:
    return [run for world, run in reports.get(each.agent, ()) if (world, run.fault) == (each.world, name)]


def draw_row(top: float, colour: str, runs: Sequence[Outcome]) -> list[str]:
    """Return a bar and its dots. A run in which nothing recovered is a red cross where the laboratory gave it up."""
    middle = median(run.longest_gap for run in runs)
    fill = colour if len(runs) >= RUNS else "white"
    width = place(middle) - LEFT
    parts = [
        f'<rect class="bar" x="{LEFT}" y="{top + 0.5:g}" width="{width:.1f}" height="{BAR - 3}" fill="{fill}" '
        f'stroke="{colour}"/>'
    ]
    for run in runs:
        x, y = place(run.longest_gap), top + (BAR - 2) / 2
        if run.recovered:
            parts.append(f'<circle cx="{x:.1f}" cy="{y:g}" r="2" fill="black"/>')
        else:
            cross = f"M{x - 4:.1f},{y - 4:g}l8,8m-8,0l8,-8"
            parts.append(f'<path d="{cross}" stroke="{NEVER}" stroke-width="2"/>')
    return parts


def place(seconds: float) -> float:
    """Return where a time is on the axis."""
    share = math.log(min(max(seconds, LEAST), MOST) / LEAST) / math.log(MOST / LEAST)
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def begin(bottom: float) -> list[str]:
    height = bottom + 30
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:g}" viewBox="0 0 {WIDTH} {height:g}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height:g}" fill="white"/>',
        text(16, 22, "Longest time without an acknowledged write, in seconds (logarithmic)", "start"),
        text(16, 40, "bar: median, hollow for fewer than three runs; dot: one run; cross: it did not recover", "start"),
    ]


def draw_legend() -> list[str]:
    parts, x = [], 16.0
    for each in SERIES:
        words = f"{each.agent}, {each.world}"
        parts.append(f'<rect x="{x:g}" y="52" width="12" height="12" fill="{each.colour}"/>')
        parts.append(text(x + 16, 62, words, "start"))
        x += 30 + 6.4 * len(words)
    return parts


def draw_axis(bottom: float) -> list[str]:
    parts = []
    for tick in TICKS:
        x = place(tick)
        parts.append(f'<line x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{bottom:g}" stroke="#dddddd"/>')
        parts += [text(x, y, f"{tick:g}", "middle") for y in (TOP - 12, bottom + 14)]
    return parts


def text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{words}</text>'
