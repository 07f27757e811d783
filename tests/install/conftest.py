"""One staged installation for the session, and the machine that boots with it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from install.machine import Machine, why_not_bootable
from install.place import Place, why_no_place
from loopback import Net

CHECKOUT = Path(__file__).resolve().parents[2]


def make(*words: str) -> str:
    """Run make in the checkout and return its output; a failure raises with that output."""
    # If make started the tests, its variables must not reach this make.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        ["make", "-C", str(CHECKOUT), "--no-print-directory", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, f"make {' '.join(words)} exited with {done.returncode}:\n{done.stdout}"
    return done.stdout


def checkout_listing() -> set[Path]:
    """The directories in which a build would leave *.egg-info. build/ is excluded: the Makefile downloads to it.

    So are the caches of other tests, which run meanwhile: .hypothesis, .mypy_cache, .pytest_cache.
    """
    there = {*CHECKOUT.iterdir(), *(CHECKOUT / "lib").iterdir()} - {CHECKOUT / "build"}
    return {path for path in there if not path.name.startswith(".")}


@pytest.fixture(scope="session")
def stage(net: Net) -> Path:
    """A tree staged by `make install DESTDIR=...` with every directory at its default. Tests must not change it."""
    directory = net.directory / "stage"
    before = checkout_listing()
    make("install", f"DESTDIR={directory}")
    assert checkout_listing() == before, "building left something in the checkout"
    return directory


@pytest.fixture(scope="session")
def machine(net: Net, stage: Path) -> Iterator[Machine]:
    """A booted Debian with the staged tree copied into its root and the account created; no unit is enabled."""
    reason = why_not_bootable()
    if reason:
        pytest.skip(f"{reason}: the units were not booted; test_socket_activation stands in for them")
    with Machine(net, net.directory / "machine", stage) as booted:
        booted.sh("systemd-sysusers && chgrp xha /etc/xha/client.cnf")
        yield booted


@pytest.fixture(scope="module")
def place(net: Net, request: pytest.FixtureRequest) -> Iterator[Place]:
    """A place in which `make install` may do everything; nothing is installed there yet."""
    reason = why_no_place()
    if reason:
        pytest.skip(f"{reason}: nothing was installed in place")
    with Place(net, net.directory / f"place-{request.module.__name__.rpartition('.')[2]}") as made:
        yield made
