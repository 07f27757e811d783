"""Responders for the tests: one that many tests share, and a maker of others."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any, Callable

import pytest

from loopback import Cluster, Net, Node
from loopback.files import put
from responder.client import exchange
from responder.process import ACCOUNT, Responder

MakeResponder = Callable[..., Responder]
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def with_account(session_node: Node) -> Node:
    """The single node with the account that the responders use, which may do nothing but log in."""
    session_node.create_account(f"{ACCOUNT}@localhost")
    session_node.create_account(f"{ACCOUNT}@'127.%'")
    return session_node


@pytest.fixture
def database(with_account: Node, node: Node) -> Node:
    """The single node, Synced; repaired afterwards."""
    assert node is with_account
    return node


@pytest.fixture
def three(session_cluster: Cluster, cluster: Cluster) -> Cluster:
    """Three nodes with the responders' account, Synced; repaired afterwards."""
    session_cluster.create_account(f"{ACCOUNT}@localhost")
    return cluster


@pytest.fixture
def make_responder(net: Net) -> Iterator[MakeResponder]:
    """Start a responder: make_responder(node, **what differs). It is stopped after the test."""
    with contextlib.ExitStack() as stack:

        def make(node: Node | None = None, **options: Any) -> Responder:
            return stack.enter_context(Responder(net, str(next(_numbers)), node, **options))

        yield make


@pytest.fixture(scope="session")
def session_responder(net: Net, with_account: Node) -> Iterator[Responder]:
    with Responder(net, "shared", with_account) as running:
        yield running


@pytest.fixture
def shared(session_responder: Responder, database: Node) -> Iterator[Responder]:
    """One responder of a Synced node for many tests. After each, it must be in the same state as before."""
    with session_responder.no_growth():
        yield session_responder
        assert session_responder.verdict() == (200, "synced")


class Flapped(Responder):
    """A responder whose node's state changed, and whose clients sent garbage, more often than its log reports."""

    flaps = 26
    complaints = 300

    def flap(self) -> None:
        assert self.verdict() == (200, "synced")
        for number in range(1, self.flaps):  # an odd number of changes in all: it ends up disabled
            if number % 2:
                put(self.disabled, "{}")
            else:
                self.disabled.unlink()
            assert self.next_verdict()[1] == ("disabled" if number % 2 else "synced")
        for _ in range(self.complaints):
            exchange(self.address, b"\x00rubbish")


@pytest.fixture(scope="session")
def flapped(net: Net, with_account: Node) -> Iterator[Flapped]:
    """Made early by one test and examined a minute later by another, so that no test waits for the minute."""
    with Flapped(net, "flapped", with_account) as running:
        running.flap()
        yield running
