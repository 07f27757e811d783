"""Servers that the doctor looks at: a good one, and one that was started with many faults."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from loopback import Net, Node

# As an installation has it: the tests' own servers run without fsync.
GOOD = (
    "--innodb-flush-log-at-trx-commit=1",
    "--innodb-doublewrite=ON",
    "--log-bin",
    "--log-slave-updates",
    "--table-open-cache=20",
)
# What only a start sets, all of it in one server.
BAD = (
    "--innodb-doublewrite=OFF",
    "--innodb-autoinc-lock-mode=1",
    "--log-bin",
    "--skip-log-slave-updates",
    "--skip-networking",
    "--wsrep-cluster-name=my_wsrep_cluster",
)
CANARY = (
    "CREATE DATABASE xha",
    "CREATE TABLE xha.canary (node VARCHAR(255) NOT NULL PRIMARY KEY, at TIMESTAMP(3) NOT NULL) ENGINE=InnoDB",
    "CREATE USER xha@localhost IDENTIFIED VIA unix_socket",
    "GRANT SELECT, INSERT, UPDATE ON xha.canary TO xha@localhost",
    "GRANT PROCESS ON *.* TO xha@localhost",
)


@pytest.fixture(scope="session")
def good(net: Net) -> Iterator[Node]:
    """A good server. A test takes back what it changes."""
    with Node(net, net.directory / "good", net.next_address(), options=GOOD) as running:
        for statement in CANARY:
            running.sql(statement)
        yield running


@pytest.fixture(scope="session")
def bad(net: Net) -> Iterator[Node]:
    """A server with every fault that only a start makes. One of its two members has no address."""
    address = net.next_address()
    with Node(
        net,
        net.directory / "bad",
        address,
        members=[address, "nowhere.invalid"],
        options=BAD,
        provider_options="gcache.recover=no",
    ) as running:
        yield running
