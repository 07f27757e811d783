"""Floods in the log: reported a few times, then counted, and summed up after their minute, without a new event."""

from __future__ import annotations

import re

from loopback import wait_until
from responder.conftest import Flapped

MINUTE = 60


def test_a_minute_later_the_flood_is_summed_up_and_the_present_state_told_without_any_further_event(
    flapped: Flapped,
) -> None:
    [summary] = wait_until(lambda: flapped.lines("more changes of state"), MINUTE + 30, "the summary of changes")
    quiet = int(re.search(r"(\d+) more changes", summary)[1])  # type: ignore[index]
    assert quiet == flapped.flaps - 10
    at = flapped.lines().index(summary) + 1
    [following] = wait_until(lambda: flapped.lines()[at : at + 1], 15, "the line that follows")
    assert "out of service: disabled" in following
    [complaints] = wait_until(lambda: flapped.lines("connections that came to nothing"), 30, "the other summary")
    assert f"{flapped.complaints - 5} more" in complaints
    assert len(flapped.lines()) <= 1 + 10 + 2 + 5 + 1
