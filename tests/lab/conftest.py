"""Fixtures of the laboratory's tests: one laboratory for many, repaired for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab import evidence, needs
from lab.contenders import HEARTBEAT, Contender
from lab.laboratory import Laboratory, guarded
from lab.place import REPOSITORY, Place
from lab.repair import restore
from lab.standing import stand_up
from lab.systems import OWN, System
from lab.worlds import SEED

EVIDENCE = REPOSITORY / "build" / "lab-evidence"
FAILED = pytest.StashKey[bool]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "lab: needs root, systemd-nspawn and the packages in tests/lab/packages")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the laboratory's tests in order. Leave them out where it cannot run, and say why.

    CI must not succeed just because they are left out.
    """
    # Whatever order is requested, the test that hands the cluster over to another agent comes last.
    places = [index for index, item in enumerate(items) if item.path.parent == Path(__file__).parent]
    ours = sorted((items[index] for index in places), key=lambda item: item.path.name == "test_hand_over.py")
    for index, item in zip(places, ours):
        items[index] = item
    lacking = needs.missing()
    if lacking:
        reason = f"the laboratory is left out: this machine lacks {', '.join(lacking)}"
        for item in items:
            if item.get_closest_marker("lab"):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@contextmanager
def raised(name: str, contender: Contender, system: System = OWN, *, in_full: bool = False) -> Iterator[Laboratory]:
    """A laboratory of that name with the cluster that `contender` keeps; it is removed afterwards."""
    lab = Laboratory(Place(f"{name}-{os.getpid()}"), system)
    with guarded(lab.place):
        try:
            lab.build()
            stand_up(lab, contender, SEED, in_full=in_full)
        except BaseException:
            print(keep(lab, f"{name}-build"))
            raise
        yield lab


@pytest.fixture(scope="package")
def standing() -> Iterator[Laboratory]:
    """The document's cluster, built step by step as it says. A module that wants another one has its own `standing`."""
    with raised("test", HEARTBEAT, in_full=True) as lab:
        yield lab


@pytest.fixture
def lab(standing: Laboratory, request: pytest.FixtureRequest) -> Iterator[Laboratory]:
    """A laboratory with all nodes Synced. A test may change anything: it is repaired for the next one."""
    if not restore(standing):
        pytest.fail(f"the laboratory could not be put in order before this test\n{keep(standing, request.node.name)}")
    yield standing
    if request.node.stash.get(FAILED, False):
        print(keep(standing, request.node.name))


def keep(lab: Laboratory, name: str) -> str:
    """Keep the evidence under that name, and return its place and its end."""
    kept = evidence.keep(lab, EVIDENCE / name)
    return f"evidence: {kept}\n{evidence.tell(kept)}"
