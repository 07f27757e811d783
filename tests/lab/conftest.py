"""Fixtures of the laboratory's tests: one laboratory for all of them, built as the document says, and well for each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import evidence, needs
from lab.contenders import HEARTBEAT
from lab.faults import Scene
from lab.laboratory import Laboratory, guarded
from lab.place import REPOSITORY, Place
from lab.repair import restore
from lab.standing import stand_up
from lab.worlds import SEED

EVIDENCE = REPOSITORY / "build" / "lab-evidence"
FAILED = pytest.StashKey[bool]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "lab: needs root, systemd-nspawn and the packages in tests/lab/packages")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the laboratory out where it cannot stand, and say why; CI must not pass for the lack of it."""
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


@pytest.fixture(scope="session")
def standing() -> Iterator[Laboratory]:
    """The document's cluster, built step by step as it says; the same for all tests of a session."""
    lab = Laboratory(Place(f"test-{os.getpid()}"))
    with guarded(lab.place):
        try:
            lab.build()
            stand_up(lab, HEARTBEAT, SEED, in_full=True)
        except BaseException:
            print(f"evidence: {evidence.keep(lab, EVIDENCE / 'build')}")
            raise
        yield lab


@pytest.fixture
def lab(standing: Laboratory, request: pytest.FixtureRequest) -> Iterator[Laboratory]:
    """A laboratory with all nodes Synced. A test may do to it what it likes: it is put in order for the next one."""
    if not restore(standing):
        pytest.fail(f"the laboratory could not be put in order before this test; evidence: {keep(standing, request)}")
    yield standing
    if request.node.stash.get(FAILED, False):
        print(f"evidence: {keep(standing, request)}")


@pytest.fixture
def scene(lab: Laboratory) -> Scene:
    return Scene(lab, HEARTBEAT)


def keep(lab: Laboratory, request: pytest.FixtureRequest) -> Path:
    return evidence.keep(lab, EVIDENCE / request.node.name)
