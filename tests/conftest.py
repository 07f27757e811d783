"""Fixtures that run real daemons (tests/loopback). A program that is not installed fails its test by name."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any, Callable

import pytest

from loopback import Cluster, Net, Node, claim
from schedule import group_of, put_longest_first

LONE_NODE = 51

# Started in the background by a shell, this process and all its children would ignore SIGINT: what a test starts
# has to hear Ctrl-C all the same.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(trylast=True)  # after those that put their own tests in order
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):  # one of several workers
        put_longest_first(items)


@pytest.hookimpl(optionalhook=True)  # pytest-xdist is not among what the pure tests need
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out whole groups, in the order in which they are collected, in every `--dist` mode."""
    from xdist.scheduler import LoadScopeScheduling

    class Schedule(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    config.option.loadscopereorder = False  # which would be by the number of tests
    return Schedule(config, log)


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """What a test has measured, for the end of the run: tell("1000 probes a second")."""
    return lambda text: record_property("told", text)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what tests have told, wherever they ran: a worker has no terminal."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    told = [(one.nodeid, text) for one in reports for name, text in one.user_properties if name == "told"]
    if told:
        terminalreporter.section("measured")
    for nodeid, text in told:
        terminalreporter.line(f"{nodeid.partition('[')[0]}: {text}")


@pytest.fixture(scope="session")
def net() -> Iterator[Net]:
    """A network of loopback addresses for this session alone. `net.next_address()` gives unused ones."""
    with claim() as claimed:
        yield claimed


@pytest.fixture(scope="session")
def session_cluster(net: Net) -> Iterator[Cluster]:
    with Cluster(net, net.directory / "cluster") as running:
        yield running


@pytest.fixture
def cluster(session_cluster: Cluster) -> Iterator[Cluster]:
    """Three nodes, all Synced. A test may kill, freeze and stop them: they are mended after it."""
    yield session_cluster
    session_cluster.mend()


@pytest.fixture(scope="session")
def session_node(net: Net) -> Iterator[Node]:
    with Node(net, net.directory / "node", net.address(LONE_NODE)) as running:
        yield running


@pytest.fixture
def node(session_node: Node) -> Iterator[Node]:
    """One Synced node, a cluster of its own; mended after the test. Variables that a test sets, it resets."""
    yield session_node
    session_node.mend()
