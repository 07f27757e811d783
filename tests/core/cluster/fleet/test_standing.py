"""What is said of a cluster of the fleet, from what each member's responder says."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.cluster.fleet.fleets import SINCE, document, member
from xha.core.cluster.fleet.fleet_file import FleetCluster, parse_fleet
from xha.core.cluster.fleet.report import fleet_cells, fleet_document, render_nagios_fleet
from xha.core.cluster.fleet.standing import (
    ClusterStanding,
    FleetMember,
    fleet_exit_code,
    judge_cluster,
    judge_member,
    order_clusters,
)
from xha.core.cluster.members import Member
from xha.core.cluster.responder_word import HttpAnswer
from xha.core.node.codes import Code

SCHEMA = json.loads((Path(__file__).parents[4] / "docs/schema-1.json").read_text())
OTHER = "11111111-8b0d-11ef-9c41-3a5f0e7d2b18"
HERE = Member("10.0.0.1", 49000)


def judge(*members: FleetMember, name: str = "prod") -> ClusterStanding:
    return judge_cluster(FleetCluster(name, tuple(one.view.member for one in members)), members)


CASES: dict[str, tuple[list[FleetMember], str, int, str]] = {
    "all serve": ([member(1), member(2), member(3)], "ok", 0, ""),
    "one is out": ([member(1), member(2, Code.SERVER_DOWN), member(3)], "degraded", 1, "10.0.0.2:49000 server-down"),
    "one does not answer": (
        [member(1), member(2, None), member(3)],
        "degraded",
        1,
        "10.0.0.2:49000 unknown: port 49000: connection refused",
    ),
    "one is drained": ([member(1), member(2, Code.DRAINING)], "degraded", 1, "10.0.0.2:49000 draining"),
    "its responder could not look: that is no outage of the server": (
        [member(1), member(2, Code.ACCESS_DENIED)],
        "degraded",
        1,
        "10.0.0.2:49000 unknown: its responder could not look, and answers 503 access-denied",
    ),
    "none serves": ([member(1, Code.NON_PRIMARY), member(2, Code.SERVER_DOWN)], "out", 2, "10.0.0.1:49000 non-primary"),
    "none is known to serve, and one is unknown": ([member(1, Code.NON_PRIMARY), member(2, None)], "unknown", 3, ""),
    "nobody answers": ([member(1, None), member(2, None)], "unknown", 3, ""),
    "they hold different histories": (
        [member(1), member(2, wsrep_cluster_state_uuid=OTHER)],
        "split",
        2,
        "they hold different histories",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_standing_of_a_cluster(case: str) -> None:
    members, standing, code, why = CASES[case]
    found = judge(*members)
    assert (found.standing.value, int(found.exit_code)) == (standing, code)
    assert why in found.why
    assert bool(found.to_do) == (standing != "ok")


def test_the_worst_is_first_and_of_the_same_standing_that_with_the_fewest_members_left() -> None:
    two_left = judge(member(1), member(2), member(3, None), name="a")
    one_left = judge(member(1), member(2, None), member(3, None), name="b")
    unknown, out = judge(member(1, None), name="c"), judge(member(1, Code.HUNG), name="d")
    well = judge(member(1), name="e")
    split = judge(*CASES["they hold different histories"][0], name="f")
    ordered = order_clusters([well, two_left, unknown, one_left, split, out])
    assert [one.name for one in ordered] == ["d", "f", "c", "b", "a", "e"]
    assert fleet_exit_code(ordered) == 2
    assert fleet_exit_code([well, unknown]) == 3
    assert fleet_exit_code([]) == 3


def test_a_member_that_does_not_show_node_is_known_by_ready() -> None:
    refused = HttpAnswer(403, "this address may not ask\n")
    known = judge_member(HERE, refused, HttpAnswer(200, "synced 12 ms\n"))
    assert (known.service, known.code, known.since) == ("in", "synced", None)
    unknown = judge_member(HERE, refused, HttpAnswer(403, "this address may not ask\n"))
    assert unknown.service == "unknown"
    assert unknown.why == "the responder on port 49000 refuses this host"


def test_since_when_is_the_members_own_word() -> None:
    assert member(1).since == SINCE


ODD = {
    "another service": HttpAnswer(200, "<html>"),
    "no verdict": HttpAnswer(200, '{"kind": "node", "age_ms": 1, "reading": {}}'),
    "a verdict that is none": HttpAnswer(200, document().replace("true", '"yes"')),
    "a code that is none": HttpAnswer(200, document().replace('"synced"', '"<b>"')),
    "an answer that is old": HttpAnswer(200, document().replace('"age_ms": 12', '"age_ms": 99000')),
    "an error": HttpAnswer(500, "oops"),
    "no HTTP": None,
}


@pytest.mark.parametrize("case", ODD)
def test_whatever_answers_else_is_unknown_with_a_cause(case: str) -> None:
    found = judge_member(HERE, ODD[case])
    assert found.service == "unknown"
    assert found.why


@given(st.text(max_size=300), st.integers(100, 599))
def test_no_answer_raises_and_none_but_a_verdict_is_in_service(body: str, status: int) -> None:
    assert judge_member(HERE, HttpAnswer(status, body)).service == "unknown"


def test_a_row_json_and_nagios_read_so() -> None:
    clusters = order_clusters([judge(*CASES[case][0], name=f"c{at}") for at, case in enumerate(CASES)])
    jsonschema.validate(json.loads(json.dumps(fleet_document(SINCE, clusters))), SCHEMA)
    assert fleet_cells(clusters[-1]) == ("c0", "ok", "3/3", "")
    assert render_nagios_fleet(clusters) == (
        "FLEET CRITICAL: 1 of 9 clusters ok, c5 out, c8 split, c6 unknown, c7 unknown, c3 degraded, c4 degraded, "
        "c1 degraded, c2 degraded | out=1;;;0;9 split=1;;;0;9 unknown=2;;;0;9 degraded=4;;;0;9 ok=1;;;0;9"
    )


def test_the_file_reads_so() -> None:
    text = "# all\nprod: 10.0.0.1 10.0.0.2:49001 [fd00::1]\n\nregion 2/test: db1 db1 # twice\n"
    assert parse_fleet(text) == (
        FleetCluster("prod", (HERE, Member("10.0.0.2", 49001), Member("fd00::1", 49000))),
        FleetCluster("region 2/test", (Member("db1", 49000),)),
    )


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "it lists no cluster"),
        ("prod 10.0.0.1", "line 1: write a name"),
        ("a: b\nprod:", "line 2: write a name"),
        ("a: b\na: c", "line 2: the name 'a' stands twice"),
        ("a: b:0", "line 1: 'b:0' is not a member's address"),
    ],
)
def test_a_wrong_file_names_the_line(text: str, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        parse_fleet(text)
