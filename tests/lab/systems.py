"""Which system the hosts run: this machine's own, or another one whose root tools/root has built below build/roots.

A host is a copy of that system's root. What runs outside of the hosts (the client, the power switch) is this machine's.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from lab.place import REPOSITORY
from lab.shell import CommandFailed, run

ROOTS = REPOSITORY / "build" / "roots"
# The systems that tools/root can build with all that a host needs.
BUILT = ("debian13",)
BUILD_SECONDS = 1200


class System(NamedTuple):
    """A system by the name that OS= gives it, as `debian12`, and the directory that hosts are copies of."""

    name: str
    root: Path

    @property
    def is_own(self) -> bool:
        """Whether it is the one that this machine runs."""
        return self.root == Path("/")

    def dpkg_query(self, *words: str) -> str:
        return run(["dpkg-query", f"--admindir={self.root / 'var/lib/dpkg'}", *words], check=False).out

    def run(self, *command: str, binds: Sequence[str] = (), timeout: float) -> None:
        """Run a program of this system, on its root. What it writes is lost, except for what is bound."""
        run([*([] if self.is_own else self.container(binds=binds)), *command], timeout=timeout)

    def container(self, *options: str, binds: Sequence[str] = ()) -> list[str]:
        """The words before a command that make it run on this system's root."""
        words = ("systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--pipe", "--volatile=overlay", *options)
        return [*words, f"--directory={self.root}", *(f"--bind={bind}" for bind in binds)]


def name_machine(os_release: str) -> str:
    """Return the name of the system whose /etc/os-release has this text, `debian12`."""
    values = dict(line.split("=", 1) for line in os_release.splitlines() if "=" in line)
    return "".join(values.get(key, "").strip("\"'") for key in ("ID", "VERSION_ID"))


OWN = System(name_machine(Path("/etc/os-release").read_text()), Path("/"))


def find_system(name: str) -> System:
    """Return the system of a name, "" for the machine's own. Raises `ValueError` for one that nobody can build."""
    if name in ("", OWN.name):
        return OWN
    if name in BUILT:
        return System(name, ROOTS / name)
    raise ValueError(f"no system {name!r}: {OWN.name}, which this machine runs, or {', '.join(BUILT)}")


def lacks(system: System) -> list[str]:
    """Return what keeps this machine from having the system's root, in words for a person."""
    if system.is_own or system.root.exists() or shutil.which("debootstrap"):
        return []
    return [f"debootstrap, which builds {system.root}: tools/deps roots"]


def build(system: System) -> None:
    """Build the system's root if it is not there. tools/root tells about it. Raises `CommandFailed`."""
    if system.is_own:
        return
    try:
        done = subprocess.run(
            [REPOSITORY / "tools/root", system.name], stdin=subprocess.DEVNULL, timeout=BUILD_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise CommandFailed(f"{system.root} was not built within {BUILD_SECONDS} s") from None
    if done.returncode:
        raise CommandFailed(f"{system.root} could not be built, as said above; once it can: tools/root {system.name}")
