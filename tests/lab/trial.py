"""One fault on one working cluster, with writers at work, and the outcome."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass

from lab import client, cluster
from lab.faults import Fault, Scene, nothing
from lab.measure import Kind, Row, judge_attempts
from lab.repair import settle
from lab.shell import CommandFailed
from lab.waiting import GaveUp, wait_until
from lab.watch import Watch, synced_after

RECOVERY_SECONDS = 180
# How long all must be well before it is called recovered. An agent that restarts a good node does so at its next look,
# and every agent looks every 10 s.
QUIET_SECONDS = 12.0


@dataclass(frozen=True)
class Outcome:
    """The outcome of one fault. Times are in seconds from the moment it struck, None if it never came to that.

    `recovered`: all hosts that could were Synced and the client wrote, without help from a person, within
      `RECOVERY_SECONDS` of the fault's end.
    `silent`: the sum of the times without an acknowledged write. `longest_gap`: the longest of them.
    `lost`: host -> acknowledged writes that are missing there. A host that could not be read is absent.
    `needless_starts`: mysqld started more often than the fault made necessary.
    `load`: the machine's load average over one minute when the fault struck.
    `usual_gap`: the longest time without an acknowledged write before the fault: what this machine did by itself.
    `by_kind`: what the writers of each kind experienced (`describe_kinds`). Both are None in an older record.
    `said`: the reasons in `pcs status` if nothing recovered.
    """

    fault: str
    recovered: bool
    synced_after: float | None
    writes_after: float | None
    silent: float
    longest_gap: float
    errors: dict[str, int]
    lost: dict[str, int]
    needless_starts: int
    seconds: float
    load: float
    said: tuple[str, ...] = ()
    usual_gap: float | None = None
    by_kind: dict[str, dict[str, float | None]] | None = None

    @property
    def writes_lost(self) -> int | None:
        """The most that any host lacks. None if no host could be read, which is not the same as nothing lost."""
        return max(self.lost.values(), default=None)


def try_fault(scene: Scene, fault: Fault, *, quiet: float = QUIET_SECONDS) -> Outcome:
    """Let `fault` happen on a cluster that is well, and judge. Leaves the cluster as the fault left it.

    It has recovered once all has been well for `quiet` seconds.
    """
    lab = scene.lab
    with client.writing(lab, scene.world.kinds, fault.port) as writers:
        fault.prepare(scene)
        settle(lab["h3"])
        with Watch(lab) as watch:
            before, load = set(watch.incarnations), os.getloadavg()[0]
            inits = {host.name: host.init for host in lab}
            begin = time.monotonic()
            lab.place.struck.write_text(f"{begin}\n")
            fault.strike(scene)
            time.sleep(
                max(0.0, begin + fault.lasts - time.monotonic())
            )  # the duration of the fault is part of the fault
            fault.relieve(scene)
            recovered = wait_recovered(watch, writers, fault, quiet)
            end = time.monotonic()
            said = () if recovered else read_reasons(scene, fault)
            if not recovered and fault.hand is not nothing:
                fault.hand(scene)
                wait_recovered(watch, writers, fault, quiet)
    felt = judge_attempts(writers.attempts(), begin, end)
    starts = {name: watch.starts(name, before) for name in lab.hosts}
    booted = [host.name for host in lab if host.init != inits[host.name]]
    return Outcome(
        fault=fault.name,
        recovered=recovered,
        synced_after=round(synced_after(watch.looks, fault.back, begin), 1) if recovered else None,
        writes_after=round(felt.back_after, 1) if writers.wrote_since(end - quiet) else None,
        silent=round(felt.silent, 1),
        longest_gap=round(felt.longest_gap, 2),
        errors=felt.errors,
        lost=count_lost(scene, fault, felt.acknowledged),
        needless_starts=fault.count_needless(starts, booted),
        seconds=round(end - begin, 1),
        load=round(load, 1),
        said=said,
        usual_gap=None if felt.usual_gap is None else round(felt.usual_gap, 2),
        by_kind=describe_kinds(scene, fault, felt.by_kind),
    )


def describe_kinds(scene: Scene, fault: Fault, kinds: dict[str, Kind]) -> dict[str, dict[str, float | None]]:
    """Return for each kind of writer: acknowledged rows, errors, the longest gap in seconds, and unknown commits.

    `committed`: how many of the unknown ones are there. None if no host could be read.
    """
    there = read_any(scene, fault) if any(kind.unknown for kind in kinds.values()) else frozenset()
    return {
        name: {
            "acknowledged": kind.acknowledged,
            "errors": kind.errors,
            "longest_gap": round(kind.longest_gap, 2),
            "unknown": len(kind.unknown),
            "committed": None if there is None else len(kind.unknown & there),
        }
        for name, kind in kinds.items()
    }


def read_any(scene: Scene, fault: Fault) -> frozenset[Row] | None:
    """Return the rows of the first host that can be read, None if there is none."""
    for name in fault.back:
        with suppress(CommandFailed, ConnectionError):
            return client.read_rows(scene.lab[name])
    return None


def wait_recovered(watch: Watch, writers: client.Client, fault: Fault, quiet: float) -> bool:
    """Wait until all has been well for `quiet` seconds. False if that did not come in time."""

    def is_well() -> bool:
        recent = [look for look in watch.looks if look.at >= time.monotonic() - quiet]
        synced = len(recent) > 1 and all(look.synced(fault.back) for look in recent)
        return synced and writers.wrote_since(time.monotonic() - 1.0)

    begun = time.monotonic()
    try:
        wait_until(
            "recovery",
            lambda: time.monotonic() > begun + quiet and is_well(),
            timeout=RECOVERY_SECONDS,
            every=0.5,
        )
    except GaveUp:
        return False
    return True


def read_reasons(scene: Scene, fault: Fault) -> tuple[str, ...]:
    for name in fault.back:
        with suppress(CommandFailed, ConnectionError):
            return cluster.read_reasons(scene.lab[name], "p_mysql")
    return ()


def count_lost(scene: Scene, fault: Fault, acknowledged: frozenset[tuple[int, int]]) -> dict[str, int]:
    lost = {}
    for name in fault.back:
        try:
            lost[name] = client.missing(acknowledged, scene.lab[name])
        except (CommandFailed, ConnectionError):
            continue  # the host did not come back: `recovered` says so
    return lost
