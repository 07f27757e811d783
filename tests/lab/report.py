"""Makes a report from the outcomes of many trials: JSON for programs, Markdown for people. Pure: it runs nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from lab.faults import FAULTS
from lab.trial import Outcome
from lab.worlds import WORLDS

TIMES = ("synced_after", "writes_after", "silent", "longest_gap")
# The time of a single run proves little. It is in the outcomes of the JSON, and not in the page.
LEAST_RUNS = 3
LEAST_WORLDS = 2
COLUMNS = (
    "fault",
    "what happens",
    "recovered",
    *("Synced", "writes", "silent", "longest"),
    "errors",
    "lost",
    "needless",
    "load",
)
SIDE_BY_SIDE = """\
## Side by side

The longest time without an acknowledged write, in seconds: the median, in parentheses for fewer than three runs. Empty:
not tried in this world.
"""
KINDS = """\
What each kind of writer noticed. *fresh* has a connection for each row, *pool* one that it tests before each use,
*persistent* one that it replaces after an error. *gap*: the longest time without a write of this kind, median, and the
*worst* run; *errors*: the worst run; *unknown*: commits without an answer, all runs, and how many of them are
*committed*; *usual gap*: the longest time without any write before the fault, when nothing was wrong, the worst run;
a VIP that is moved for the fault counts there.
"""
HEAD = """\
# What {agent} does when things break

Measured by `make lab-report {order}` on three hosts with {software}, on {cores} cores, every monitor at 10 s, our
responder behind HAProxy, writers through the VIP. No figure was typed by hand. Times are medians of {least} runs or
more, in seconds from the fault, and a dash if there were fewer. The machine was shared: compare a line with the same
line of another agent's report, not with other machines; *load* is the machine's load average when the fault struck,
the worst run.

- *recovered*: in how many runs all hosts that could were Synced and the client wrote again, without help from a
  person, within 180 s of the fault's end. A time is given only if that is every run.
- *Synced*, *writes*: until all nodes were Synced; until the client wrote again after its first outage (0: it had none).
- *silent*: all time without an acknowledged write, without pauses below a second. *longest*: the longest of them,
  short ones too. *errors*: what the writers were told, median.
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
    return round_time(median(known)) if len(known) == len(times) >= LEAST_RUNS else None


def round_time(seconds: float) -> float:
    """To a tenth of a second, and to a hundredth below one second."""
    return round(seconds, 1 if seconds >= 1 else 2)


def render_json(agent: str, software: dict[str, str], cores: int, summaries: Iterable[Summary]) -> str:
    faults = [{**vars(summary), "outcomes": [vars(outcome) for outcome in summary.outcomes]} for summary in summaries]
    return json.dumps({"agent": agent, "software": software, "cores": cores, "faults": faults}, indent=1) + "\n"


def parse_json(text: str) -> list[tuple[str, Outcome]]:
    """Return every run in a report, each with its world. Raises `ValueError` or `KeyError` for another text."""
    faults = json.loads(text)["faults"]
    outcomes = ((fault["world"], outcome) for fault in faults for outcome in fault["outcomes"])
    return [(world, Outcome(**{**outcome, "said": tuple(outcome.get("said", ()))})) for world, outcome in outcomes]


def parse_software(text: str) -> dict[str, str]:
    """Return the versions that a report names. Raises `ValueError` or `KeyError` for another text."""
    return dict(json.loads(text)["software"])


def render_markdown(
    agent: str, software: dict[str, str], cores: int, summaries: Iterable[Summary], *, order: str = ""
) -> str:
    """Return the page. order: what else was said to make, as ` OS=debian13`."""
    summaries = list(summaries)
    words = ", ".join(f"{name} {version}" for name, version in software.items())
    parts = [HEAD.format(agent=agent, order=f"AGENT={agent}{order}", software=words, cores=cores, least=LEAST_RUNS)]
    parts.extend(render_side_by_side(summaries))
    for world in dict.fromkeys(summary.world for summary in summaries):
        parts.append(f"## In the {world} world\n")
        parts.append(f"{WORLDS[world].says}\n")
        here = [summary for summary in summaries if summary.world == world]
        parts.append(render_rows(COLUMNS, (render_row(summary) for summary in here)))
        parts.extend(render_kinds(here))
        parts.extend(render_reasons(here))
    return "\n".join(parts)


def render_rows(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in (columns, ("---",) * len(columns), *rows))


def render_side_by_side(summaries: Sequence[Summary]) -> list[str]:
    """The longest gap of each fault in every world, if more than one was tried."""
    worlds = list(dict.fromkeys(summary.world for summary in summaries))
    if len(worlds) < LEAST_WORLDS:
        return []
    gaps = {(summary.name, summary.world): render_gap(summary) for summary in summaries}
    names = dict.fromkeys(summary.name for summary in summaries)
    rows = ((f"`{name}`", *(gaps.get((name, world), "") for world in worlds)) for name in names)
    return [SIDE_BY_SIDE, render_rows(("fault", *worlds), rows)]


def render_gap(summary: Summary) -> str:
    """The median of the longest gap, in parentheses if there were few runs; or how many runs recovered, if not all."""
    middle = f"{round_time(median(each.longest_gap for each in summary.outcomes)):g}"
    if summary.recovered < summary.runs:
        return f"{summary.recovered} of {summary.runs} recovered"
    return middle if summary.runs >= LEAST_RUNS else f"({middle})"


def render_kinds(summaries: Iterable[Summary]) -> list[str]:
    """What each kind of writer noticed, for the runs that say so."""
    rows = [row for summary in summaries for row in kinds_of(summary)]
    columns = ("fault", "writers", "runs", "gap", "worst", "errors", "unknown", "committed", "usual gap")
    return [KINDS, render_rows(columns, rows)] if rows else []


def kinds_of(summary: Summary) -> list[tuple[str, ...]]:
    outcomes = [outcome for outcome in summary.outcomes if outcome.by_kind]
    usual = [outcome.usual_gap for outcome in outcomes if outcome.usual_gap is not None]
    rows = []
    for kind in dict.fromkeys(kind for outcome in outcomes for kind in outcome.by_kind or ()):
        runs = [outcome.by_kind[kind] for outcome in outcomes if outcome.by_kind and kind in outcome.by_kind]
        gaps, committed = [run["longest_gap"] or 0.0 for run in runs], [run["committed"] for run in runs]
        rows.append(
            (
                f"`{summary.name}`",
                kind,
                str(len(runs)),
                f"{round_time(median(gaps)):g}",
                f"{round_time(max(gaps)):g}",
                f"{max(run['errors'] or 0 for run in runs)}",
                f"{sum(run['unknown'] or 0 for run in runs):g}",
                "unknown" if None in committed else f"{sum(filter(None, committed)):g}",
                f"{max(usual):g}" if usual else "-",
            )
        )
    return rows


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
