"""The doctor's rules about the other members: three real servers, of which a test changes one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from doctor.looking import of_rule
from loopback import Cluster, Net, Node, Responder
from xha.app.doctor.gather import Wish, gather
from xha.app.node.reader import ConfigFile
from xha.core.config.xha_conf import Config, Database
from xha.core.config.xha_conf import Responder as Asked
from xha.core.doctor import member_rules
from xha.core.doctor.findings import Weight
from xha.core.doctor.table import Examination, examine
from xha.core.doctor.unseen import Unseen

NAMES = [rule.name for rule in member_rules.RULES]
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"


@pytest.fixture(scope="module")
def responders(net: Net, session_cluster: Cluster) -> Iterator[None]:
    """A responder at port 49000 of each member."""
    listen = [(node.address, 49000) for node in session_cluster.nodes]
    with Responder(net, net.directory / "doctor", listen, session_cluster.nodes[0].socket, client="[client]\n"):
        yield


@pytest.fixture
def members(cluster: Cluster, responders: None) -> Cluster:
    cluster.create_account("doctor@'127.%'", "IDENTIFIED BY 'p'")
    return cluster


def file_for(cluster: Cluster, directory: Path, members: tuple[str, ...] = ()) -> ConfigFile:
    """The first member's xha.conf, with an account over TCP."""
    conf = directory / "client.cnf"
    conf.write_text("[client]\nuser=doctor\npassword=p\n")
    config = Config(
        Database(defaults_file=str(conf), socket=str(cluster.nodes[0].socket)),
        responder=Asked(deadline=5.0),
        members=members or tuple(node.address for node in cluster.nodes),
    )
    return ConfigFile("/dev/null", lambda _: config)


def look(cluster: Cluster, directory: Path, members: tuple[str, ...] = (), wish: Wish | None = None) -> Examination:
    """What the doctor says on the first member."""
    wish = wish or Wish(sample=0.1)
    return examine(gather(file_for(cluster, directory, members), wish), host_only=wish.host_only)


def test_a_good_cluster_is_silent(members: Cluster, tmp_path: Path) -> None:
    facts = gather(file_for(members, tmp_path), Wish(sample=0.1))
    assert not isinstance(facts.members, Unseen)
    assert [one.host for one in facts.members] == [node.address for node in members.nodes[1:]]
    came_to = examine(facts)
    assert [one for one in came_to.findings if set(one.rules) & set(NAMES)] == []
    assert set(NAMES) <= set(came_to.fine)


def test_host_only_asks_nobody_and_names_what_it_leaves_out(members: Cluster, tmp_path: Path) -> None:
    came_to = look(members, tmp_path, wish=Wish(host_only=True, sample=0.1))
    assert set(came_to.left_out) == set(NAMES)
    assert not set(came_to.fine) & set(NAMES)


def test_a_member_whose_server_is_down_is_told_by_port(members: Cluster, tmp_path: Path) -> None:
    lost = members.nodes[2]
    lost.kill()
    came_to = look(members, tmp_path)
    told = {one.seen for one in of_rule(came_to, "member-ports")}
    assert told == {
        f"{lost.address}:3306: port {port} ({what}) refuses connections, seen from this host"
        for port, what in ((3306, "SQL"), (4567, "the group"))
    }
    (unseen,) = of_rule(came_to, "clocks")
    assert (unseen.weight, lost.address in unseen.seen) == (Weight.UNSEEN, True)


def test_ways_of_state_transfers_that_differ_are_told(members: Cluster, tmp_path: Path) -> None:
    members.nodes[1].sql("SET GLOBAL wsrep_sst_method = 'mariabackup'")
    try:
        (found,) = of_rule(look(members, tmp_path), "sst-methods-differ")
    finally:
        members.nodes[1].sql("SET GLOBAL wsrep_sst_method = 'rsync'")
    assert f"mariabackup on {members.nodes[1].address}:3306" in found.seen
    assert "rsync on " in found.seen


@pytest.fixture(scope="module")
def other(net: Net) -> Iterator[Node]:
    """A server of its own, that is taken for a member: with another version, another list, and another time."""
    address = net.next_address()
    node = Node(
        net, net.directory / "other", address, members=[address, "192.0.2.1"], options=["--version=10.6.1-MariaDB"]
    )
    node.env = {**os.environ, "LD_PRELOAD": FAKETIME, "FAKETIME": "+90s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    with node as running:
        running.create_account("doctor@'127.%'", "IDENTIFIED BY 'p'")
        yield running


def test_what_differs_elsewhere_is_told(members: Cluster, other: Node, tmp_path: Path) -> None:
    own = members.nodes[0].address
    came_to = look(members, tmp_path, (own, other.address))
    (found,) = of_rule(came_to, "versions-differ")
    assert f"10.6.1-MariaDB on {other.address}:3306" in found.seen
    (found,) = of_rule(came_to, "addresses-differ")
    assert f"{other.address}" in found.seen
    assert "192.0.2.1" in found.seen
    (found,) = of_rule(came_to, "clocks")
    seconds = float(found.seen.partition(" is ")[2].partition(" s ")[0])
    assert 80 < seconds < 100
    assert found.weight is Weight.ADVICE
