"""Every fault against one agent, several times. The report holds every run, so a rerun goes on where it ended."""

from __future__ import annotations

import os
from collections.abc import Sequence
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

BUILD = REPOSITORY / "build" / "lab-report" / "evidence"
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


class Noted:
    """Every outcome of one agent so far: the committed report itself, written anew after each trial."""

    def __init__(self, agent: str) -> None:
        self.agent = agent
        self.json, self.markdown = (DOCS / f"{file_name(agent)}.{kind}" for kind in ("json", "md"))

    def read(self) -> list[tuple[str, Outcome]]:
        return report.parse_json(self.json.read_text()) if self.json.exists() else []

    def of(self, world: str, fault: str) -> list[Outcome]:
        return [outcome for where, outcome in self.read() if (where, outcome.fault) == (world, fault)]

    def add(self, world: str, outcome: Outcome) -> None:
        """Note one more outcome; the report is in the order of the catalogue."""
        noted = [*self.read(), (world, outcome)]
        summaries = [
            report.summarise(where, outcomes)
            for where in WORLDS
            for name in FAULTS
            if (outcomes := [each for its_world, each in noted if (its_world, each.fault) == (where, name)])
        ]
        about = (self.agent, read_software(), os.cpu_count() or 0, summaries)
        replace_text(self.json, report.render_json(*about))
        replace_text(self.markdown, report.render_markdown(*about))


def replace_text(path: Path, text: str) -> None:
    """Write a file that is whole at any moment: hours are in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def file_name(agent: str) -> str:
    """`ocf:heartbeat:galera` -> `heartbeat-galera`."""
    return agent.removeprefix("ocf:").replace(":", "-")


def run_matrix(lab: Laboratory, contender: Contender, world: World, names: Sequence[str], runs: int) -> None:
    """Try each fault once, then each a second time, until `runs` outcomes of each are noted."""
    bench, noted = Bench(lab, contender, world), Noted(contender.name)
    for number in range(1, runs + 1):
        for fault in (FAULTS[name] for name in names):
            if len(noted.of(world.name, fault.name)) >= number:
                continue
            lab.say(f"{fault.name}, run {number} of {runs}: {fault.title}")
            try:
                outcome = bench.trial(fault, BUILD / f"{world.name}-{fault.name}-{number}")
            except (CommandFailed, GaveUp, ConnectionError) as error:
                lab.say(f"{fault.name} could not be tried: {error}")
                bench.stands = False
                continue
            noted.add(world.name, outcome)
            lab.say(f"{fault.name}: {'recovered' if outcome.recovered else 'NOT recovered'}, lost: {outcome.lost}")


def read_software() -> dict[str, str]:
    """The upstream version of each package that matters, without the distribution's own suffix."""
    versions = {name: run(["dpkg-query", "--show", "--showformat=${Version}", name]).out for name in SOFTWARE}
    return {
        name: version.partition(":")[2].partition("-")[0] or version.partition("-")[0]
        for name, version in versions.items()
    }
