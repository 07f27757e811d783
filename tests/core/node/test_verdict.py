"""Whether HAProxy may send traffic to a node, and why: the table of verdicts, written out a second time."""

from __future__ import annotations

import itertools
from typing import Any, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.facts import synced
from xha.core.galera.reading import (
    Departure,
    DonorEvidence,
    DonorKind,
    Reading,
    Variables,
    WsrepStatus,
    count_data_members,
)
from xha.core.node.verdict import RULES, Code, LastNode, Policy, Unreadable, Verdict, judge, judge_withdrawal
from xha.core.node.withdrawal import Withdrawal

SST = DonorEvidence(DonorKind.SST, "wsrep_sst_rsync, pid 4711")
LOCK = DonorEvidence(DonorKind.LOCK, "mariabackup, pid 4712")
BY_HAND = Withdrawal("ann", "new disk")
DRAIN = BY_HAND._replace(drains=True)
STRICT = Policy(available_when_donor=False, available_when_readonly=False, last_node=LastNode.NEVER)
LENIENT = Policy(available_when_donor=True, available_when_readonly=True, last_node=LastNode.NEVER)

# code: (HTTP of / and /ready, of /live, exit code of xha-check). "policy" is 503 unless the policy says otherwise.
TABLE = {
    "synced": (200, 200, 0),
    "donor": ("policy", 200, 1),
    "donor-sst": ("policy", 200, 1),
    "donor-lock": ("policy", 200, 1),
    "desynced": ("policy", 200, 1),
    "read-only": ("policy", 200, 1),
    "disabled": (503, 200, 1),
    # 404 where everything else is 503: tests/core/http/test_routes.py.
    "draining": (503, 200, 1),
    # Only at /writer: test_writer_rule.py.
    "not-writer": (503, 200, 1),
    "no-writer-known": (503, 200, 1),
    "maintenance": (503, 200, 1),
    "rejecting-queries": (503, 200, 2),
    "skip-networking": (503, 200, 2),
    # From the commits, which the responder follows: test_commit_rules.py.
    "cannot-commit": (503, 200, 2),
    "stalling": (503, 200, 2),
    "joining": (503, 200, 2),
    "starting": (503, 200, 2),
    "joined": (503, 200, 2),
    "evicted": (503, 200, 2),
    "disconnected": (503, 503, 2),
    "non-primary": (503, 503, 2),
    "not-ready": (503, 503, 2),
    "wsrep-off": (503, 503, 2),
    "hung": (503, 503, 2),
    "server-down": (503, 503, 2),
    "access-denied": (503, 503, 3),
    "out-of-resources": (503, 200, 2),
    "refused": (503, 200, 2),
    "too-many-connections": (503, 503, 3),
    "config-error": (503, 503, 3),
    # Only in the table of a whole cluster: a member that this host cannot reach.
    "unreachable": (503, 503, 2),
}

NODE = {
    "synced": synced(),
    "donor": synced(wsrep_local_state=2),
    "donor-sst": synced(wsrep_local_state=2, donor=SST),
    "donor-lock": synced(wsrep_local_state=2, donor=LOCK),
    "desynced": synced(wsrep_local_state=2, wsrep_desync=True),
    "read-only": synced(read_only=True),
    "disabled": synced(),
    "draining": synced(),
    "maintenance": synced(pxc_maint_mode="MAINTENANCE"),
    "rejecting-queries": synced(probe_errno=1047),
    "skip-networking": synced(skip_networking=True),
    "evicted": synced(wsrep_local_state=0, wsrep_connected=False, departure=Departure(True, "evicted out of it")),
    "disconnected": synced(wsrep_local_state=0, wsrep_connected=False, wsrep_cluster_status="Disconnected"),
    "joining": synced(wsrep_local_state=1, wsrep_ready=False, wsrep_cluster_status="non-Primary"),
    "joined": synced(wsrep_local_state=3, wsrep_ready=False),
    "non-primary": synced(wsrep_local_state=0, wsrep_ready=False, wsrep_cluster_status="non-Primary"),
    "not-ready": synced(wsrep_ready=False),
    "wsrep-off": synced(wsrep_on=False),
}

