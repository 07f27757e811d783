"""Composes a node's position report from what its keeper knows, and updates the record that its data go by."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..galera.node_record import NodeRecord
from ..galera.position import NO_SEQNO, NO_UUID, Kind, Position, Standing, View, classify
from ..galera.reading import LocalState
from ..text.escape import clean
from .position_report import PositionReport, State

if TYPE_CHECKING:
    from ..galera.position import GraState, GvwState
    from ..galera.reading import Reading
    from ..galera.server_options import Ports

TROUBLE_LENGTH = 400
_RUNS_IN_GROUP = (State.NON_PRIMARY, State.PRIMARY)
_HOLDS_ITS_DATA = (LocalState.DONOR, LocalState.JOINED, LocalState.SYNCED)


class NodeFacts(NamedTuple):
    """What one keeper knows about its own host.

    state: what runs or is about to run. A report that is retracted for a launch says STARTING or RESTORING.
    standing: for a stopped server, what recovery found; for a starting one, what it was launched with. None means that
      nobody has looked, for example at a server that somebody else launched. A standing with a cause means that nobody
      could look.
    reading: the last reading of the running server.
    gvwstate: the content of gvwstate.dat now, None if there is no such file.
    safe_to_bootstrap: the flag in grastate.dat.
    transfer: the server is receiving a state transfer.
    ports: those that the server listens on, by its options.
    evicted: the group has shut the running server out.
    """

    state: State
    record: NodeRecord = NodeRecord()
    standing: Standing | None = None
    reading: Reading | None = None
    gvwstate: GvwState | None = None
    safe_to_bootstrap: bool = False
    transfer: bool = False
    boot_id: str = ""
    addresses: tuple[str, ...] = ()
    ports: Ports | None = None
    evicted: bool = False


def compose_report(
    me: str,
    facts: NodeFacts,
    *,
    epochs: tuple[str, ...] = (),
    opens: str = "",
    members: tuple[str, ...] = (),
) -> PositionReport:
    """Return this node's report. It answers no epoch while the node cannot say where its data end.

    trouble is also set for a Primary that no longer replicates. Such a server still answers epochs, but its data are in
    doubt once it stops.

    A server without a Primary that is still applying write sets reports STARTING. Its position is not yet the end of
    its data, so no node, itself included, may judge it by that position. Of an evicted one everybody knows that.
    """
    record, state = facts.record, _state(facts)
    standing = _standing(facts, state) or Standing(Kind.UNKNOWN)
    view, own_uuid, view_seqno = last_view(record, facts.gvwstate)
    component, place = _component(facts, state)
    return PositionReport(
        node=me,
        state=state,
        kind=standing.kind,
        position=standing.position,
        line=record.line,
        safe_to_bootstrap=facts.safe_to_bootstrap,
        inconsistent=record.inconsistent,
        superseded=record.superseded or record.discarded or facts.transfer,
        own_uuid=place or own_uuid,
        view=view,
        view_seqno=view_seqno,
        # Nobody waits until an evicted server's view is set aside: its keeper does that before the server joins.
        restorable=facts.gvwstate is not None and facts.gvwstate.restorable and not _is_evicted(facts),
        component=component,
        boot_id=facts.boot_id,
        addresses=facts.addresses,
        members=members,
        epochs=() if standing.kind is Kind.UNKNOWN else epochs,
        opens=opens,
        trouble=clean(standing.cause or _tell_unreplicated(facts.reading), TROUBLE_LENGTH),
        ports=facts.ports,
        evicted=_is_evicted(facts),
    )


def give_up(report: PositionReport, reason: str) -> PositionReport:
    """Return the last report of a keeper that gives up: it answers no epoch, and it gives the reason."""
    trouble = clean(f"its keeper gave up: {reason}", TROUBLE_LENGTH)
    return report._replace(kind=Kind.UNKNOWN, position=Position(), epochs=(), opens="", trouble=trouble)


def is_unreplicated(reading: Reading | None) -> bool:
    """Return whether a server says that it runs without Galera, so that its writes reach no other member.

    Percona XtraDB Cluster has no global wsrep_on. A variable that was not read says nothing, and counts as replicated.
    """
    variables = reading.variables if reading else None
    return variables is not None and (variables.wsrep_on is False or variables.wsrep_provider in ("", "none"))


def _tell_unreplicated(reading: Reading | None) -> str:
    if reading is None or not is_unreplicated(reading):
        return ""
    how = "wsrep_on=OFF" if reading.variables.wsrep_on is False else "no wsrep_provider"
    return f"its server runs without replication ({how}): what is written there reaches no other member"


def note_view(record: NodeRecord, gvwstate: GvwState | None, reading: Reading) -> NodeRecord:
    """Return the record with the server's last Primary view, and with a position that was read in that view.

    A server that has lost its Primary keeps gvwstate.dat as that view wrote it. The caller takes reading before it
    reads gvwstate. So the first call for a view records only the view, and the position comes from a later reading,
    taken after the view began.

    One such position is enough: a node outside of the view acknowledged nothing after the view had begun. The position
    counts only when wsrep_cluster_size equals the size of the view. At that moment all write sets from before the view
    are applied, including those that several appliers were working on: Galera drains the appliers before it installs a
    view.
    """
    status = reading.status
    if gvwstate is None or status.wsrep_gcomm_uuid is None:
        return record
    if status.wsrep_gcomm_uuid.lower() != gvwstate.own_uuid:
        return record
    if (record.view, record.own_uuid) != (gvwstate.view, gvwstate.own_uuid):
        return record._replace(view=gvwstate.view, own_uuid=gvwstate.own_uuid, view_seqno=NO_SEQNO)
    settled = status.wsrep_local_recv_queue == 0 and status.wsrep_local_state in _HOLDS_ITS_DATA
    settled = settled and status.wsrep_cluster_status == "Primary"
    settled = settled and status.wsrep_cluster_size == len(gvwstate.view.members)
    position = reading_position(reading)
    if record.view_seqno != NO_SEQNO or not settled or not position.real:
        return record
    return record._replace(view_seqno=position.seqno)


def reading_position(reading: Reading | None) -> Position:
    """Return the last write set that a running server has applied, or no position if the server does not say."""
    status = reading.status if reading else None
    if status is None or status.wsrep_local_state_uuid is None or status.wsrep_last_committed is None:
        return Position()
    position = Position(status.wsrep_local_state_uuid.lower(), status.wsrep_last_committed)
    return position if position.real else Position()


def last_view(record: NodeRecord, gvwstate: GvwState | None) -> tuple[View | None, str, int]:
    """Return the last Primary view, the node's group UUID in it, and the position that was read in it.

    gvwstate.dat is always as new as the view. A clean stop removes the file; then the record has the view.
    """
    if gvwstate is None:
        return record.view, record.own_uuid, record.view_seqno
    same = (record.view, record.own_uuid) == (gvwstate.view, gvwstate.own_uuid)
    return gvwstate.view, gvwstate.own_uuid, record.view_seqno if same else NO_SEQNO


def choose_record(
    record: NodeRecord | None, joining: NodeRecord | None, grastate: GraState | None, *, transfer_begun: bool
) -> NodeRecord:
    """Return the record beside the data; of data that a join has brought since, what was to be recorded of them.

    A join that swept the record away and brought nothing leaves that whatever was here is in the cluster.
    """
    arrived = grastate is not None and grastate.uuid != NO_UUID and not transfer_begun
    return record or (joining if arrived else None) or NodeRecord(superseded=joining is not None)


def close_record(
    record: NodeRecord | None,
    joining: NodeRecord | None,
    grastate: GraState,
    gvwstate: GvwState | None,
    *,
    transfer_begun: bool,
) -> NodeRecord:
    """Return the record of data that a clean stop has left at the position of grastate.

    gvwstate: gvwstate.dat as it was while the server ran. A clean stop removes the file, and the keeper may not have
    seen the last view: it looks once a second, and writes nothing down while Pacemaker does not answer.
    """
    chosen = choose_record(record, joining, grastate, transfer_begun=transfer_begun)
    view, own_uuid, view_seqno = last_view(chosen, gvwstate)
    position = Position(grastate.uuid, grastate.seqno)
    return chosen._replace(view=view, own_uuid=own_uuid, view_seqno=view_seqno, clean_stop=position)


def judge_data(
    record: NodeRecord,
    grastate: GraState | None,
    recovered: Position | None,
    *,
    user_schemas: bool,
    transfer_begun: bool,
) -> tuple[Standing, NodeRecord]:
    """Return what the data are worth, and the record as it is from now on.

    recovered: None where no recovery was run, since the data cannot have an end or were given up. Half a copy is empty,
    and what was there before it is not missed.
    """
    standing = classify(
        grastate,
        recovered,
        user_schemas,
        clean_stop=record.clean_stop,
        transfer_begun=transfer_begun,
        discarded=record.discarded,
    )
    half = transfer_begun and standing.kind is Kind.EMPTY
    return standing, record._replace(superseded=True) if half else record


def _is_evicted(facts: NodeFacts) -> bool:
    """Return whether the server was a member, and can be none before it is restarted."""
    return facts.evicted and facts.state is State.NON_PRIMARY and not facts.transfer and facts.reading is not None


def _state(facts: NodeFacts) -> State:
    if _is_evicted(facts):
        return State.NON_PRIMARY
    if facts.state is State.NON_PRIMARY and (facts.reading is None or facts.reading.status.wsrep_local_recv_queue):
        return State.STARTING
    return facts.state


def _standing(facts: NodeFacts, state: State) -> Standing | None:
    """Return what the data are worth, or None if nobody has looked."""
    if state is not State.PRIMARY and is_unreplicated(facts.reading):
        return Standing(Kind.UNKNOWN, cause=_tell_unreplicated(facts.reading))
    if facts.transfer:
        # An incomplete copy carries the donor's position, and the data that it replaces are gone.
        return Standing(Kind.EMPTY)
    if state not in _RUNS_IN_GROUP:
        return None if facts.state is State.NON_PRIMARY else facts.standing
    position = reading_position(facts.reading)
    if position.real:
        return Standing(Kind.INTACT, position)
    # A server outside of a Primary that names no position never had one. A Primary that names none has not said it yet,
    # and an evicted one was in a Primary.
    return Standing(Kind.EMPTY) if state is State.NON_PRIMARY and not _is_evicted(facts) else None


def _component(facts: NodeFacts, state: State) -> tuple[View | None, str]:
    """Return the view that a running server is in, and its own place in it if that view has no group UUIDs.

    In a component without Primary, a server tells neither the view's id nor the group UUIDs. It tells the addresses of
    the members in the group's order, which is the same on every member (measured, MariaDB 10.11). So places such as `0
    192.0.2.1:3306` stand for the UUIDs. What an evicted server goes on telling is of the group that it was in.
    """
    if state is State.PRIMARY and facts.gvwstate:
        return facts.gvwstate.view, ""
    if state is not State.NON_PRIMARY or facts.reading is None or _is_evicted(facts):
        return None, ""
    status = facts.reading.status
    listed, index = status.wsrep_incoming_addresses, status.wsrep_local_index
    places = tuple(f"{place} {address}" for place, address in enumerate((listed or "").split(",")))
    if listed is None or index is None or len(places) != status.wsrep_cluster_size or not 0 <= index < len(places):
        return None, ""
    return View(f"non-primary {status.wsrep_cluster_state_uuid}", places), places[index]
