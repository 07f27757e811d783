"""Where a stopped node's data end: every layout that a server writes, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.facts import NO_UUID, OTHER_UUID, UUID
from xha.core.galera.position import (
    GraState,
    GvwState,
    Kind,
    Position,
    Standing,
    View,
    classify,
    parse_grastate,
    parse_gvwstate,
    parse_position,
    parse_recovered_position,
    render_grastate,
)

STAMP = "2026-01-31 22:00:00 0 "


@pytest.mark.parametrize(
    ("line", "position"),
    [
        pytest.param(f"{STAMP}[Note] WSREP: Recovered position: {UUID}:12", Position(UUID, 12), id="MariaDB"),
        pytest.param(
            f"{STAMP}[Note] WSREP: Recovered position: {UUID}:12,9-201-48431",
            Position(UUID, 12),
            id="gtid mode, behind",
        ),
        pytest.param(
            f"{STAMP}[Note] WSREP: Recovered position: {UUID}:9-201-48431,12",
            Position(UUID, 12),
            id="gtid mode, before",
        ),
        pytest.param(
            f"220131 22:00:00 mysqld_safe WSREP: Recovered position {UUID}:12",
            Position(UUID, 12),
            id="mysqld_safe's line",
        ),
        pytest.param(
            f"2026-01-31T22:00:00Z 0 [Note] [MY-000000] [WSREP] Recovered position: {UUID}:12",
            Position(UUID, 12),
            id="PXC 8 and Codership 8",
        ),
        pytest.param(
            f"[Note] [MY-000000] [WSREP] Recovered position: {UUID}:12/0/0/{OTHER_UUID}",
            Position(UUID, 12),
            id="Codership 8.0.27 and later",
        ),
        pytest.param(f"WSREP: Recovered position: {UUID.upper()}:12", Position(UUID, 12), id="capital letters"),
        pytest.param(f"WSREP: Recovered position: {NO_UUID}:-1", Position(), id="no position"),
        pytest.param(f"WSREP: Recovered position: {UUID}:{2**64 - 1}", Position(UUID, -1), id="-1 as unsigned"),
        pytest.param(f"WSREP: Recovered position: {UUID}:{2**63 - 1}", Position(UUID, 2**63 - 1), id="the largest"),
        pytest.param(f"WSREP: Recovered position: {UUID}:12\r", Position(UUID, 12), id="a carriage return"),
    ],
)
def test_every_server_s_line_is_understood(line: str, position: Position) -> None:
    log = f"{STAMP}[Note] Starting\n{line}\n{STAMP}[Note] Shutdown complete\n"
    assert parse_recovered_position(log) == position


@pytest.mark.parametrize(
    "log",
    [
        pytest.param("", id="nothing"),
        pytest.param("WSREP: skipping position recovery", id="wsrep is off, or a position was given"),
        pytest.param(f"WSREP: Recovered position: {UUID}:", id="cut in the middle"),
        pytest.param(f"WSREP: Recovered position: {UUID[:-1]}:12", id="a short UUID"),
        pytest.param(f"WSREP: Recovered position: {UUID}:12 and more", id="something behind it"),
        pytest.param(f"WSREP: Recovered position: {UUID}:{2**63}", id="too large"),
        pytest.param(f"WSREP: Recovered position: {UUID}:-2", id="negative"),
        pytest.param(f"WSREP: Recovered position: {UUID}:\u0661\u0662", id="digits of another script"),
        pytest.param(f"Recovered position: {UUID}:12", id="not Galera's word"),
        pytest.param(f"WSREP: Recovered positions: {UUID}:12", id="another word"),
        pytest.param(
            f"WSREP: Recovered position: {UUID}:12\nWSREP: Recovered position: {UUID}:1x", id="the last one is garbled"
        ),
    ],
)
def test_anything_else_is_no_position(log: str) -> None:
    assert parse_recovered_position(log) is None


def test_the_last_line_counts() -> None:
    lines = [f"WSREP: Recovered position: {UUID}:{seqno}" for seqno in (3, 12)]
    assert parse_recovered_position("\n".join(lines)) == Position(UUID, 12)


UUIDS = st.uuids().map(str)
SEQNOS = st.integers(-1, 2**63 - 1)
POSITIONS = st.builds(Position, UUIDS, SEQNOS)


@given(POSITIONS)
def test_a_position_survives_its_text(position: Position) -> None:
    assert parse_position(str(position)) == position


@given(st.text() | st.from_regex(r"[0-9a-f-]{30,40}:[0-9,/-]{0,30}"))
def test_no_text_makes_a_parser_fail(text: str) -> None:
    position = parse_position(text)
    assert position is None or -1 <= position.seqno < 2**63
    parse_recovered_position(f"WSREP: Recovered position: {text}")
    parse_grastate(text)
    parse_gvwstate(text)


GRASTATE = f"# GALERA saved state\nversion: 2.1\nuuid:    {UUID}\nseqno:   -1\nsafe_to_bootstrap: 1\n"


@pytest.mark.parametrize(
    ("text", "state"),
    [
        pytest.param(GRASTATE, GraState(UUID, -1, True), id="as Galera writes it"),
        pytest.param(GRASTATE + " " * 200 + "\n\n", GraState(UUID, -1, True), id="with its padding"),
        pytest.param(
            GRASTATE.replace("   -1", "   12").replace(": 1", ": 0"), GraState(UUID, 12, False), id="a clean stop"
        ),
        pytest.param(
            f"version: 2.1\nuuid: {UUID}\nseqno: 7\ncert_index:\n", GraState(UUID, 7), id="MariaDB 5.5: no flag"
        ),
        pytest.param(f"uuid: {NO_UUID}\nseqno: -1\n", GraState(NO_UUID, -1), id="unsafe or corrupt"),
        pytest.param(f"uuid: {UUID}\nseqno: {2**64 - 1}\n", GraState(UUID, -1), id="-1 as unsigned"),
        pytest.param("", None, id="empty"),
        pytest.param("\0" * 256, None, id="zeroes after a power cut"),
        pytest.param(GRASTATE[:60], None, id="torn"),
        pytest.param(GRASTATE + "seqno: 3\n", None, id="two seqnos"),
        pytest.param(GRASTATE.replace(": 1", ": yes"), None, id="a flag that is none"),
        pytest.param(GRASTATE + "hello\n", None, id="something else in it"),
    ],
)
def test_the_saved_state(text: str, state: GraState | None) -> None:
    assert parse_grastate(text) == state


@given(POSITIONS, st.booleans())
def test_a_saved_state_is_read_as_it_was_written(position: Position, safe: bool) -> None:
    assert parse_grastate(render_grastate(position, safe)) == GraState(*position, safe)


def test_the_saved_state_is_written_as_galera_does() -> None:
    assert render_grastate(Position(UUID), safe_to_bootstrap=True) == GRASTATE


GVWSTATE = (
    f"my_uuid: {UUID}\n#vwbeg\nview_id: 3 {OTHER_UUID} 7\nbootstrap: 0\n"
    f"member: {OTHER_UUID} 0\nmember: {UUID} 0\n#vwend\n"
)
VIEW = View(f"{OTHER_UUID} 7", (OTHER_UUID, UUID))


@pytest.mark.parametrize(
    ("text", "state"),
    [
        pytest.param(GVWSTATE, GvwState(UUID, VIEW), id="as Galera writes it"),
        pytest.param("", None, id="empty: Galera itself would end"),
        pytest.param(GVWSTATE.replace("#vwend\n", ""), None, id="torn"),
        pytest.param(GVWSTATE.replace("view_id: 3", "view_id: 2"), None, id="no Primary view"),
        pytest.param(GVWSTATE.replace(f"member: {UUID}", f"member: {OTHER_UUID}"), None, id="one member twice"),
        pytest.param(GVWSTATE.replace(" 7", " x"), None, id="a number that is none"),
    ],
)
def test_the_last_view(text: str, state: GvwState | None) -> None:
    assert parse_gvwstate(text) == state


def test_a_view_is_restorable_by_its_members_alone() -> None:
    assert GvwState(UUID, VIEW).restorable
    assert not GvwState(NO_UUID, VIEW).restorable


HERE = Position(UUID, 12)
SAVED, UNSAFE = GraState(UUID, -1, False), GraState(NO_UUID, -1, False)


@pytest.mark.parametrize(
    ("grastate", "recovered", "facts", "standing"),
    [
        pytest.param(SAVED, HERE, {}, Standing(Kind.INTACT, HERE), id="killed"),
        pytest.param(SAVED._replace(seqno=12), HERE, {}, Standing(Kind.INTACT, HERE), id="stopped cleanly"),
        pytest.param(SAVED._replace(seqno=9), HERE, {}, Standing(Kind.INTACT, HERE), id="killed while it was donor"),
        pytest.param(
            SAVED._replace(seqno=12),
            None,
            {"clean_stop": HERE},
            Standing(Kind.INTACT, HERE),
            id="no recovery, but our own record of the clean stop",
        ),
        pytest.param(
            SAVED._replace(seqno=9), None, {"clean_stop": HERE}, Standing(Kind.FOREIGN), id="the record says otherwise"
        ),
        pytest.param(SAVED._replace(seqno=12), None, {}, Standing(Kind.FOREIGN), id="no recovery and no record"),
        pytest.param(UNSAFE, HERE, {}, Standing(Kind.IN_DOUBT, HERE), id="killed during ALTER TABLE"),
        pytest.param(None, HERE, {}, Standing(Kind.IN_DOUBT, HERE), id="grastate.dat garbled or gone"),
        pytest.param(GraState(OTHER_UUID, -1), HERE, {}, Standing(Kind.FOREIGN), id="two UUIDs on one disk"),
        pytest.param(None, Position(), {}, Standing(Kind.FOREIGN), id="user schemas without a position"),
        pytest.param(None, Position(), {"user_schemas": False}, Standing(Kind.EMPTY), id="only system schemas"),
        pytest.param(UNSAFE, HERE, {"transfer_begun": True}, Standing(Kind.EMPTY), id="half a copy of a donor"),
        pytest.param(SAVED, HERE, {"transfer_begun": True}, Standing(Kind.INTACT, HERE), id="the transfer had ended"),
        pytest.param(SAVED, HERE, {"discarded": True}, Standing(Kind.EMPTY), id="given up by a grant"),
    ],
)
def test_what_the_data_are_worth(
    grastate: GraState | None, recovered: Position | None, facts: dict[str, bool], standing: Standing
) -> None:
    assert classify(grastate, recovered, **{"user_schemas": True, **facts}) == standing  # type: ignore[arg-type]
