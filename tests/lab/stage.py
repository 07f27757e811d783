"""This checkout, installed: the result of `make install DESTDIR=`, kept until something that goes into it changes."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.place import REPOSITORY
from lab.systems import System

STAGES = REPOSITORY / "build" / "lab-stage"
INGREDIENTS = (
    "Makefile",
    "setup.cfg",
    "requirements.lock",
    "LICENSE",
    "README.md",
    "CHANGELOG.md",
    "tools/install",
    "agents",
    "checks",
    "docs/examples",
    "docs/galera.cnf",
    "docs/haproxy-openstack.cfg",
    "docs/haproxy.cfg",
    "docs/services.md",
    "lib",
    "xinetd",
)
INSTALL_SECONDS = 300


@contextmanager
def staged(system: System) -> Iterator[Path]:
    """The directory with the tree for a system. It is made now if this state of the checkout was not staged before.

    It belongs to us during the block: another laboratory that stages a newer state removes the older ones.
    """
    STAGES.mkdir(parents=True, exist_ok=True)
    with open(STAGES / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stage = STAGES / f"{system.name}-{digest()}"
        if not stage.exists():
            with tempfile.TemporaryDirectory(dir=STAGES) as work:
                fresh = Path(work) / "tree"
                install(system, fresh)
                fresh.rename(stage)
            forget_older(system, stage)
        yield stage


def digest() -> str:
    """One number for everything that `make install` reads: names, modes and contents."""
    said = hashlib.sha256()
    for ingredient in INGREDIENTS:
        path = REPOSITORY / ingredient
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if (
                file.is_file()
                and "__pycache__" not in file.parts
                and not any(part.endswith(".egg-info") for part in file.parts)
            ):
                said.update(f"{file.relative_to(REPOSITORY)} {os.stat(file).st_mode:o}\n".encode())
                said.update(file.read_bytes())
    return said.hexdigest()[:16]


def install(system: System, fresh: Path) -> None:
    """Install into a new tree: with the locked wheels here, with the distribution's packages on another system."""
    command = ("make", "--silent", "-C", str(REPOSITORY), "install", f"DESTDIR={fresh}")
    if not system.is_own:
        command = (*command, "SYSTEM_PACKAGES=1")
    system.run(*command, binds=(str(REPOSITORY),), timeout=INSTALL_SECONDS)


def forget_older(system: System, stage: Path) -> None:
    for other in STAGES.glob(f"{system.name}-*"):
        if other != stage:
            shutil.rmtree(other, ignore_errors=True)