Facts = Union[Reading, Unreadable]


def status(good: bool) -> int:
    return 200 if good else 503


def node(code: str) -> tuple[Facts, Withdrawal | None]:
    return NODE.get(code, Unreadable(Code(code))), {"disabled": BY_HAND, "draining": DRAIN}.get(code)


def test_the_table_has_every_code_and_no_other() -> None:
    assert set(TABLE) == {code.value for code in Code} == {code.value for code in RULES}


@pytest.mark.parametrize("code", TABLE)
def test_a_strict_policy_gives_each_code_its_cells(code: str) -> None:
    ready, live, exit_code = TABLE[code]
    reading, disabled = node(code)
    verdict = judge(reading, STRICT, disabled)
    assert verdict.code.value == code
    assert status(verdict.available) == (503 if ready == "policy" else ready)
    assert status(verdict.live) == live
    assert verdict.exit_code == exit_code


@pytest.mark.parametrize("code", TABLE)
def test_a_lenient_policy_changes_only_what_depends_on_it(code: str) -> None:
    ready, live, exit_code = TABLE[code]
    reading, disabled = node(code)
    verdict = judge(reading, LENIENT, disabled)
    assert verdict.code.value == code
    assert status(verdict.available) == (200 if ready == "policy" else ready)
    assert (status(verdict.live), verdict.exit_code) == (live, exit_code)


@pytest.mark.parametrize("code", TABLE)
def test_every_verdict_has_a_sentence_and_every_fault_a_remedy(code: str) -> None:
    verdict = judge(node(code)[0], STRICT, node(code)[1])
    assert verdict.message
    assert bool(verdict.remedy) == (code != "synced")


def test_the_default_policy_refuses_donors_and_serves_read_only_nodes() -> None:
    assert Policy() == (False, True, LastNode.CLUSTER)
    assert not judge(NODE["donor"], Policy()).available
    assert judge(NODE["read-only"], Policy()).available


