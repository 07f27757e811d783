"""What the answers of HTTP services, HAProxy, memcached, Pacemaker and the database mean, and who is to blame."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.facts import synced
from xha.core.galera.reading import Reading
from xha.core.node.verdict import Code, Policy, Unreadable, judge
from xha.core.services.api import table as http_rows
from xha.core.services.api.judge import ApiAnswer, Cause, judge_cause, judge_protocol, judge_request
from xha.core.services.daemons import haproxy, memcached, pacemaker
from xha.core.services.daemons.haproxy_stat import judge_balance, judge_info, parse_info, parse_server_names, parse_stat
from xha.core.services.daemons.mysql import judge_verdict
from xha.core.services.daemons.vip import Vip, judge_vip
from xha.core.services.model.result import Level, Result, Status
from xha.core.services.settings import default_service


def settings(kind: str, **changes: Any) -> Any:
    return default_service(kind).settings._replace(**changes)  # type: ignore[attr-defined]


def short(result: Result) -> tuple[str, str | None]:
    return result.status.value, result.blame


NOVA = {"versions": [{"id": "v2.0", "status": "SUPPORTED"}, {"id": "v2.1", "status": "CURRENT"}]}
WELL, DOWN, CAUTION, BLIND = ("ok", None), ("critical", "self"), ("warning", "self"), ("unknown", None)


@pytest.mark.parametrize(
    ("kind", "answer", "outcome", "words"),
    [
        ("keystone", ApiAnswer(200, document={"version": {"status": "stable"}}), WELL, "GET /v3 answered 200"),
        ("keystone", ApiAnswer(300, document={"versions": {}}), DOWN, "answered 300, not 200"),
        (
            "keystone",
            ApiAnswer(200, document={"version": {"status": "deprecated"}}),
            DOWN,
            "'deprecated', not 'stable'",
        ),
        ("keystone", ApiAnswer(200, body="<html>"), DOWN, "version.status is missing"),
        ("keystone", ApiAnswer(200, document=[1]), DOWN, "version.status is missing"),
        ("nova-api", ApiAnswer(200, document=NOVA), WELL, "GET / answered 200"),
        ("nova-api", ApiAnswer(200, document={"versions": []}), BLIND, "needs an answer that it knows"),
        ("nova-api", ApiAnswer(500), DOWN, "answered 500"),
        ("glance-api", ApiAnswer(200, body="OK"), WELL, "/healthcheck"),
        ("glance-api", ApiAnswer(503, body="DISABLED BY FILE"), CAUTION, "an operator drains it"),
        ("glance-api", ApiAnswer(503, body="no"), DOWN, "answered 503"),
        ("cinder-api", ApiAnswer(404), BLIND, "needs path"),
        ("glance-api", ApiAnswer(401), BLIND, "needs no account"),
        ("keystone", ApiAnswer(404), DOWN, "/v3 answered 404"),
        *(
            (
                "nova-api",
                ApiAnswer(status),
                BLIND,
                f"needs another url or path, for this one leads elsewhere: / answered {status}",
            )
            for status in (301, 302, 303, 307, 308)
        ),
        ("keystone", ApiAnswer(0, fault="no TLS with these settings", unmet="a ca_file"), BLIND, "needs a ca_file"),
        ("neutron-server", ApiAnswer(0, fault="connection refused"), DOWN, "/healthcheck: connection refused"),
    ],
)
def test_an_exact_status_for_each_url(
    kind: str, answer: ApiAnswer, outcome: tuple[str, str | None], words: str
) -> None:
    result = judge_protocol(settings(kind), answer)
    assert short(result) == outcome
    assert words in result.message


def test_a_section_may_ask_elsewhere_and_expect_something_else() -> None:
    changed = settings("nova-api", path="/healthz", expect=(204,))
    assert judge_protocol(changed, ApiAnswer(204)).status is Status.OK
    assert judge_protocol(changed, ApiAnswer(200)).is_down


def test_an_empty_list_is_healthy() -> None:
    request = settings("neutron-server").plan.deep
    assert judge_request(request, ApiAnswer(200, document={"networks": []})) == ""
    assert judge_request(request, ApiAnswer(200, document={"error": 1})) != ""


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        (Cause(), DOWN),
        (Cause("", ""), DOWN),
        (Cause("", None), DOWN),
        (Cause("answered 500", None), ("warning", "dependency:keystone")),
        (Cause("answered 500", ""), ("warning", "dependency:keystone")),
        (Cause("answered 500", "no answer"), ("warning", "dependency:mysql")),
        (Cause(None, "no answer"), ("warning", "dependency:mysql")),
        (Cause("", "no answer"), ("warning", "dependency:mysql")),
    ],
)
def test_what_is_behind_a_service_is_to_blame_first(cause: Cause, outcome: tuple[str, str | None]) -> None:
    result = judge_cause("nova-api", "/v2.1/flavors answered 500", "GET / answered 200", cause)
    assert short(result) == outcome
    assert (result.level, result.proved) == (Level.DEEP, "GET / answered 200")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["versions", "status", "v"]), inner),
    max_leaves=8,
)


@given(st.sampled_from([row.name for row in http_rows.ROWS]), JSON)
def test_no_json_breaks_the_judge(kind: str, document: Any) -> None:
    assert judge_protocol(settings(kind), ApiAnswer(200, document=document)).status is not Status.WARNING


# --- haproxy

COLUMNS = ("pxname", "svname", "scur", "slim", "status", "check_status", "last_chk")


def stat(*rows: tuple[str, str, str], used: int = 0) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    for proxy, server, status in rows:
        writer.writerow((proxy, server, used, 10, status, "* L7OK", 'a "text", with a comma'))
    return f"# {','.join(COLUMNS)}\n{text.getvalue()}\n".replace("\r\n", "\n")


def balance(text: str, names: dict[tuple[str, str], str] | None = None, **changes: Any) -> Result:
    return judge_balance(settings("haproxy", **changes), parse_stat(text), names or {}, "it answers")


FULL = (("api", "FRONTEND", "OPEN"), ("api", "a", "UP"), ("api", "b", "UP"), ("api", "BACKEND", "UP"))
NAMELESS = "MAINT (resolution)"
DNS = ("warning", "dependency:dns")


@pytest.mark.parametrize(
    ("rows", "outcome", "words"),
    [
        pytest.param(FULL, WELL, "1 backend has a server", id="all up"),
        pytest.param(
            (("api", "FRONTEND", "OPEN"), ("api", "a", "DOWN"), ("api", "BACKEND", "DOWN")),
            ("warning", "dependency:api"),
            "no server left in api",
            id="the frontend is OPEN and nobody is behind it",
        ),
        pytest.param(
            (("api", "a", "DOWN"), ("api", "b", "UP"), ("api", "BACKEND", "UP")),
            ("warning", "dependency:api"),
            "down: api/a",
            id="one of two",
        ),
        pytest.param(
            (("x", "a", "DOWN"), ("x", "BACKEND", "DOWN"), ("api", "a", "DOWN"), *FULL[2:]),
            ("warning", "dependency:x"),
            "no server left in x; down: api/a",
            id="a backend that is down hides no sick server of another one",
        ),
        pytest.param(
            (("api", "a", "DOWN 1/2"), ("api", "b", "UP"), ("api", "BACKEND", "UP")),
            ("warning", "dependency:api"),
            "down: api/a",
            id="one is coming up",
        ),
        pytest.param((("api", "a", "UP 1/3"), ("api", "BACKEND", "UP")), WELL, "", id="going down is still up"),
        pytest.param((("api", "a", "MAINT"), ("api", "b", "UP"), ("api", "BACKEND", "UP")), WELL, "", id="taken out"),
        pytest.param((("api", "a", "DRAIN"), ("api", "BACKEND", "UP")), WELL, "", id="drained"),
        pytest.param((("api", "a", "no check"), ("api", "BACKEND", "UP")), WELL, "", id="unchecked"),
        pytest.param(
            (("api", "a", "MAINT"), ("api", "BACKEND", "DOWN")),
            ("warning", "dependency:api"),
            "1 taken out by hand",
            id="all taken out",
        ),
        pytest.param(
            (("api", "a", NAMELESS), ("api", "b", "MAINT"), ("api", "BACKEND", "DOWN")),
            ("warning", "dependency:api"),
            "api (1 taken out by hand, 1 without an address for its name)",
            id="a name that does not resolve is nobody's hand",
        ),
        pytest.param(
            (("api", "a", NAMELESS), *FULL[2:]), DNS, "no address for the name of api/a", id="one without an address"
        ),
        pytest.param((*FULL, ("stats", "FRONTEND", "OPEN"), ("stats", "BACKEND", "UP")), WELL, "1 backend", id="stats"),
        pytest.param((("api", "sock-1", "OPEN"), *FULL), WELL, "1 backend has a server", id="socket-stats"),
        pytest.param((("api", "FRONTEND", "PAUSED"), *FULL[1:]), CAUTION, "api is paused", id="paused"),
        pytest.param((("api", "FRONTEND", "STOP"), *FULL[1:]), CAUTION, "api is stopped", id="stopped"),
    ],
)
def test_backends_and_frontends(rows: Any, outcome: tuple[str, str | None], words: str) -> None:
    result = balance(stat(*rows))
    assert short(result) == outcome
    assert words in result.message


def test_a_frontend_at_its_limit() -> None:
    assert short(balance(stat(*FULL, used=8))) == WELL
    result = balance(stat(*FULL, used=10))
    assert (short(result), result.message) == (CAUTION, "frontend api has 10 of 10 connections: others wait")
    assert short(balance(stat(*FULL, used=10), ignore=("api",))) == WELL


# as HAProxy 2.6.12 writes it, shortened
SERVERS = """1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_fqdn srv_port srvrecord
5 api 1 a 10.0.0.1 2 - 9400 -
5 api 2 t1 10.0.0.2 2 ctl.example 80 -
5 api 3 t2 - 0 ctl.example 80 -
5 api 4 alone - 0 ctl-4.example 80 -
5 api 5 s1 10.0.0.3 2 ctl-5.example 80 _api._tcp.example
5 api 6 s2 - 0 - 80 _api._tcp.example
"""


def test_the_slots_that_a_server_template_has_left_over_are_no_fault() -> None:
    names = parse_server_names(SERVERS)
    assert names["api", "s2"] == "_api._tcp.example"
    assert ("api", "a") not in names
    slots = (("api", "t1", "UP"), ("api", "t2", NAMELESS), ("api", "s1", "UP"), ("api", "s2", NAMELESS))
    assert short(balance(stat(*slots, ("api", "BACKEND", "UP")), names)) == WELL
    result = balance(stat(*slots, ("api", "alone", NAMELESS), ("api", "BACKEND", "UP")), names)
    assert (short(result), result.message) == (DNS, "no address for the name of api/alone")


def test_chosen_and_ignored_backends() -> None:
    text = stat(("a", "s", "DOWN"), ("a", "BACKEND", "DOWN"), ("b", "s", "UP"), ("b", "BACKEND", "UP"))
    assert balance(text, backends=("b",)).status is Status.OK
    assert balance(text, ignore=("a",)).status is Status.OK
    missing = balance(text, backends=("b", "c"))
    assert (short(missing), missing.message) == (DOWN, "there is no backend c")


@pytest.mark.parametrize("text", ["", "\n", "# a,b\n1,2\n", "Unknown command"])
def test_what_is_no_show_stat_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no HAProxy"):
        parse_stat(text)


@pytest.mark.parametrize("end", range(1, 30))
def test_a_show_stat_that_breaks_off_is_refused(end: int) -> None:
    text = stat(*FULL)
    with pytest.raises(ValueError, match="show stat"):
        parse_stat(text[: len(text) - end])


@pytest.mark.parametrize(
    ("info", "outcome"),
    [
        ("Version: 2.6\nUptime_sec: 5\nStopping: 0\nCurrConns: 9\nMaxconn: 10\n", WELL),
        ("Version: 2.6\nUptime_sec: 5\nStopping: 0\nCurrConns: 10\nMaxconn: 10\n", CAUTION),
        ("Version: 2.6\nUptime_sec: 5\nStopping: 1\nCurrConns: 1\nMaxconn: 10\n", DOWN),
        ("Version: 2.6\nUptime_sec: 5\nCurrConns: 1\nMaxconn: 10\n", BLIND),
        ("Version: 2.6\nUptime_sec: 5\nStopping: 0\nMaxconn: 10\n", BLIND),
        ("Version: 2.6\nUptime_sec: 5\nStopping: 0\nCurrConns: 1\nMaxco", BLIND),
    ],
)
def test_the_process_that_answers(info: str, outcome: tuple[str, str | None]) -> None:
    assert short(judge_info(settings("haproxy"), Level.PROTOCOL, parse_info(info))) == outcome


def test_what_is_no_show_info_is_refused() -> None:
    with pytest.raises(ValueError, match="no HAProxy"):
        parse_info("Permission denied\n")


VIP = Vip("10.0.0.5", is_here=True, others=(), tried=(5000,))
MAC = "02:00:00:00:00:01"
HOLDER, NOT_HOLDER = haproxy.ExpectedVip.HOLDER, haproxy.ExpectedVip.NOT_HOLDER


@pytest.mark.parametrize(
    ("vip", "expect", "outcome", "words"),
    [
        pytest.param(VIP, None, WELL, "is here, by one host, reachable on 5000", id="here"),
        pytest.param(VIP._replace(is_here=False, others=(MAC,)), None, WELL, "is elsewhere", id="elsewhere"),
        pytest.param(
            VIP._replace(others=(MAC,)), None, DOWN, f"held twice: by this host and {MAC}", id="here and there"
        ),
        pytest.param(VIP._replace(is_here=False, others=(MAC, "x")), None, DOWN, "held twice", id="twice elsewhere"),
        pytest.param(VIP._replace(is_here=False), None, ("warning", "dependency:vip"), "nobody holds", id="nowhere"),
        pytest.param(
            VIP._replace(is_dangling=True, is_here=False), None, DOWN, "interface that is down", id="dangling"
        ),
        pytest.param(VIP._replace(others=None), None, WELL, "needs CAP_NET_RAW", id="nobody looked for others"),
        pytest.param(
            VIP._replace(is_here=False, others=None, tried=()),
            None,
            CAUTION,
            "nobody knows who",
            id="nothing looked at",
        ),
        pytest.param(VIP._replace(is_here=False, others=None), None, WELL, "is elsewhere", id="reached, elsewhere"),
        pytest.param(
            VIP._replace(faults=((5000, "refused"),)), None, DOWN, "port 5000: refused", id="unreachable, here"
        ),
        pytest.param(
            VIP._replace(is_here=False, others=(MAC,), faults=((5000, "refused"),)),
            None,
            ("warning", "dependency:vip"),
            "port 5000: refused",
            id="unreachable, elsewhere",
        ),
        pytest.param(VIP, HOLDER, WELL, "is here", id="the holder holds it"),
        pytest.param(VIP._replace(is_here=False), HOLDER, DOWN, "is not on this host", id="the holder does not"),
        pytest.param(VIP, NOT_HOLDER, DOWN, "should not be", id="who should not have it has it"),
    ],
)
def test_the_vip(vip: Vip, expect: Any, outcome: tuple[str, str | None], words: str) -> None:
    changed = settings("haproxy", vip=("10.0.0.5",), vip_expect=expect or haproxy.ExpectedVip.EXACTLY_ONE)
    result = judge_vip(changed, vip, "backends are well")
    assert short(result) == outcome
    assert words in result.message


# --- memcached


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("ERROR Too many open connections\r\n", "too many open connections"),
        ("SERVER_ERROR out of memory storing object\r\n", "set: SERVER_ERROR out of memory"),
        ("ERROR\r\n", "set: ERROR"),
        ("CLIENT_ERROR bad data chunk\r\n", "set: CLIENT_ERROR"),
        ("", "closed without an answer"),
        ("+PONG\r\n", "no memcached"),
    ],
)
def test_what_is_not_stored_is_the_memcached_s_fault(answer: str, words: str) -> None:
    result = memcached.judge_answer(settings("memcached"), Level.DEEP, "set", answer, "it answers")
    assert (short(result), result.proved) == (DOWN, "it answers")
    assert words in result.message


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("CLIENT_ERROR unauthenticated\r\n", "needs username, and password_file"),
        ("CLIENT_ERROR authentication failure\r\n", "needs an account that it accepts"),
        ("STOR", "needs the whole answer to set"),
        ("VALUE xha:probe:1 0 4\r\nab", "needs the whole answer to set"),
    ],
)
def test_an_account_and_a_part_of_an_answer_are_not_its_fault(answer: str, words: str) -> None:
    result = memcached.judge_answer(settings("memcached"), Level.DEEP, "set", answer, "it answers")
    assert (short(result), result.proved) == (BLIND, "it answers")
    assert words in result.message


@pytest.mark.parametrize(
    ("stats", "outcome"),
    [
        ("STAT curr_connections 9\r\nSTAT max_connections 10\r\nSTAT accepting_conns 1\r\nEND\r\n", WELL),
        ("STAT curr_connections 10\r\nSTAT max_connections 10\r\nEND\r\n", CAUTION),
        ("STAT curr_connections 1\r\nSTAT max_connections 10\r\nSTAT accepting_conns 0\r\nEND\r\n", DOWN),
        ("STAT curr_connections x\r\nEND\r\n", BLIND),
        ("STAT curr_connections 1\r\nSTAT max_conn", BLIND),
        ("ERROR\r\n", BLIND),
    ],
)
def test_saturation(stats: str, outcome: tuple[str, str | None]) -> None:
    assert short(memcached.judge_stats(settings("memcached"), memcached.parse_stats(stats), "stored")) == outcome


# --- the database


@pytest.mark.parametrize(
    ("facts", "level", "outcome"),
    [
        (synced(), Level.DEEP, WELL),
        (synced(), Level.PROTOCOL, WELL),
        (synced(wsrep_cluster_status="non-Primary"), Level.DEEP, DOWN),
        (synced(wsrep_cluster_status="non-Primary"), Level.PROTOCOL, WELL),
        (synced(wsrep_local_state=1), Level.PROTOCOL, WELL),
        (synced(wsrep_local_state=2), Level.DEEP, CAUTION),
        (synced(skip_networking=True), Level.DEEP, DOWN),
        (Unreadable(Code.HUNG), Level.PROTOCOL, DOWN),
        (Unreadable(Code.SERVER_DOWN), Level.DEEP, DOWN),
        (Unreadable(Code.JOINING), Level.PROTOCOL, DOWN),
        (Unreadable(Code.REFUSED), Level.PROTOCOL, DOWN),
        (Unreadable(Code.OUT_OF_RESOURCES), Level.PROTOCOL, DOWN),
        (Unreadable(Code.MAINTENANCE), Level.PROTOCOL, CAUTION),
        (Unreadable(Code.ACCESS_DENIED), Level.DEEP, ("unknown", None)),
        (Unreadable(Code.TOO_MANY_CONNECTIONS), Level.PROTOCOL, ("unknown", None)),
    ],
)
def test_the_database_s_verdict_is_xha_s_own(
    facts: Reading | Unreadable, level: Level, outcome: tuple[str, str | None]
) -> None:
    result = judge_verdict("mysql", level, judge(facts, Policy()), answered=isinstance(facts, Reading))
    assert short(result) == outcome


# --- pacemaker

CRM_MON = (Path(__file__).parent / "clusters/crm_mon-2.1.5.xml").read_text()
GOOD = CRM_MON.replace('stonith-enabled="false"', 'stonith-enabled="true"').replace('"ignore"', '"stop"')
BAD = '<resource id="bad" resource_agent="ocf:pacemaker:NoSuch" role="Stopped"'
GOOD = GOOD.replace(BAD, BAD.replace("role=", 'target_role="Stopped" role='))
FAILURE = '<failures><failure op_key="vip_monitor_2000" node="xha-1" exitcode="7"/></failures><node_history>'


def cluster(text: str, **changes: Any) -> Result:
    return pacemaker.judge_cluster(settings("pacemaker", **changes), pacemaker.parse_crm_mon(text), "quorum")


def test_what_crm_mon_2_1_5_says() -> None:
    state = pacemaker.parse_crm_mon(CRM_MON)
    assert (state.dc, state.quorate, state.nodes) == ("xha-1", True, {"xha-1": True})
    assert (state.stonith, state.no_quorum_policy, state.maintenance) == (False, "ignore", False)
    assert [(one.name, one.active, one.missing) for one in state.resources] == [
        ("vip", 1, 0),
        ("c", 1, 0),
        ("bad", 0, 1),
        ("off", 0, 0),
    ]


def test_what_crm_mon_3_0_0_says() -> None:
    """Written by tests/services/test_crm_mon.py, which asks the tools of this machine or of another root."""
    text = (Path(__file__).parent / "clusters/crm_mon-3.0.0.xml").read_text()
    state = pacemaker.parse_crm_mon(text)
    assert state.nodes == {"ctl-a.example": True, "ctl-b.example": True, "ctl-c.example": True}
    assert {one.name: (one.active, one.missing) for one in state.resources}["rabbit-bundle"] == (3, 0)
    assert 'exitcode="190"' in text
    assert state.failures == ()
    assert short(cluster(text, expect_nodes=3, resources=("web-bundle", "lb-clone"))) == WELL


@pytest.mark.parametrize(
    ("now", "wanted", "is_well"),
    [
        ("Promoted", "Started", True),
        ("Master", "Started", True),
        ("Unpromoted", "Started", False),
        ("Slave", "Promoted", False),
        ("Unpromoted", "Unpromoted", True),
        ("Slave", "slave", True),
    ],
)
def test_a_promotable_clone_needs_a_promoted_instance(now: str, wanted: str, is_well: bool) -> None:
    text = (Path(__file__).parent / "clusters/crm_mon-3.0.0.xml").read_text()
    text = text.replace('Stateful" role="Promoted"', f'Stateful" target_role="{wanted}" role="{now}"')
    result = cluster(text)
    assert short(result) == (WELL if is_well else ("warning", "dependency:state-clone"))
    assert is_well or result.message == "state-clone runs, and no instance is promoted"


@pytest.mark.parametrize(
    "now",
    [
        pytest.param('role="Demoting" pending="Promoting"', id="in the middle of a failover"),
        pytest.param('role="Unpromoted" pending="Promoting"', id="before the promotion"),
        pytest.param('role="Demoting"', id="before the next step"),
    ],
)
def test_a_failover_under_way_is_no_fault(now: str) -> None:
    text = (Path(__file__).parent / "clusters/crm_mon-3.0.0.xml").read_text()
    assert short(cluster(text.replace('Stateful" role="Promoted"', f'Stateful" {now}'))) == WELL


@pytest.mark.parametrize(("unmanaged", "is_well"), [(0, False), (1, False), (2, False), (3, True)])
def test_what_nobody_manages_is_not_expected_to_be_promoted(unmanaged: int, is_well: bool) -> None:
    text = (Path(__file__).parent / "clusters/crm_mon-3.0.0.xml").read_text()
    before, clone, after = text.replace('Stateful" role="Promoted"', 'Stateful" role="Unpromoted"').partition(
        '<clone id="state-clone"'
    )
    own, resource, instances = after.partition("<resource ")
    result = cluster(
        before + clone + own + resource + instances.replace('managed="true"', 'managed="false"', unmanaged)
    )
    assert short(result) == (WELL if is_well else ("warning", "dependency:state-clone"))


@pytest.mark.parametrize(
    ("text", "outcome", "words"),
    [
        pytest.param(GOOD, WELL, "1 nodes online, 2 resources run", id="well"),
        pytest.param(CRM_MON, ("warning", "dependency:bad"), "bad should run and runs nowhere", id="one that cannot"),
        pytest.param(GOOD.replace('present="true"', 'present="false"'), DOWN, "no DC", id="no DC"),
        pytest.param(GOOD.replace('with_quorum="true"', 'with_quorum="false"'), DOWN, "no quorum", id="no quorum"),
        pytest.param(
            GOOD.replace('stonith-enabled="true"', 'stonith-enabled="false"'), CAUTION, "fenced", id="stonith"
        ),
        pytest.param(GOOD.replace('"stop"', '"ignore"'), CAUTION, "both halves", id="no-quorum-policy"),
        pytest.param(GOOD.replace('maintenance-mode="false"', 'maintenance-mode="true"'), CAUTION, "VIP", id="at rest"),
        pytest.param(GOOD.replace("<node_history>", FAILURE), ("warning", "dependency:vip"), "cleanup", id="a failure"),
        pytest.param(
            GOOD.replace('blocked="false"', 'blocked="true"', 1), ("warning", "dependency:vip"), "blocked", id="blocked"
        ),
        pytest.param(
            GOOD.replace('online="true"', 'online="false"'),
            ("warning", "dependency:xha-1"),
            "offline",
            id="a node away",
        ),
        pytest.param(
            GOOD.replace('unclean="false"', 'unclean="true"'), ("warning", "dependency:xha-1"), "unclean", id="unclean"
        ),
    ],
)
def test_a_cluster(text: str, outcome: tuple[str, str | None], words: str) -> None:
    result = cluster(text)
    assert short(result) == outcome
    assert words in result.message


# As crm_mon 2.1.5 and 3.0.0 write a bundle of two replicas (tests/services/test_crm_mon.py).
BUNDLE = """<bundle id="rabbit-bundle" type="podman" image="x:latest" unique="false" managed="true" failed="false">
<replica id="0"><resource id="rabbit-bundle-podman-0" role="Started" active="true" blocked="false"/>
<resource id="rabbit" role="Started" active="true"/></replica>
<replica id="1"><resource id="rabbit-bundle-podman-1" role="Stopped" active="{active}" blocked="false"/></replica>
</bundle>"""


@pytest.mark.parametrize(
    ("text", "outcome", "words"),
    [
        pytest.param(BUNDLE.format(active="true"), WELL, "4 resources run", id="one node: one replica is enough"),
        pytest.param(
            BUNDLE.replace('"Started" active="true"', '"Stopped" active="false"').format(active="false"),
            ("warning", "dependency:rabbit-bundle"),
            "rabbit-bundle should run and runs nowhere",
            id="stopped",
        ),
        pytest.param(
            BUNDLE.replace('id="rabbit" role="Started" active="true"', 'id="rabbit" active="false"').format(
                active="false"
            ),
            ("warning", "dependency:rabbit-bundle"),
            "rabbit-bundle should run and runs nowhere",
            id="the container runs, and what it holds does not",
        ),
        pytest.param(
            BUNDLE.replace('active="true"', 'target_role="stopped" active="false"').format(active="false"),
            WELL,
            "2 resources run",
            id="switched off, in small letters",
        ),
        pytest.param(
            BUNDLE.replace('blocked="false"', 'blocked="true"', 1).format(active="false"),
            ("warning", "dependency:rabbit-bundle"),
            "blocked",
            id="blocked",
        ),
    ],
)
def test_a_bundle_is_a_resource(text: str, outcome: tuple[str, str | None], words: str) -> None:
    result = cluster(GOOD.replace("</resources>", f"{text}</resources>", 1))
    assert short(result) == outcome, result
    assert words in result.message


@pytest.mark.parametrize(
    ("managed", "outcome"), [("true", ("warning", "dependency:web-clone")), ("false", WELL)], ids=["managed", "not"]
)
def test_a_stopped_clone_is_a_fault_if_its_instances_are_managed(managed: str, outcome: tuple[str, str | None]) -> None:
    instance = f'<resource id="web" role="Stopped" active="false" managed="{managed}"/>'
    text = f'<clone id="web-clone" managed="true">{instance}</clone></resources>'
    assert short(cluster(GOOD.replace("</resources>", text, 1))) == outcome


# TripleO's redis: the inner resource is promotable, and the bundle does not say so.
REDIS = """<bundle id="redis-bundle" type="podman" image="x:latest" unique="false" managed="true" failed="false">
<replica id="0"><resource id="redis-bundle-podman-0" role="Started" active="true"/>
<resource id="redis-bundle-0" role="Started" active="true"/><resource id="redis" {first} active="true"/></replica>
<replica id="1"><resource id="redis-bundle-podman-1" role="Started" active="true"/>
<resource id="redis-bundle-1" role="Started" active="true"/><resource id="redis" {second} active="true"/></replica>
</bundle>"""


@pytest.mark.parametrize(
    ("first", "second", "is_well"),
    [
        ('role="Promoted"', 'role="Unpromoted"', True),
        ('role="Slave"', 'role="Master"', True),
        ('role="Started"', 'role="Started"', True),
        ('role="Unpromoted"', 'role="Unpromoted"', False),
        ('role="Slave"', 'role="Slave"', False),
        ('role="Unpromoted"', 'role="Unpromoted" pending="Promoting"', True),
        ('role="Slave" target_role="Slave"', 'role="Slave" target_role="Slave"', True),
        ('role="Slave" managed="false"', 'role="Slave" managed="false"', True),
    ],
)
def test_a_promotable_bundle_needs_a_promoted_replica(first: str, second: str, is_well: bool) -> None:
    text = REDIS.format(first=first, second=second)
    result = cluster(GOOD.replace("</resources>", f"{text}</resources>", 1))
    assert short(result) == (WELL if is_well else ("warning", "dependency:redis-bundle"))
    assert is_well or result.message == "redis-bundle runs, and no instance is promoted"


@pytest.mark.parametrize(("code", "outcome"), [("190", WELL), ("191", WELL), ("7", ("warning", "dependency:vip"))])
def test_a_degraded_monitor_is_no_failed_action(code: str, outcome: tuple[str, str | None]) -> None:
    assert short(cluster(GOOD.replace("<node_history>", FAILURE.replace('"7"', f'"{code}"')))) == outcome


@pytest.mark.parametrize("role", ["Stopped", "stopped", "STOPPED"])
def test_a_role_is_read_without_its_case(role: str) -> None:
    assert short(cluster(GOOD.replace('target_role="Stopped"', f'target_role="{role}"'))) == WELL


@pytest.mark.parametrize("field", ['stonith-enabled="true"', 'maintenance-mode="false"'])
def test_a_setting_that_crm_mon_does_not_tell_is_not_a_good_one(field: str) -> None:
    result = cluster(GOOD.replace(field, ""))
    assert (short(result), result.message.startswith("needs a crm_mon that tells")) == (BLIND, True)


@pytest.mark.parametrize("field", ['with_quorum="true"', 'present="true"', "<nodes>", "<resources>"])
def test_what_is_judged_must_be_told(field: str) -> None:
    text = GOOD.replace(field, "<other>").replace(field.replace("<", "</"), "</other>") if "<" in field else GOOD
    with pytest.raises(ValueError, match="crm_mon: it"):
        pacemaker.parse_crm_mon(text.replace(field, ""))


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_half_of_crm_mon_s_answer_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="crm_mon said no XML"):
        pacemaker.parse_crm_mon(GOOD[: int(len(GOOD) * share)])


def test_what_a_section_asks_of_a_cluster() -> None:
    assert short(cluster(GOOD, expect_nodes=1, resources=("vip", "c"))) == WELL
    assert short(cluster(GOOD, expect_nodes=2)) == ("warning", "dependency:nodes")
    assert short(cluster(GOOD, resources=("off",))) == ("warning", "dependency:off")
    assert short(cluster(GOOD.replace("<node_history>", FAILURE), max_failures=1)) == WELL
    assert short(cluster(GOOD.replace('"stop"', '"ignore"'), warn_settings=False)) == WELL


@pytest.mark.parametrize(
    "text", ["", "CLUSTER OK", "<a/>", '<a><status code="102" message="Not connected"/></a>', "<pacemaker-result>"]
)
def test_what_is_no_cluster_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="crm_mon"):
        pacemaker.parse_crm_mon(text)
