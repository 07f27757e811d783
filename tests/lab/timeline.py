"""Where each second of an outage goes: the steps of a trial, from the logs of its hosts and of its writers. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lab.measure import Attempt, find_gaps

CLIENTS = "clients"
WORDS = 120
# How many of the longest steps are named.
LONGEST = 5
# A gap that is shorter is none that a client notices.
LEAST_GAP = 0.3
# journalctl --output=short-monotonic: the clock of the machine, which the writers' journal has too.
LINE = re.compile(r"^\[ *(?P<at>\d+\.\d+)\] (?P<host>\S+) (?P<who>[\w.()-]+)(?:\[\d+\])?: (?P<said>.*)$")
PRIORITY = re.compile(r"^\s*(?:(?:notice|warning|error|crit): )?")
# Who said it, what is said in which words, and how it is told. A line that no row matches is none of the outage's.
MARKS = (
    ("xha-galera", r"(.*)", "keeper: {}"),
    ("xha-responder", r"((?:in|out of) service: [\w-]+)", "responder: {}"),
    ("pacemaker-controld", r"Requesting local execution of (start|stop) operation for p_mysql", "Pacemaker orders: {}"),
    ("pacemaker-controld", r"Result of ((?:start|stop) operation) for p_mysql on \w+: (.*)", "Pacemaker: {}: {}"),
    (
        "pacemaker-controld",
        r"Result of (monitor operation) for p_mysql on \w+: (?!ok|OCF_DEGRADED)(.*)",
        "Pacemaker: {}: {}",
    ),
    ("pacemaker-controld", r"Result of (start|stop) operation for p_vip on \w+: (.*)", "VIP: {}: {}"),
    ("pacemaker-fenced", r"(Operation 'reboot' .* targeting \w+ .*)", "fencing: {}"),
    ("haproxy", r"\S*\s*Server (mysql/\S+ is (?:UP|DOWN|stopping))", "HAProxy: {}"),
    ("systemd", r"(Started pacemaker.service|Stopped target multi-user)", "systemd: {}"),
    ("corosync", r".*(A new membership .*)", "corosync: {}"),
)


class Step(NamedTuple):
    """Something that was said. at: seconds after the fault struck."""

    at: float
    host: str
    what: str


@dataclass(frozen=True)
class Run:
    """One trial. struck: seconds, monotonic. journals: host -> journalctl --output=short-monotonic.

    `ends`: the seconds until all was well. `load`: the machine's load average when it struck.
    """

    fault: str
    title: str
    struck: float
    ends: float
    load: float
    journals: dict[str, str]
    attempts: Sequence[Attempt]


def find_steps(run: Run) -> list[Step]:
    """Return what the hosts said and what the clients noticed, in order, from the fault until all was well."""
    steps = [step for name, text in run.journals.items() for step in read_marks(name, text, run.struck)]
    steps += describe_gaps(run)
    return sorted(step for step in steps if 0 <= step.at <= run.ends)


def read_marks(host: str, journal: str, struck: float) -> Iterable[Step]:
    for line in journal.splitlines():
        found = LINE.match(line)
        if found and float(found["at"]) >= struck:
            what = describe(found["who"], found["said"])
            if what:
                yield Step(float(found["at"]) - struck, host, what)


def describe(who: str, said: str) -> str:
    """Return a line in the words of the page, "" for one that is none of the outage's."""
    for beginning, pattern, words in MARKS:
        match = re.match(pattern, PRIORITY.sub("", said)) if who.startswith(beginning) else None
        if match:
            return shorten(words.format(*match.groups()))
    return ""


def shorten(text: str) -> str:
    """Without what an operator could do, and what differs from run to run."""
    text = re.sub(r"; .*|\(said \d+ times.*|, pid \d+|[0-9a-f]{8}-[0-9a-f-]{27}", "", text).strip()
    return text if len(text) <= WORDS else text[: WORDS - 3] + "..."


def describe_gaps(run: Run) -> list[Step]:
    """The beginning and the end of every time without an acknowledged write that a client notices."""
    good = [each.at for each in run.attempts if each.error is None]
    steps = []
    for since, until in find_gaps([at for at in good if at >= run.struck], run.struck, run.struck + run.ends):
        if until - since >= LEAST_GAP:
            steps.append(Step(since - run.struck, CLIENTS, f"no write from here on for {until - since:.1f} s"))
            steps.append(Step(until - run.struck, CLIENTS, "writes go on"))
    return steps


def longest_steps(steps: Sequence[Step]) -> list[tuple[float, Step, Step]]:
    """The longest times between two steps: seconds, what was said before, and what after. The longest first."""
    spans = [(after.at - before.at, before, after) for before, after in zip(steps, steps[1:])]
    return sorted(spans, key=lambda span: -span[0])[:LONGEST]


def render_page(runs: Iterable[Run], about: str) -> str:
    return "\n".join([HEAD.format(about=about), *(render_run(run) for run in runs)])


HEAD = """\
# Where the seconds go

Made by `make lab-timeline` from the logs of one run each, in the fast world, with {about}. *at* is in seconds after the
fault struck, *after* since the line before. The journals of the three hosts and of the writers have one clock. What a
host said twice is shown twice; what is not said is not known.
"""


def render_run(run: Run) -> str:
    steps = [Step(0.0, "", f"the fault: {run.title}"), *find_steps(run)]
    spans = longest_steps(steps)
    lines = [
        f"## {run.fault}\n",
        f"All nodes were Synced after {run.ends:.1f} s; load {run.load:.1f}. The longest steps:\n",
    ]
    lines += [
        f"- {seconds:.1f} s: from {where(before)}*{escape(before.what)}* to {where(after)}*{escape(after.what)}*"
        for seconds, before, after in spans
    ]
    lines += ["", "| at | after | host | what |", "| ---: | ---: | --- | --- |"]
    last = 0.0
    for step in steps:
        lines.append(f"| {step.at:.2f} | {step.at - last:.2f} | {step.host} | {escape(step.what)} |")
        last = step.at
    return "\n".join([*lines, ""])


def where(step: Step) -> str:
    return f"{step.host}: " if step.host else ""


def escape(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
