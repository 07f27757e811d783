"""The bytes that users of clustercheck match on, for both families, taken from the scripts.

percona-clustercheck d5da8be (2018), and the script of the same name in Red Hat's mariadb-galera-server.
"""

from __future__ import annotations

import pytest

from core.facts import synced
from xha.core.http.clustercheck_body import Body, render_clustercheck
from xha.core.node.verdict import Code, LastNode, Policy, Unreadable, Verdict, judge
from xha.core.node.withdrawal import Withdrawal

STRICT = Policy(available_when_donor=False, available_when_readonly=False, last_node=LastNode.NEVER)


def response(status: str, length: int, sentence: str) -> bytes:
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        f"{sentence}\r\n"
    ).encode()


PERCONA_SYNCED = response("200 OK", 40, "Percona XtraDB Cluster Node is synced.")
PERCONA_NOT_SYNCED = response("503 Service Unavailable", 44, "Percona XtraDB Cluster Node is not synced.")
PERCONA_READ_ONLY = response("503 Service Unavailable", 43, "Percona XtraDB Cluster Node is read-only.")
PERCONA_DISABLED = response("503 Service Unavailable", 51, "Percona XtraDB Cluster Node is manually disabled.")
REDHAT_SYNCED = response("200 OK", 32, "Galera cluster node is synced.")
REDHAT_NOT_SYNCED = response("503 Service Unavailable", 36, "Galera cluster node is not synced.")
REDHAT_READ_ONLY = response("503 Service Unavailable", 35, "Galera cluster node is read-only.")


def read_only() -> Verdict:
    return judge(synced(read_only=True), STRICT)


def disabled() -> Verdict:
    return judge(synced(), STRICT, Withdrawal())


@pytest.mark.parametrize(
    ("verdict", "body", "expected"),
    [
        pytest.param(judge(synced(), STRICT), Body.PERCONA, PERCONA_SYNCED, id="percona: synced, 40 bytes"),
        pytest.param(judge(Unreadable(Code.HUNG), STRICT), Body.PERCONA, PERCONA_NOT_SYNCED, id="percona: not, 44"),
        pytest.param(read_only(), Body.PERCONA, PERCONA_READ_ONLY, id="percona: read-only, 43 bytes"),
        pytest.param(disabled(), Body.PERCONA, PERCONA_DISABLED, id="percona: manually disabled, 51 bytes"),
        pytest.param(judge(synced(), STRICT), Body.REDHAT, REDHAT_SYNCED, id="redhat: synced, 32 bytes"),
        pytest.param(judge(Unreadable(Code.HUNG), STRICT), Body.REDHAT, REDHAT_NOT_SYNCED, id="redhat: not synced, 36"),
        pytest.param(read_only(), Body.REDHAT, REDHAT_READ_ONLY, id="redhat: read-only, 35 bytes"),
        pytest.param(disabled(), Body.REDHAT, REDHAT_NOT_SYNCED, id="redhat: has no words for disabled"),
        pytest.param(judge(synced(read_only=True), Policy()), Body.PERCONA, PERCONA_SYNCED, id="serves read-only"),
    ],
)
def test_the_bytes_are_the_scripts_own(verdict: Verdict, body: Body, expected: bytes) -> None:
    assert render_clustercheck(verdict, body) == expected
    length = int(expected.split(b"Content-Length: ")[1].split(b"\r\n")[0])
    assert len(expected.partition(b"\r\n\r\n")[2]) == length


@pytest.mark.parametrize("body", Body)
@pytest.mark.parametrize("code", [code for code in Code if code not in (Code.READ_ONLY, Code.DISABLED)])
def test_every_other_refusal_is_not_synced(code: Code, body: Body) -> None:
    verdict = judge(Unreadable(code), STRICT)
    assert render_clustercheck(verdict, body) == (PERCONA_NOT_SYNCED if body is Body.PERCONA else REDHAT_NOT_SYNCED)


@pytest.mark.parametrize("code", Code)
def test_whatever_serves_is_synced(code: Code) -> None:
    assert render_clustercheck(judge(synced(), STRICT)._replace(code=code), Body.PERCONA) == PERCONA_SYNCED


def test_head_gets_the_headers_alone() -> None:
    header, blank, _ = PERCONA_SYNCED.partition(b"\r\n\r\n")
    assert render_clustercheck(judge(synced(), STRICT), Body.PERCONA, head=True) == header + blank
