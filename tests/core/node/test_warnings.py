"""What is to be mended on a node that serves."""

from __future__ import annotations

from typing import Any

import pytest

from core.facts import FAMILIES, listed, synced
from xha.core.node.verdict import Policy, judge
from xha.core.node.warnings import find_warnings


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"bind_address": "127.0.0.1"}, "listens on 127.0.0.1 only", id="loopback alone"),
        pytest.param({"bind_address": "127.0.0.1,::1"}, "listens on 127.0.0.1, ::1 only", id="both families"),
        pytest.param({"bind_address": "localhost"}, "listens on localhost only", id="by name"),
        pytest.param({"bind_address": "127.0.0.1,192.0.2.11"}, "", id="loopback and another"),
        pytest.param({"bind_address": "127.0.0.2"}, "", id="an address of 127/8 that somebody chose"),
        pytest.param({"bind_address": "*"}, "", id="all addresses, as MySQL says it"),
        pytest.param({"bind_address": ""}, "", id="all addresses, as MariaDB says it"),
        pytest.param({"bind_address": None}, "", id="not said"),
        pytest.param({"threads_connected": 151}, "151 connections are all in use", id="full"),
        pytest.param({"threads_connected": 150}, "", id="one is left"),
        pytest.param({"threads_connected": 151, "max_connections": None}, "", id="a limit that is not known"),
    ],
)
def test_what_is_warned_of(changes: dict[str, Any], words: str) -> None:
    found = find_warnings(synced(**changes))
    assert len(found) == bool(words)
    assert words in "".join(found)
    assert judge(synced(**changes), Policy()).code.value == "synced"


@pytest.mark.parametrize("name", FAMILIES)
def test_a_healthy_node_of_every_family_needs_no_mending(name: str) -> None:
    assert find_warnings(listed(name)) == ()
