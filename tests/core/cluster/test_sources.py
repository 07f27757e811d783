"""What each source of a member comes to, which of them decides, and where two contradict each other."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.cluster.views import NOW, keeper, responder, sql, view
from core.facts import OTHER_UUID, UUID, listed, synced
from xha.core.cluster.comparison import find_disagreements
from xha.core.cluster.keeper_word import STALE_SECONDS, absent_keeper
from xha.core.cluster.report import cluster_exit_code, render_nagios_cluster
from xha.core.cluster.responder_word import (
    HttpAnswer,
    NodeClaim,
    absent_responder,
    judge_responder,
    parse_node_claim,
    parse_response,
)
from xha.core.cluster.sources import Source, SourceAnswer
from xha.core.election.facts import Host
from xha.core.election.position_report import PositionReport, State, Unread
from xha.core.galera.position import Kind, Position, View
from xha.core.node.report import NodeReport, node_document
from xha.core.node.verdict import Code, NagiosCode, Policy, Unreadable, judge

OK, WARNING, CRITICAL, UNKNOWN = NagiosCode
DENIED = Unreadable(Code.ACCESS_DENIED, "Access denied for user 'here'")
SILENT = Unreadable(Code.UNREACHABLE, "10.0.0.7:3306: no answer in time")
JOINING = synced(wsrep_local_state=1)
STOPPED = PositionReport("h1", State.STOPPED, Kind.INTACT, Position(UUID, 7))
PRIMARY = PositionReport("h1", State.PRIMARY, Kind.INTACT, Position(UUID, 7))
APART = PositionReport("h1", State.NON_PRIMARY, Kind.INTACT, Position(UUID, 7))
NO_RESPONDER = absent_responder("port 49000: connection refused", "start xha-responder there")
NO_KEEPER = absent_keeper("Pacemaker does not answer here")

# title: (status, body), then code, in service, exit code, and a part of the cause, "" where it decides.
RESPONDERS: dict[str, tuple[int, str, str, bool | None, NagiosCode, str]] = {
    "synced": (200, "synced 12 ms\n", "synced", True, OK, ""),
    "a donor that its host's policy keeps": (200, "donor 3 ms\n", "donor", True, WARNING, ""),
    "a donor": (503, "donor 3 ms\n", "donor", False, WARNING, ""),
    "disabled": (503, "disabled 3 ms\n", "disabled", False, WARNING, ""),
    "hung": (503, "hung 1003 ms\n", "hung", False, CRITICAL, ""),
    "a stall": (503, "from-a-later-version 3 ms\n", "from-a-later-version", False, CRITICAL, ""),
    "a later version's code with 200": (200, "from-a-later-version 3 ms\n", "from-a-later-version", True, WARNING, ""),
    "a later version's code with 404": (404, "from-a-later-version 3 ms\n", "from-a-later-version", False, WARNING, ""),
    "good and bad at once": (503, "synced 3 ms\n", "synced", False, CRITICAL, ""),
    "it could not look itself": (503, "access-denied 3 ms\n", "access-denied", False, UNKNOWN, "could not look"),
    "too old": (200, "synced 99999 ms\n", "synced", True, OK, "older than 30 s"),
    "it refuses": (403, "this address may not ask\n", "", None, UNKNOWN, "refuses this host"),
    "it knows no such path": (404, "there are /, /live\n", "", None, UNKNOWN, "answers 404, and not as xha"),
    "clustercheck": (200, "Percona XtraDB Cluster Node is synced.\r\n", "", None, UNKNOWN, "answers 200, and not as"),
    "a redirect with a code": (301, "synced 3 ms\n", "", None, UNKNOWN, "answers 301"),
    "two lines": (200, "synced 3 ms\nsynced 3 ms\n", "", None, UNKNOWN, "not as xha-responder"),
    "capitals": (200, "SYNCED 3 ms\n", "", None, UNKNOWN, "not as xha-responder"),
    "an escape": (200, "synced\x1b[2J 3 ms\n", "", None, UNKNOWN, "not as xha-responder"),
    "a negative age": (200, "synced -3 ms\n", "", None, UNKNOWN, "not as xha-responder"),
}


@pytest.mark.parametrize("title", RESPONDERS)
def test_what_a_responder_says(title: str) -> None:
    status, body, code, available, exit_code, cause = RESPONDERS[title]
    answer = judge_responder(HttpAnswer(status, body), 49000)
    assert (answer.code, answer.available, answer.exit_code) == (code, available, exit_code)
    assert cause in answer.cause
    assert answer.decides is not bool(answer.cause)
    assert answer.remedy


@given(st.binary(max_size=300) | st.from_regex(rb"\AHTTP/1\.[01] \d{3} \w*\r\n(\w+: \w*\r\n)*\r\n(.|\n){0,99}\Z"))
def test_no_bytes_make_a_responder_say_more_than_a_code(data: bytes) -> None:
    answer = judge_responder(parse_response(data), 49000)
    assert answer.code.isprintable()
    assert len(answer.code) <= 40
    assert answer.decides or answer.cause


RESPONSES = {
    "complete": (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na bc", HttpAnswer(200, "a bc")),
    "without a length": (b"HTTP/1.0 503 no\r\n\r\nx", HttpAnswer(503, "x")),
    "without a reason": (b"HTTP/1.1 200\r\n\r\n", HttpAnswer(200, "")),
    "broken off in its body": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\na bc", None),
    "longer than it says": (b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\na bc", None),
    "broken off in its head": (b"HTTP/1.1 200 OK\r\nContent-", None),
    "another protocol": (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", None),
    "nothing": (b"", None),
}


@pytest.mark.parametrize("title", RESPONSES)
def test_a_response_is_complete_or_none(title: str) -> None:
    data, expected = RESPONSES[title]
    assert parse_response(data) == expected


# title: a keeper's record, then code, in service, and a part of the cause, "" where it decides.
KEEPERS: dict[str, tuple[dict[str, Any], str, bool | None, str]] = {
    "it serves": ({"state": "running: synced", "ready": "1", "report": PRIMARY}, "primary", True, ""),
    "Primary, and does not serve": (
        {"state": "running: joined", "ready": "0", "report": PRIMARY},
        "primary",
        False,
        "",
    ),
    "Primary, and nothing set": ({"state": "running: x", "report": PRIMARY}, "primary", None, "does not say whether"),
    "without a Primary": ({"state": "running: non-primary", "report": APART}, "non-primary", False, ""),
    "it waits": ({"state": "waiting: h2 has not reported", "report": STOPPED}, "stopped", False, ""),
    "another version's report": ({"state": "running: x", "ready": "1", "report": Unread(9)}, "running", True, ""),
    "it has ended": ({"report": STOPPED, "at": ""}, "stopped", False, f"left the server stopped at {UUID}:7"),
    "nothing at all": ({"at": ""}, "", None, "the resource is not started on that node"),
    "it was killed": (
        {"state": "running: synced", "ready": "1", "report": PRIMARY, "at": str(int(NOW - STALE_SECONDS - 5))},
        "primary",
        True,
        "has not spoken for more than 90 s",
    ),
    "an older version": ({"state": "running: synced", "ready": "1", "at": ""}, "running", True, "older version of xha"),
    "no time": ({"state": "running: synced", "ready": "1", "at": "soon"}, "running", True, "older version of xha"),
    "its clock is ahead": (
        {"state": "running: synced", "ready": "1", "at": str(int(NOW + 3600))},
        "running",
        True,
        "3600 s ahead",
    ),
    "its host is lost": (
        {"state": "running: synced", "ready": "1", "host": Host.LOST},
        "running",
        True,
        "does not have its host in the cluster (lost)",
    ),
}


@pytest.mark.parametrize("title", KEEPERS)
def test_what_a_keeper_published(title: str) -> None:
    record, code, available, cause = KEEPERS[title]
    answer = keeper(**record)
    assert (answer.code, answer.available) == (code, available)
    assert cause in answer.cause
    assert answer.decides is (cause == "")


def test_what_a_keeper_wrote_is_one_clean_line() -> None:
    answer = keeper(state="run\x1b[2Jning: \x07" + 999 * "x", ready="1")
    assert answer.code == "run [2Jning"
    assert answer.message.isprintable()
    assert len(answer.message) < 330


# title: the answers, then service, code, who decides, and the exit code.
MERGED: dict[str, tuple[tuple[SourceAnswer, ...], str, str, str | None, NagiosCode]] = {
    "SQL alone": ((sql(synced()), NO_RESPONDER, NO_KEEPER), "in", "synced", "sql", OK),
    "SQL is newer than a responder's joining": (
        (sql(synced()), responder("joining 3 ms", 503), NO_KEEPER), "in", "synced", "sql", OK
    ),
    "SQL before a responder that is behind": (
        (sql(JOINING), responder("synced 3 ms"), NO_KEEPER), "out", "joining", "sql", CRITICAL
    ),
    "no account": ((sql(DENIED), responder("synced 3 ms"), NO_KEEPER), "in", "synced", "responder", OK),
    "no account and no responder": (
        (sql(DENIED), NO_RESPONDER, keeper(state="running: synced", ready="1", report=PRIMARY)),
        "in", "primary", "keeper", OK,
    ),
    "the responder before the keeper": (
        (sql(DENIED), responder("hung 3 ms", 503), keeper(state="running: synced", ready="1", report=PRIMARY)),
        "out", "hung", "responder", CRITICAL,
    ),
    "nobody knows, denied": ((sql(DENIED), NO_RESPONDER, NO_KEEPER), "unknown", "access-denied", None, UNKNOWN),
    "nobody answers": ((sql(SILENT), NO_RESPONDER, NO_KEEPER), "unknown", "unreachable", None, CRITICAL),
    "a responder that could not look either": (
        (sql(DENIED), responder("access-denied 3 ms", 503), NO_KEEPER), "unknown", "access-denied", None, UNKNOWN
    ),
    "what a stale keeper says counts for nothing": (
        (sql(DENIED), NO_RESPONDER, keeper(state="running: synced", ready="1", at="1000000000")),
        "unknown", "access-denied", None, UNKNOWN,
    ),
    "disabled on its own host": (
        (sql(synced()), responder("disabled 3 ms", 503), NO_KEEPER), "out", "disabled", "responder", WARNING
    ),
    "a stall that SQL cannot see": (
        (sql(synced()), responder("stalling 3 ms", 503), NO_KEEPER), "out", "stalling", "responder", CRITICAL
    ),
    "a donor that its own policy keeps": (
        (sql(synced(wsrep_local_state=2)), responder("donor 3 ms"), NO_KEEPER), "in", "donor", "responder", WARNING
    ),
    "a server that hung at its responder and answers now": (
        (sql(synced()), responder("hung 3 ms", 503), NO_KEEPER), "in", "synced", "sql", OK
    ),
    "both say so": ((sql(synced()), responder("synced 3 ms"), NO_KEEPER), "in", "synced", "sql", OK),
    "nobody was asked": ((), "unknown", "config-error", None, UNKNOWN),
}  # fmt: skip


@pytest.mark.parametrize("title", MERGED)
def test_who_decides(title: str) -> None:
    answers, service, code, source, exit_code = MERGED[title]
    one = view("db1", *answers)
    assert (one.service, one.code, one.exit_code) == (service, code, exit_code)
    assert (one.chosen.source.value if one.chosen else None) == source
    if answers and source is None:
        assert all(f"{each.source.value}: {each.cause}" in one.message for each in answers)
        assert one.remedy


# title: the sources of one member that contradict each other, and the sentence; "" for none.
CONFLICTS: dict[str, tuple[tuple[SourceAnswer, ...], str]] = {
    "they agree": ((sql(synced()), responder("synced 3 ms"), NO_KEEPER), ""),
    "what SQL cannot see": ((sql(synced()), responder("disabled 3 ms", 503), NO_KEEPER), ""),
    "its host's own policy": ((sql(synced(wsrep_local_state=2)), responder("donor 3 ms"), NO_KEEPER), ""),
    "one is behind": (
        (sql(synced()), responder("joining 3 ms", 503), NO_KEEPER),
        "SQL says synced, but its responder says joining",
    ),
    "the responder's own connection hangs": (
        (sql(synced()), responder("hung 3 ms", 503), NO_KEEPER),
        "SQL says synced, but its responder says hung",
    ),
    "its responder has no account": (
        (sql(synced()), responder("access-denied 3 ms", 503), NO_KEEPER),
        "SQL says synced, but its responder says access-denied: load balancers that ask it send no traffic there",
    ),
    "its SQL port is closed to this host": (
        (sql(SILENT), responder("synced 3 ms"), NO_KEEPER),
        "its responder says synced, but its SQL port does not answer this host: the member does not answer from here: "
        "10.0.0.7:3306: no answer in time",
    ),
    "no account is no contradiction": ((sql(DENIED), responder("synced 3 ms"), NO_KEEPER), ""),
    "the keeper says stopped, the responder synced": (
        (sql(DENIED), responder("synced 3 ms"), keeper(state="waiting: x", report=STOPPED)),
        "its keeper says stopped, but its responder says synced",
    ),
    "the keeper says stopped, and SQL answers": (
        (sql(synced()), NO_RESPONDER, keeper(state="waiting: x", report=STOPPED)),
        "its keeper says stopped, but its server, by SQL, says synced",
    ),
    "the keeper says Primary, the responder that nothing listens": (
        (sql(DENIED), responder("server-down 3 ms", 503), keeper(state="running: x", ready="1", report=PRIMARY)),
        "its keeper says primary, but its responder says server-down",
    ),
    "a keeper that no longer speaks contradicts nobody": (
        (sql(synced()), NO_RESPONDER, keeper(state="waiting: x", report=STOPPED, at="1000000000")),
        "",
    ),
}


@pytest.mark.parametrize("title", CONFLICTS)
def test_sources_that_cannot_both_be_right(title: str) -> None:
    answers, sentence = CONFLICTS[title]
    found = find_disagreements([view("db1", *answers)])
    assert [one.message for one in found] == ([f"db1:3306: {sentence}"] if sentence else [])
    assert {one.code for one in found} <= {"sources"}


class TestAcrossMembers:
    def test_a_stall_is_named_beside_those_whom_it_stops(self) -> None:
        views = [
            view("db1", sql(DENIED), responder("synced 3 ms")),
            view("db2", sql(DENIED), responder("stalling 6000 ms", 503)),
            view("db3", sql(DENIED), responder("synced 3 ms")),
        ]
        (found,) = find_disagreements(views)
        assert (found.code, found.nodes) == ("stall", ("db2:3306",))
        assert found.message.startswith("db2:3306 says stalling, while db1:3306, db3:3306 would take writes")
        assert render_nagios_cluster(views, [found]).startswith("GALERA CRITICAL: 2 of 3 in service, 2 by responder, ")

    def test_two_histories_by_the_word_of_responders(self) -> None:
        views = [
            view("db1", sql(synced())),
            view("db2", sql(DENIED), responder("synced 3 ms", reading=synced(wsrep_cluster_state_uuid=OTHER_UUID))),
        ]
        assert [one.code for one in find_disagreements(views)] == ["uuid", "two-primaries"]
        assert "db2:3306 (by its responder)" in find_disagreements(views)[0].message

    @pytest.mark.parametrize(
        ("sizes", "confs", "expected"),
        [
            pytest.param((2, 2, 1), (5, 5, 7), ["two-primaries"], id="each is whole: two components"),
            pytest.param((2, 2, 3), (5, 5, 4), ["conf-id", "size"], id="one still counts all three: in motion"),
            pytest.param((3, 3, 3), (5, 5, 5), [], id="one component"),
            pytest.param((3, 3, 2), (5, 5, 7), ["conf-id", "size"], id="an arbitrator is counted and not seen"),
        ],
    )
    def test_two_components_without_lists(
        self, sizes: tuple[int, ...], confs: tuple[int, ...], expected: list[str]
    ) -> None:
        readings = [
            synced(wsrep_cluster_size=size, wsrep_cluster_conf_id=conf, wsrep_incoming_addresses=None)
            for size, conf in zip(sizes, confs)
        ]
        views = [
            view(f"db{number}", sql(DENIED), responder("synced 3 ms", reading=one))
            for number, one in enumerate(readings)
        ]
        assert [one.code for one in find_disagreements(views)] == expected

    def test_two_primaries_by_what_keepers_published(self) -> None:
        def primary(node: str, *members: str) -> SourceAnswer:
            report = PRIMARY._replace(node=node, component=View(f"{members[0]} 3", members))
            return keeper(node=node, state="running: x", ready="1", report=report)

        views = [
            view("db1", sql(DENIED), NO_RESPONDER, primary("h1", "a", "b")),
            view("db2", sql(DENIED), NO_RESPONDER, primary("h2", "a", "b")),
            view("db3", sql(DENIED), NO_RESPONDER, primary("h3", "c")),
        ]
        assert [one.code for one in find_disagreements(views)] == ["two-primaries"]
        assert find_disagreements(views[:2]) == ()
        assert all(one.service == "in" for one in views)
        seen = views[0]._replace(answers=(sql(synced()), *views[0].answers[1:]))
        mixed = find_disagreements([seen, views[2]])  # one of them is read by SQL, too
        assert [one.code for one in mixed] == ["two-primaries"]
        assert "db3:3306 (by its keeper)" in mixed[0].message


ANSWERS = {
    Source.SQL: [sql(synced()), sql(JOINING), sql(DENIED), sql(SILENT)],
    Source.RESPONDER: [
        NO_RESPONDER,
        responder("synced 3 ms"),
        responder("stalling 3 ms", 503),
        responder("later 3 ms"),
        responder("access-denied 3 ms", 503),
    ],
    Source.KEEPER: [
        NO_KEEPER,
        keeper(state="running: x", ready="1", report=PRIMARY),
        keeper(state="waiting: x", report=STOPPED),
        keeper(state="running: x", ready="1", at=""),
    ],
}
VIEWS = st.tuples(*(st.sampled_from(each) for each in ANSWERS.values()))


@given(st.lists(VIEWS, min_size=1, max_size=5))
def test_in_service_is_known_and_unknown_has_a_cause(members: list[tuple[SourceAnswer, ...]]) -> None:
    views = [view(f"db{number}", *answers) for number, answers in enumerate(members)]
    for one in views:
        assert (one.service == "unknown") is not any(each.decides for each in one.answers)
        if one.exit_code is OK:
            assert one.service == "in"
        if one.service == "unknown":
            assert one.exit_code in (CRITICAL, UNKNOWN)
            assert one.message
            assert one.remedy
    if cluster_exit_code(views, find_disagreements(views)) is OK:
        assert all(one.service == "in" for one in views)


def test_what_a_responder_tells_in_full_is_read_back_as_its_own_reading() -> None:
    reading = listed("mariadb-10.11.txt")
    report = NodeReport("db1", "2026-01-31T22:00:00Z", 0.012, judge(reading, Policy()), Policy(), None, reading)
    claim = parse_node_claim(json.dumps(node_document(report)))
    assert claim == NodeClaim(reading, 0.012)
    told = parse_node_claim(json.dumps(node_document(report, remote=True)))
    assert told is not None
    assert told.reading.status.wsrep_incoming_addresses is None
    assert told.reading.status.wsrep_cluster_conf_id == reading.status.wsrep_cluster_conf_id


NODES = {
    "another kind": '{"kind": "cluster", "reading": {}, "age_ms": 1}',
    "no reading": '{"kind": "node", "reading": null, "age_ms": 1}',
    "no age": '{"kind": "node", "reading": {}}',
    "an age from the future": '{"kind": "node", "reading": {}, "age_ms": -1}',
    "a list": "[]",
    "no JSON": "synced 3 ms",
}


@pytest.mark.parametrize("title", NODES)
def test_another_document_is_none(title: str) -> None:
    assert parse_node_claim(NODES[title]) is None


def test_a_value_of_another_type_is_left_out_and_a_text_is_cleaned() -> None:
    claim = parse_node_claim(
        '{"kind": "node", "age_ms": 1, "reading": {"wsrep_local_state": true, "wsrep_cluster_size": "3", '
        '"wsrep_ready": 1, "wsrep_flow_control_paused": 1, "version": "10\\u001b[2J", "wsrep_cluster_conf_id": 7}}'
    )
    assert claim is not None
    status = claim.reading.status
    assert (status.wsrep_local_state, status.wsrep_cluster_size, status.wsrep_ready) == (None, None, None)
    assert (status.wsrep_flow_control_paused, status.wsrep_cluster_conf_id) == (1, 7)
    assert claim.reading.variables.version == "10 [2J"
