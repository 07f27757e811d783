"""Floods in the log: each line once, and the state that a flood ends in is told once it has stood for a minute."""

from __future__ import annotations

import re

from loopback import wait_until
from responder.conftest import Flapped
from xha.core.text.repeats import STANDS


def test_the_state_that_a_flood_ends_in_is_told_without_any_further_event(flapped: Flapped) -> None:
    [told] = wait_until(lambda: flapped.lines("(said "), STANDS + 30, "the present state is told")
    assert "out of service: disabled" in told
    often = int(re.search(r"said (\d+) times since \d\d:\d\d\)$", told)[1])  # type: ignore[index]
    assert often > 10
    assert len(flapped.lines()) <= 1 + 2 + 1 + 1
