"""Every fault against one agent, several times. What was measured is noted after each trial; a rerun goes on there."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from lab import evidence, report
from lab.contenders import Contender
from lab.faults import FAULTS, Fault, Scene
from lab.laboratory import Laboratory
from lab.place import REPOSITORY
from lab.repair import restore
from lab.shell import CommandFailed, run
from lab.standing import stand_up
from lab.trial import Outcome, try_fault
from lab.waiting import GaveUp
from lab.worlds import WORLDS, World

BUILD = REPOSITORY / "build" / "lab-report"
DOCS = REPOSITORY / "docs" / "lab"
SOFTWARE = ("mariadb-server", "galera-4", "pacemaker", "corosync", "resource-agents", "pcs", "haproxy")


class Bench:
    """A laboratory with one agent in one world that is made well again, or built anew, before each trial."""

    def __init__(self, lab: Laboratory, contender: Contender, world: World) -> None:
        self.scene, self.world = Scene(lab, contender), world
        self.stands = False

    def make_well(self) -> None:
        lab = self.scene.lab
        if not (self.stands and restore(lab)):
            lab.build()
            stand_up(lab, self.scene.contender, self.world)
            self.stands = restore(lab)

    def trial(self, fault: Fault, kept: Path) -> Outcome:
        """One trial on a cluster that is well. Evidence goes below `kept` unless the fault did no lasting harm."""
        self.make_well()
        try:
            outcome = try_fault(self.scene, fault)
        except (CommandFailed, GaveUp, ConnectionError):
            # The fault could not be made to happen, or the client found no way in: nothing was measured.
            evidence.keep(self.scene.lab, kept)
            raise
        if not outcome.recovered or outcome.writes_lost:
            evidence.keep(self.scene.lab, kept)
        return outcome


class Notes:
    """Every outcome of one agent so far, one JSON line each, in a file that survives us."""

    def __init__(self, agent: str) -> None:
        self.path = BUILD / f"{file_name(agent)}.jsonl"

    def read(self) -> list[tuple[str, Outcome]]:
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        said = [json.loads(line) for line in lines]
        return [(each.pop("world"), Outcome(**each)) for each in said]

    def add(self, world: str, outcome: Outcome) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps({"world": world, **asdict(outcome)}) + "\n")

    def of(self, world: str, fault: str) -> list[Outcome]:
        return [outcome for where, outcome in self.read() if (where, outcome.fault) == (world, fault)]


def file_name(agent: str) -> str:
    """`ocf:heartbeat:galera` -> `heartbeat-galera`."""
    return agent.removeprefix("ocf:").replace(":", "-")


def run_matrix(lab: Laboratory, contender: Contender, world: World, names: Iterable[str], runs: int) -> None:
    """Try each fault until `runs` outcomes of it are noted, and write the report after each."""
    bench, notes = Bench(lab, contender, world), Notes(contender.name)
    for fault in (FAULTS[name] for name in names):
        for number in range(len(notes.of(world.name, fault.name)) + 1, runs + 1):
            lab.say(f"{fault.name}, run {number} of {runs}: {fault.title}")
            try:
                outcome = bench.trial(fault, BUILD / "evidence" / f"{world.name}-{fault.name}-{number}")
            except (CommandFailed, GaveUp, ConnectionError) as error:
                lab.say(f"{fault.name} could not be tried: {error}")
                bench.stands = False
                break
            notes.add(world.name, outcome)
            lab.say(f"{fault.name}: {'recovered' if outcome.recovered else 'NOT recovered'}, lost: {outcome.lost}")
            write_report(contender.name, notes)


def write_report(agent: str, notes: Notes) -> None:
    """Write docs/lab/AGENT.json and .md from all that is noted, in the order of the catalogue."""
    noted = notes.read()
    summaries = [
        report.summarise(world, outcomes)
        for world in WORLDS
        for name in FAULTS
        if (outcomes := [outcome for where, outcome in noted if (where, outcome.fault) == (world, name)])
    ]
    about = (agent, read_software(), os.cpu_count() or 0, summaries)
    DOCS.mkdir(parents=True, exist_ok=True)
    (DOCS / f"{file_name(agent)}.json").write_text(report.render_json(*about))
    (DOCS / f"{file_name(agent)}.md").write_text(report.render_markdown(*about))


def read_software() -> dict[str, str]:
    """The upstream version of each package that matters, without the distribution's own suffix."""
    versions = {name: run(["dpkg-query", "--show", "--showformat=${Version}", name]).out for name in SOFTWARE}
    return {
        name: version.partition(":")[2].partition("-")[0] or version.partition("-")[0]
        for name, version in versions.items()
    }
