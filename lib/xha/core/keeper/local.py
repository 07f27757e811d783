"""A server of this host as its keeper knows it, and which record the data of a stopped one go by.

The latter, and what those data are worth, are the rules of a recovery and of a stop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..election.compose_report import last_view
from ..galera.node_record import NodeRecord
from ..galera.position import NO_UUID, Kind, Position, classify

if TYPE_CHECKING:
    from ..galera.position import GraState, GvwState, Standing


class ServerProcess(NamedTuple):
    """A server process. title is its name for people, mark an id that no other process ever has, on whatever host.

    argv is empty where nobody read it. stopped: a signal or a debugger holds it, and it answers nothing.
    """

    pid: int
    started: int
    title: str = "mysqld"
    stopped: bool = False
    argv: tuple[str, ...] = ()
    mark: str = ""


class StateTransfer(NamedTuple):
    """A state transfer that helpers of the server carry out. role: `joiner` or `donor`; progress: bytes and ticks."""

    role: str
    progress: int
    title: str = ""


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
