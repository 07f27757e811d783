"""The page docs/lab/document.md: the document's commands and today's, side by side, from the executed steps."""

from __future__ import annotations

from html import escape as escape_html

from lab import document, standing
from lab.contenders import HEARTBEAT
from lab.place import HOSTS
from lab.step import Step
from lab.worlds import SEED, SOUND

HEAD = """\
# The document, then and now

Every step of the guide that this project started from (a Galera cluster under Pacemaker behind HAProxy, 2016), and
beside it what does the same on Debian 12 with pcs 0.11. The right-hand side is not an example: `make lab` and the
laboratory's tests run exactly these commands, and a test compares this page with them. `python -m lab document` writes
it.
"""


def render_document() -> str:
    steps = [step for step, _ in standing.plan(HEARTBEAT, SEED, in_full=True)]
    extra = (document.without_pcsd(HOSTS), SOUND.properties(HOSTS))
    parts = [HEAD, *(render_step(number, step) for number, step in enumerate(steps, 1))]
    parts += ["## Variations of the laboratory\n", *(render_step(None, step) for step in extra)]
    return "\n".join(parts)


def escape(text: str) -> str:
    return escape_html(text, quote=False)


def render_step(number: int | None, step: Step) -> str:
    """One step as a heading, a table of two columns, and the reason for the difference."""
    title = (
        f"{number}. {step.title[0].upper()}{step.title[1:]}" if number else f"{step.title[0].upper()}{step.title[1:]}"
    )
    place = f"`{step.path}` on {step.on.value}" if step.path else f"On {step.on.value}"
    left, right = (f"<td><pre>{escape(text)}</pre></td>" if text else "<td></td>" for text in (step.said, step.today))
    rows = f"<table><tr><th>the document</th><th>today</th></tr>\n<tr valign=top>{left}\n{right}</tr></table>\n"
    return "\n".join(
        part for part in (f"## {title}\n", f"{place}.\n", rows, f"{step.why}\n" if step.why else "") if part
    )
