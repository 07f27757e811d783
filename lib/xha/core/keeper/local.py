"""Which record the data of a stopped server go by, and what they are worth: the rules of a recovery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..galera.node_record import NodeRecord
from ..galera.position import NO_UUID, Kind, classify

if TYPE_CHECKING:
    from ..galera.position import GraState, Position, Standing


def choose_record(
    record: NodeRecord | None, joining: NodeRecord | None, grastate: GraState | None, *, transfer_begun: bool
) -> NodeRecord:
    """Return the record beside the data; of data that a join has brought since, what was to be recorded of them.

    A join that swept the record away and brought nothing leaves that whatever was here is in the cluster.
    """
    arrived = grastate is not None and grastate.uuid != NO_UUID and not transfer_begun
    return record or (joining if arrived else None) or NodeRecord(superseded=joining is not None)


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
