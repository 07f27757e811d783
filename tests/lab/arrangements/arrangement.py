"""What an arrangement is, and how one is tried."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from lab import cluster, evidence
from lab.client import read_rows
from lab.contenders import XHA
from lab.faults import Fault, Scene
from lab.laboratory import Laboratory
from lab.place import HOSTS, MORE, REPOSITORY
from lab.shell import CommandFailed
from lab.standing import stand_up
from lab.trial import try_fault
from lab.waiting import GaveUp
from lab.worlds import SEED

EVIDENCE = REPOSITORY / "build" / "lab-evidence" / "arrangements"
EVERYBODY = (*HOSTS, *MORE)


@dataclass(frozen=True)
class Arrangement:
    """`title` says what is arranged and what happens. `nodes`: how many hosts the laboratory has.

    `act`: arranges it, lets it happen and returns what did not hold, in words. It raises `GaveUp` for a state that was
    waited for in vain.
    """

    name: str
    title: str
    act: Callable[[Laboratory], list[str]]
    nodes: int = len(HOSTS)


def run_arrangements(make: Callable[[int], Laboratory], wanted: Sequence[Arrangement]) -> bool:
    """Try these, in one laboratory for each number of hosts. True if all held. Keeps evidence of those that did not.

    make: returns a laboratory of so many hosts. It is built here; the first one is gone when the next one is built.
    """
    failed = []
    for nodes in sorted({one.nodes for one in wanted}):
        lab, stands = make(nodes), False
        for one in (each for each in wanted if each.nodes == nodes):
            if not stands:
                lab.build()
                stand_up(lab, XHA, SEED)
            broken = try_arrangement(lab, one)
            stands = not broken
            failed += [one.name] if broken else []
    return not failed


def try_arrangement(lab: Laboratory, one: Arrangement) -> list[str]:
    """Return what did not hold, in words."""
    lab.say(f"{one.name}: {one.title}")
    begun = time.monotonic()
    try:
        broken = one.act(lab)
    except (CommandFailed, GaveUp, ConnectionError) as error:
        broken = [str(error)]
    for what in broken:
        lab.say(f"{one.name}: {what}")
    lab.say(f"{one.name}: {'DID NOT HOLD' if broken else 'held'}, after {time.monotonic() - begun:.0f} s")
    if broken:
        evidence.keep(lab, EVIDENCE / one.name)
    return broken


def suffer(lab: Laboratory, fault: Fault) -> list[str]:
    """Let a fault happen while clients write. Return what did not hold: service, all writes, no needless start."""
    outcome = try_fault(Scene(lab, XHA), fault)
    lab.say(f"{fault.name}: Synced after {outcome.synced_after} s, silent {outcome.silent} s, lost {outcome.lost}")
    broken = [] if outcome.recovered else [f"{fault.name}: not recovered: {'; '.join(outcome.said)}"]
    broken += [
        f"{fault.name}: {host} lacks {count} acknowledged writes" for host, count in outcome.lost.items() if count
    ]
    if set(outcome.lost) != set(fault.back):
        broken.append(f"{fault.name}: only {', '.join(outcome.lost) or 'nobody'} could be read")
    if outcome.needless_starts:
        broken.append(f"{fault.name}: {outcome.needless_starts} starts of mysqld that were not needed")
    return broken


def servers(lab: Laboratory, word: str = "") -> dict[str, list[int]]:
    """The servers of each host that have `word` among their arguments; those without are left out."""
    found = {}
    for host in lab:
        pids = [pid for pid in host.pids_of("mariadbd") if word in Path(f"/proc/{pid}/cmdline").read_text()]
        if pids:
            found[host.name] = pids
    return found


def same_rows(lab: Laboratory, names: Sequence[str]) -> list[str]:
    """What did not hold of: these hosts hold the same rows of the clients."""
    rows = {name: read_rows(lab[name]) for name in names}
    most = max(rows.values(), key=len)
    return [f"{name} has {len(found)} of {len(most)} rows" for name, found in rows.items() if found != most]


def is_synced(lab: Laboratory, names: Sequence[str]) -> bool:
    return cluster.all_synced(lab[name] for name in names)
