"""Responders for the tests: one that many tests share, and a maker of others."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any, Callable

import pytest

from loopback import Cluster, Net, Node
from responder.process import ACCOUNT, Responder

MakeResponder = Callable[..., Responder]
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def with_account(session_node: Node) -> Node:
    """The lone node, with the account that the responders log in as: it may do nothing but log in."""
    session_node.create_account(f"{ACCOUNT}@localhost")
    session_node.create_account(f"{ACCOUNT}@'127.%'")
    return session_node


@pytest.fixture
def database(with_account: Node, node: Node) -> Node:
    """The lone node, Synced, mended afterwards."""
    assert node is with_account
    return node


@pytest.fixture
def three(session_cluster: Cluster, cluster: Cluster) -> Cluster:
    """Three nodes, Synced, mended afterwards, with the responders' account."""
    session_cluster.nodes[0].create_account(f"{ACCOUNT}@localhost")
    return cluster


@pytest.fixture
def make_responder(net: Net) -> Iterator[MakeResponder]:
    """Start a responder: make_responder(node, **what differs). Ended after the test."""
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
    """One responder of a Synced node for many tests. After each it must be as it was before it."""
    with session_responder.no_growth():
        yield session_responder
        assert session_responder.verdict() == (200, "synced")
