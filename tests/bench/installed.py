"""xha's programs as `make install` makes them: what a forked check costs is mostly what its interpreter loads."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

from loopback.doors import CHECKOUT, SOURCES

INTERPRETER = "/usr/bin/python3"


class Installed(NamedTuple):
    """A directory of launchers, and one of the packages that they import."""

    programs: Path
    packages: Path

    def door(self, name: str) -> str:
        """The path of one of xha's programs, the agent among them."""
        return str(self.programs / name)


def install(directory: Path) -> Installed:
    """Install below the directory, by the script that `make install` calls."""
    programs, home = directory / "bin", directory / "xha"
    sources = {**SOURCES, "galera": CHECKOUT / "agents/galera"}
    doors = [f"door:{source}={programs / name}" for name, source in sources.items()]
    command = [INTERPRETER, "-IB", str(CHECKOUT / "tools/install/install"), "--home", str(home)]
    subprocess.run([*command, "--wheels", str(CHECKOUT / "build/wheels"), *doors], check=True, capture_output=True)
    return Installed(programs, home / "current/python")
