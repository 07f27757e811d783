"""A host for the commands, and databases that they look at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from loopback import Cluster, Net, Node
from shell.databases import tls_node
from shell.host import Host, option_file

USER, PASSWORD = "checker", "a-secret:of'the test#1"
SQL_PASSWORD = PASSWORD.replace("'", "''")

PATIENT = "[responder]\ndeadline = 5s\n"  # a busy machine is no server that hangs; who freezes one is in a hurry


def create_accounts(at: Node | Cluster) -> None:
    """An account that may do nothing but log in, on the socket and over the loopback network."""
    for host in ("localhost", "127.%", "::1"):
        at.create_account(f"{USER}@'{host}'", f"IDENTIFIED BY '{SQL_PASSWORD}'")


@pytest.fixture(scope="session")
def session_host(net: Net) -> Iterator[Host]:
    with Host(net, net.directory / "host") as running:
        yield running


@pytest.fixture
def host(session_host: Host) -> Iterator[Host]:
    """A host where nothing but the check's account is configured."""
    session_host.write("/etc/xha/client.cnf", option_file(user=USER, password=PASSWORD), 0o640)
    yield session_host
    session_host.clean()


@pytest.fixture(scope="session")
def session_accounts(session_node: Node) -> None:
    create_accounts(session_node)


@pytest.fixture
def galera(session_accounts: None, node: Node, host: Host) -> Node:
    """A Synced node, the only member of its cluster; the host's xha.conf leads to its socket."""
    host.write("/etc/xha/xha.conf", f"[database]\nsocket = {node.socket}\n{PATIENT}")
    return node


@pytest.fixture
def percona(host: Host, galera: Node) -> Node:
    """A Synced node behind the distribution's own socket, as clustercheck's users have it. No xha.conf."""
    host.path("/etc/xha/xha.conf").unlink()
    host.path("/run/mysqld/mysqld.sock").symlink_to(galera.socket)
    return galera


@pytest.fixture(scope="session")
def session_members(session_cluster: Cluster) -> Cluster:
    create_accounts(session_cluster)
    return session_cluster


@pytest.fixture
def members(session_members: Cluster, cluster: Cluster, host: Host) -> Cluster:
    """Three Synced nodes; the host's xha.conf leads to the first one's socket."""
    host.write("/etc/xha/xha.conf", f"[database]\nsocket = {cluster.nodes[0].socket}\n{PATIENT}")
    return cluster


@pytest.fixture(scope="session")
def tls(net: Net) -> Iterator[Node]:
    """A node with TLS, on 127.x.y.61 and on ::1."""
    with tls_node(net) as running:
        create_accounts(running)
        yield running
