"""Makes a report from the outcomes of many trials: JSON for programs, Markdown for people. Pure: it runs nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from lab.faults import FAULTS
from lab.trial import Outcome

TIMES = ("synced_after", "writes_after", "silent", "longest_gap")
# The time of a single run proves little. It is in the outcomes of the JSON, and not in the page.
LEAST_RUNS = 3
HEAD = """\
# What {agent} does when things break

Measured by `make lab-report {order}` on three hosts with {software}, on {cores} cores, every monitor at 10 s, our
responder behind HAProxy as the guide configures it, four writers through the VIP. No figure was typed by hand. Times
are medians of {least} runs or more, in seconds from the fault, and a dash if there were fewer. The machine was
shared: compare a line with the same line of another agent's report, not with other machines; *load* is the machine's
load average when the fault struck, the worst run.

- *recovered*: in how many runs all hosts that could were Synced and the client wrote again, without help from a
  person, within 180 s of the fault's end. A time is given only if that is every run.
- *Synced*, *writes*: until all nodes were Synced; until the client wrote again after its first outage (0: it had none).
- *silent*: all time without an acknowledged write. *errors*: what the four writers were told, median.
- *lost*: acknowledged writes missing on some node afterwards, the worst run, and if the agent leaves
  `two-bootstraps` to a person, once they have done what it says; unknown if no node came back to be read.
- *needless*: starts of mysqld that the fault did not make necessary, the worst run.
"""


@dataclass(frozen=True)
class Summary:
    """All runs of one fault in one world. Times in seconds, None if there are too few runs or not every run has one."""

    world: str
    name: str
    title: str
    lasts: float
    runs: int
    recovered: int
    synced_after: float | None
    writes_after: float | None
    silent: float | None
    longest_gap: float | None
    errors: float
    writes_lost: int | None
    needless_starts: int
    load: float
    outcomes: tuple[Outcome, ...]


def summarise(world: str, outcomes: Iterable[Outcome]) -> Summary:
    """Return one line from the runs of one fault. Raises `KeyError` for a fault that no longer exists."""
    outcomes = tuple(outcomes)
    fault = FAULTS[outcomes[0].fault]
    times = {time: median_of([getattr(outcome, time) for outcome in outcomes]) for time in TIMES}
    return Summary(
        world=world,
        name=fault.name,
        title=fault.title,
        lasts=fault.lasts,
        runs=len(outcomes),
        recovered=sum(outcome.recovered for outcome in outcomes),
        errors=median(sum(outcome.errors.values()) for outcome in outcomes),
        writes_lost=max((lost for each in outcomes if (lost := each.writes_lost) is not None), default=None),
        needless_starts=max(outcome.needless_starts for outcome in outcomes),
        load=max(outcome.load for outcome in outcomes),
        outcomes=outcomes,
        **times,
    )


def median_of(times: list[float | None]) -> float | None:
    """Return the median. None for fewer than `LEAST_RUNS`, or if one run has no time: the rest would look too good."""
    known = [time for time in times if time is not None]
    return round(median(known), 1) if len(known) == len(times) >= LEAST_RUNS else None


def render_json(agent: str, software: dict[str, str], cores: int, summaries: Iterable[Summary]) -> str:
    faults = [{**vars(summary), "outcomes": [vars(outcome) for outcome in summary.outcomes]} for summary in summaries]
    return json.dumps({"agent": agent, "software": software, "cores": cores, "faults": faults}, indent=1) + "\n"


def parse_json(text: str) -> list[tuple[str, Outcome]]:
    """Return every run in a report, each with its world. Raises `ValueError` or `KeyError` for another text."""
    faults = json.loads(text)["faults"]
    outcomes = ((fault["world"], outcome) for fault in faults for outcome in fault["outcomes"])
    return [(world, Outcome(**{**outcome, "said": tuple(outcome.get("said", ()))})) for world, outcome in outcomes]


def render_markdown(
    agent: str, software: dict[str, str], cores: int, summaries: Iterable[Summary], *, order: str = ""
) -> str:
    """Return the page. order: what else was said to make, as ` OS=debian13`."""
    summaries = list(summaries)
    words = ", ".join(f"{name} {version}" for name, version in software.items())
    parts = [HEAD.format(agent=agent, order=f"AGENT={agent}{order}", software=words, cores=cores, least=LEAST_RUNS)]
    for world in dict.fromkeys(summary.world for summary in summaries):
        parts.append(f"## In the {world} world\n")
        here = [summary for summary in summaries if summary.world == world]
        parts.append(render_table(here))
        parts.extend(render_reasons(here))
    return "\n".join(parts)


def render_table(summaries: Iterable[Summary]) -> str:
    columns = (
        "fault",
        "what happens",
        "recovered",
        "Synced",
        "writes",
        "silent",
        "longest",
        "errors",
        "lost",
        "needless",
        "load",
    )
    rows = [columns, ("---",) * len(columns), *(render_row(summary) for summary in summaries)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def render_reasons(summaries: Iterable[Summary]) -> list[str]:
    """The reasons in `pcs status` for each fault after which a node was waited for."""
    said = {each.name: dict.fromkeys(word for outcome in each.outcomes for word in outcome.said) for each in summaries}
    lines = [f"- `{name}`: {' / '.join(f'*{word}*' for word in words)}" for name, words in said.items() if words]
    return ["Where it did not recover by itself, `pcs status` said:\n", "\n".join(lines) + "\n"] if lines else []


def render_time(summary: Summary, name: str) -> str:
    """A median; `never` if a run did not reach it, a dash if there were too few runs."""
    if any(getattr(outcome, name) is None for outcome in summary.outcomes):
        return "never"
    time: float | None = getattr(summary, name)
    return "-" if time is None else f"{time:g}"


def render_row(summary: Summary) -> tuple[str, ...]:
    return (
        f"`{summary.name}`",
        summary.title,
        f"{summary.recovered} of {summary.runs}",
        *(render_time(summary, name) for name in TIMES),
        f"{summary.errors:g}",
        "unknown" if summary.writes_lost is None else f"**{summary.writes_lost}**" if summary.writes_lost else "0",
        str(summary.needless_starts),
        f"{summary.load:.1f}",
    )
