"""Every fault against one agent, several times. The report holds every run, so a rerun continues where it ended."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from lab import evidence, report
from lab.contenders import CONTENDERS, Contender
from lab.faults import FAULTS, Fault, Scene
from lab.laboratory import Laboratory
from lab.place import REPOSITORY
from lab.repair import restore
from lab.shell import CommandFailed
from lab.standing import stand_up
from lab.systems import OWN, System
from lab.trial import Outcome, try_fault
from lab.waiting import GaveUp
from lab.worlds import WORLDS, World

BUILD = REPOSITORY / "build" / "lab-report" / "evidence"
DOCS = REPOSITORY / "docs" / "lab"
# The system whose reports carry no name of a system: every fault was tried there.
REPORTED = "debian12"
MATRIX = REPOSITORY / "build" / "lab-matrix"
SOFTWARE = ("mariadb-server", "galera-4", "pacemaker", "corosync", "resource-agents", "pcs", "haproxy")


class LeftOut(Exception):
    """A fault cannot be tried in this world, or with this agent: why, as a sentence."""


class Bench:
    """A laboratory with one agent in one world. It is repaired, or built anew, before each trial."""

    def __init__(self, lab: Laboratory, contender: Contender, world: World) -> None:
        self.scene, self.world = Scene(lab, contender, world), world
        self.stands = False

    def make_well(self) -> None:
        lab = self.scene.lab
        if not (self.stands and restore(lab)):
            lab.build()
            stand_up(lab, self.scene.contender, self.world)
            self.stands = restore(lab)

    def trial(self, fault: Fault, kept: Path) -> Outcome:
        """One trial on a cluster that is well. Evidence goes below `kept` unless the fault did no lasting harm.

        Raises `LeftOut` for a fault that cannot be tried here.
        """
        self.make_well()
        if reason := fault.lacks(self.scene):
            raise LeftOut(reason)
        try:
            outcome = try_fault(self.scene, fault)
        except (CommandFailed, GaveUp, ConnectionError):
            # The fault could not be produced, or the client could not connect: nothing was measured.
            evidence.keep(self.scene.lab, kept)
            raise
        if not outcome.recovered or outcome.writes_lost:
            evidence.keep(self.scene.lab, kept)
        return outcome


class Noted:
    """Every outcome of one agent so far: the committed report itself, or one elsewhere, anew after each trial."""

    def __init__(self, agent: str, system: System, directory: Path = DOCS) -> None:
        self.agent, self.system = agent, system
        name = file_name(agent, system.name)
        self.json, self.markdown, self.finished = (directory / f"{name}.{kind}" for kind in ("json", "md", "finished"))

    def read(self) -> list[tuple[str, Outcome]]:
        return report.parse_json(self.json.read_text()) if self.json.exists() else []

    def software(self) -> dict[str, str]:
        """The versions that the outcomes so far were seen with."""
        return report.parse_software(self.json.read_text()) if self.json.exists() else {}

    def of(self, world: str, fault: str) -> list[Outcome]:
        return [outcome for where, outcome in self.read() if (where, outcome.fault) == (world, fault)]

    def add(self, world: str, outcome: Outcome) -> None:
        """Add one more outcome. The report is in the order of the catalogue."""
        noted = [*self.read(), (world, outcome)]
        summaries = [
            report.summarise(where, outcomes)
            for where in WORLDS
            for name in FAULTS
            if (outcomes := [each for its_world, each in noted if (its_world, each.fault) == (where, name)])
        ]
        software = merge_software(self.software(), read_software(self.system))
        about = (self.agent, software, os.cpu_count() or 0, summaries)
        replace_text(self.json, report.render_json(*about))
        order = "" if self.system.name == REPORTED else f" OS={self.system.name}"
        replace_text(self.markdown, report.render_markdown(*about, order=order))


def replace_text(path: Path, text: str) -> None:
    """Write a file that is complete at any moment, because it contains hours of work."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def file_name(agent: str, system: str) -> str:
    """`ocf:heartbeat:galera` -> `heartbeat-galera`, and -> `heartbeat-galera-debian13` of that system."""
    name = agent.removeprefix("ocf:").replace(":", "-")
    return name if system == REPORTED else f"{name}-{system}"


def names_of(world: World, names: Sequence[str] = ()) -> list[str]:
    """Return the faults to be tried in a world: those that were named, its own, or all of them."""
    return list(names or world.faults or FAULTS)


