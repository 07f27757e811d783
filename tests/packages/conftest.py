"""The packages of this checkout and of a later version, built once for a session."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from loopback import Net
from loopback.doors import CHECKOUT

LATER = "99.0.0"
# Who builds packages for a house of their own names themselves.
MAINTAINER = {"DEBEMAIL": "dba@example.org", "DEBFULLNAME": "Database Team"}


class Built(NamedTuple):
    """What a build has left: the packages of this version, its source, and the .changes that names them all."""

    directory: Path
    version: str

    @property
    def debs(self) -> list[Path]:
        return sorted(self.directory.glob("*.deb"))

    @property
    def changes(self) -> Path:
        (found,) = self.directory.glob("*.changes")
        return found


def run(*command: str, cwd: Path = CHECKOUT, **environment: str) -> str:
    """Run a command, and return its output; a failure raises with that output."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "PYTEST"))}
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**kept, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)} exited with {done.returncode}:\n{done.stdout}"
    return done.stdout


@pytest.fixture(scope="session")
def built(net: Net) -> Built:
    """What `make deb` makes of this checkout."""
    directory = net.directory / "packages/this"
    run("tools/package/deb", str(directory), **MAINTAINER)
    return Built(directory, run("tools/package/version").strip())


@pytest.fixture(scope="session")
def later(net: Net, built: Built) -> Built:
    """The same packages as a later version, in which a module has another name: unpacked, changed and packed again."""
    top = net.directory / "packages/later"
    top.mkdir()
    for deb in built.debs:
        tree = top / deb.name.partition("_")[0]
        run("dpkg-deb", "--raw-extract", str(deb), str(tree))
        control = tree / "DEBIAN/control"
        control.write_text(control.read_text().replace(f"{built.version}-1", f"{LATER}-1"))
        if tree.name == "xha":
            _change(tree / "usr/share/xha")
        run("dpkg-deb", "--root-owner-group", "-Znone", "--build", str(tree), str(top))
    return Built(top, LATER)


def _change(kept: Path) -> None:
    init = kept / "python/xha/__init__.py"
    init.write_text(re.sub(r'__version__ = ".*"', f'__version__ = "{LATER}"', init.read_text()))
    (kept / "python/xha/doors/ocf/agent.py").rename(kept / "python/xha/doors/ocf/renamed.py")
    for path in [*(kept / "python").rglob("*.py"), kept / "doors/galera", kept / "doors/service"]:
        path.write_text(re.sub(r"ocf\.agent\b|\.agent import (leave|Agent|Call|run)\b", _rename, path.read_text()))


def _rename(found: re.Match[str]) -> str:
    return found[0].replace("agent", "renamed", 1)