@pytest.mark.parametrize(
    ("reading", "disabled", "code"),
    [
        pytest.param(Unreadable(Code.HUNG), BY_HAND, "hung", id="drained, and the server froze"),
        pytest.param(Unreadable(Code.SERVER_DOWN), BY_HAND, "server-down", id="a dead server outranks the operator"),
        pytest.param(Unreadable(Code.CONFIG_ERROR), BY_HAND, "config-error", id="so does a configuration error"),
        pytest.param(NODE["non-primary"], BY_HAND, "non-primary", id="and so does a lost majority"),
        pytest.param(NODE["rejecting-queries"], BY_HAND, "rejecting-queries", id="and a node that rejects queries"),
        pytest.param(synced(wsrep_on=False, wsrep_local_state=None), None, "wsrep-off", id="no provider at all"),
        pytest.param(synced(wsrep_on=None, wsrep_local_state=None), None, "wsrep-off", id="no state: no Galera"),
        pytest.param(synced(wsrep_on=None), None, "synced", id="PXC 8.0 has no global wsrep_on, and is synced"),
        pytest.param(NODE["joining"], None, "joining", id="a joiner says non-Primary: the state is the truth"),
        pytest.param(
            synced(wsrep_local_state=4, wsrep_cluster_status="non-Primary"),
            None,
            "non-primary",
            id="a state not yet taken back does not hide the lost majority",
        ),
        pytest.param(
            synced(wsrep_local_state=0, wsrep_cluster_status="Disconnected"),
            None,
            "disconnected",
            id="no group is not a lost majority",
        ),
        pytest.param(
            synced(wsrep_connected=False), None, "disconnected", id="a state not yet taken back hides no loss"
        ),
        pytest.param(
            synced(
                wsrep_local_state=1,
                wsrep_ready=False,
                wsrep_cluster_status="non-Primary",
                wsrep_gcomm_uuid=None,
                wsrep_evs_state=None,
            ),
            None,
            "disconnected",
            id="joining, with no channel to its group any more",
        ),
        pytest.param(
            synced(wsrep_provider="none", wsrep_connected=False, wsrep_cluster_status="Disconnected"),
            None,
            "wsrep-off",
            id="wsrep_on without a provider is no Galera",
        ),
        pytest.param(synced(wsrep_on=False, wsrep_connected=False), None, "wsrep-off", id="no Galera has no group"),
        pytest.param(
            synced(wsrep_connected=False, departure=Departure(False, "Inconsistent")),
            None,
            "disconnected",
            id="what the server wrote of its leaving is no eviction",
        ),
        pytest.param(synced(departure=Departure(True)), None, "synced", id="an eviction of the past"),
        pytest.param(synced(wsrep_cluster_status=None), None, "not-ready", id="what is not said is not Primary"),
        pytest.param(synced(wsrep_ready=None), None, "not-ready", id="what is not said is not ready"),
        pytest.param(synced(wsrep_local_state=5), None, "not-ready", id="the error state of the provider"),
        pytest.param(synced(wsrep_local_state=7), None, "not-ready", id="a state of a future version"),
        pytest.param(synced(wsrep_reject_queries="ALL"), None, "rejecting-queries", id="ALL, all else green"),
        pytest.param(synced(wsrep_reject_queries="ALL_KILL"), None, "rejecting-queries", id="ALL_KILL"),
        pytest.param(
            synced(wsrep_local_state=2, wsrep_sst_donor_rejects_queries=True, probe_errno=1047),
            None,
            "rejecting-queries",
            id="a donor that rejects queries rejects queries",
        ),
        pytest.param(
            synced(wsrep_sst_donor_rejects_queries=True), None, "synced", id="only a donor's own variable rejects"
        ),
        pytest.param(synced(wsrep_local_state=None), None, "not-ready", id="Galera is on and does not say its state"),
        pytest.param(synced(probe_errno=1041), None, "out-of-resources", id="a query without memory"),
        pytest.param(synced(probe_errno=3032), None, "maintenance", id="offline_mode, met by a query"),
        pytest.param(synced(probe_errno=1184), None, "rejecting-queries", id="init_connect, met by a query"),
        pytest.param(synced(probe_errno=1045), None, "rejecting-queries", id="a query that is denied"),
        pytest.param(
            synced(offline_mode=True), None, "maintenance", id="offline_mode, which spares the accounts of operators"
        ),
        pytest.param(synced(skip_networking=True), BY_HAND, "skip-networking", id="no port outranks the operator"),
        pytest.param(
            synced(skip_networking=True, wsrep_ready=False), None, "not-ready", id="what ails the node outranks no port"
        ),
        pytest.param(synced(tx_read_only=True), None, "read-only", id="read-only as MariaDB before 11.1 says it"),
        pytest.param(
            synced(tx_read_only=None, transaction_read_only=True), None, "read-only", id="and as MySQL 8.0 says it"
        ),
        pytest.param(synced(innodb_read_only=True), None, "read-only", id="and as InnoDB says it"),
        pytest.param(
            synced(tx_read_only=None, transaction_read_only=False), None, "synced", id="one of the two names is enough"
        ),
        pytest.param(synced(pxc_maint_mode="SHUTDOWN"), None, "maintenance", id="PXC on its way down"),
        pytest.param(synced(pxc_maint_mode="DISABLED"), None, "synced", id="a mode DISABLED is none"),
        pytest.param(
            synced(pxc_maint_mode="MAINTENANCE"), BY_HAND, "disabled", id="who disabled it is named before maintenance"
        ),
        pytest.param(
            synced(wsrep_local_state=2, read_only=True), None, "donor", id="a read-only donor is first a donor"
        ),
        pytest.param(synced(wsrep_desync=True), None, "desynced", id="desync is ON before the state follows"),
        pytest.param(
            synced(wsrep_local_state=2, wsrep_desync=True, donor=SST),
            None,
            "desynced",
            id="an operator's desync is not called a donor",
        ),
    ],
)
def test_what_outranks_what(reading: Facts, disabled: Withdrawal | None, code: str) -> None:
    assert judge(reading, STRICT, disabled).code.value == code


