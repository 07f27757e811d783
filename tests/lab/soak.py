"""Random sequences of faults. After each fault, conditions are checked that must hold whatever happened before.

A sequence depends only on its seed: `--seed 7 --sequences 1` is the first sequence of `--seed 7 --sequences 50`. A soak
that was interrupted continues with the first sequence that it has not finished. Each finished sequence is a row of
docs/lab/soak.md.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from lab import cluster
from lab.cluster import Galera
from lab.contenders import Contender
from lab.faults import FAULTS
from lab.laboratory import Laboratory
from lab.matrix import DOCS, Bench, LeftOut, file_name, read_expected, replace_text
from lab.place import REPOSITORY
from lab.shell import CommandFailed
from lab.trial import Outcome
from lab.waiting import GaveUp, wait_until
from lab.worlds import World

LENGTH = 5
VIEW_SECONDS = 15
BUILD = REPOSITORY / "build" / "lab-soak"
PAGE = DOCS / "soak.md"


def sequence(seed: str, number: int) -> list[str]:
    """The names of the faults of one sequence: random, but the same on every machine and in every Python."""
    return random.Random(f"{seed}/{number}").sample(sorted(FAULTS), LENGTH)


def broken_by(outcome: Outcome, nodes: dict[str, Galera], expected: Sequence[Outcome] = ()) -> list[str]:
    """The conditions that do not hold, in words.

    No acknowledged write is lost, and there is one primary component. expected: what the report has of this fault. It
    recovers if it did so there, and starts no more servers needlessly than there; no outcomes expect nothing.
    """
    broken = [f"{host} lacks {count} acknowledged writes" for host, count in outcome.lost.items() if count]
    if not outcome.recovered and any(one.recovered for one in expected):
        broken.append(f"not recovered: {'; '.join(outcome.said)}")
    if expected and outcome.needless_starts > max(one.needless_starts for one in expected):
        broken.append(f"{outcome.needless_starts} starts of mysqld that were not needed")
    if not undivided(nodes):
        broken.append(f"more than one primary component: {nodes}")
    return broken


def undivided(nodes: dict[str, Galera]) -> bool:
    primaries = [node for node in nodes.values() if node.status == "Primary"]
    components = {(node.uuid, node.size) for node in primaries}
    return len(components) <= 1 and all(len(primaries) <= size for _, size in components)


def read_nodes(lab: Laboratory) -> dict[str, Galera]:
    """Read all nodes once they are in one component, or as they are after `VIEW_SECONDS`.

    Two components would last. Nodes that are read one after the other while one joins also look divided, but only for a
    moment.
    """
    seen: dict[str, Galera] = {}

    def look() -> bool:
        seen.update((host.name, cluster.read_galera(host)) for host in lab)
        return undivided(seen)

    with suppress(GaveUp):
        wait_until("one primary component at most", look, timeout=VIEW_SECONDS, every=0.5)
    return seen


def run_soak(lab: Laboratory, contender: Contender, world: World, seed: str, sequences: int) -> bool:
    """Run the sequences that are not finished yet. True if all conditions held in every sequence, then and earlier."""
    bench = Bench(lab, contender, world)
    notes = BUILD / f"{file_name(contender.name, lab.system.name)}-{world.name}-{seed}.jsonl"
    held = {each["number"]: not each["broken"] for each in read_notes(notes)}
    where = (contender.name, lab.system.name, world.name, seed)
    for number in range(1, sequences + 1):
        if number not in held:
            broken = run_sequence(bench, seed, number)
            add_note(notes, {"number": number, "faults": sequence(seed, number), "broken": broken})
            replace_text(PAGE, add_row(PAGE.read_text(), Row(*where, number, sequence(seed, number), broken)))
            held[number] = not broken
    good = sum(held[number] for number in range(1, sequences + 1))
    lab.say(f"{good} of {sequences} sequences held; what did not is noted in {notes.relative_to(REPOSITORY)}")
    return good == sequences


def run_sequence(bench: Bench, seed: str, number: int) -> list[str]:
    """Run one sequence. Stop at the first fault after which a condition does not hold, and return what did not.

    A fault that could not be tried is told like that, and the sequence goes on.
    """
    lab, untried = bench.scene.lab, []
    for name in sequence(seed, number):
        where = f"seed {seed}, sequence {number}, {name}"
        try:
            outcome = bench.trial(FAULTS[name], BUILD / "evidence" / f"{seed}-{number}-{name}")
        except LeftOut as reason:
            lab.say(f"{where}: left out: {reason}")
            continue
        except (CommandFailed, GaveUp, ConnectionError) as error:
            lab.say(f"{where}: could not be tried: {error}")
            untried.append(f"{name}: could not be tried")
            bench.stands = False
            continue
        broken = broken_by(outcome, read_nodes(lab), find_expected(bench, name))
        lab.say(
            f"{where}: {'; '.join(broken) or ('recovered' if outcome.recovered else 'not recovered, nothing lost')}"
        )
        if broken:
            bench.stands = False
            return [*untried, *(f"{name}: {each}" for each in broken)]
    return untried


def find_expected(bench: Bench, fault: str) -> list[Outcome]:
    return read_expected(bench.scene.contender.name, bench.scene.lab.system, bench.world.name, fault)


class Row(NamedTuple):
    """One sequence in docs/lab/soak.md. `broken`: what did not hold, in words."""

    agent: str
    system: str
    world: str
    seed: str
    number: int
    faults: list[str]
    broken: list[str]

    def render(self) -> str:
        names = ", ".join(f"`{name}`" for name in self.faults)
        outcome = "; ".join(self.broken).replace("|", "/").replace("\n", " ") or "held"
        return f"| {self.agent} | {self.system} | {self.world} | {self.seed} | {self.number} | {names} | {outcome} |"


def add_row(page: str, row: Row) -> str:
    """Return the page with this row in its place. A sequence that was run again has its newer outcome."""
    head, line, rest = page.partition("| --- | --- | --- | --- | --- | --- | --- |\n")
    rows = {_key(each): each for each in (*rest.splitlines(), row.render())}
    return head + line + "".join(f"{rows[key]}\n" for key in sorted(rows))


def _key(line: str) -> tuple[str, str, str, str, int]:
    agent, system, world, seed, number = (word.strip() for word in line.split("|")[1:6])
    return agent, system, world, seed, int(number)


def read_notes(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def add_note(path: Path, note: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(note) + "\n")
