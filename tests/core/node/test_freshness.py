"""Which reading answers a probe: docs/architecture.md, "Freshness", as a state machine that tries to break it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from properties import share
from xha.core.node.freshness import MAX_READINGS_PER_SECOND, Due, Freshness
from xha.core.node.report import whole_ms

ROUNDING = 1e-6  # the error of a monotonic clock that has run for a year


def fresh(max_age: float = 0.1, deadline: float = 1.0) -> Freshness[str]:
    return Freshness(max_age, deadline)


def test_before_the_first_reading_a_probe_waits() -> None:
    freshness = fresh()
    assert freshness.due(0.0) is Due.WAIT
    asked_at = freshness.may_ask_at()
    assert asked_at is not None
    assert asked_at <= 0.0


def test_a_reading_answers_for_max_age_after_its_query_was_sent() -> None:
    freshness = fresh()
    freshness.asked(10.0)
    freshness.finished("one", answered=True)
    assert freshness.due(10.05) is Due.FINISHED
    assert freshness.age(10.05) == pytest.approx(0.05)
    assert freshness.due(10.11) is Due.WAIT


def test_its_age_counts_from_the_query_and_not_from_the_answer() -> None:
    freshness = fresh()
    freshness.asked(10.0)
    assert freshness.due(10.9) is Due.WAIT
    freshness.finished("slow", answered=True)
    assert freshness.due(10.9) is Due.WAIT


def test_an_overdue_reading_is_hung_at_once_and_until_it_is_answered() -> None:
    freshness = fresh()
    freshness.asked(10.0)
    assert freshness.overdue_at() == 11.0
    assert freshness.due(10.999) is Due.WAIT
    assert freshness.due(11.0) is Due.HUNG
    assert freshness.overdue_at() is None
    assert freshness.age(25.0) == 15.0
    freshness.finished("late", answered=True)
    assert freshness.due(25.0) is Due.WAIT


def test_a_reader_that_gave_up_says_hung_for_as_long_as_a_reading_lasts() -> None:
    freshness = fresh(max_age=2.0)
    freshness.asked(10.0)
    freshness.finished("gave up", answered=False)
    assert freshness.due(11.0) is Due.HUNG


def test_after_a_reader_gave_up_the_deadline_runs_from_its_next_query() -> None:
    freshness = fresh()
    freshness.asked(10.0)
    freshness.finished("gave up", answered=False)
    assert freshness.due(20.0) is Due.WAIT
    freshness.asked(20.0)
    assert freshness.due(20.9) is Due.WAIT
    assert freshness.due(21.0) is Due.HUNG
    freshness.finished("back", answered=True)
    assert not freshness.hung


def test_the_deadline_is_one_moment_however_it_is_asked_for() -> None:
    """asked_at + deadline <= now and now - asked_at >= deadline differ in the last bit: overdue and yet not hung."""
    for tick in range(2000):
        freshness = fresh(deadline=0.7)
        freshness.asked(1000.0 + tick / 1024 + tick / 1000)
        overdue = freshness.overdue_at()
        assert overdue is not None
        assert freshness.due(overdue) is Due.HUNG


def test_a_flood_of_probes_that_want_no_age_at_all_is_twelve_readings_a_second() -> None:
    freshness, asks = fresh(max_age=0.0), []
    for millisecond in range(3000):
        now = millisecond / 1000
        at = freshness.may_ask_at()
        if freshness.due(now) is not Due.FINISHED and at is not None and at <= now:
            freshness.asked(now)
            asks.append(now)
        elif freshness.in_flight:
            freshness.finished("at once", answered=True)
    for first, later in zip(asks, asks[MAX_READINGS_PER_SECOND:]):
        assert later - first >= 1 - ROUNDING
    assert len(asks) >= 30


@given(
    st.lists(st.tuples(st.floats(0.0, 2.0), st.floats(0.0, 1.5), st.booleans()), min_size=1, max_size=30),
    st.sampled_from([0.0, 0.01, 0.1, 2.0]),
    st.sampled_from([0.0, 1234.567, 3e7]),
)
def test_no_answer_is_older_than_it_says(events: list[tuple[float, float, bool]], max_age: float, start: float) -> None:
    """However late the loop is: the age that is told at the moment of telling is not below the reading's own.

    events: how long after the last one a probe comes, how long the loop takes to it, and whether a reading ends first.
    """
    freshness: Freshness[float] = Freshness(max_age, 1.0)
    now, asked = start, start
    for pause, late, ends in events:
        now += pause
        if freshness.in_flight and ends:
            freshness.finished(asked, answered=True)
        now += late
        due = freshness.due(now)
        if due is Due.FINISHED:
            assert freshness.snapshot is not None
            assert whole_ms(freshness.age(now)) / 1000 >= now - freshness.snapshot - ROUNDING
            assert freshness.age(now) <= max_age + ROUNDING  # late or not, what is told now is no older
        elif due is Due.HUNG:
            assert whole_ms(freshness.age(now)) / 1000 >= now - asked - ROUNDING
        at = freshness.may_ask_at()
        if due is not Due.FINISHED and at is not None and at <= now:
            freshness.asked(now)
            asked = now


class Responder(RuleBasedStateMachine):
    """A responder that sends a query as soon as a probe waits and a query is allowed, to a server that answers late."""

    @initialize(
        start=st.sampled_from([0.0, 1234.567, 3e7]),
        max_age=st.sampled_from([0.0, 0.01, 0.1, 2.0]),
        deadline=st.sampled_from([0.05, 1.0, 3.0]),
    )
    def begin(self, start: float, max_age: float, deadline: float) -> None:
        self.now = start
        self.max_age, self.deadline = max_age, deadline
        self.freshness: Freshness[int] = Freshness(max_age, deadline)
        self.asks: list[float] = []
        self.in_flight: int | None = None
        self.finished: int | None = None
        self.gave_up = False
        self.wanted = False
        self.waiting: list[tuple[float, int | None]] = []  # when each arrived, and what was in flight then

    def _tick(self) -> None:
        """What the event loop does between events: send a query if allowed, and answer probes of an overdue reading."""
        at = self.freshness.may_ask_at()
        assert (at is None) == (self.in_flight is not None)
        if self.wanted and at is not None and at <= self.now:
            self.wanted = False
            self.freshness.asked(self.now)
            self.asks.append(self.now)
            self.in_flight = len(self.asks) - 1
            self.gave_up = False
        overdue = self.freshness.overdue_at()
        if overdue is not None and overdue <= self.now:
            assert self.freshness.due(self.now) is Due.HUNG
            self.waiting.clear()

    def _is_overdue(self) -> bool:
        return self.in_flight is not None and self.now - self.asks[self.in_flight] >= self.deadline - ROUNDING

    @rule(seconds=st.sampled_from([0.0, 0.001, 0.04, 1 / 12, 0.1, 0.5, 1.0, 7.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self._tick()

    @rule()
    def a_probe_arrives(self) -> None:
        due = self.freshness.due(self.now)
        if due is Due.FINISHED:
            self._answered_by(self.freshness.snapshot, self.now, self.in_flight)
            return
        if due is Due.HUNG:
            assert self._is_overdue() or (self.gave_up and self.now - self.asks[-1] <= self.max_age)
        else:
            self.waiting.append((self.now, self.in_flight))
        self.wanted = True
        self._tick()

    @precondition(lambda self: self.in_flight is not None)
    @rule()
    def the_server_answers(self) -> None:
        self.finished, self.in_flight = self.in_flight, None
        assert self.finished is not None
        self.freshness.finished(self.finished, answered=True)
        assert not self.freshness.hung
        for arrived, in_flight_then in self.waiting:
            self._answered_by(self.freshness.snapshot, arrived, in_flight_then)
        self.waiting.clear()
        self._tick()

    @precondition(lambda self: self.in_flight is not None and self._is_overdue())
    @rule()
    def the_reader_gives_up(self) -> None:
        """The reading says hung. hang_reset is longer than the deadline, so all waiting probes were answered before."""
        self._tick()
        self.finished, self.in_flight, self.gave_up = self.in_flight, None, True
        assert self.finished is not None
        self.freshness.finished(self.finished, answered=False)
        self._tick()

    def _answered_by(self, snapshot: int | None, arrived: float, in_flight_then: int | None) -> None:
        """A reading is never sent more than max_age before the probe arrived, unless it was in flight then."""
        assert snapshot == self.finished
        assert snapshot is not None
        assert self.asks[snapshot] >= arrived - self.max_age - ROUNDING or snapshot == in_flight_then

    @invariant()
    def overdue_is_hung_at_once(self) -> None:
        if self.in_flight is not None and self.now - self.asks[self.in_flight] > self.deadline + ROUNDING:
            assert self.freshness.due(self.now) is Due.HUNG
            assert not self.waiting

    @invariant()
    def never_more_than_twelve_readings_a_second(self) -> None:
        for first, later in zip(self.asks, self.asks[MAX_READINGS_PER_SECOND:]):
            assert later - first >= 1 - ROUNDING

    @invariant()
    def whoever_waits_has_somebody_to_wait_for(self) -> None:
        assert not self.waiting or self.wanted or self.in_flight is not None

    @invariant()
    def no_age_is_negative(self) -> None:
        if self.freshness.hung or self.freshness.snapshot is not None:
            assert self.freshness.age(self.now) >= 0


TestResponder = Responder.TestCase
TestResponder.settings = settings(max_examples=share(40), stateful_step_count=40, deadline=None)
