"""Watches all nodes while something happens: who was Synced when, and which mysqld started and ended."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lab import cluster
from lab.cluster import Galera
from lab.host import Host
from lab.laboratory import Laboratory

EVERY_SECONDS = 1.0
SERVER = "mariadbd"
# A mysqld that only reads its position, creates the system tables, or lists its options is not in service: no start.
NOT_SERVING = (b"--wsrep-recover", b"--wsrep_recover", b"--bootstrap", b"--help", b"--print-defaults")

Incarnation = tuple[str, int, str]


@dataclass(frozen=True)
class Look:
    """All nodes at one moment (`at`: seconds, monotonic, when the last node had answered)."""

    at: float
    nodes: dict[str, Galera]

    def synced(self, names: tuple[str, ...]) -> bool:
        """Whether the nodes `names` are Synced in one component with exactly these members."""
        nodes = [self.nodes[name] for name in names]
        return (
            all(node.synced and node.size == len(names) for node in nodes) and len({node.uuid for node in nodes}) == 1
        )


class Watch(threading.Thread):
    """Looks once a second until its block ends."""

    def __init__(self, lab: Laboratory) -> None:
        super().__init__(daemon=True)
        self.lab, self.over = lab, threading.Event()
        self.looks: list[Look] = []
        self.incarnations: set[Incarnation] = set()

    def __enter__(self) -> Watch:
        self.look()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.join()

    def run(self) -> None:
        while not self.over.wait(EVERY_SECONDS):
            self.look()

    def look(self) -> None:
        nodes = dict(self.lab.on_all(lambda host: (host.name, cluster.read_galera(host))))
        for host in self.lab:
            self.incarnations |= incarnations(host)
        self.looks.append(Look(time.monotonic(), nodes))

    def starts(self, name: str, before: set[Incarnation]) -> int:
        """How many mysqld were seen in service on the host `name` that were not among those `before`."""
        return sum(1 for seen in self.incarnations - before if seen[0] == name)


def incarnations(host: Host) -> set[Incarnation]:
    """The mysqld processes of `host` that are in service. A pid that is used again has another start time."""
    found = set()
    for pid in host.pids_of(SERVER):
        with suppress(OSError, IndexError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
            started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
            if words and not any(word in words for word in NOT_SERVING):
                found.add((host.name, pid, started))
    return found


def synced_after(looks: list[Look], names: tuple[str, ...], begin: float) -> float:
    """Seconds from `begin` to the first look of the last unbroken series of looks that saw `names` Synced.

    0.0 if all looks since `begin` saw that. Accurate to `EVERY_SECONDS` and the time that a look takes.
    """
    since = [look for look in looks if look.at >= begin]
    row_began = begin
    for earlier, later in zip(since, since[1:]):
        if later.synced(names) and not earlier.synced(names):
            row_began = later.at
    return row_began - begin if since and since[-1].synced(names) else float("inf")
