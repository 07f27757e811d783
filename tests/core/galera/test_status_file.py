"""The file that a server writes about itself: recorded from a real server in each state, older layouts, torn files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xha.core.galera.status_file import ServerState, ServerStatus, parse_status_file

RECORDED = Path(__file__).parent / "statusfiles"


def recorded(name: str) -> ServerStatus:
    status = parse_status_file((RECORDED / f"{name}.json").read_text(encoding="utf-8"))
    assert status is not None
    return status


@pytest.mark.parametrize(
    ("name", "state", "comment"),
    [
        ("synced", ServerState.SYNCED, "Operational"),
        ("joining-receiving-sst", ServerState.JOINING, "Receiving SST"),
        ("joining-receiving-ist", ServerState.JOINING, "Receiving IST"),
        ("joining-initializing", ServerState.JOINING, "Initializing"),
        ("joined-syncing", ServerState.JOINED, "Syncing"),
        ("donor-donating-sst", ServerState.DONOR, "Donating SST"),
        ("non-primary", ServerState.CONNECTED, "Waiting"),
        ("inconsistent", ServerState.DISCONNECTED, "Disconnected"),
        ("evicted", ServerState.DISCONNECTED, "Disconnected"),
        ("disconnecting", ServerState.DISCONNECTING, "Disconnecting"),
        ("stopped", ServerState.DISCONNECTED, "Disconnected"),
    ],
)
def test_what_a_real_server_wrote(name: str, state: ServerState, comment: str) -> None:
    status = recorded(name)
    assert (status.state, status.comment) == (state, comment)
    assert (status.done, status.total) == (-1, -1)
    assert status.changed_at > 1_700_000_000
    assert (status.evicted, status.inconsistent) == (name == "evicted", name == "inconsistent")


def test_every_recorded_file_is_held_to_a_row() -> None:
    assert {path.stem for path in RECORDED.iterdir()} == {
        *("synced", "joining-receiving-sst", "joining-receiving-ist", "joining-initializing", "joined-syncing"),
        *("donor-donating-sst", "non-primary", "inconsistent", "evicted", "disconnecting", "stopped", "killed"),
    }


def test_a_killed_server_s_file_says_what_was_true_before() -> None:
    assert recorded("killed").state is ServerState.SYNCED


def test_the_errors_stay_in_their_order() -> None:
    first, second, third = recorded("inconsistent").errors
    assert "Duplicate entry" in first
    assert "Inconsistency detected" in second
    assert "Failed to apply write set" in third


def document(**changes: Any) -> dict[str, Any]:
    text = (RECORDED / "joining-receiving-ist.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    found["status"].update(changes)
    return found


@pytest.mark.parametrize(
    ("progress", "done", "total"),
    [
        ({"from": 10, "to": 110, "total": 100, "done": 40, "indefinite": -1}, 40, 100),
        ({"from": -1, "to": -1, "total": 0, "done": 0, "indefinite": -1}, -1, -1),
        ({"from": -1, "to": -1, "total": -1, "done": -1, "indefinite": -1}, -1, -1),
        (0.25, 250, 1000),
        (-1.0, -1, -1),
    ],
)
def test_progress_in_both_layouts(progress: object, done: int, total: int) -> None:
    status = parse_status_file(json.dumps(document(progress=progress)))
    assert status is not None
    assert (status.done, status.total) == (done, total)


def test_a_state_of_a_newer_server_is_unknown_and_in_no_primary() -> None:
    status = parse_status_file(json.dumps(document(state="PONDERING")))
    assert status is not None
    assert status.state is ServerState.UNKNOWN
    assert not status.state.in_primary


@pytest.mark.parametrize("missing", ["status", "timestamp", "errors"])
def test_a_part_missing_is_no_status(missing: str) -> None:
    whole = document()
    del whole[missing]
    assert parse_status_file(json.dumps(whole)) is None


@pytest.mark.parametrize("name", ["synced", "inconsistent"])
def test_a_torn_file_is_no_status(name: str) -> None:
    text = (RECORDED / f"{name}.json").read_text(encoding="utf-8").rstrip()
    assert all(parse_status_file(text[:length]) is None for length in range(len(text)))


SCRAPS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.tuples(SCRAPS, SCRAPS, SCRAPS, SCRAPS, SCRAPS))
def test_no_document_makes_it_fail(values: tuple[Any, ...]) -> None:
    state, comment, progress, errors, timestamp = values
    said = {"state": state, "comment": comment, "progress": progress}
    whole = {"status": said, "errors": errors, "timestamp": timestamp}
    for one in (whole, {**whole, "errors": []}, said, state):
        status = parse_status_file(json.dumps(one))
        assert status is None or isinstance(status.state, ServerState)


@given(st.text())
def test_no_text_makes_it_fail(text: str) -> None:
    assert parse_status_file(text) is None
