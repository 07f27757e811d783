"""What each path answers, byte for byte if a client matches on bytes (interfaces.md, HTTP)."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from loopback import Node
from loopback.files import put
from responder.client import PROBE, exchange, request
from responder.conftest import MakeResponder
from responder.process import Responder

HEAD = "HTTP/1.1 {}\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: {}\r\n\r\n"
SYNCED = HEAD.format("200 OK", 40) + "Percona XtraDB Cluster Node is synced.\r\n"
NOT_SYNCED = HEAD.format("503 Service Unavailable", 44) + "Percona XtraDB Cluster Node is not synced.\r\n"
READ_ONLY = HEAD.format("503 Service Unavailable", 43) + "Percona XtraDB Cluster Node is read-only.\r\n"
DISABLED = HEAD.format("503 Service Unavailable", 51) + "Percona XtraDB Cluster Node is manually disabled.\r\n"


def test_haproxys_own_probe_gets_clusterchecks_bytes(shared: Responder) -> None:
    assert exchange(shared.address, PROBE).raw.decode() == SYNCED


@pytest.mark.parametrize("target", ["/", "/?x=1", "http://db1/", "/?"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_get_and_options_are_alike_whatever_the_query_string(shared: Responder, method: str, target: str) -> None:
    assert shared.ask(target, method=method).raw.decode() == SYNCED


@pytest.mark.parametrize("path", ["/", "/ready", "/live", "/node", "/metrics", "/nowhere"])
def test_head_has_the_headers_of_get_and_no_body(shared: Responder, path: str) -> None:
    answer = shared.ask(path, method="HEAD")
    assert (answer.status, answer.body) == (shared.ask(path).status, "")
    assert int(answer.header("content-length") or 0) > 0


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "TRACE", "get"])
def test_other_methods_get_405_and_are_told_which_there_are(shared: Responder, method: str) -> None:
    answer = shared.ask("/", method=method)
    assert (answer.status, answer.header("allow")) == (405, "get, head, options")


def test_a_post_with_a_body_gets_405_without_a_reset(shared: Responder) -> None:
    assert exchange(shared.address, request("/", "POST", ["Content-Length: 20000"]) + b"x" * 20000).status == 405


def test_a_path_that_is_not_there_is_404(shared: Responder) -> None:
    assert [shared.ask(path).status for path in ("/nowhere", "/ready/", "//", "/node/..")] == [404] * 4
    assert shared.ask("/service/x").status == 503  # 404 is what drains


@pytest.mark.parametrize(
    "probe",
    [
        b"GET / HTTP/1.1\r\nHost: db1\r\nUser-Agent: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.0\n\n",
        b"GET / HTTP/1.1\r\nEmpty:\r\nTabbed:\tx\r\n\r\n",
        b"GET / HTTP/1.1\r\nName: \xe4\xff\r\n\r\n",
    ],
)
def test_a_host_header_is_not_asked_for_and_bare_newlines_do(shared: Responder, probe: bytes) -> None:
    assert exchange(shared.address, probe).raw.decode() == SYNCED


@pytest.mark.parametrize("path", ["/ready", "/live"])
def test_ready_and_live_are_one_line_with_code_and_age(shared: Responder, path: str) -> None:
    answer = shared.ask(path)
    assert answer.status == 200
    assert re.fullmatch(r"synced \d+ ms\n", answer.body)


def test_the_red_hat_family_has_its_own_sentences(database: Node, make_responder: MakeResponder) -> None:
    redhat = make_responder(database, responder="body = redhat", policy="available_when_readonly = 0")
    assert redhat.ask().body == "Galera cluster node is synced.\r\n"
    put(redhat.disabled, "{}")
    assert redhat.next_verdict() == (503, "disabled")
    assert redhat.ask().body == "Galera cluster node is not synced.\r\n"


def test_read_only_disabled_and_not_synced_have_bodies_of_their_own(
    database: Node, make_responder: MakeResponder
) -> None:
    responder = make_responder(database, policy="available_when_readonly = 0\nlast_node = 0")
    database.sql("SET GLOBAL read_only = ON")
    try:
        assert exchange(responder.address, PROBE).raw.decode() == READ_ONLY
    finally:
        database.sql("SET GLOBAL read_only = OFF")
    put(responder.disabled, "{}")
    assert responder.next_verdict() == (503, "disabled")
    assert exchange(responder.address, PROBE).raw.decode() == DISABLED
    responder.disabled.unlink()
    assert responder.next_verdict() == (200, "synced")
    database.kill()
    responder.outlive_reading()
    assert exchange(responder.address, PROBE).raw.decode() == NOT_SYNCED


def node_document(responder: Responder) -> dict[str, Any]:
    answer = responder.ask("/node")
    assert (answer.status, answer.header("content-type")) == (200, "application/json")
    document: dict[str, Any] = json.loads(answer.body)
    return document


def test_node_tells_the_whole_reading_in_the_servers_own_names(shared: Responder, database: Node) -> None:
    document = node_document(shared)
    assert [name for name in document if name != "warnings"] == [
        "schema", "kind", "source", "host", "time", "age_ms", "verdict", "policy", "disabled", "drain", "balancers",
        "writer", "commits", "reading",
    ]  # fmt: skip
    assert (document["schema"], document["kind"], document["disabled"]) == (1, "node", None)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)", document["time"])
    assert set(document["verdict"]) == {"available", "live", "code", "message", "remedy", "since"}
    reading = document["reading"]
    assert reading["wsrep_local_state"] == 4
    assert reading["wsrep_ready"] is True
    assert reading["wsrep_desync"] is False
    assert reading["pxc_maint_mode"] is None
    assert (
        reading["wsrep_cluster_state_uuid"] == database.status("wsrep_cluster_state_uuid")["wsrep_cluster_state_uuid"]
    )


def test_metrics_are_what_prometheus_own_parser_reads(shared: Responder) -> None:
    answer = shared.ask("/metrics")
    assert answer.header("content-type") == "text/plain; version=0.0.4; charset=utf-8"
    families = {family.name: family for family in text_string_to_metric_families(answer.body)}
    assert families["xha_available"].samples[0].value == 1
    assert families["xha_verdict"].samples[0].labels == {"code": "synced"}
    assert families["xha_requests"].samples[0].value > 0
    assert families["xha_wsrep_local_state"].samples[0].value == 4


def test_only_loopback_may_see_details_unless_detail_from_says_otherwise(
    database: Node, make_responder: MakeResponder
) -> None:
    narrow = make_responder(database, responder="detail_from = 192.0.2.0/24")
    assert [narrow.ask(path).status for path in ("/node", "/metrics", "/", "/ready", "/live")] == [403, 403] + [200] * 3


def test_only_allow_from_may_ask_from_the_very_first_probe_on(database: Node, make_responder: MakeResponder) -> None:
    closed = make_responder(database, responder="allow_from = 192.0.2.0/24, 2001:db8::/32")
    answers = {path: closed.ask(path) for path in ("/", "/ready", "/live", "/nowhere")}
    assert {answer.status for answer in answers.values()} == {403}
    assert not any("sync" in answer.body for answer in answers.values())


def test_the_very_first_probe_of_details_is_refused_too(database: Node, make_responder: MakeResponder) -> None:
    narrow = make_responder(database, responder="detail_from = 192.0.2.0/24")
    assert narrow.ask("/node").status == 403


def test_allow_from_lets_in_whom_it_names(database: Node, make_responder: MakeResponder) -> None:
    assert make_responder(database, responder="allow_from = 127.0.0.0/8").verdict() == (200, "synced")
