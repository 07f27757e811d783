"""xha's doors as `make install` makes them: what a forked check costs is mostly what its interpreter loads."""

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
    """Install below the directory, by the scripts that `make install` calls."""
    programs, packages = directory / "bin", directory / "python"
    programs.mkdir(parents=True)
    scripts = CHECKOUT / ".ci"
    subprocess.run([scripts / "install-python", INTERPRETER, packages], check=True, capture_output=True)
    for name, source in {**SOURCES, "galera": CHECKOUT / "agents/galera"}.items():
        launcher = [scripts / "launcher", source, f"{INTERPRETER} -IS", packages]
        text = subprocess.run(launcher, check=True, capture_output=True, cwd=CHECKOUT).stdout
        (programs / name).write_bytes(text)
        (programs / name).chmod(0o755)
    return Installed(programs, packages)
