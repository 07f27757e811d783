"""What each path of port 49000 answers, and to whom."""

from __future__ import annotations

import json
from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.facts import synced
from xha.core.http.clustercheck_body import Body, render_clustercheck
from xha.core.http.message import Request
from xha.core.http.routes import Answer, Permission, judge_peer, refuse, render_answer
from xha.core.node.report import NodeReport
from xha.core.node.verdict import Code, LastNode, Policy, Unreadable, judge

HERE = Permission(allowed=True, detailed=True, remote=False)
ELSEWHERE = Permission(allowed=True, detailed=False, remote=True)
TRUSTED = Permission(allowed=True, detailed=True, remote=True)
STRANGER = Permission(allowed=False, detailed=False, remote=True)
ONLY_DETAIL = Permission(allowed=False, detailed=True, remote=True)


def status(response: bytes | None) -> int | None:
    return None if response is None else int(response.split(b" ")[1])


@pytest.mark.parametrize(
    ("request_", "peer", "expected"),
    [
        pytest.param(Request("OPTIONS", "/"), ELSEWHERE, None, id="HAProxy's probe"),
        pytest.param(Request("GET", "/ready"), ELSEWHERE, None, id="/ready"),
        pytest.param(Request("HEAD", "/live"), ELSEWHERE, None, id="/live"),
        pytest.param(Request("GET", "/writer"), ELSEWHERE, None, id="/writer"),
        pytest.param(Request("GET", "/node"), HERE, None, id="/node from this host"),
        pytest.param(Request("GET", "/metrics"), HERE, None, id="/metrics from this host"),
        pytest.param(Request("GET", "/node"), ELSEWHERE, 403, id="/node from elsewhere"),
        pytest.param(Request("GET", "/metrics"), ELSEWHERE, 403, id="/metrics from elsewhere"),
        pytest.param(Request("GET", "/metrics"), TRUSTED, None, id="/metrics from detail_from"),
        pytest.param(Request("GET", "/metrics"), ONLY_DETAIL, None, id="detail_from is a list of its own"),
        pytest.param(Request("GET", "/"), ONLY_DETAIL, 403, id="and opens nothing else"),
        pytest.param(Request("GET", "/"), STRANGER, 403, id="not in allow_from"),
        pytest.param(Request("GET", "/nothing"), STRANGER, 403, id="a stranger does not learn which paths there are"),
        pytest.param(Request("GET", "/nothing"), HERE, 404, id="no such path"),
        pytest.param(Request("GET", "/ready/"), HERE, 404, id="a slash too many"),
        pytest.param(Request("GET", "/READY"), HERE, 404, id="paths have a case"),
        pytest.param(Request("OPTIONS", "*"), HERE, 404, id="the server as a whole"),
        pytest.param(Request("GET", "//"), HERE, 404, id="two slashes"),
        pytest.param(Request("GET", "/service/keystone"), HERE, 503, id="a service without a section"),
        pytest.param(Request("POST", "/"), HERE, 405, id="POST"),
        pytest.param(Request("get", "/"), HERE, 405, id="methods have a case"),
        pytest.param(Request("DELETE", "/node"), HERE, 405, id="DELETE"),
    ],
)
def test_who_may_ask_what(request_: Request, peer: Permission, expected: int | None) -> None:
    assert status(refuse(request_, peer)) == expected


def test_a_405_names_the_methods() -> None:
    assert b"\r\nAllow: GET, HEAD, OPTIONS\r\n" in (refuse(Request("POST", "/"), HERE) or b"")


def test_a_refused_head_has_no_body() -> None:
    response = refuse(Request("HEAD", "/nothing"), HERE) or b""
    assert response.endswith(b"\r\n\r\n")
    assert b"Content-Length: 0" not in response


def answer(reading: Any = None, **changes: Any) -> Answer:
    facts = synced(datadir="/srv/secret") if reading is None else reading
    verdict = judge(facts, Policy(available_when_readonly=False, last_node=LastNode.NEVER))
    report = NodeReport("db1", "2026-01-31T22:00:00+00:00", 0.0126, verdict, Policy(), None, facts)
    made = Answer(verdict, 0.0126, Body.PERCONA, lambda: report, lambda: {"xha_requests_total": ("answered", 3)})
    return made._replace(**changes)


@pytest.mark.parametrize(
    ("path", "reading", "expected", "body"),
    [
        pytest.param("/ready", None, 200, b"synced 13 ms\n", id="/ready of a synced node"),
        pytest.param("/live", None, 200, b"synced 13 ms\n", id="/live of a synced node"),
        pytest.param("/ready", synced(read_only=True), 503, b"read-only 13 ms\n", id="/ready of a refused node"),
        pytest.param("/live", synced(read_only=True), 200, b"read-only 13 ms\n", id="/live of a refused node"),
        pytest.param("/ready", Unreadable(Code.HUNG, "secret"), 503, b"hung 13 ms\n", id="/ready of a frozen server"),
        pytest.param("/live", Unreadable(Code.HUNG, "secret"), 503, b"hung 13 ms\n", id="/live of a frozen server"),
    ],
)
def test_ready_and_live_are_one_line_of_code_and_age(path: str, reading: Any, expected: int, body: bytes) -> None:
    response = render_answer(Request("GET", path), ELSEWHERE, answer(reading))
    assert status(response) == expected
    assert response.partition(b"\r\n\r\n")[2] == body