@pytest.mark.parametrize(
    ("donor", "readonly", "reading", "code", "available"),
    [
        pytest.param(True, False, "both", "read-only", False, id="a read-only donor needs both: the refusal is named"),
        pytest.param(False, True, "both", "donor", False, id="a read-only donor needs both: donor refused"),
        pytest.param(True, True, "both", "donor", True, id="a read-only donor with both allowed serves"),
        pytest.param(True, False, "desynced", "desynced", True, id="available_when_donor is for desync too"),
        pytest.param(False, True, "desynced", "desynced", False, id="a desynced node is refused like a donor"),
    ],
)
def test_policy_has_the_word_over_donors_and_read_only_nodes(
    donor: bool, readonly: bool, reading: str, code: str, available: bool
) -> None:
    nodes = {**NODE, "both": synced(wsrep_local_state=2, read_only=True)}
    verdict = judge(nodes[reading], Policy(donor, readonly, LastNode.NEVER))
    assert (verdict.code.value, verdict.available, verdict.exit_code) == (code, available, 1)


RESCUE = [
    # (state of the node, cluster size, last_node, HAProxy says last) -> in service
    pytest.param("donor", 1, LastNode.CLUSTER, False, True, id="a donor alone in its cluster stays"),
    pytest.param("donor-lock", 1, LastNode.CLUSTER, False, True, id="a node under backup alone in its cluster stays"),
    pytest.param("read-only", 1, LastNode.CLUSTER, False, True, id="a read-only node alone in its cluster stays"),
    pytest.param("donor-sst", 2, LastNode.CLUSTER, False, True, id="a proven donor of two stays"),
    pytest.param("donor", 2, LastNode.CLUSTER, False, False, id="an unproven donor of two goes: it may be a backup"),
    pytest.param("donor-lock", 2, LastNode.CLUSTER, False, False, id="a node of two under backup goes"),
    pytest.param("read-only", 2, LastNode.CLUSTER, False, False, id="a read-only node of two goes"),
    pytest.param("donor-sst", 3, LastNode.CLUSTER, False, False, id="a donor of three goes: there is a third"),
    pytest.param("desynced", 1, LastNode.CLUSTER, False, False, id="an operator's desync is meant"),
    pytest.param("disabled", 1, LastNode.CLUSTER, False, False, id="so is disabling it"),
    pytest.param("maintenance", 1, LastNode.CLUSTER, False, False, id="so is maintenance"),
    pytest.param("rejecting-queries", 1, LastNode.CLUSTER, False, False, id="a node that rejects queries goes"),
    pytest.param("non-primary", 1, LastNode.HAPROXY, True, False, id="nor one without a majority"),
    pytest.param("hung", 1, LastNode.HAPROXY, True, False, id="nor one that does not answer"),
    pytest.param("donor", 1, LastNode.NEVER, True, False, id="last_node = 0: not even alone"),
    pytest.param("donor-sst", 2, LastNode.NEVER, True, False, id="last_node = 0: not even the joiner's only donor"),
    pytest.param("donor", 3, LastNode.CLUSTER, True, False, id="HAProxy's word does not count unasked"),
    pytest.param("donor", 3, LastNode.HAPROXY, True, True, id="HAProxy's word counts where asked"),
    pytest.param("read-only", 3, LastNode.HAPROXY, True, True, id="HAProxy's word counts for read-only nodes"),
    pytest.param("desynced", 3, LastNode.HAPROXY, True, False, id="HAProxy's word does not overrule the operator"),
    pytest.param("donor", 3, LastNode.HAPROXY, False, False, id="HAProxy has others: a donor goes"),
    pytest.param("donor", 1, LastNode.HAPROXY, False, True, id="with HAProxy asked, the cluster's size still counts"),
    pytest.param("donor-sst", 2, LastNode.HAPROXY, False, True, id="with HAProxy asked, a proven donor of two stays"),
    pytest.param("donor", None, LastNode.CLUSTER, False, False, id="an unknown size rescues nobody"),
]


