"""The keeper's status file is read completely, or not at all."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xha.core.monitor.keeper_status import KeeperStatus, Phase, parse_keeper_status, render_keeper_status

TIMES = st.floats(0, 1e9)
KINDS = {str: st.text(), int: st.integers(0), float: TIMES, bool: st.booleans(), Phase: st.sampled_from(Phase)}
BULLETINS = st.builds(KeeperStatus, *(KINDS[type(value)] for value in KeeperStatus(Phase.HELD)))
GOOD = KeeperStatus(Phase.WAITING, "waiting for h2", pid=7, at=1.5)


@given(BULLETINS)
def test_what_is_written_is_read(keeper_status: KeeperStatus) -> None:
    assert parse_keeper_status(render_keeper_status(keeper_status)) == keeper_status


@pytest.mark.parametrize("length", range(len(render_keeper_status(GOOD))))
def test_a_torn_one_is_none(length: int) -> None:
    assert parse_keeper_status(render_keeper_status(GOOD)[:length]) is None


@pytest.mark.parametrize(
    "change",
    [{"schema": 2}, {"phase": "asleep"}, {"pid": "7"}, {"at": True}, {"ready": 1}, {"more": 1}, {"reason": None}],
    ids=str,
)
def test_one_that_another_version_wrote_is_none(change: dict[str, object]) -> None:
    assert parse_keeper_status(json.dumps({**json.loads(render_keeper_status(GOOD)), **change})) is None


@given(st.text())
def test_garbage_is_none(text: str) -> None:
    assert parse_keeper_status(text) is None


@pytest.mark.parametrize(
    ("transfer", "said"),
    [
        pytest.param("rsync, joiner", "state transfer by rsync: 300 MiB in 60 s", id="a joiner says how far it is"),
        pytest.param("rsync, donor", "", id="a donor does not receive"),
        pytest.param("", "", id="no transfer"),
    ],
)
def test_how_far_a_state_transfer_is(transfer: str, said: str) -> None:
    keeper_status = GOOD._replace(at=100.0, launched_at=40.0, transfer=transfer, arrived=300 << 20)
    assert keeper_status.progress == said
