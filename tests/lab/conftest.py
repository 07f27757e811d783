"""Fixtures of the laboratory's tests: one laboratory for all, built as the document says, repaired for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import evidence, needs
from lab.contenders import HEARTBEAT
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
    """Put the laboratory's tests in order. Leave them out where it cannot run, and say why.

    CI must not succeed just because they are left out.
    """
    # Whatever order is requested, the tests that hand the cluster over to another agent come last.
    places = [index for index, item in enumerate(items) if item.path.parent == Path(__file__).parent]
    ours = sorted((items[index] for index in places), key=lambda item: item.path.name == "test_xha.py")
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


@pytest.fixture(scope="package")
def standing() -> Iterator[Laboratory]:
    """The document's cluster, built step by step as it says: one for all tests of the laboratory, then removed."""
    lab = Laboratory(Place(f"test-{os.getpid()}"))
    with guarded(lab.place):
        try:
            lab.build()
            stand_up(lab, HEARTBEAT, SEED, in_full=True)
        except BaseException:
            print(keep(lab, "build"))
            raise
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
