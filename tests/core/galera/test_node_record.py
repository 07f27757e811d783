"""A node's record is read as it was written, or not at all."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.facts import OTHER_UUID, UUID
from xha.core.galera.lineage import Generation
from xha.core.galera.node_record import NodeRecord, parse_node_record, render_node_record
from xha.core.galera.position import Position, View

FULL = NodeRecord(
    line=(Generation("b" * 16, "a" * 16, 12, ("n1", "n2")), Generation("a" * 16, "", 3)),
    view=View(f"{UUID} 7", (UUID, OTHER_UUID)),
    view_seqno=11,
    own_uuid=UUID,
    clean_stop=Position(UUID, 12),
    superseded=True,
    discarded=True,
    inconsistent=True,
)

NUMBERS = st.integers(-1, 2**63 - 1)
WORDS = st.lists(st.text(max_size=8), max_size=3).map(tuple)


@st.composite
def lines(draw: st.DrawFn) -> tuple[Generation, ...]:
    ids = draw(st.lists(st.text(min_size=1, max_size=8), max_size=4, unique=True))
    return tuple(Generation(one, older, draw(NUMBERS), draw(WORDS)) for one, older in zip(ids, [*ids[1:], ""]))


RECORDS = st.builds(
    NodeRecord,
    line=lines(),
    view=st.none() | st.builds(View, st.text(max_size=40), WORDS),
    view_seqno=NUMBERS,
    own_uuid=st.text(max_size=36),
    clean_stop=st.none() | st.builds(Position, st.uuids().map(str), NUMBERS),
    superseded=st.booleans(),
    discarded=st.booleans(),
    inconsistent=st.booleans(),
)


@given(record=RECORDS)
def test_what_was_written_is_read_back(record: NodeRecord) -> None:
    assert parse_node_record(render_node_record(record)) == record


def test_a_new_node_s_record_is_read_back() -> None:
    assert parse_node_record(render_node_record(NodeRecord())) == NodeRecord()


@given(cut=st.integers(0, len(render_node_record(FULL)) - 2))
def test_a_torn_record_is_none(cut: int) -> None:
    assert parse_node_record(render_node_record(FULL)[:cut]) is None


@given(text=st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_garbage_is_none(text: str) -> None:
    assert parse_node_record(text) is None


@pytest.mark.parametrize("name", NodeRecord._fields)
def test_a_record_without_a_field_is_none(name: str) -> None:
    document = json.loads(render_node_record(FULL))
    del document[name]
    assert parse_node_record(json.dumps(document)) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("schema", 2, id="a later schema"),
        pytest.param("schema", "1", id="a schema that is no number"),
        pytest.param("schema", True, id="a schema that is a flag"),
        pytest.param("line", None, id="no line"),
        pytest.param("line", [{"id": "b"}], id="half a generation"),
        pytest.param(
            "line",
            [
                {"id": "c", "parent": "x", "position": 1, "founders": []},
                {"id": "b", "parent": "", "position": 1, "founders": []},
            ],
            id="generations that are no line",
        ),
        pytest.param("view", "text", id="a view that is text"),
        pytest.param("view_seqno", 1.0, id="a seqno that is no whole number"),
        pytest.param("view_seqno", None, id="no seqno"),
        pytest.param("own_uuid", 1, id="a UUID that is a number"),
        pytest.param("clean_stop", f"{UUID}:", id="half a position"),
        pytest.param("superseded", 1, id="a number for a flag"),
        pytest.param("discarded", "true", id="a text for a flag"),
        pytest.param("inconsistent", None, id="nothing for a flag"),
    ],
)
def test_a_record_with_a_field_of_another_shape_is_none(name: str, value: object) -> None:
    document = json.loads(render_node_record(FULL))
    document[name] = value
    assert parse_node_record(json.dumps(document)) is None