@pytest.mark.parametrize(
    ("code", "available", "expected"),
    [
        (Code.SYNCED, True, b"200 OK"),
        (Code.DRAINING, True, b"200 OK"),
        (Code.DRAINING, False, b"404 Not Found"),
        (Code.NOT_WRITER, False, b"503 Service Unavailable"),
        (Code.NO_WRITER_KNOWN, False, b"503 Service Unavailable"),
    ],
)
def test_the_writer_has_a_verdict_of_its_own(code: Code, available: bool, expected: bytes) -> None:
    verdict = judge(synced(), Policy())._replace(code=code, available=available)
    response = render_answer(Request("GET", "/writer"), ELSEWHERE, answer(writer=lambda: verdict))
    assert response.startswith(b"HTTP/1.1 " + expected)
    assert response.endswith(f"\r\n\r\n{code.value} 13 ms\n".encode())


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
@pytest.mark.parametrize("body", Body)
def test_the_root_is_clustercheck_s_bytes_and_nothing_else(method: str, body: Body) -> None:
    made = answer(body=body)
    assert render_answer(Request(method, "/"), ELSEWHERE, made) == render_clustercheck(made.verdict, body)


@pytest.mark.parametrize("path", ["/", "/ready", "/live", "/node", "/metrics"])
def test_head_has_the_headers_of_get_and_no_body(path: str) -> None:
    get = render_answer(Request("GET", path), HERE, answer())
    head = render_answer(Request("HEAD", path), HERE, answer())
    assert head == get.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def test_node_is_json_without_what_a_remote_reader_may_not_see() -> None:
    for peer, datadir in ((HERE, "/srv/secret"), (TRUSTED, None)):
        response = render_answer(Request("GET", "/node"), peer, answer())
        header, _, body = response.partition(b"\r\n\r\n")
        assert b"Content-Type: application/json" in header
        document = json.loads(body)
        assert (document["kind"], document["reading"]["datadir"]) == ("node", datadir)


def test_node_and_metrics_are_200_whatever_the_verdict() -> None:
    for path in ("/node", "/metrics"):
        assert status(render_answer(Request("GET", path), HERE, answer(Unreadable(Code.HUNG)))) == 200


def test_metrics_are_of_prometheus_s_type() -> None:
    response = render_answer(Request("GET", "/metrics"), HERE, answer())
    assert b"Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n" in response
    assert b"\nxha_requests_total 3\n" in response


@pytest.mark.parametrize("peer", [ELSEWHERE, TRUSTED])
@pytest.mark.parametrize("path", ["/", "/ready", "/live", "/node", "/metrics"])
@pytest.mark.parametrize("code", Code)
def test_no_server_text_leaves_this_host(peer: Permission, path: str, code: Code) -> None:
    detail = "/srv/secret: Access denied for user 'xha'@'198.51.100.7'"
    response = render_answer(Request("GET", path), peer, answer(Unreadable(code, detail)))
    for secret in (b"/srv/secret", b"198.51.100.7", b"Access denied", b"'xha'"):
        assert secret not in response


NETWORKS = (ip_network("192.0.2.0/24"), ip_network("2001:db8::/32"))


@pytest.mark.parametrize(
    ("host", "allow_from", "detail_from", "peer"),
    [
        pytest.param("127.0.0.1", (), (), HERE, id="this host"),
        pytest.param("127.49.1.51", (), (), HERE, id="all of 127/8"),
        pytest.param("::1", (), (), HERE, id="this host by IPv6"),
        pytest.param("::ffff:127.0.0.1", (), (), HERE, id="this host by IPv4 on a dual-stack socket"),
        pytest.param("192.0.2.7", (), (), ELSEWHERE, id="elsewhere"),
        pytest.param("fe80::1%eth0", (), (), ELSEWHERE, id="a link-local address"),
        pytest.param("192.0.2.7", NETWORKS, (), ELSEWHERE, id="allowed"),
        pytest.param("::ffff:192.0.2.7", NETWORKS, (), ELSEWHERE, id="allowed, on a dual-stack socket"),
        pytest.param("2001:db8::7", NETWORKS, (), ELSEWHERE, id="allowed by IPv6"),
        pytest.param("fe80::1%eth0", NETWORKS, (), STRANGER, id="not allowed"),
        pytest.param("198.51.100.7", NETWORKS, (), STRANGER, id="not allowed by IPv4"),
        pytest.param("127.0.0.1", NETWORKS, (), HERE._replace(allowed=False), id="this host must be allowed as well"),
        pytest.param("192.0.2.7", (), NETWORKS, TRUSTED, id="detail_from"),
        pytest.param("127.0.0.1", (), NETWORKS, HERE._replace(detailed=False), id="detail_from replaces loopback"),
        pytest.param("::ffff:0:102:304", NETWORKS, (), STRANGER, id="no mapped address, though it begins like one"),
    ],
)
def test_a_client_is_judged_by_its_address(host: str, allow_from: Any, detail_from: Any, peer: Permission) -> None:
    assert judge_peer(host, allow_from, detail_from) == peer


@given(st.ip_addresses().map(str), st.sampled_from([(), NETWORKS]), st.sampled_from([(), NETWORKS]))
def test_no_address_makes_it_fail(host: str, allow_from: Any, detail_from: Any) -> None:
    peer = judge_peer(host, allow_from, detail_from)
    assert peer.remote or host.startswith(("127.", "::1", "::ffff:127."))
    assert not peer.detailed or not peer.remote or detail_from