@pytest.mark.parametrize(("code", "size", "rule", "last_server", "available"), RESCUE)
def test_the_last_node_stays_in_service(
    code: str, size: int | None, rule: LastNode, last_server: bool, available: bool
) -> None:
    reading, disabled = node(code)
    if isinstance(reading, Reading):
        reading = reading._replace(status=reading.status._replace(wsrep_cluster_size=size))
    verdict = judge(reading, STRICT._replace(last_node=rule), disabled, last_server)
    assert verdict.code.value == code
    assert verdict.available is available
    if available:
        assert verdict.exit_code == 1
        assert verdict.live
        assert "in service because" in verdict.message


@pytest.mark.parametrize(
    ("addresses", "size", "members"),
    [
        pytest.param("a:3306,b:3306,c:3306", 3, 3, id="three servers"),
        pytest.param("a:3306,b:3306,", 3, 2, id="two servers and an arbitrator, as measured"),
        pytest.param(",a:3306,b:3306", 3, 2, id="the arbitrator first: the order is that of random ids"),
        pytest.param("a:3306,", 2, 1, id="one server and an arbitrator"),
        pytest.param("a:3306,,", 3, 1, id="one server and two arbitrators"),
        pytest.param("AUTO,AUTO,", 3, 2, id="a server that does not know its address has data"),
        pytest.param("AUTO", 1, 1, id="alone, without an address"),
        pytest.param("a:3306, ,b:3306", 3, 2, id="blanks are no address"),
        pytest.param("a:3306,b:3306", 3, 3, id="a list that is not of this view: the size"),
        pytest.param("a:3306,b:3306,c:3306,d:3306", 3, 3, id="a list that is longer: the size"),
        pytest.param("", 1, 1, id="a list without an address: the size"),
        pytest.param(",,", 3, 3, id="no server at all in a list that a server sent: the size"),
        pytest.param(None, 2, 2, id="no list: the size"),
        pytest.param("a:3306", None, None, id="no size: not known"),
        pytest.param(None, None, None, id="nothing is known"),
    ],
)
def test_members_with_data_are_counted_and_arbitrators_are_not(
    addresses: str | None, size: int | None, members: int | None
) -> None:
    assert count_data_members(WsrepStatus(wsrep_incoming_addresses=addresses, wsrep_cluster_size=size)) == members


@pytest.mark.parametrize(
    ("addresses", "code", "available"),
    [
        pytest.param("a:3306,b:3306,", "donor-sst", True, id="two servers and an arbitrator: the donor stays"),
        pytest.param("a:3306,b:3306,c:3306", "donor-sst", False, id="a donor of three servers goes"),
        pytest.param("a:3306,,", "read-only", True, id="the only server among arbitrators stays"),
        pytest.param("a:3306,b:3306,", "read-only", False, id="a read-only node of two servers goes"),
    ],
)
def test_an_arbitrator_is_no_other_server(addresses: str, code: str, available: bool) -> None:
    reading = NODE[code]._replace(status=NODE[code].status._replace(wsrep_incoming_addresses=addresses))
    verdict = judge(reading, STRICT._replace(last_node=LastNode.CLUSTER))
    assert (verdict.code.value, verdict.available) == (code, available)


# What a synced node may lack: what not every server sends, and what is only shown. Without any other it is not-ready.
MAY_BE_ABSENT = {
    *("wsrep_on", "pxc_maint_mode", "offline_mode", "transaction_read_only", "innodb_read_only"),
    *("wsrep_sst_donor_rejects_queries", "wsrep_cluster_size", "wsrep_incoming_addresses", "bind_address"),
    *("wsrep_local_state_comment", "wsrep_cluster_state_uuid", "wsrep_cluster_conf_id", "wsrep_local_state_uuid"),
    *(
        "wsrep_cluster_weight",
        "wsrep_last_committed",
        "wsrep_local_cached_downto",
        "wsrep_local_index",
        "wsrep_local_recv_queue",
        "wsrep_local_send_queue",
    ),
    *("wsrep_flow_control_paused", "wsrep_flow_control_paused_ns", "wsrep_flow_control_sent"),
    *("wsrep_flow_control_recv", "wsrep_desync_count", "wsrep_gcomm_uuid"),
    *(
        "wsrep_evs_state",
        "wsrep_provider_version",
        "threads_connected",
        "uptime",
        "wsrep_sst_method",
    ),
    *("wsrep_cluster_address", "wsrep_cluster_name", "wsrep_node_name", "wsrep_node_address", "wsrep_provider"),
    *("max_connections", "datadir", "socket", "hostname", "port", "version", "wsrep_status_file", "log_error"),
    # Whether the node commits is not known without these (tests/core/node/test_commit_rules.py).
    *("wsrep_local_commits", "wsrep_flow_control_active", "wsrep_flow_control_requested", "handler_write"),
    *("handler_update", "handler_delete", "innodb_data_written", "binlog_bytes_written", "tmpdir"),
    *("log_bin_basename", "innodb_log_group_home_dir", "wsrep_replicated", "wsrep_replicated_bytes"),
    *("wsrep_received", "wsrep_received_bytes"),
}