def read_reports() -> dict[str, list[tuple[str, Outcome]]]:
    """Return every run of each agent that has a report in docs/lab, each with its world."""
    return {name: Noted(name, OWN._replace(name=REPORTED)).read() for name in CONTENDERS}


def check_matrix(lab: Laboratory, contender: Contender, names: Sequence[str]) -> bool:
    """Try each fault once in each world; true if all came out as in the committed report, and nothing was lost.

    `names`: these faults in each world; none: those of each world. Each trial is recorded below build/lab-matrix. An
    interrupted run continues, and a finished one begins again.
    """
    noted = Noted(contender.name, lab.system, MATRIX)
    wanted = [(world, name) for world in WORLDS for name in names_of(WORLDS[world], names)]
    if noted.finished.exists():
        noted.finished.unlink()
        noted.json.unlink(missing_ok=True)
    skipped = {
        (world.name, name)
        for world in WORLDS.values()
        for name in run_matrix(lab, contender, world, names_of(world, names), 1, MATRIX)
    }
    tried = [each for each in wanted if each not in skipped]
    if all(noted.of(world, name) for world, name in tried):
        noted.finished.touch()
    wrong = [f"{world}: {name}: {text}" for world, name in tried if (text := _differs(noted, world, name))]
    lab.say("\n".join(wrong) or f"{len(tried)} trials came out as {DOCS.relative_to(REPOSITORY)} says")
    return not wrong


def read_expected(agent: str, system: System, world: str, name: str) -> list[Outcome]:
    """What the committed report has of a fault. For a system without a report: the one in which every fault is."""
    there = Noted(agent, system).of(world, name)
    return there or Noted(agent, system._replace(name=REPORTED)).of(world, name)


def _differs(noted: Noted, world: str, name: str) -> str:
    """Return what is wrong with a trial, "" for nothing. The report says which faults only a person can end."""
    outcomes, expected = noted.of(world, name), read_expected(noted.agent, noted.system, world, name)
    if not outcomes:
        return "could not be tried"
    if any(outcome.writes_lost for outcome in outcomes):
        return f"acknowledged writes are lost: {outcomes[-1].lost}"
    recovers = any(outcome.recovered for outcome in expected)  # one run of several may have met a busy machine
    return "has not recovered" if recovers and not outcomes[-1].recovered else ""


def run_matrix(  # noqa: PLR0913, PLR0917 - what is tried, how often, and where it is noted
    lab: Laboratory, contender: Contender, world: World, names: Sequence[str], runs: int, directory: Path = DOCS
) -> list[str]:
    """Try each fault once, then each a second time, until `runs` outcomes of each are recorded.

    Return those that cannot be tried in this world, each said with its reason.
    """
    bench, noted = Bench(lab, contender, world), Noted(contender.name, lab.system, directory)
    skipped: list[str] = []
    for number in range(1, runs + 1):
        for fault in (FAULTS[name] for name in names):
            if fault.name in skipped or len(noted.of(world.name, fault.name)) >= number:
                continue
            lab.say(f"{fault.name}, run {number} of {runs}: {fault.title}")
            try:
                outcome = bench.trial(fault, BUILD / f"{world.name}-{fault.name}-{number}")
            except LeftOut as reason:
                skipped.append(fault.name)
                lab.say(f"{fault.name} is left out: {reason}")
                continue
            except (CommandFailed, GaveUp, ConnectionError) as error:
                lab.say(f"{fault.name} could not be tried: {error}")
                bench.stands = False
                continue
            noted.add(world.name, outcome)
            lab.say(f"{fault.name}: {'recovered' if outcome.recovered else 'NOT recovered'}, lost: {outcome.lost}")
    return skipped


def merge_software(before: dict[str, str], now: dict[str, str]) -> dict[str, str]:
    """Return every version of a package that runs of one report were made with, the oldest runs' first."""
    known = {name: before.get(name, version).split(" and ") for name, version in now.items()}
    return {name: " and ".join(dict.fromkeys([*known[name], version])) for name, version in now.items()}


def read_software(system: System) -> dict[str, str]:
    """The upstream version of each package that matters, without the distribution's own suffix."""
    versions = {name: system.dpkg_query("--show", "--showformat=${Version}", name) for name in SOFTWARE}
    return {name: re.sub(r"^\d+:|[-+].*$", "", version) for name, version in versions.items()}
