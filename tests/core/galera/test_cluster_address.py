"""Who the members are: the list in mysqld's format, and which single node each host is, if any."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xha.core.galera.cluster_address import (
    BadAddress,
    ClusterAddress,
    Membership,
    Peer,
    correct_cluster_address,
    name_members,
    parse_cluster_address,
    parse_host_map,
    parse_peers,
    render_cluster_address,
)

H1, H2, H3 = "192.0.2.1", "192.0.2.2", "192.0.2.3"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        pytest.param("gcomm://", ClusterAddress(), id="nobody"),
        pytest.param("gcomm://h1", ClusterAddress((Peer("h1"),)), id="one name"),
        pytest.param(
            "gcomm://h1,10.0.0.2:4567,[fd00::3]:4567?pc.wait_prim=no",
            ClusterAddress((Peer("h1"), Peer("10.0.0.2", 4567), Peer("fd00::3", 4567)), "pc.wait_prim=no"),
            id="every form",
        ),
        pytest.param(" gcomm://h1, h2 ", ClusterAddress((Peer("h1"), Peer("h2"))), id="blanks between hosts"),
        pytest.param(
            "gcomm://[FD00:0::3]", ClusterAddress((Peer("fd00::3"),)), id="an IPv6 address in its one spelling"
        ),
        pytest.param(
            "gcomm://H1.Example.org.", ClusterAddress((Peer("H1.Example.org."),)), id="a name as it is written"
        ),
        pytest.param(
            "gcomm://h1?a=b&c=d?e", ClusterAddress((Peer("h1"),), "a=b&c=d?e"), id="options as they are written"
        ),
        pytest.param("gcomm://h1,h2,", ClusterAddress((Peer("h1"), Peer("h2"))), id="a comma at the end"),
        pytest.param("gcomm://,h1,,h2", ClusterAddress((Peer("h1"), Peer("h2"))), id="empty places"),
        pytest.param("gcomm://h1,h2/", ClusterAddress((Peer("h1"), Peer("h2"))), id="a slash at the end"),
        pytest.param("gcomm://h1,h2/ ", ClusterAddress((Peer("h1"), Peer("h2"))), id="a slash and a blank at the end"),
        pytest.param("gcomm://h1/?a=b", ClusterAddress((Peer("h1"),), "a=b"), id="a slash before the options"),
        pytest.param("gcomm://h1,h2#", ClusterAddress((Peer("h1"), Peer("h2"))), id="a # with nothing behind it"),
        pytest.param("gcomm://h1, h2 ,H1,h2", ClusterAddress((Peer("h1"), Peer("h2"))), id="a host twice"),
        pytest.param("gcomm://[fd00::3],[FD00:0:0::3]", ClusterAddress((Peer("fd00::3"),)), id="an address twice"),
        pytest.param("gcomm://h1,h1:4567", ClusterAddress((Peer("h1"),)), id="with Galera's own port, and without it"),
        pytest.param("gcomm://h1:", ClusterAddress((Peer("h1"),)), id="nothing behind the colon is no port"),
        pytest.param("gcomm://db_1:4567", ClusterAddress((Peer("db_1", 4567),)), id="an underscore, as docker has it"),
    ],
)
def test_a_list_is_understood_as_galera_does(text: str, address: ClusterAddress) -> None:
    assert parse_cluster_address(text) == address


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", "does not begin with gcomm://", id="nothing"),
        pytest.param("h1,h2", "does not begin with gcomm://", id="no scheme"),
        pytest.param("dummy://", "does not begin with gcomm://", id="another scheme"),
        pytest.param("gcomm://:4567", "a host is missing", id="a port alone"),
        pytest.param("gcomm://fd00::3", "stands in [ ]", id="IPv6 without brackets"),
        pytest.param("gcomm://[h1]", "no IPv6 address", id="a name in brackets"),
        pytest.param("gcomm://[10.0.0.1]", "no IPv6 address", id="IPv4 in brackets"),
        pytest.param("gcomm://[fd00::3", "stands in [ ]", id="a bracket missing"),
        pytest.param("gcomm://h1:0", "no port", id="port 0"),
        pytest.param("gcomm://h1:65536", "no port", id="a port too large"),
        pytest.param("gcomm://h1:\u0664", "no port", id="digits of another script"),
        pytest.param("gcomm://10.0.0.256", "no host", id="no IPv4 address"),
        pytest.param("gcomm://10.0.1", "no host", id="half an IPv4 address"),
        pytest.param("gcomm://h 1", "no host", id="a blank in a name"),
        pytest.param("gcomm://-h1", "no host", id="looks like an option"),
        pytest.param("gcomm://h1;h2", "no host", id="another divider"),
        pytest.param("gcomm://h1/,h2", "',h2' in", id="hosts behind a slash, which Galera does not read"),
        pytest.param("gcomm://h1,h2#,h3", "',h3' in", id="hosts behind a #, which Galera does not read"),
        pytest.param("gcomm://h1/h2?a=b", "'h2' in", id="a slash for a comma"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(BadAddress) as caught:
        parse_cluster_address(text)
    assert words in str(caught.value)


NAMES = st.from_regex(r"[a-z][a-z0-9]{0,8}(\.[a-z][a-z0-9]{0,4}){0,2}", fullmatch=True)
HOSTS = NAMES | st.ip_addresses(v=4).map(str) | st.ip_addresses(v=6).filter(lambda ip: ip.ipv4_mapped is None).map(str)
PEERS = st.builds(Peer, HOSTS, st.none() | st.integers(1, 65535))


ONCE = st.lists(PEERS, unique_by=lambda one: (one.host, one.port or 4567), max_size=6)


@given(ONCE, st.from_regex(r"([a-z.]{1,9}=[a-z0-9]{1,4})?", fullmatch=True))
def test_a_list_survives_its_text(peers: list[Peer], options: str) -> None:
    address = ClusterAddress(tuple(peers), options)
    assert parse_cluster_address(render_cluster_address(address)) == address


@given(st.text() | st.text().map("gcomm://".__add__))
def test_any_text_is_a_list_or_refused(text: str) -> None:
    try:
        address = parse_cluster_address(text)
    except BadAddress:
        return
    assert parse_cluster_address(render_cluster_address(address)) == address


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("", {}, id="none"),
        pytest.param("p1:g1;p2:g2", {"p1": "g1", "p2": "g2"}, id="as ocf:heartbeat:galera has it"),
        pytest.param(" p1 : g1 ; ", {"p1": "g1"}, id="blanks and a last divider"),
        pytest.param("p1:[fd00::1];p2:10.0.0.2", {"p1": "fd00::1", "p2": "10.0.0.2"}, id="addresses"),
    ],
)
def test_the_map_is_understood(text: str, found: dict[str, str]) -> None:
    assert parse_host_map(text) == found


@pytest.mark.parametrize("text", ["p1", "p1:", ":g1", "p1:g1;p1:g2", "p1:g1;p2:G1", "p1:g1,p2:g2", "p1:g 1"])
def test_a_map_with_a_fault_is_refused(text: str) -> None:
    with pytest.raises(BadAddress):
        parse_host_map(text)


def name(hosts: str, nodes: str, **facts: Any) -> Membership:
    return name_members(parse_peers(hosts), nodes=nodes.split(), **facts)


@pytest.mark.parametrize(
    ("hosts", "nodes", "facts", "names"),
    [
        pytest.param("n1,n2", "n2 n1", {}, "n1 n2", id="by name, in the list's order"),
        pytest.param("N1.,n2", "n1 n2", {}, "n1 n2", id="a name is a name in every spelling"),
        pytest.param("n1.example.org,n2", "n1 n2.example.org", {}, "n1 n2.example.org", id="full and short names"),
        pytest.param("n1.a,n1.b", "n1.b n1.a", {}, "n1.a n1.b", id="an equal name before a short one"),
        pytest.param(f"{H1},{H2}", "n1 n2", {"reported": {"n1": [H1], "n2": [H2]}}, "n1 n2", id="by reported address"),
        pytest.param(f"{H1},{H2}", "n1 n2", {"resolved": {"n1": [H1], "n2": [H2]}}, "n1 n2", id="by a node's address"),
        pytest.param(
            "g1,g2",
            "n1 n2",
            {"resolved": {"g1": [H1], "g2": [H2]}, "reported": {"n1": ["10.1.1.1", H1], "n2": [H2]}},
            "n1 n2",
            id="one address of several is enough",
        ),
        pytest.param(
            "[fd00::1],[fd00::2]",
            "n1 n2",
            {"reported": {"n1": ["FD00:0::1"], "n2": ["fd00:0:0::2"]}},
            "n1 n2",
            id="IPv6 in other spellings",
        ),
        pytest.param(H1, "n1", {"reported": {"n1": [f"::ffff:{H1}"]}}, "n1", id="an IPv4 address in an IPv6 one"),
        pytest.param("g1,g2", "n1 n2", {"host_map": {"n1": "g1", "n2": "g2"}}, "n1 n2", id="by the map"),
        pytest.param(
            f"{H1},g2", "n1 n2", {"host_map": {"n1": "g1", "n2": "g2"}, "resolved": {"g1": [H1]}}, "n1 n2",
            id="by the map and an address",
        ),
        pytest.param(
            f"{H1},{H2}", f"{H1} {H2}", {}, f"{H1} {H2}", id="nodes whose names are addresses",
        ),
        pytest.param("127.0.0.1", "n1", {"reported": {"n1": ["127.0.0.1"]}}, "n1", id="one node alone, by loopback"),
    ],
)  # fmt: skip
def test_a_host_is_a_node(hosts: str, nodes: str, facts: dict[str, Any], names: str) -> None:
    assert name(hosts, nodes, **facts) == Membership(tuple(names.split()), parse_peers(hosts))


@pytest.mark.parametrize(
    ("hosts", "nodes", "facts"),
    [
        pytest.param("node1", "node10", {}, id="node1 is not node10"),
        pytest.param("node10", "node1", {}, id="node10 is not node1"),
        pytest.param("n1.a", "n1.b", {}, id="one short name in two domains"),
        pytest.param("n1", "n2", {"reported": {"n2": [H2]}}, id="a name that does not resolve"),
        pytest.param("10.0.0.1", "10", {}, id="an address has no short name"),
        pytest.param(H1, "n1 n2", {"reported": {"n1": [H1], "n2": [H1]}}, id="an address that two nodes have"),
        pytest.param("127.0.0.1", "n1 n2", {"reported": {"n1": ["127.0.0.1"]}}, id="loopback among several nodes"),
        pytest.param("[fe80::1]", "n1", {"reported": {"n1": ["fe80::1"]}}, id="a link-local address"),
        pytest.param("0.0.0.0", "n1", {"reported": {"n1": ["0.0.0.0"]}}, id="no address"),
        pytest.param("g1", "n1", {"host_map": {"elsewhere": "g1"}}, id="the map names no node of this cluster"),
    ],
)
def test_a_host_that_is_no_node_stands_under_its_own_name(hosts: str, nodes: str, facts: dict[str, Any]) -> None:
    host = hosts.strip("[]")
    assert name(hosts, nodes, **facts) == Membership((host,), parse_peers(hosts), unknown=(host,))


@pytest.mark.parametrize(
    ("hosts", "nodes", "facts", "words"),
    [
        pytest.param("n1", "n1.a n1.b", {}, "n1 is n1.a and n1.b at once", id="a short name of two"),
        pytest.param(
            "n1", "n1 n2", {"resolved": {"n1": [H2]}, "reported": {"n1": [H1], "n2": [H2]}}, "n1 is n1 and n2 at once",
            id="the name resolves to another node's address",
        ),
        pytest.param(
            H1, "n1 n2", {"host_map": {"n2": H1}, "reported": {"n1": [H1]}}, f"{H1} is n2 and n1 at once",
            id="a stale map",
        ),
        pytest.param(
            f"n1,{H1}", "n1", {"reported": {"n1": [H1]}}, f"n1 and {H1} are both the node n1", id="two names"
        ),
    ],
)  # fmt: skip
def test_proofs_that_disagree_are_said(hosts: str, nodes: str, facts: dict[str, Any], words: str) -> None:
    said = name(hosts, nodes, **facts).ambiguous
    assert len(said) == 1
    assert sorted(said[0].split()) == sorted(words.split())


def test_an_arbitrator_is_no_member() -> None:
    found = name("n1,arb,n2", "n1 n2", arbitrators=parse_peers(H3), resolved={"arb": [H3]})
    assert found == Membership(("n1", "n2"), parse_peers("n1,n2"), arbitrators=("arb",))


NODES = st.lists(NAMES, min_size=1, max_size=5, unique_by=lambda one: one.partition(".")[0])


@given(NODES, st.randoms(use_true_random=False))
def test_every_node_is_found_by_its_own_name_and_nobody_else_by_it(nodes: list[str], random: Any) -> None:
    hosts = random.sample(nodes, len(nodes))
    peers = tuple(Peer(host) for host in hosts)
    assert name_members(peers, nodes=nodes) == Membership(tuple(hosts), peers)


@given(st.lists(PEERS, max_size=5), st.lists(HOSTS, max_size=5), st.dictionaries(HOSTS, st.lists(HOSTS, max_size=3)))
def test_no_host_is_lost_and_no_name_stands_twice(
    peers: list[Peer], nodes: list[str], reported: dict[str, list[str]]
) -> None:
    found = name_members(peers, nodes=nodes, reported=reported, resolved=reported)
    assert len(set(found.names)) == len(found.names) == len(found.peers)
    assert len(found.names) == len(peers) or found.ambiguous
    assert set(found.names) <= set(nodes) | {peer.host for peer in peers}
    assert set(found.unknown) <= {peer.host for peer in peers}


@pytest.mark.parametrize(
    ("text", "corrected"),
    [
        ("gcomm://h1,h2?a=b", ""),
        ("gcomm://h1, h2", "gcomm://h1,h2"),
        ("gcomm://h1,h2/", "gcomm://h1,h2"),
        ("gcomm://", ""),
        ("h1,h2", ""),
        ("", ""),
    ],
)
def test_only_what_galera_would_not_read_as_it_is_meant_is_corrected(text: str, corrected: str) -> None:
    assert correct_cluster_address(text) == corrected
