"""Verdicts for programs: JSON (docs/schema-1.json), Nagios lines, Prometheus metrics."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from core.cluster.views import by_sql
from core.facts import OTHER_UUID, listed, synced
from xha.core.cluster.comparison import find_disagreements
from xha.core.cluster.member_view import MemberView
from xha.core.cluster.members import Member
from xha.core.cluster.report import (
    cluster_document,
    cluster_exit_code,
    nagios_cluster_code,
    render_nagios_cluster,
)
from xha.core.cluster.sources import judge_sql
from xha.core.galera.reading import DonorEvidence, DonorKind, Reading, Variables, WsrepStatus
from xha.core.node.balancers import Balancers
from xha.core.node.commits import Commits, Room
from xha.core.node.report import METRICS, NodeReport, nagios_code, node_document, render_metrics, render_nagios
from xha.core.node.verdict import Code, LastNode, NagiosCode, Policy, Unreadable, judge
from xha.core.node.withdrawal import Withdrawal

SCHEMA = json.loads((Path(__file__).parents[3] / "docs/schema-1.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
SECRETS = ("xha@db1.example", "/srv/secret", "198.51.100.7", "Access denied for user")
ROOMS = (Room(("datadir /srv/a", "log_bin /srv/a"), 3 << 20, 90 << 20), Room(("tmpdir /srv/secret",), 1, 2))
COMMITS = Commits(None, "", (), "", 0.25, 0.0014, ROOMS)


def report(reading: Reading | Unreadable, disabled: Withdrawal | None = None, **changes: Any) -> NodeReport:
    policy = Policy(last_node=LastNode.HAPROXY)
    made = NodeReport(
        host="db1",
        time="2026-01-31T22:00:00.123+00:00",
        age=0.0421,
        verdict=judge(reading, policy, disabled),
        policy=policy,
        withdrawal=disabled,
        reading=reading,
    )
    return made._replace(**changes)


REPORTS = {
    "a synced node": report(listed("mariadb-10.11.txt")),
    "a node of Percona's": report(listed("pxc-8.0.txt")),
    "a donor with evidence": report(synced(wsrep_local_state=2, donor=DonorEvidence(DonorKind.SST, "rsync, pid 1"))),
    "a disabled node": report(synced(), Withdrawal("ann", "disk", "2026-01-31T22:00:00+01:00")),
    "a node disabled by an empty file": report(synced(), Withdrawal()),
    "a node that drains": report(
        synced(), Withdrawal("ann", "kernel", drains=True), balancers=Balancers(2, ("192.0.2.1",))
    ),
    "a node with warnings": report(synced(), warnings=("a new login would fail: access-denied, Access denied",)),
    "a node whose commits are known": report(listed("mariadb-10.11.txt"), commits=COMMITS),
    "a server that says nothing": report(Reading()),
    **{code.value: report(Unreadable(code, "detail")) for code in Code},
}


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("remote", [False, True], ids=["for this host", "for a remote reader"])
def test_every_node_is_of_the_schema(name: str, remote: bool) -> None:
    document = json.loads(json.dumps(node_document(REPORTS[name], remote=remote), allow_nan=False))
    VALIDATOR.validate(document)
    node = SCHEMA["$defs"]["node"]
    assert set(document) == set(node["properties"])
    for part in ("verdict", "policy", "reading"):
        assert set(document[part]) == set(node["properties"][part]["properties"])
    assert document["age_ms"] == 43  # rounded up


def test_a_cluster_is_of_the_schema() -> None:
    readings = [synced(), synced(wsrep_cluster_state_uuid=OTHER_UUID), Unreadable(Code.UNREACHABLE)]
    views = [by_sql(f"db{n}", one) for n, one in enumerate(readings)]
    document = cluster_document([node_document(report(one)) for one in readings], views, find_disagreements(views))
    document = json.loads(json.dumps(document, allow_nan=False))
    VALIDATOR.validate(document)
    assert [one["code"] for one in document["disagreements"]] == ["uuid", "two-primaries"]
    VALIDATOR.validate(cluster_document([], [], []))


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({}, id="nothing"),
        pytest.param({**node_document(report(synced())), "schema": 2}, id="another schema"),
        pytest.param({**node_document(report(synced())), "time": "2026-01-31T22:00:00+01:00"}, id="a local time"),
        pytest.param({**node_document(report(synced())), "verdict": {"code": "fine"}}, id="an unknown code"),
    ],
)
def test_the_schema_refuses_what_is_no_report(document: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(document)


def test_values_are_numbers_and_booleans_and_null() -> None:
    reading = node_document(report(listed("pxc-5.7.txt")))["reading"]
    assert reading["wsrep_local_recv_queue"] == 3
    assert reading["wsrep_flow_control_paused"] == pytest.approx(1.2e-05)
    assert reading["wsrep_ready"] is True
    assert reading["wsrep_desync"] is False
    assert reading["donor_evidence"] is None
    assert node_document(report(Unreadable(Code.HUNG)))["reading"]["probe_errno"] is None


def secretive() -> list[NodeReport]:
    account, path, address, text = SECRETS
    reading = synced(
        wsrep_cluster_address=f"gcomm://{address}",
        wsrep_incoming_addresses=f"{address}:3306",
        wsrep_node_address=address,
        wsrep_provider=f"{path}/libgalera_smm.so",
        datadir=path,
        socket=f"{path}/mysqld.sock",
        hostname="db1.example",
        donor=DonorEvidence(DonorKind.SST, f"wsrep_sst_rsync --datadir {path}, pid 4711"),
        wsrep_local_state=2,
    )
    warning = f"{path}: {text} '{account}' at {address}"
    return [
        report(reading, Withdrawal(account, f"see {path}, ask {address}: {text}"), warnings=(warning,)),
        report(reading, warnings=(warning,)),
        *(report(Unreadable(code, f"{path}: {text} '{account}'@'{address}'")) for code in Code),
    ]


@pytest.mark.parametrize("secret", SECRETS)
def test_what_leaves_this_host_names_no_account_path_address_or_server_text(secret: str) -> None:
    for made in secretive():
        assert secret not in json.dumps(node_document(made, remote=True))
        assert secret not in render_metrics(made, {})
    assert any(secret in json.dumps(node_document(made)) for made in secretive())


def test_a_remote_reader_learns_the_same_facts_otherwise() -> None:
    here, there = (node_document(report(listed("mariadb-10.11.txt")), remote=remote) for remote in (False, True))
    hidden = {name for name, value in here["reading"].items() if there["reading"][name] != value}
    assert hidden == {
        "wsrep_incoming_addresses",
        "wsrep_cluster_address",
        "wsrep_node_address",
        "wsrep_provider",
        "hostname",
        "datadir",
        "tmpdir",
        "log_bin_basename",
        "innodb_log_group_home_dir",
        "socket",
        "bind_address",
        "wsrep_status_file",
        "log_error",
    }
    assert {name for name in here if here[name] != there[name]} == {"reading", "commits"}


# Monitoring Plugins guidelines, 2.6: 'label'=value[UOM];[warn];[crit];[min];[max], values of the class [-0-9.].
PERFDATA = re.compile(r"[a-z_]+=-?[0-9]+(\.[0-9]+)?(;[0-9]*){0,4}")
SERVICE_STATES = "OK|WARNING|CRITICAL|UNKNOWN"


def assert_is_a_nagios_line(line: str) -> list[str]:
    assert line.isprintable()
    text, _, perfdata = line.partition(" | ")
    assert re.match(rf"GALERA ({SERVICE_STATES}): ", text)
    assert "|" not in text + perfdata
    for word in perfdata.split():
        assert PERFDATA.fullmatch(word), word
    line.encode()
    return [word.partition("=")[0] for word in perfdata.split()]


@pytest.mark.parametrize("name", REPORTS)
def test_every_verdict_is_a_nagios_line(name: str) -> None:
    made = REPORTS[name]
    labels = assert_is_a_nagios_line(render_nagios(made.verdict, made.reading))
    assert set(labels) <= set(METRICS) & set(node_document(made)["reading"])


def test_with_a_warning_nagios_is_told_warning_and_never_ok() -> None:
    made, warnings = report(listed("pxc-5.7.txt")), ("the disk is nearly full: datadir /srv: 3 of 90 MiB free",)
    line = render_nagios(made.verdict, made.reading, warnings)
    assert line.startswith("GALERA WARNING: synced, the node is synced and answers queries; the disk is nearly full: ")
    assert nagios_code(made.verdict, warnings) == 1
    assert nagios_code(made.verdict, ()) == 0
    for code in Code:  # nothing worse becomes better
        verdict = judge(Unreadable(code), Policy())
        assert nagios_code(verdict, warnings) == max(verdict.exit_code, 1)


def test_a_nagios_line_reads_so() -> None:
    made = report(listed("pxc-5.7.txt"))
    assert render_nagios(made.verdict, made.reading) == (
        "GALERA OK: synced, the node is synced and answers queries | wsrep_local_state=4 wsrep_cluster_size=3 "
        "wsrep_ready=1 wsrep_last_committed=1734 wsrep_local_recv_queue=3 wsrep_local_send_queue=0 "
        "wsrep_flow_control_paused=0.000012 threads_connected=9"
    )


TEXTS = st.text() | st.text("|\n\r\x1b\udcff=; a", max_size=20)
NUMBERS = st.none() | st.integers(-(2**63), 2**64)
READINGS = st.builds(
    Reading,
    st.builds(
        WsrepStatus,
        wsrep_local_state=NUMBERS,
        wsrep_cluster_size=NUMBERS,
        wsrep_ready=st.none() | st.booleans(),
        wsrep_flow_control_paused=st.none() | st.floats(0, 1) | st.floats(allow_nan=False, allow_infinity=False),
    ),
    st.builds(Variables, pxc_maint_mode=st.none() | TEXTS),
)
FACTS = READINGS | st.builds(Unreadable, st.sampled_from(Code), TEXTS)
MAYBE_DISABLED = st.none() | st.builds(Withdrawal, TEXTS, TEXTS)


@given(FACTS, MAYBE_DISABLED)
def test_whatever_a_server_says_is_one_nagios_line(reading: Reading | Unreadable, disabled: Withdrawal | None) -> None:
    assert_is_a_nagios_line(render_nagios(judge(reading, Policy(), disabled), reading))


@given(st.lists(st.tuples(TEXTS, FACTS), max_size=4))
def test_whatever_the_members_say_is_one_nagios_line(members: list[tuple[str, Reading | Unreadable]]) -> None:
    answers = [by_sql(host, reading) for host, reading in members]
    labels = assert_is_a_nagios_line(render_nagios_cluster(answers, find_disagreements(answers)))
    assert labels == ["in_service"]


def test_a_cluster_s_nagios_line_reads_so() -> None:
    readings = [synced(), synced(read_only=True), Unreadable(Code.UNREACHABLE)]
    answers = [by_sql(f"db{n}", one) for n, one in enumerate(readings, 1)]
    assert render_nagios_cluster(answers, []) == (
        "GALERA CRITICAL: 2 of 3 in service, db2:3306 read-only, db3:3306 unreachable | in_service=2;;;0;3"
    )


def test_a_warning_of_a_member_is_a_warning_of_the_cluster() -> None:
    reading = synced()
    warned = MemberView(
        Member("db2", 3306), (judge_sql(reading, judge(reading, Policy()), 0.02, ("the disk | is nearly full",)),)
    )
    members = [by_sql("db1", reading), warned]
    assert render_nagios_cluster(members, []) == (
        "GALERA WARNING: 2 of 2 in service, db2:3306: the disk / is nearly full | in_service=2;;;0;2"
    )
    assert nagios_cluster_code(members, []) is NagiosCode.WARNING
    assert cluster_exit_code(members, []) is NagiosCode.OK
    broken = [*members, by_sql("db3", Unreadable(Code.UNREACHABLE))]
    assert nagios_cluster_code(broken, []) is NagiosCode.CRITICAL


COUNTERS = {"xha_requests_total": ("requests answered", 7)}


@pytest.mark.parametrize("name", REPORTS)
def test_every_verdict_is_read_by_prometheus(name: str) -> None:
    made = REPORTS[name]
    text = render_metrics(made, COUNTERS)
    assert text.endswith("\n")
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert all(family.documentation and family.type in ("gauge", "counter") for family in families.values())
    samples = {sample.name: sample for family in families.values() for sample in family.samples}
    assert samples["xha_available"].value == made.verdict.available
    assert samples["xha_live"].value == made.verdict.live
    off = made.withdrawal
    assert samples["xha_disabled"].value == bool(off and not off.drains)
    assert samples["xha_draining"].value == bool(off and off.drains)
    assert samples["xha_warnings"].value == len(made.warnings)
    assert samples["xha_reading_age_seconds"].value == pytest.approx(0.0421)
    assert samples["xha_verdict"].labels == {"code": made.verdict.code.value}
    assert samples["xha_requests_total"].value == 7


def test_commits_flow_control_disks_and_the_cluster_s_name_are_metrics() -> None:
    reading = listed("mariadb-10.11.txt", wsrep_cluster_name='a"b\\', wsrep_flow_control_paused_ns="1500000000")
    families = text_string_to_metric_families(render_metrics(report(reading, commits=COMMITS), {}))
    samples = {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}
    expected = {
        ("xha_cluster_info", 'a"b\\'): 1,
        ("xha_wsrep_flow_control_paused_ns_total",): 1.5e9,
        ("xha_wsrep_flow_control_active",): 0,
        ("xha_wsrep_flow_control_requested",): 0,
        ("xha_commits_known",): 1,
        ("xha_commit_probe_age_seconds",): 0.25,
        ("xha_commit_probe_seconds",): 0.0014,
        ("xha_disk_free_bytes", "datadir"): 3 << 20,
        ("xha_disk_free_bytes", "log_bin"): 3 << 20,
        ("xha_disk_size_bytes", "tmpdir"): 2,
    }
    assert {key: samples[key] for key in expected} == pytest.approx(expected)


@given(FACTS)
def test_whatever_a_server_says_is_read_by_prometheus(reading: Reading | Unreadable) -> None:
    samples = [
        one for family in text_string_to_metric_families(render_metrics(report(reading), {})) for one in family.samples
    ]
    values = {one.name: one.value for one in samples}
    if isinstance(reading, Reading) and reading.status.wsrep_local_state is not None:
        assert values["xha_wsrep_local_state"] == pytest.approx(reading.status.wsrep_local_state)
