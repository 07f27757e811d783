"""The file with a resource's servers is read completely, or not at all."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xha.core.galera.known_servers import KnownServer, parse_known_servers, render_known_servers

TEXT, NUMBERS = st.text(), st.integers(0)
SERVERS = st.builds(KnownServer, TEXT, st.lists(TEXT).map(tuple), NUMBERS, NUMBERS, NUMBERS)
GOOD = KnownServer("/var/lib/mysql", ("/usr/sbin/mariadbd",), 102, 7, 4711)


@given(st.lists(SERVERS, max_size=3).map(tuple))
def test_what_is_written_is_read(servers: tuple[KnownServer, ...]) -> None:
    assert parse_known_servers(render_known_servers(servers)) == servers


@pytest.mark.parametrize("length", range(len(render_known_servers([GOOD]))))
def test_a_torn_one_is_nothing(length: int) -> None:
    assert parse_known_servers(render_known_servers([GOOD])[:length]) == ()


@pytest.mark.parametrize(
    "change",
    [{"pid": "7"}, {"pid": True}, {"pid": -1}, {"started": 1.5}, {"uid": None}, {"more": 1}, {"programs": [1]}],
    ids=str,
)
def test_one_that_another_version_wrote_is_nothing(change: dict[str, object]) -> None:
    said = json.loads(render_known_servers([GOOD]))
    assert parse_known_servers(json.dumps({**said, "servers": [{**said["servers"][0], **change}]})) == ()
    assert parse_known_servers(json.dumps({**said, "schema": 2})) == ()


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_garbage_is_nothing(text: str) -> None:
    assert parse_known_servers(text) == ()
