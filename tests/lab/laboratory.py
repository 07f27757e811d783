"""The whole laboratory: its hosts, the network, and a guard that removes all of it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Callable, TypeVar

from lab import image
from lab.host import Host
from lab.network import BRIDGE, Network
from lab.place import HOSTS, REPOSITORY, Place
from lab.shell import run
from lab.sweep import locked, sweep, sweep_abandoned
from lab.systems import OWN, System

T = TypeVar("T")
DISK = "6g"  # an upper limit: a tmpfs takes what is written, about 400 MiB for a fresh laboratory


class Laboratory:
    """The hosts at `place`. Make them with `build` or `standing`. The object may be thrown away at any time.

    `system`: what `build` makes the hosts of. `names`: the hosts; without them those that are there, otherwise three.
    """

    def __init__(self, place: Place, system: System = OWN, names: Sequence[str] = ()) -> None:
        self.place, self.system = place, system
        self.network = Network(place)
        self.hosts = {name: Host(place, self.network, name) for name in names or place.built() or HOSTS}
        self.begun = time.monotonic()

    def __iter__(self) -> Iterator[Host]:
        return iter(self.hosts.values())

    def __getitem__(self, name: str) -> Host:
        return self.hosts[name]

    def build(self, *, bare: bool = False) -> None:
        """Build the hosts and boot them, `bare` ones without xha. First sweep what an earlier laboratory left."""
        sweep(self.place)
        self.place.root.mkdir(parents=True)
        run(["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0755", "tmpfs", str(self.place.root)])
        self.network.lay()
        image.build(self.place, self.system, bare=bare)
        self.say("image built")
        self.on_all(lambda host: (host.build(self.system), host.power_on(), host.wait_booted()))
        self._serve_power()
        self.say("hosts run")

    def _serve_power(self) -> None:
        """Start the power switch on the bridge. It ends with the laboratory."""
        with open(self.place.root / "power.log", "ab") as log:
            subprocess.Popen(
                [
                    "setsid",
                    "--fork",
                    "nsenter",
                    f"--net={self.place.namespace(BRIDGE)}",
                    sys.executable,
                    "-m",
                    "lab.power",
                    self.place.name,
                ],
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            ).wait()

    def on_all(self, act: Callable[[Host], T]) -> list[T]:
        """Call `act` for every host at the same time and return the results. The first error is raised."""
        with ThreadPoolExecutor(len(self.hosts)) as pool:
            return list(pool.map(act, self.hosts.values()))

    def say(self, what: str) -> None:
        print(f"lab {self.place.name}: {time.monotonic() - self.begun:6.1f} s  {what}", file=sys.stderr, flush=True)


def environment() -> dict[str, str]:
    """The environment in which our processes find this package."""
    return {**os.environ, "PYTHONPATH": str(REPOSITORY / "tests")}


@contextmanager
def guarded(place: Place) -> Iterator[Callable[[], None]]:
    """Own the laboratory at `place` during the block, and sweep it afterwards, even if we are killed with SIGKILL.

    Yields a function `keep`. A block that called it leaves the laboratory standing. A guard, a process in a session of
    its own, reads from a pipe whose other end only we hold. So the kernel tells it when we die.
    """
    sweep_abandoned()
    with locked(place):
        guard = subprocess.Popen(
            [sys.executable, "-m", "lab.guard", place.name],
            stdin=subprocess.PIPE,
            start_new_session=True,
            env=environment(),
        )
        assert guard.stdin is not None
        keeping = []
        try:
            yield lambda: keeping.append(True)
            if keeping:
                place.kept.touch()
                guard.stdin.write(b"keep\n")
        finally:
            if not keeping:
                sweep(place)
            guard.stdin.close()
    guard.wait(timeout=30)
