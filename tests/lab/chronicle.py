"""Runs some faults in the fast world, and writes docs/lab/timeline.md from what the hosts logged meanwhile."""

from __future__ import annotations

import os
from collections.abc import Sequence

from lab.contenders import XHA
from lab.faults import FAULTS
from lab.host import Host
from lab.laboratory import Laboratory
from lab.matrix import DOCS, Bench, read_software, replace_text
from lab.measure import parse_journal
from lab.shell import CommandFailed
from lab.timeline import Run, render_page
from lab.trial import try_fault
from lab.waiting import GaveUp
from lab.worlds import FAST

PAGE = DOCS / "timeline.md"
TOLD = ("kill-all", "kill-active", "planned-stop", "power-all")
JOURNAL_SECONDS = 60


def chronicle(bench: Bench, names: Sequence[str] = TOLD) -> None:
    """Try each fault once, and write the page anew after each. One that could not be tried is said, and not on it."""
    lab, runs = bench.scene.lab, []
    software = ", ".join(f"{package} {version}" for package, version in read_software(lab.system).items())
    for name in names:
        lab.say(f"{name}: {FAULTS[name].title}")
        try:
            bench.make_well()
            runs.append(observe(bench, name))
        except (CommandFailed, GaveUp, ConnectionError) as error:
            lab.say(f"{name} could not be tried: {error}")
            bench.stands = False
            continue
        replace_text(PAGE, render_page(runs, f"{software}, on {os.cpu_count()} cores that others used as well"))


def observe(bench: Bench, name: str) -> Run:
    """One trial, with what was logged. A fault from which nothing recovered has its steps until it was given up."""
    lab = bench.scene.lab
    outcome = try_fault(bench.scene, FAULTS[name])
    newest = max(lab.place.root.glob("writers-*.jsonl"), key=lambda path: path.stat().st_mtime)
    with open(newest, encoding="utf-8") as lines:
        attempts = parse_journal(lines)
    return Run(
        fault=name,
        title=FAULTS[name].title,
        struck=float(lab.place.struck.read_text()),
        ends=outcome.seconds
        if outcome.synced_after is None
        else max(outcome.synced_after, outcome.writes_after or 0) + 1,
        load=outcome.load,
        journals={host.name: read_journal(host) for host in lab},
        attempts=attempts,
    )


def read_journal(host: Host) -> str:
    return host.sh("journalctl --no-pager --output=short-monotonic", timeout=JOURNAL_SECONDS).out


def run_chronicle(lab: Laboratory) -> None:
    chronicle(Bench(lab, XHA, FAST))
