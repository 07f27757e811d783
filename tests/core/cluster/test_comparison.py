"""Several nodes side by side: who the members are, and where their answers contradict each other."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.cluster.views import by_sql
from core.facts import NO_UUID, OTHER_UUID, UUID, synced
from xha.core.cluster.comparison import Disagreement, find_disagreements
from xha.core.cluster.members import (
    Member,
    merge_members,
    name_members,
    parse_cluster_address,
    parse_incoming_addresses,
    parse_member,
)
from xha.core.cluster.report import cluster_exit_code
from xha.core.galera.reading import Reading
from xha.core.node.verdict import Code, NagiosCode, Unreadable


@pytest.mark.parametrize(
    ("text", "member"),
    [
        ("db1", Member("db1")),
        ("db1:3307", Member("db1", 3307)),
        ("192.0.2.1", Member("192.0.2.1")),
        ("fd00::1", Member("fd00::1")),
        ("[fd00::1]", Member("fd00::1")),
        ("[fd00::1]:3307", Member("fd00::1", 3307)),
    ],
)
def test_a_member_is_a_host_with_or_without_a_port(text: str, member: Member) -> None:
    assert parse_member(text) == member
    assert parse_member(str(member)) == member


@pytest.mark.parametrize(
    "text", ["", ":3306", "db1:", "db1:0", "db1:65536", "db1:x", "[]", "[::1", "[::1]3306", "db1:0003306"]
)
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="member's address") as refusal:
        parse_member(text)
    assert repr(text) in str(refusal.value)


@given(st.text(max_size=30) | st.from_regex(r"\[?[a-f0-9:.]{0,12}\]?(:\d{0,8})?", fullmatch=True))
def test_any_text_is_a_member_or_refused(text: str) -> None:
    try:
        member = parse_member(text)
    except ValueError:
        return
    assert member.host
    assert member.port is None or 1 <= member.port <= 65535


@pytest.mark.parametrize(
    ("address", "hosts"),
    [
        pytest.param(
            "gcomm://db1,db2:4567,[fd00::3]:4567", ["db1", "db2", "fd00::3"], id="the group's ports are not SQL's"
        ),
        pytest.param("gcomm://db1, db2 ,?pc.wait_prim=no", ["db1", "db2"], id="blanks, an empty one, options"),
        pytest.param("gcomm://", [], id="a new cluster names nobody"),
        pytest.param("gcomm:db1", [], id="not an address"),
        pytest.param("dummy://db1", [], id="another backend"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_the_cluster_address_names_hosts(address: str, hosts: list[str]) -> None:
    assert parse_cluster_address(address) == tuple(Member(host) for host in hosts)


@pytest.mark.parametrize(
    ("addresses", "members"),
    [
        pytest.param("192.0.2.1:3306,db2:3307", [Member("192.0.2.1", 3306), Member("db2", 3307)], id="two"),
        pytest.param(
            "192.0.2.1:3306,,AUTO", [Member("192.0.2.1", 3306)], id="an arbitrator is empty, an unset one AUTO"
        ),
        pytest.param("[fd00::1]:3306,[fd00::2]:3307", [Member("fd00::1", 3306), Member("fd00::2", 3307)], id="IPv6"),
        pytest.param("fd00:49::1:3306", [Member("fd00:49::1", 3306)], id="IPv6 without brackets: ADDRESS:PORT"),
        pytest.param("1:2:3:4:5:6:7:8:33060", [Member("1:2:3:4:5:6:7:8", 33060)], id="eight groups and a port"),
        pytest.param("1:2:3:4:5:6:7:8888", [Member("1:2:3:4:5:6:7:8888")], id="eight groups, no port"),
        pytest.param("fd00:49::1", [Member("fd00:49::1")], id="IPv6 as an operator may have written it"),
        pytest.param("fd00::10", [Member("fd00::10")], id="two digits are a group"),
        pytest.param("[FD00:0:0::0001]:3306", [Member("fd00::1", 3306)], id="one address has one spelling"),
        pytest.param("[fe80::1%eth0]:3306", [Member("fe80::1%eth0", 3306)], id="a zone is kept"),
        pytest.param("192.0.2.1:0,[fd00::1]:0", [Member("192.0.2.1"), Member("fd00::1")], id="port 0 is none"),
        pytest.param("fd00::1:0", [Member("fd00::1")], id="port 0 behind a bind_address without brackets"),
        pytest.param("1:2:3:4:5:6:7:8:0", [Member("1:2:3:4:5:6:7:8")], id="eight groups and port 0"),
        pytest.param("1:2:3:4:5:6:7:0", [Member("1:2:3:4:5:6:7:0")], id="seven groups are no address"),
        pytest.param("fd00::0", [Member("fd00::")], id="the address of a network ends so"),
        pytest.param("AUTO", [], id="nothing known"),
        pytest.param("", [], id="nothing said"),
    ],
)
def test_the_incoming_addresses_are_sql(addresses: str, members: list[Member]) -> None:
    assert parse_incoming_addresses(addresses) == tuple(members)


@pytest.mark.parametrize(
    ("incoming", "members"),
    [
        pytest.param("192.0.2.1:3306,192.0.2.2:3306", ["192.0.2.1:3306", "192.0.2.2:3306"], id="all named"),
        pytest.param("AUTO,AUTO,AUTO", ["192.0.2.1", "db2", "192.0.2.3"], id="none is named"),
        pytest.param("192.0.2.1:3306,AUTO,AUTO", ["192.0.2.1:3306", "db2", "192.0.2.3"], id="on one"),
        pytest.param("192.0.2.1:3306,AUTO", ["192.0.2.1:3306", "db2"], id="no more than there are"),
        pytest.param("192.0.2.1:0,AUTO,,", ["192.0.2.1", "db2"], id="an arbitrator is in the configured list too"),
        pytest.param(
            "192.0.2.2:0,AUTO,AUTO", ["192.0.2.2", "192.0.2.1", "db2", "192.0.2.3"], id="db2 is named by its address"
        ),
        pytest.param("192.0.2.1:3306,", ["192.0.2.1:3306"], id="an arbitrator has no address"),
        pytest.param("", [], id="nothing said"),
    ],
)
def test_whom_the_server_does_not_name_its_own_list_does(incoming: str, members: list[str]) -> None:
    assert [str(one) for one in name_members(incoming, "gcomm://192.0.2.1,db2,192.0.2.3")] == members


@given(st.text())
def test_no_address_makes_a_list_of_members_fail(text: str) -> None:
    for member in (
        *parse_cluster_address(text),
        *parse_cluster_address(f"gcomm://{text}"),
        *parse_incoming_addresses(text),
    ):
        assert member.host


def test_known_members_come_first_and_learn_their_ports() -> None:
    known = (Member("db2"), Member("db1", 3306))
    incoming = (Member("db1", 3306), Member("db2", 3307), Member("db3", 3308))
    assert merge_members(known, incoming, 3306) == (Member("db2", 3307), Member("db1", 3306), Member("db3", 3308))
    assert merge_members((Member("db1"),), (), 3399) == (Member("db1", 3399),)
    assert merge_members((), (), 3306) == ()


@pytest.mark.parametrize("hosts", [["192.0.2.9", "192.0.2.11", "192.0.10.1"], ["db2", "db10"], ["fd00::1", "db1"]])
def test_members_keep_their_rows_in_whatever_order_galera_lists_them(hosts: list[str]) -> None:
    members = tuple(Member(host, 3306) for host in hosts)
    for order in itertools.permutations(members):
        assert merge_members((), order, 3306) == members


MEMBERS = st.builds(Member, st.sampled_from(["db1", "db2", "db3", "fd00::1"]), st.none() | st.integers(3306, 3308))


@given(st.lists(MEMBERS), st.lists(MEMBERS))
def test_every_member_stands_in_the_table_once_and_with_a_port(known: list[Member], incoming: list[Member]) -> None:
    merged = merge_members(known, incoming, 3306)
    assert len(set(merged)) == len(merged)
    assert {member.host for member in merged} == {member.host for member in (*known, *incoming)}
    assert all(member.port for member in merged)


def codes(*readings: Reading | Unreadable) -> list[str]:
    answers = [by_sql(f"db{number}", reading) for number, reading in enumerate(readings, 1)]
    return [one.code for one in find_disagreements(answers)]


NON_PRIMARY = {"wsrep_cluster_status": "non-Primary", "wsrep_ready": False, "wsrep_local_state": 0}
HERE, THERE = "192.0.2.11:3306,192.0.2.12:3306", "192.0.2.13:3306,192.0.2.14:3306"


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        pytest.param([synced(), synced(), synced()], [], id="three that agree"),
        pytest.param([synced()], [], id="one agrees with itself"),
        pytest.param([], [], id="nobody"),
        pytest.param([synced(), Unreadable(Code.UNREACHABLE)], [], id="who cannot be read contradicts nobody"),
        pytest.param(
            [synced(), synced(wsrep_cluster_state_uuid=OTHER_UUID)],
            ["uuid", "two-primaries"],
            id="two histories, both primary",
        ),
        pytest.param(
            [synced(), synced(wsrep_cluster_state_uuid=OTHER_UUID, **NON_PRIMARY)],
            ["uuid", "outside"],
            id="another history outside of the primary component",
        ),
        pytest.param(
            [synced(), synced(wsrep_cluster_state_uuid=NO_UUID, **NON_PRIMARY)],
            ["outside"],
            id="a node that never was in a component has no history",
        ),
        pytest.param(
            [synced(wsrep_incoming_addresses=HERE), synced(wsrep_incoming_addresses=THERE)],
            ["two-primaries"],
            id="one history, two components: split brain",
        ),
        pytest.param(
            [synced(wsrep_incoming_addresses=HERE), synced(wsrep_incoming_addresses="AUTO")],
            [],
            id="a list that is not said proves nothing",
        ),
        pytest.param([synced(), synced(wsrep_cluster_conf_id=4)], ["conf-id"], id="a change of membership under way"),
        pytest.param([synced(), synced(wsrep_cluster_size=2)], ["size"], id="different sizes"),
        pytest.param([synced(), synced(wsrep_cluster_conf_id=4, wsrep_cluster_size=2)], ["conf-id", "size"], id="both"),
        pytest.param([synced(), synced(**NON_PRIMARY)], ["outside"], id="one has lost the majority"),
        pytest.param([synced(**NON_PRIMARY), synced(**NON_PRIMARY)], [], id="all have: no one to disagree with"),
        pytest.param(
            [
                synced(wsrep_incoming_addresses="db1:3306,db2:3306"),
                synced(wsrep_incoming_addresses="db3:3306,db4:3306"),
                synced(wsrep_incoming_addresses="db2:3306,db3:3306"),
            ],
            [],
            id="lists that overlap through a third are one component in motion",
        ),
        pytest.param(
            [
                synced(wsrep_incoming_addresses="db1:3306,db2:3306"),
                synced(wsrep_incoming_addresses="db2:3306,db1:3306"),
                synced(wsrep_incoming_addresses="db3:3306"),
                synced(wsrep_incoming_addresses="db1:3306,db2:3306,db3:3306,db4:3306"),
            ],
            ["two-primaries"],
            id="a third that lists all hides no two components that have counted themselves",
        ),
    ],
)
def test_members_that_cannot_all_be_right(readings: list[Reading | Unreadable], expected: list[str]) -> None:
    assert codes(*readings) == expected


def test_a_disagreement_names_the_sides() -> None:
    (found,) = find_disagreements([by_sql("db1", synced()), by_sql("db2", synced(wsrep_cluster_size=2))])
    assert found == Disagreement(
        "size",
        "they count different cluster sizes (wsrep_cluster_size): 3 on db1:3306; 2 on db2:3306",
        ("db1:3306", "db2:3306"),
    )


READINGS = st.builds(
    synced,
    wsrep_cluster_status=st.sampled_from(["Primary", "Primary", "non-Primary", None]),
    wsrep_cluster_state_uuid=st.sampled_from([UUID, UUID, OTHER_UUID, NO_UUID, None, ""]),
    wsrep_cluster_conf_id=st.sampled_from([3, 3, 4, None]),
    wsrep_cluster_size=st.sampled_from([3, 2, None]),
    wsrep_incoming_addresses=st.sampled_from(["a:1,b:1", "b:1,c:1", "c:1,d:1", "AUTO", "", None]),
)


@given(st.data(), st.lists(READINGS | st.just(Unreadable(Code.UNREACHABLE)), max_size=5))
def test_who_is_asked_first_changes_nothing(data: st.DataObject, readings: list[Any]) -> None:
    answers = [by_sql(f"db{number}", reading) for number, reading in enumerate(readings)]
    found = find_disagreements(answers)
    again = find_disagreements(data.draw(st.permutations(answers)))
    assert [one.code for one in found] == [one.code for one in again]
    assert [set(one.nodes) for one in found] == [set(one.nodes) for one in again]
    for one in found:
        assert one.nodes
        assert all(node in one.message for node in one.nodes)


@pytest.mark.parametrize(
    ("verdicts", "worst"),
    [
        ([synced(), synced()], NagiosCode.OK),
        ([synced(), synced(read_only=True)], NagiosCode.WARNING),
        ([synced(read_only=True), Unreadable(Code.ACCESS_DENIED)], NagiosCode.WARNING),
        ([synced(), Unreadable(Code.ACCESS_DENIED)], NagiosCode.UNKNOWN),
        ([synced(read_only=True), Unreadable(Code.UNREACHABLE), Unreadable(Code.CONFIG_ERROR)], NagiosCode.CRITICAL),
        ([], NagiosCode.UNKNOWN),
    ],
)
def test_a_cluster_is_as_bad_as_its_worst_member(verdicts: list[Reading | Unreadable], worst: NagiosCode) -> None:
    answers = [by_sql(f"db{number}", reading) for number, reading in enumerate(verdicts)]
    assert cluster_exit_code(answers, []) is worst


def test_a_disagreement_is_critical_although_every_member_is_well() -> None:
    answers = [by_sql("db1", synced()), by_sql("db2", synced(wsrep_cluster_state_uuid=OTHER_UUID))]
    assert cluster_exit_code(answers, find_disagreements(answers)) is NagiosCode.CRITICAL
