"""Whether a node commits, and whether it stops the others: what was measured on real nodes, and properties."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.facts import synced
from core.kept import COMMIT_RECORD
from xha.core.galera.reading import Reading, Working, parse_threads
from xha.core.node.commit_record import FRESH_SECONDS, CommitRecord, believe, parse_commit_record, render_commit_record
from xha.core.node.commit_rules import judge_commits, judge_stall
from xha.core.node.commits import (
    NOT_KNOWN,
    Commits,
    LastProbe,
    Limits,
    Moment,
    ProbeState,
    Room,
    proves_itself,
    take_look,
    why_no_probe,
)
from xha.core.node.verdict import Code, LastNode, Policy, Unreadable, judge
from xha.core.node.withdrawal import Withdrawal

IDLE, NOW = Working(), 100.0
ALTER, DELETE = Working(ddl="ALTER"), Working(rows="Delete_rows_log_event::find_row()")
FULL = Room(("log_bin /srv/log",), 4096, 500 << 20)
LOW, ROOMY = Room(("datadir /srv",), 20 << 20, 500 << 20), Room(("datadir /srv",), 400 << 20, 500 << 20)


def moment(ago: float, **changes: Any) -> Moment:
    """A reading of a quiet node, so many seconds ago."""
    still = Moment(NOW - ago, False, False, 0, 0, 0, 755, 10, 0, (1, 2, 3), (4, 5), IDLE, 41, 3, 500, 5 << 20)
    return still._replace(**changes)


def stalled(seconds: int, **changes: Any) -> list[Moment]:
    """A node that requests flow control with 29 write sets in its queue, looked at each second."""
    changes = {"requested": True, "active": True, "queue": 29, **changes}
    return [moment(ago, **changes) for ago in range(seconds, -1, -1)]


def waiting(seconds: float, **changes: Any) -> LastProbe:
    """A probe that the group has ordered: it is the next after 40 write sets."""
    return LastProbe(ProbeState.WAITING, NOW - seconds, "", ordered=40)._replace(**changes)


def quiet(seconds: float, **changes: Any) -> list[Moment]:
    """A node without flow control, looked at five times a second."""
    return [moment(count / 5, **changes) for count in range(int(seconds * 5), -1, -1)]


STALLS = [
    pytest.param(stalled(6), True, "", id="a frozen binary log: nothing is applied for 6 s"),
    pytest.param(stalled(3), False, "flow control stops the whole cluster", id="for 3 s: a warning"),
    pytest.param(stalled(0), False, "", id="just now: the usual back and forth"),
    pytest.param([*stalled(6)[:-1], moment(0)], False, "", id="it is over"),
    pytest.param(
        [*stalled(6)[:-2], *stalled(1, position=756)], False, "flow control stops", id="something was applied"
    ),
    pytest.param(stalled(6, working=ALTER), False, "changes a definition (ALTER)", id="a long ALTER"),
    pytest.param(
        [one._replace(rows=(1, 2, count)) for count, one in enumerate(stalled(6, working=DELETE))],
        False,
        "large transaction (Delete_rows_log_event",
        id="a huge DELETE is applied",
    ),
    pytest.param(
        [one._replace(written=(count, 5)) for count, one in enumerate(stalled(6, working=DELETE))],
        False,
        "large transaction",
        id="and its pages are written",
    ),
    pytest.param(stalled(6, working=DELETE), True, "", id="an applier within a row that does not come further"),
    pytest.param(
        [one._replace(rows=(1, 2, count)) for count, one in enumerate(stalled(6))],
        True,
        "",
        id="appliers wait; clients who hang one after the other move the counters",
    ),
    pytest.param(stalled(6, working=None), False, "GRANT PROCESS", id="the account may not see the appliers"),
    pytest.param(
        stalled(6, working=DELETE, rows=(1, None, 3)), False, "does not count its rows", id="a counter is absent"
    ),
    pytest.param(stalled(6, requested=None), False, "", id="the server does not say who requests flow control"),
    pytest.param(stalled(6, position=None), False, "", id="nor how far it is"),
    pytest.param([one._replace(queue=0) for one in stalled(6)], False, "", id="an empty queue"),
    pytest.param(
        [one._replace(requested=False) for one in stalled(6)], False, "", id="another node requests it: not ours"
    ),
    pytest.param([], False, "", id="nobody has looked"),
]


@pytest.mark.parametrize(("looks", "red", "warning"), STALLS)
def test_a_node_is_stalling_if_it_requests_flow_control_and_applies_nothing(
    looks: list[Moment], red: bool, warning: str
) -> None:
    why, said = judge_stall(looks, 5.0)
    assert bool(why) is red
    assert warning in said
    assert bool(said) == bool(warning)
    commits = judge_commits(looks, LastProbe(), (), NOW)
    assert commits.code is (Code.STALLING if red else None)


PROBES = [
    pytest.param(quiet(1.2), waiting(1), True, "", id="late, and nothing moves: a frozen or full binary log"),
    pytest.param(quiet(1.2), waiting(0.5), False, "", id="not late yet"),
    pytest.param(quiet(0.2), waiting(3), False, "not been late for long enough", id="only just looked at"),
    pytest.param([], waiting(3), False, "no reading of the server since", id="nobody has looked since"),
    pytest.param(
        quiet(3, active=True), waiting(3), False, "another node's flow control", id="somebody else's stall is no fault"
    ),
    pytest.param(
        [*quiet(3)[:-1], moment(0, active=True)],
        waiting(3),
        False,
        "another node's flow control",
        id="nor where it has begun since",
    ),
    pytest.param(
        quiet(3, active=True), waiting(3, convicted=True), True, "", id="but the same statement was late before that"
    ),
    pytest.param(quiet(3, active=None), waiting(3), False, "does not say whether", id="an old server says nothing"),
    pytest.param(
        [*quiet(3)[:-1], moment(0, position=756)], waiting(3), False, "other commits succeed", id="others commit"
    ),
    pytest.param(quiet(3, working=ALTER), waiting(3), False, "ALTER", id="a definition changes: all commits wait"),
    pytest.param(
        [one._replace(rows=(1, 2, count)) for count, one in enumerate(quiet(3, working=DELETE))],
        waiting(3),
        False,
        "large transaction",
        id="an applier works on what is before it (2.7 s, measured)",
    ),
    pytest.param(quiet(3, working=None), waiting(3), False, "GRANT PROCESS", id="nobody knows what is before it"),
    pytest.param(
        [one._replace(written=(count, 5)) for count, one in enumerate(quiet(3))],
        waiting(3),
        False,
        "still writes",
        id="a large commit of this node is being written",
    ),
    pytest.param(quiet(3, written=(None, 0)), waiting(3), False, "does not say whether it", id="or nobody knows"),
    pytest.param(quiet(3, sending=2), waiting(3), False, "still writes", id="or sent"),
    pytest.param(
        quiet(3),
        waiting(3, ordered=41),
        False,
        "the group orders no write set",
        id="a member has died, and the others wait for it (6 s, measured)",
    ),
    pytest.param(
        [moment(4, position=754, sets=499, size=3 << 20), *quiet(3)],
        waiting(3),
        False,
        "a write set of 2 MiB may be before it",
        id="a huge transaction is certified: nothing tells of it (5 s for 12 MB, measured)",
    ),
    pytest.param(
        [moment(4, position=754, sets=100, size=3 << 20), *quiet(3)], waiting(3), True, "", id="not of many small ones"
    ),
    pytest.param([moment(9, position=754, sets=499, size=3 << 20), *quiet(8)], waiting(8), True, "", id="not for ever"),
    pytest.param(quiet(3, size=None), waiting(3), False, "how large", id="nobody knows how large the last ones were"),
    pytest.param(
        [one._replace(rows=(1, 2, count), working=DELETE) for count, one in enumerate(quiet(3))],
        waiting(3, convicted=True),
        False,
        "large transaction",
        id="it was found late, and then an applier works",
    ),
    pytest.param(
        [*quiet(3)[:-1], moment(0, position=756)],
        waiting(3, convicted=True),
        False,
        "other commits succeed",
        id="or others commit",
    ),
    pytest.param(quiet(3, ordered=3), waiting(3), False, "orders no write set", id="the server counts anew"),
    pytest.param(quiet(3, ordered=None), waiting(3), False, "not known whether the group", id="nor known if it has"),
    pytest.param(quiet(3), waiting(3, ordered=None), False, "not known whether the group", id="an earlier process's"),
    pytest.param(quiet(3, members=1), waiting(3, ordered=None), True, "", id="a lone node waits for nobody"),
    pytest.param(quiet(3, members=None), waiting(3, ordered=41), False, "another member", id="nobody says it is alone"),
    pytest.param(
        quiet(3),
        LastProbe(ProbeState.FAILED, NOW, "disk full (error 1021)"),
        True,
        "",
        id="the server said that it failed",
    ),
    pytest.param(quiet(3), LastProbe(ProbeState.AGAIN, NOW, "a lock"), False, "", id="a lock on the row is no fault"),
    pytest.param(quiet(3), LastProbe(ProbeState.NONE, NOW, "no table"), False, "", id="no probe, and no fault"),
]


@pytest.mark.parametrize(("looks", "probe", "red", "warning"), PROBES)
def test_a_late_probe_is_this_nodes_fault_only_where_nothing_else_explains_it(
    looks: list[Moment], probe: LastProbe, red: bool, warning: str
) -> None:
    commits = judge_commits(looks, probe, (), NOW)
    assert commits.code is (Code.CANNOT_COMMIT if red else None)
    assert warning in " ".join(commits.warnings)
    assert bool(commits.warnings) == bool(warning)


@pytest.mark.parametrize(
    ("looks", "probe", "unknown"),
    [
        pytest.param(
            quiet(1), LastProbe(ProbeState.DONE, NOW - 1, "", NOW - 1, 0.002), "", id="the probe has committed"
        ),
        pytest.param(
            [moment(1, own=10), moment(0, own=20)], LastProbe(text="clients"), "", id="clients commit, no probe is sent"
        ),
        pytest.param(quiet(1), LastProbe(text="no table xha.canary"), "no table xha.canary", id="neither"),
        pytest.param(
            quiet(1), LastProbe(ProbeState.DONE, NOW - 9, "", NOW - 9), "the last probe is too old", id="long ago"
        ),
        pytest.param([], LastProbe(), "no probe has been sent yet", id="nobody has looked"),
        pytest.param(quiet(3, active=True), waiting(3), "the probe waits since 3.0 s", id="it waits"),
    ],
)
def test_what_is_not_proven_is_not_known_and_says_why(looks: list[Moment], probe: LastProbe, unknown: str) -> None:
    commits = judge_commits(looks, probe, (), NOW)
    assert commits.unknown == unknown
    assert commits.code is None


def test_the_disk_without_room_is_named_and_a_low_one_is_a_warning() -> None:
    red = judge_commits(quiet(2), waiting(2), (FULL, ROOMY), NOW)
    assert red.detail == "a commit waits since 2.0 s; no room on log_bin /srv/log: 0 of 500 MiB free"
    assert judge_commits(stalled(6), LastProbe(), (FULL,), NOW).detail.endswith(": 0 of 500 MiB free")
    datadir = LOW._replace(free=0)
    named = (
        "datadir /srv: 0 of 500 MiB free: rows that need a new page are refused (error 1114), in which tables is not"
    )
    assert judge_commits(quiet(2), LastProbe(), (datadir,), NOW).warnings == (
        f"the disk is nearly full: {named} known",
    )
    low = judge_commits(quiet(2), LastProbe(), (LOW, ROOMY), NOW)
    assert (low.code, low.warnings) == (None, ("the disk is nearly full: datadir /srv: 20 of 500 MiB free",))


@pytest.mark.parametrize(
    ("paused", "warns"),
    [
        pytest.param((0, 6_000_000_000), True, id="6 of the last 10 s"),
        pytest.param((0, 4_000_000_000), False, id="4 of the last 10 s: usual under load"),
        pytest.param((9_000_000_000, 0), False, id="FLUSH STATUS has set it back"),
        pytest.param((None, 6_000_000_000), False, id="it was not said before"),
        pytest.param((0, None), False, id="or is not said"),
    ],
)
def test_flow_control_is_a_warning_where_it_held_for_half_of_the_time(
    paused: tuple[int | None, int | None], warns: bool
) -> None:
    looks = [moment(10, paused_ns=paused[0]), moment(0, paused_ns=paused[1])]
    commits = judge_commits(looks, LastProbe(), (), NOW)
    assert commits.code is None
    assert bool(commits.warnings) is warns
    assert all("flow control stopped all commits for 6 of the last 10 s" in one for one in commits.warnings)


@pytest.mark.parametrize(
    ("own", "probes", "proven"),
    [
        pytest.param((10, 13), (0, 0), True, id="three commits of clients"),
        pytest.param((10, 11), (0, 0), False, id="one may be a probe that was under way"),
        pytest.param((10, 12), (0, 1), False, id="one is, and one may be"),
        pytest.param((10, 10), (0, 0), False, id="none"),
        pytest.param((None, 12), (0, 0), False, id="not said"),
    ],
)
def test_commits_of_clients_prove_it_and_those_of_the_probe_do_not(
    own: tuple[int | None, int], probes: tuple[int, int], proven: bool
) -> None:
    pair = [moment(1, own=own[0], probes=probes[0]), moment(0, own=own[1], probes=probes[1])]
    assert proves_itself(pair) is proven
    assert not proves_itself(pair[:1])


@pytest.mark.parametrize(
    ("reading", "disabled", "why"),
    [
        pytest.param(synced(), False, "", id="a synced node is written to"),
        pytest.param(synced(), True, "disabled", id="disabled"),
        pytest.param(synced(read_only=True), False, "read-only", id="read-only"),
        pytest.param(synced(read_only=None), False, "not known whether", id="not known whether it is"),
        pytest.param(
            synced(wsrep_local_state=2, wsrep_local_state_comment="Donor/Desynced"), False, "Donor", id="donor"
        ),
        pytest.param(synced(wsrep_desync=True), False, "desynced", id="desynced"),
        pytest.param(synced(pxc_maint_mode="MAINTENANCE"), False, "maintenance", id="maintenance"),
        pytest.param(synced(probe_errno=1047), False, "rejects", id="rejecting queries"),
        pytest.param(synced(wsrep_cluster_status="non-Primary"), False, "Synced", id="without a majority"),
    ],
)
def test_only_a_node_that_takes_writes_is_written_to(reading: Reading, disabled: bool, why: str) -> None:
    assert why in why_no_probe(reading, disabled)
    assert bool(why_no_probe(reading, disabled)) == bool(why)


RED = Commits(Code.CANNOT_COMMIT, "a commit waits since 2.0 s", (), "")
STRICT = Policy(available_when_donor=True, available_when_readonly=True, last_node=LastNode.HAPROXY)


@pytest.mark.parametrize("code", [Code.CANNOT_COMMIT, Code.STALLING])
def test_such_a_node_is_out_and_need_not_be_killed(code: Code) -> None:
    verdict = judge(synced(wsrep_cluster_size=1), STRICT, None, True, RED._replace(code=code))
    assert (verdict.code, verdict.available, verdict.live, verdict.exit_code) == (code, False, True, 2)
    assert verdict.message.endswith(": a commit waits since 2.0 s")


@pytest.mark.parametrize(
    ("reading", "disabled", "code"),
    [
        pytest.param(synced(), Withdrawal("ann", "disk"), "cannot-commit", id="a broken node outranks a disabled one"),
        pytest.param(synced(read_only=True), None, "cannot-commit", id="and a read-only one"),
        pytest.param(synced(wsrep_cluster_status="non-Primary"), None, "non-primary", id="a lost majority outranks it"),
        pytest.param(synced(probe_errno=1047), None, "rejecting-queries", id="and so does a node that rejects queries"),
        pytest.param(Unreadable(Code.HUNG), None, "hung", id="and a server that does not answer"),
    ],
)
def test_what_outranks_what(reading: Reading | Unreadable, disabled: Withdrawal | None, code: str) -> None:
    assert judge(reading, Policy(), disabled, commits=RED).code.value == code


MAYBE = st.none() | st.integers(0, 3)
FLAGS = st.none() | st.booleans()
WORKING = st.none() | st.sampled_from([IDLE, ALTER, DELETE])
MOMENTS = st.builds(
    Moment,
    st.integers(80, 100).map(float),
    FLAGS,
    FLAGS,
    MAYBE,
    MAYBE,
    MAYBE,
    MAYBE,
    MAYBE,
    st.integers(0, 3),
    st.tuples(MAYBE, MAYBE, MAYBE),
    st.tuples(MAYBE, st.integers(0, 3)),
    WORKING,
    MAYBE,
    MAYBE,
    MAYBE,
    MAYBE,
)
LOOKS = st.lists(MOMENTS, max_size=8).map(lambda looks: sorted(looks, key=lambda one: one.at))
LAST_PROBES = st.builds(
    LastProbe,
    st.sampled_from(ProbeState),
    st.integers(80, 100).map(float),
    st.text(max_size=5),
    st.none(),
    st.none(),
    st.just(False),
    MAYBE,
)


@given(LOOKS, LAST_PROBES)
def test_what_is_unknown_makes_no_node_red(looks: list[Moment], probe: LastProbe) -> None:
    commits = judge_commits(looks, probe, (), NOW)
    if commits.code is None or probe.state is ProbeState.FAILED:
        return
    last = looks[-1]
    assert None not in (last.requested, last.position, last.working)
    assert commits.detail
    assert commits.unknown == ""
    if commits.code is Code.STALLING:
        assert last.requested
        assert last.queue
    else:
        since = [one for one in looks if one.at >= probe.since]
        assert not any(one.active or one.requested for one in since)
        assert last.members == 1 or (last.ordered or 0) > (probe.ordered or 0)


@given(LOOKS, st.integers(80, 100).map(float))
def test_while_another_node_requests_flow_control_a_late_probe_makes_nobody_red(
    looks: list[Moment], since: float
) -> None:
    elsewhere = [one._replace(active=True, requested=False) for one in looks]
    assert judge_commits(elsewhere, LastProbe(ProbeState.WAITING, since, ""), (), NOW).code is None


@given(LOOKS, LAST_PROBES)
def test_the_longer_the_patience_the_fewer_are_red(looks: list[Moment], probe: LastProbe) -> None:
    patient = judge_commits(looks, probe, (), NOW, Limits(1000.0, 1000.0))
    if probe.state is not ProbeState.FAILED:
        assert patient.code is None


def test_a_look_has_what_a_real_listing_has() -> None:
    reading = synced(
        wsrep_last_committed=7, wsrep_local_recv_queue=2, wsrep_flow_control_requested=True, handler_delete=3
    )
    look = take_look(reading, 5.0, 4)
    assert (look.at, look.position, look.queue, look.requested, look.probes) == (5.0, 7, 2, True, 4)
    assert look.rows == (None, None, 3)


SYSTEM = "system user"


@pytest.mark.parametrize(
    ("rows", "working"),
    [
        pytest.param([], None, id="an account without PROCESS sees nobody's"),
        pytest.param([("app", "altering table", "ALTER")], None, id="only its own"),
        pytest.param([(SYSTEM, "wsrep aborter idle", ""), (SYSTEM, "Commit", "")], IDLE, id="healthy, or a frozen log"),
        pytest.param([(SYSTEM, "Waiting for certification", "")], IDLE, id="behind a commit that hangs"),
        pytest.param([(SYSTEM, "Waiting to execute in isolation", "")], IDLE, id="behind LOCK TABLES"),
        pytest.param([(SYSTEM, None, "")], IDLE, id="no state"),
        pytest.param([(SYSTEM, "Delete_rows_log_event::find_row()", "")], DELETE, id="a row is applied"),
        pytest.param([(SYSTEM, "altering table", "ALTER")], ALTER, id="a definition is applied"),
        pytest.param([(SYSTEM, "", ""), ("app", "copy to tmp table", "ALTER")], ALTER, id="a client changes one"),
        pytest.param(
            [(SYSTEM, "", ""), ("app", "Waiting for table metadata lock", "ALTER")],
            IDLE,
            id="one that waits does nothing",
        ),
        pytest.param(
            [(SYSTEM, "Committing alter table to storage engine", "ALTER")], ALTER, id="it begins as a state that waits"
        ),
    ],
)
def test_what_threads_do_is_read_from_their_states(
    rows: list[tuple[str | None, str | None, str | None]], working: Working | None
) -> None:
    assert parse_threads(rows) == working


def test_a_record_is_read_as_it_was_written() -> None:
    assert parse_commit_record(render_commit_record(COMMIT_RECORD)) == COMMIT_RECORD


@pytest.mark.parametrize(
    ("server", "now", "believed"),
    [
        pytest.param(COMMIT_RECORD.server, COMMIT_RECORD.at + 4.9, True, id="fresh, and of this server"),
        pytest.param(COMMIT_RECORD.server, COMMIT_RECORD.at + FRESH_SECONDS + 0.1, False, id="old"),
        pytest.param(COMMIT_RECORD.server, COMMIT_RECORD.at - 1, False, id="of the future: another boot"),
        pytest.param("another", COMMIT_RECORD.at, False, id="of another server, or of this one before its restart"),
        pytest.param(None, COMMIT_RECORD.at, False, id="the server has no name"),
    ],
)
def test_only_a_fresh_record_of_the_same_server_is_believed(server: str | None, now: float, believed: bool) -> None:
    commits = believe(COMMIT_RECORD, server, now)
    assert (commits == COMMIT_RECORD.commits) is believed
    assert believed or (commits.code is None and commits.unknown)


def test_an_empty_name_is_no_server() -> None:
    assert believe(CommitRecord(RED, NOW, ""), "", NOW).code is None
    assert NOT_KNOWN.unknown