def without(reading: Reading, name: str) -> Reading:
    if name in WsrepStatus._fields:
        return reading._replace(status=reading.status._replace(**{name: None}))
    return reading._replace(variables=reading.variables._replace(**{name: None}))


@pytest.mark.parametrize("name", WsrepStatus._fields + Variables._fields)
def test_a_field_that_is_absent_never_counts_as_a_good_one(name: str) -> None:
    reading = without(synced(), name)
    verdict = judge(reading, LENIENT)
    if name in MAY_BE_ABSENT:
        assert verdict.code.value == "synced"
        return
    assert (verdict.code.value, verdict.available) == ("not-ready", False)
    wanted = {"tx_read_only": "transaction_read_only"}.get(name, name)
    assert verdict.message.endswith(f": it does not say {wanted}")


@pytest.mark.parametrize("name", WsrepStatus._fields + Variables._fields)
@pytest.mark.parametrize("code", NODE)
def test_a_field_that_is_absent_makes_no_node_of_another_code_well(code: str, name: str) -> None:
    """What is absent may be what told the fault; then the others tell it, or the node was well without it."""
    reading, disabled = node(code)
    assert isinstance(reading, Reading)
    told = {"skip-networking": "skip_networking", "maintenance": "pxc_maint_mode", "wsrep-off": "wsrep_on"}
    verdict = judge(without(reading, name), STRICT, disabled)
    if code == "synced" or (told.get(code) == name and name in MAY_BE_ABSENT):
        return
    assert not verdict.available


@pytest.mark.parametrize(
    ("reading", "detail"),
    [
        pytest.param(synced(read_only=True), "read_only is ON", id="read_only"),
        pytest.param(synced(read_only=True, tx_read_only=True), "read_only and tx_read_only are ON", id="two of them"),
        pytest.param(synced(wsrep_ready=False), "wsrep_ready is OFF", id="not ready"),
        pytest.param(synced(wsrep_local_state=5), "wsrep_local_state is 5", id="a state that is none"),
        pytest.param(
            synced(wsrep_ready=None, read_only=None),
            "it does not say wsrep_ready, it does not say read_only",
            id="two that are not said",
        ),
        pytest.param(
            synced(wsrep_connected=False, departure=Departure(False, "disk full")), "disk full", id="why it left"
        ),
    ],
)
def test_the_message_names_what_it_is(reading: Reading, detail: str) -> None:
    assert judge(reading, STRICT).message.endswith(f": {detail}")
    assert detail in judge(reading, LENIENT).message


def test_a_read_only_proven_donor_of_two_is_rescued_from_both() -> None:
    reading = synced(wsrep_local_state=2, read_only=True, wsrep_cluster_size=2, donor=SST)
    verdict = judge(reading, STRICT._replace(last_node=LastNode.CLUSTER))
    assert (verdict.code.value, verdict.available) == ("donor-sst", True)


def test_a_desynced_read_only_node_is_not_rescued_by_its_read_only_half() -> None:
    reading = synced(wsrep_local_state=2, wsrep_desync=True, read_only=True, wsrep_cluster_size=1)
    assert not judge(reading, STRICT._replace(last_node=LastNode.CLUSTER)).available


