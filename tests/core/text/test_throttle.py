"""Many events give few log lines, and every event that is not logged is counted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from xha.core.text.throttle import Throttle

GAPS = st.lists(st.sampled_from([0.0, 0.1, 5.0, 30.0, 59.9, 60.0, 61.0, 1000.0]), max_size=60)


def test_a_burst_is_told_and_the_rest_of_its_period_counted() -> None:
    throttle = Throttle(burst=2, period=60)
    assert [throttle.admit(now) for now in (0.0, 1.0, 2.0, 59.0)] == [True, True, False, False]
    assert throttle.take_quiet(59.9) == 0
    assert throttle.take_quiet(60.0) == 2
    assert throttle.take_quiet(60.1) == 0
    assert throttle.admit(61.0)


@given(st.integers(1, 5), GAPS)
def test_never_more_than_a_burst_in_a_period(burst: int, gaps: list[float]) -> None:
    throttle, now, told = Throttle(burst=burst, period=60), 0.0, []
    for gap in gaps:
        now += gap
        throttle.take_quiet(now)
        if throttle.admit(now):
            told.append(now)
    for first, later in zip(told, told[2 * burst :]):
        assert later - first >= 60 - 1e-6


@given(st.integers(1, 5), GAPS)
def test_every_event_is_told_or_counted_once(burst: int, gaps: list[float]) -> None:
    throttle, now, told, quiet = Throttle(burst=burst, period=60), 0.0, 0, 0
    for gap in gaps:
        now += gap
        quiet += throttle.take_quiet(now)
        told += throttle.admit(now)
    quiet += throttle.take_quiet(now + 61)
    assert told + quiet == len(gaps)
