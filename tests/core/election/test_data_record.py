"""Which record the data go by: also where a join has swept the one beside them away."""

from __future__ import annotations

import pytest

from xha.core.election.compose_report import choose_record
from xha.core.galera.lineage import Generation
from xha.core.galera.node_record import NodeRecord
from xha.core.galera.position import NO_UUID, GraState

UUID = "aaaaaaaa-0000-0000-0000-000000000000"
BESIDE, JOINING = NodeRecord(own_uuid="beside"), NodeRecord((Generation("g2", "g1", 5, ("B",)),))
ARRIVED, NOTHING = GraState(UUID, -1), GraState(NO_UUID, -1)


@pytest.mark.parametrize(
    ("record", "joining", "grastate", "begun", "chosen"),
    [
        pytest.param(BESIDE, JOINING, ARRIVED, False, BESIDE, id="the one beside the data"),
        pytest.param(None, JOINING, ARRIVED, False, JOINING, id="that of the join that brought the data"),
        pytest.param(None, JOINING, ARRIVED, True, NodeRecord(superseded=True), id="half of a copy"),
        pytest.param(None, JOINING, NOTHING, False, NodeRecord(superseded=True), id="a join that brought nothing"),
        pytest.param(None, JOINING, None, False, NodeRecord(superseded=True), id="and left no state"),
        pytest.param(None, None, NOTHING, False, NodeRecord(), id="nobody ever joined: what was here is not known"),
    ],
)
def test_the_record_that_counts(
    record: NodeRecord | None, joining: NodeRecord | None, grastate: GraState | None, begun: bool, chosen: NodeRecord
) -> None:
    assert choose_record(record, joining, grastate, transfer_begun=begun) == chosen
