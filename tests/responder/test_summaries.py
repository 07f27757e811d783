"""Floods in the log: each line once, and the state that a flood ends in is told once it has stood for a minute."""

from __future__ import annotations

import re

from loopback import wait_until
from responder.conftest import Flapped
from xha.core.text.repeats import RETURNS, STANDS

SAID = re.compile(r"said (\d+) times since \d\d:\d\d\)$")


def test_the_state_that_a_flood_ends_in_is_told_without_any_further_event(flapped: Flapped) -> None:
    def counts() -> list[int]:
        return [int(one[1]) for one in map(SAID.search, flapped.lines("out of service: disabled")) if one]

    wait_until(lambda: counts() and counts()[-1] > 10, STANDS + 30, "the present state is told")
    assert counts()[:-1] == list(range(2, RETURNS + 1))
    assert len(flapped.lines()) <= 1 + 2 * RETURNS + 1 + 1
