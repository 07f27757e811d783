"""Random sequences of faults. After each fault, two conditions are checked that must hold whatever happened.

A sequence depends only on its seed: `--seed 7 --sequences 1` is the first sequence of `--seed 7 --sequences 50`. A soak
that was interrupted continues with the first sequence that it has not finished.
"""

from __future__ import annotations

import json
import random
from contextlib import suppress
from pathlib import Path

from lab import cluster
from lab.cluster import Galera
from lab.contenders import Contender
from lab.faults import FAULTS
from lab.laboratory import Laboratory
from lab.matrix import Bench, file_name
from lab.place import REPOSITORY
from lab.shell import CommandFailed
from lab.trial import Outcome
from lab.waiting import GaveUp, wait_until
from lab.worlds import World

LENGTH = 5
VIEW_SECONDS = 15
BUILD = REPOSITORY / "build" / "lab-soak"


def sequence(seed: str, number: int) -> list[str]:
    """The names of the faults of one sequence: random, but the same on every machine and in every Python."""
    return random.Random(f"{seed}/{number}").sample(sorted(FAULTS), LENGTH)


def broken_by(outcome: Outcome, nodes: dict[str, Galera]) -> list[str]:
    """The conditions that do not hold, in words: no acknowledged write lost, and one primary component."""
    broken = [f"{host} lacks {count} acknowledged writes" for host, count in outcome.lost.items() if count]
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
    for number in range(1, sequences + 1):
        if number not in held:
            broken = run_sequence(bench, seed, number)
            add_note(notes, {"number": number, "faults": sequence(seed, number), "broken": broken})
            held[number] = not broken
    good = sum(held[number] for number in range(1, sequences + 1))
    lab.say(f"{good} of {sequences} sequences held; what did not is noted in {notes.relative_to(REPOSITORY)}")
    return good == sequences


def run_sequence(bench: Bench, seed: str, number: int) -> list[str]:
    """Run one sequence. Stop at the first fault after which a condition does not hold, and return that condition."""
    lab = bench.scene.lab
    for name in sequence(seed, number):
        where = f"seed {seed}, sequence {number}, {name}"
        try:
            outcome = bench.trial(FAULTS[name], BUILD / "evidence" / f"{seed}-{number}-{name}")
        except (CommandFailed, GaveUp, ConnectionError) as error:
            lab.say(f"{where}: could not be tried: {error}")
            bench.stands = False
            continue
        broken = broken_by(outcome, read_nodes(lab))
        lab.say(
            f"{where}: {'; '.join(broken) or ('recovered' if outcome.recovered else 'not recovered, nothing lost')}"
        )
        if broken:
            bench.stands = False
            return [f"{where}: {each}" for each in broken]
    return []


def read_notes(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def add_note(path: Path, note: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(note) + "\n")
