"""From a keeper's facts to its position report: every state, and what a report must never say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.facts import NO_UUID, UUID, synced
from xha.core.election import rules as election
from xha.core.election.compose_report import NodeFacts, compose_report, last_view, note_view, reading_position
from xha.core.election.decision import RestoreView, Revive, Wait
from xha.core.election.facts import Around, Host, Records
from xha.core.election.position_report import PositionReport, State, parse_position_report, render_position_report
from xha.core.galera.lineage import Generation
from xha.core.galera.node_record import NodeRecord
from xha.core.galera.position import GvwState, Kind, Position, Standing, View
from xha.core.galera.reading import Reading

ME, YOU, THIRD = (f"{number}0000000-0000-0000-0000-000000000000" for number in (1, 2, 3))
VIEW = View(f"{ME} 7", (ME, YOU, THIRD))
LATER = View(f"{ME} 8", (ME, YOU, THIRD))
SAVED = GvwState(ME, VIEW)
LINE = (Generation("g1", "", 5, ("n1",)),)
RECORD = NodeRecord(LINE, VIEW, 10, ME)
NODES = ("n1", "n2", "n3")


def primary(**changes: Any) -> Reading:
    facts = {"wsrep_last_committed": 12, "wsrep_local_state_uuid": UUID, "wsrep_local_recv_queue": 0}
    return synced(**{**facts, "wsrep_gcomm_uuid": ME, "wsrep_local_index": 0, **changes})


def lost(index: int = 0, **changes: Any) -> Reading:
    """Two of three, without the third."""
    facts = {
        "wsrep_cluster_status": "non-Primary",
        "wsrep_local_state": 0,
        "wsrep_cluster_size": 2,
        "wsrep_local_index": index,
        "wsrep_gcomm_uuid": (ME, YOU)[index],
        "wsrep_incoming_addresses": "192.0.2.11:3306,192.0.2.12:3306",
    }
    return primary(**{**facts, **changes})


def report(state: State, **facts: Any) -> PositionReport:
    position_report = compose_report("n1", NodeFacts(state, **facts), epochs=("e1",), opens="e0", members=NODES)
    assert parse_position_report(render_position_report(position_report)) == position_report
    assert (position_report.node, position_report.state, position_report.opens, position_report.members) == (
        "n1",
        state,
        "e0",
        NODES,
    )
    return position_report


INTACT = Standing(Kind.INTACT, Position(UUID, 12))


def test_a_stopped_node_reports_what_recovery_found() -> None:
    position_report = report(
        State.STOPPED, record=RECORD, standing=INTACT, safe_to_bootstrap=True, boot_id="b1", addresses=("192.0.2.11",)
    )
    assert (position_report.kind, position_report.position, position_report.line) == (
        Kind.INTACT,
        Position(UUID, 12),
        LINE,
    )
    assert (position_report.safe_to_bootstrap, position_report.boot_id, position_report.addresses) == (
        True,
        "b1",
        ("192.0.2.11",),
    )
    assert (position_report.view, position_report.own_uuid, position_report.view_seqno) == (VIEW, ME, 10)
    assert (position_report.restorable, position_report.component, position_report.epochs) == (False, None, ("e1",))


@pytest.mark.parametrize(
    ("record", "saved", "known"),
    [
        pytest.param(RECORD, None, (VIEW, ME, 10), id="a clean stop removes gvwstate.dat"),
        pytest.param(RECORD, SAVED, (VIEW, ME, 10), id="a kill leaves it"),
        pytest.param(RECORD, GvwState(ME, LATER), (LATER, ME, -1), id="a view that the keeper did not live to note"),
        pytest.param(RECORD, GvwState(YOU, VIEW), (VIEW, YOU, -1), id="another life of the server"),
        pytest.param(NodeRecord(), SAVED, (VIEW, ME, -1), id="a server from before xha"),
        pytest.param(NodeRecord(), None, (None, "", -1), id="nothing at all"),
    ],
)
def test_the_last_view_is_the_newest_that_is_known(
    record: NodeRecord, saved: GvwState | None, known: tuple[View | None, str, int]
) -> None:
    assert last_view(record, saved) == known
    position_report = report(State.STOPPED, record=record, gvwstate=saved, standing=INTACT)
    assert (position_report.view, position_report.own_uuid, position_report.view_seqno) == known
    assert position_report.restorable is (saved is not None)


def test_a_view_file_of_somebody_else_is_not_restorable() -> None:
    stranger = GvwState("40000000-0000-0000-0000-000000000000", VIEW)
    assert not report(State.STOPPED, standing=INTACT, gvwstate=stranger).restorable


@pytest.mark.parametrize(
    ("record", "transfer", "superseded"),
    [
        (NodeRecord(), False, False),
        (NodeRecord(superseded=True), False, True),
        (NodeRecord(discarded=True), False, True),
        (NodeRecord(), True, True),
    ],
)
def test_data_that_gave_way_to_newer_ones_are_superseded(record: NodeRecord, transfer: bool, superseded: bool) -> None:
    assert report(State.STARTING, record=record, standing=INTACT, transfer=transfer).superseded is superseded


def test_an_inconsistent_node_says_so() -> None:
    assert report(State.STOPPED, record=NodeRecord(inconsistent=True), standing=INTACT).inconsistent


@pytest.mark.parametrize("state", [State.STARTING, State.RESTORING])
def test_a_server_that_starts_reports_where_it_starts_from(state: State) -> None:
    position_report = report(state, record=RECORD, standing=INTACT, gvwstate=SAVED)
    assert (position_report.kind, position_report.position, position_report.epochs) == (
        Kind.INTACT,
        Position(UUID, 12),
        ("e1",),
    )
    assert (position_report.component, position_report.own_uuid, position_report.restorable) == (None, ME, True)


def test_half_a_state_transfer_is_no_data_whatever_position_it_carries() -> None:
    position_report = report(State.STARTING, record=RECORD, standing=INTACT, reading=primary(), transfer=True)
    assert (position_report.kind, position_report.position) == (Kind.EMPTY, Position())


@pytest.mark.parametrize(
    ("state", "facts"),
    [
        pytest.param(State.STOPPED, {}, id="nothing recovered yet"),
        pytest.param(State.STARTING, {}, id="a server that somebody else launched"),
        pytest.param(State.PRIMARY, {}, id="Primary, and not asked yet"),
        pytest.param(State.PRIMARY, {"reading": primary(wsrep_last_committed=None)}, id="Primary without a position"),
    ],
)
def test_who_cannot_say_where_his_data_end_answers_nobody(state: State, facts: dict[str, Any]) -> None:
    position_report = report(state, record=RECORD, gvwstate=SAVED, **facts)
    assert (position_report.epochs, position_report.kind, position_report.position) == ((), Kind.UNKNOWN, Position())


@pytest.mark.parametrize("reading", [None, lost(wsrep_local_recv_queue=3)])
def test_without_a_primary_and_with_a_queue_the_position_is_not_the_end(reading: Reading | None) -> None:
    position_report = compose_report("n1", NodeFacts(State.NON_PRIMARY, RECORD, INTACT, reading, SAVED), epochs=("e1",))
    assert (position_report.state, position_report.position, position_report.epochs, position_report.component) == (
        State.STARTING,
        Position(),
        (),
        None,
    )


def test_a_member_of_a_primary_reports_what_it_has_applied() -> None:
    position_report = report(State.PRIMARY, record=RECORD, reading=primary(wsrep_local_recv_queue=4), gvwstate=SAVED)
    assert (position_report.kind, position_report.position) == (Kind.INTACT, Position(UUID, 12))
    assert (position_report.component, position_report.own_uuid, position_report.epochs) == (VIEW, ME, ("e1",))


def test_members_of_one_component_without_primary_know_each_other() -> None:
    mine = report(State.NON_PRIMARY, record=RECORD, reading=lost(), gvwstate=SAVED)
    yours = compose_report("n2", NodeFacts(State.NON_PRIMARY, reading=lost(1), gvwstate=GvwState(YOU, VIEW)))
    assert (mine.kind, mine.position) == (Kind.INTACT, Position(UUID, 12))
    assert mine.component is not None
    assert mine.component == yours.component
    assert {mine.own_uuid, yours.own_uuid} == set(mine.component.members)


def test_a_server_that_never_held_data_reports_none() -> None:
    reading = lost(wsrep_local_state_uuid=NO_UUID, wsrep_last_committed=-1)
    position_report = report(State.NON_PRIMARY, reading=reading)
    assert (position_report.kind, position_report.position, position_report.epochs) == (Kind.EMPTY, Position(), ("e1",))


@pytest.mark.parametrize(
    "changes",
    [
        {"wsrep_incoming_addresses": None},
        {"wsrep_local_index": None},
        {"wsrep_local_index": 2},
        {"wsrep_local_index": -1},
        {"wsrep_cluster_size": 3},
        {"wsrep_cluster_size": None},
    ],
    ids=str,
)
def test_a_component_that_does_not_add_up_is_none(changes: dict[str, Any]) -> None:
    position_report = report(State.NON_PRIMARY, record=RECORD, reading=lost(**changes), gvwstate=SAVED)
    assert (position_report.component, position_report.own_uuid) == (None, ME)


def elect(me: str, *position_reports: PositionReport, hosts: dict[str, Host] | None = None) -> Any:
    around = Around("e1", 1000.0, True, hosts=hosts or {})
    return election.elect(me, {one.node: one for one in position_reports}, NODES, Records(cluster=UUID), (), around)


def report_of(node: str, facts: NodeFacts) -> PositionReport:
    return compose_report(node, facts, epochs=("e1",), members=NODES)


def test_two_survivors_of_three_are_revived_by_the_first_once_the_third_is_fenced() -> None:
    mine = report_of("n1", NodeFacts(State.NON_PRIMARY, RECORD, reading=lost(), gvwstate=SAVED))
    yours = report_of("n2", NodeFacts(State.NON_PRIMARY, RECORD, reading=lost(1), gvwstate=GvwState(YOU, VIEW)))
    assert isinstance(elect("n1", mine, yours), Wait)
    fenced = {"n3": Host.FENCED}
    assert isinstance(elect("n1", mine, yours, hosts=fenced), Revive)
    assert isinstance(elect("n2", mine, yours, hosts=fenced), Wait)


def test_a_joiner_that_is_connected_and_silent_is_waited_for() -> None:
    addresses = "192.0.2.11:3306,192.0.2.12:3306,unspecified"
    both = [lost(index, wsrep_cluster_size=3, wsrep_incoming_addresses=addresses) for index in (0, 1)]
    mine = report_of("n1", NodeFacts(State.NON_PRIMARY, RECORD, reading=both[0], gvwstate=SAVED))
    yours = report_of("n2", NodeFacts(State.NON_PRIMARY, RECORD, reading=both[1], gvwstate=GvwState(YOU, VIEW)))
    decision = elect("n1", mine, yours, hosts={"n3": Host.FENCED})
    assert isinstance(decision, Wait)
    assert "connected here has not reported" in decision.reason


def test_after_a_power_cut_everybody_restores_the_last_view() -> None:
    position_reports = [
        report_of(node, NodeFacts(State.STOPPED, RECORD, INTACT, gvwstate=GvwState(uuid, VIEW)))
        for node, uuid in zip(NODES, VIEW.members)
    ]
    assert all(isinstance(elect(node, *position_reports), RestoreView) for node in NODES)


@pytest.mark.parametrize(
    ("record", "saved", "reading", "noted"),
    [
        pytest.param(NodeRecord(), SAVED, primary(), (VIEW, ME, -1), id="the view is met: its position comes later"),
        pytest.param(
            RECORD._replace(view_seqno=-1), SAVED, primary(), (VIEW, ME, 12), id="the next reading is of the view"
        ),
        pytest.param(RECORD, SAVED, primary(), (VIEW, ME, 10), id="once is enough"),
        pytest.param(RECORD, GvwState(ME, LATER), primary(), (LATER, ME, -1), id="a new view forgets the position"),
        pytest.param(RECORD, GvwState(YOU, VIEW), primary(wsrep_gcomm_uuid=YOU), (VIEW, YOU, -1), id="a new life"),
        pytest.param(RECORD, None, primary(), (VIEW, ME, 10), id="no file"),
    ],
)
def test_a_view_is_noted_and_then_its_position(
    record: NodeRecord, saved: GvwState | None, reading: Reading, noted: tuple[View, str, int]
) -> None:
    found = note_view(record, saved, reading)
    assert (found.view, found.own_uuid, found.view_seqno) == noted
    assert found._replace(view=None, own_uuid="", view_seqno=0) == record._replace(view=None, own_uuid="", view_seqno=0)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"wsrep_local_recv_queue": 1}, id="a queue"),
        pytest.param({"wsrep_local_recv_queue": None}, id="no word of the queue"),
        pytest.param({"wsrep_cluster_size": 2}, id="the view is not applied yet"),
        pytest.param({"wsrep_local_state": 1}, id="a joiner"),
        pytest.param({"wsrep_cluster_status": "non-Primary"}, id="no Primary"),
        pytest.param({"wsrep_gcomm_uuid": YOU}, id="a file of an older life"),
        pytest.param({"wsrep_gcomm_uuid": None}, id="no group UUID"),
        pytest.param({"wsrep_last_committed": None}, id="no position"),
        pytest.param({"wsrep_last_committed": -1}, id="a position of nothing"),
    ],
)
def test_only_a_settled_reading_gives_the_view_its_position(changes: dict[str, Any]) -> None:
    unsettled = RECORD._replace(view_seqno=-1)
    assert note_view(unsettled, SAVED, primary(**changes)) == unsettled


def test_a_position_is_the_last_applied_write_set() -> None:
    assert reading_position(primary(wsrep_local_state_uuid=UUID.upper())) == Position(UUID, 12)
    assert reading_position(None) == reading_position(primary(wsrep_local_state_uuid=None)) == Position()


READINGS = st.builds(
    primary,
    wsrep_local_recv_queue=st.sampled_from([None, 0, 3]),
    wsrep_last_committed=st.sampled_from([None, -1, 12]),
    wsrep_local_state=st.sampled_from([None, 0, 1, 2, 3, 4]),
    wsrep_cluster_status=st.sampled_from([None, "Primary", "non-Primary", "Disconnected"]),
    wsrep_incoming_addresses=st.sampled_from([None, "", "a:1", "a:1,,unspecified"]),
    wsrep_cluster_size=st.sampled_from([None, 0, 1, 3]),
    wsrep_local_index=st.sampled_from([None, 0, 2, 5]),
)
FACTS = st.builds(
    NodeFacts,
    state=st.sampled_from(State),
    record=st.sampled_from([NodeRecord(), RECORD, RECORD._replace(discarded=True)]),
    standing=st.sampled_from([None, INTACT, Standing(Kind.EMPTY), Standing(Kind.FOREIGN)]),
    reading=st.none() | READINGS,
    gvwstate=st.sampled_from([None, SAVED, GvwState(ME, LATER)]),
    safe_to_bootstrap=st.booleans(),
    transfer=st.booleans(),
)


@given(FACTS)
def test_whatever_is_known_the_report_is_whole_and_honest(facts: NodeFacts) -> None:
    position_report = compose_report("n1", facts, epochs=("e1",), members=NODES)
    assert parse_position_report(render_position_report(position_report)) == position_report
    if position_report.kind is Kind.INTACT:
        assert position_report.position.real
        assert position_report.epochs
        assert not facts.transfer
    if position_report.component is not None:
        assert position_report.own_uuid in position_report.component.members
    assert (position_report.state is facts.state) or facts.state is State.NON_PRIMARY