def test_why_the_operator_disabled_it_is_told() -> None:
    assert judge(synced(), Policy(), BY_HAND).message.endswith(": new disk")
    assert judge_withdrawal(BY_HAND) == judge(synced(), Policy(), BY_HAND)
    assert judge(synced(), Policy(), Withdrawal()).message == judge_withdrawal(Withdrawal()).message


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


STATUS = st.builds(
    WsrepStatus,
    wsrep_local_state=maybe(st.integers(-1, 6)),
    wsrep_cluster_status=maybe(st.sampled_from(["Primary", "non-Primary", "Disconnected", "primary", ""])),
    wsrep_ready=maybe(st.booleans()),
    wsrep_connected=maybe(st.booleans()),
    wsrep_incoming_addresses=maybe(st.sampled_from(["a:1", "a:1,", "a:1,b:1", "a:1,b:1,", "AUTO,b:1,", "", ",,"])),
    wsrep_cluster_size=maybe(st.integers(0, 4)),
)
VARIABLES = st.builds(
    Variables,
    wsrep_on=maybe(st.booleans()),
    wsrep_desync=maybe(st.booleans()),
    wsrep_reject_queries=maybe(st.sampled_from(["NONE", "ALL", "ALL_KILL", ""])),
    pxc_maint_mode=maybe(st.sampled_from(["DISABLED", "SHUTDOWN", "MAINTENANCE", ""])),
    read_only=maybe(st.booleans()),
    tx_read_only=maybe(st.booleans()),
    transaction_read_only=maybe(st.booleans()),
    offline_mode=maybe(st.booleans()),
    skip_networking=maybe(st.booleans()),
)
READINGS = st.builds(
    Reading, STATUS, VARIABLES, st.sampled_from([0, 1, 1047, 1205]), st.sampled_from([None, SST, LOCK])
)
POLICIES = st.builds(Policy, st.booleans(), st.booleans(), st.sampled_from(LastNode))
DISABLED = st.sampled_from([None, BY_HAND, Withdrawal(), DRAIN])
ANY_FACTS = READINGS | st.builds(Unreadable, st.sampled_from(Code), st.text(max_size=20))


@given(ANY_FACTS, POLICIES, DISABLED, st.booleans())
def test_no_verdict_contradicts_the_table(
    reading: Facts, policy: Policy, disabled: Withdrawal | None, last_server: bool
) -> None:
    verdict = judge(reading, policy, disabled, last_server)
    ready, live, exit_code = TABLE[verdict.code.value]
    assert isinstance(verdict, Verdict)
    assert (status(verdict.live), verdict.exit_code) == (live, exit_code)
    assert ready == "policy" or isinstance(reading, Unreadable) or status(verdict.available) == ready
    assert verdict.available <= verdict.live


@given(READINGS, POLICIES, DISABLED, st.booleans())
def test_what_serves_is_a_primary_ready_answering_node_that_nobody_took_away(
    reading: Reading, policy: Policy, disabled: Withdrawal | None, last_server: bool
) -> None:
    if judge(reading, policy, disabled, last_server).available:
        assert reading.status.wsrep_local_state in (2, 4)
        assert reading.status.wsrep_cluster_status == "Primary"
        assert reading.status.wsrep_ready is True
        assert reading.probe_errno == 0
        assert reading.status.wsrep_connected is True
        assert reading.variables.wsrep_reject_queries == "NONE"
        assert reading.variables.skip_networking is False
        assert not reading.variables.offline_mode
        assert reading.variables.pxc_maint_mode in (None, "DISABLED")
        assert reading.variables.wsrep_on is not False
        assert disabled is None


@given(READINGS, DISABLED)
def test_a_more_lenient_policy_never_takes_a_node_out(reading: Reading, disabled: Withdrawal | None) -> None:
    switches = (False, True)
    for donor, readonly in itertools.product(switches, switches):
        strict = judge(reading, Policy(donor, readonly, LastNode.NEVER), disabled)
        for more_donor, more_readonly, rule in itertools.product(switches, switches, LastNode):
            if more_donor >= donor and more_readonly >= readonly:
                assert judge(reading, Policy(more_donor, more_readonly, rule), disabled).available >= strict.available
