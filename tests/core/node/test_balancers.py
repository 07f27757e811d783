"""Who of those that ask is a load balancer, and when it has taken a node out that drains."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xha.core.node.balancers import RAREST, WINDOW, BalancerList, Balancers

LB = "192.0.2.1"
# What a responder has seen that is no longer new: nobody asks rarely enough to be unknown.
OLD = WINDOW


def asks(seen: BalancerList, every: float, during: tuple[float, float], host: str = LB, **said: Any) -> None:
    """A balancer asks every so many seconds. said: what `note` takes."""
    at, until = during
    while at <= until:
        seen.note(host, at, **{"told": False, **said})
        at += every


def by_state(state: str) -> dict[str, Any]:
    """What HAProxy says of itself, with http-check send-state, while the node drains."""
    return {"told": True, "name": "lb1 bck/srv1", "done": state in ("NOLB", "DOWN")}


@pytest.mark.parametrize(
    ("every", "told_for", "done"),
    [
        pytest.param(2.0, 5.9, False, id="told for less than three of its intervals"),
        pytest.param(2.0, 6.0, True, id="told for three"),
        pytest.param(0.5, 1.4, False, id="one that asks often, told for less than three"),
        pytest.param(0.5, 1.5, True, id="one that asks often"),
        pytest.param(10.0, 29.0, False, id="the guide's 10 s"),
        pytest.param(10.0, 30.0, True, id="the guide's 10 s, after thirty"),
    ],
)
def test_a_balancer_without_send_state_is_done_after_three_intervals(every: float, told_for: float, done: bool) -> None:
    seen = BalancerList(0.0)
    asks(seen, every, (OLD, OLD + 60))
    begun = OLD + 60 + every
    asks(seen, every, (begun, begun + told_for), told=True)
    look = seen.look(begun + told_for)
    assert (look.asking, look.done) == (1, done)
    assert look.untold == (() if done else (LB,))


@pytest.mark.parametrize(
    ("state", "done"),
    [("UP", False), ("NOLB", True), ("DOWN", True)],
)
def test_a_balancer_with_send_state_says_itself_when_it_is_done(state: str, done: bool) -> None:
    seen = BalancerList(0.0)
    asks(seen, 1.0, (OLD, OLD), **by_state(state))
    assert seen.look(OLD + 0.1) == Balancers(1, () if done else (f"lb1 bck/srv1 at {LB}",))


def test_who_pretends_to_be_another_balancer_speaks_for_himself_only() -> None:
    seen = BalancerList(0.0)
    asks(seen, 1.0, (OLD, OLD), **by_state("UP"))
    asks(seen, 1.0, (OLD, OLD), "198.51.100.7", **by_state("NOLB"))
    assert seen.look(OLD).untold == (f"lb1 bck/srv1 at {LB}",)


@pytest.mark.parametrize(
    ("times", "now", "asking"),
    [
        pytest.param((0,), 1, 0, id="a person who asks once"),
        pytest.param((0, 10), 11, 0, id="twice"),
        pytest.param((0, 10, 20), 21, 1, id="three times within a minute"),
        pytest.param((0, 40, 80), 81, 0, id="three times within more"),
        pytest.param((0, 10, 20), 50, 1, id="it may ask again"),
        pytest.param((0, 10, 20), 51, 0, id="it has missed three of its intervals"),
        pytest.param((0, 0.1, 0.2), 5.1, 1, id="a busy host is given five seconds"),
        pytest.param((0, 0.1, 0.2), 5.3, 0, id="and not more"),
    ],
)
def test_who_counts_as_a_balancer(times: tuple[float, ...], now: float, asking: int) -> None:
    seen = BalancerList(0.0)
    for at in times:
        seen.note(LB, OLD + at, told=False)
    assert seen.look(OLD + now).asking == asking


def test_one_answer_that_is_no_404_begins_the_count_anew() -> None:
    seen = BalancerList(0.0)
    asks(seen, 1.0, (OLD, OLD + 10), told=True)
    assert seen.look(OLD + 10).done
    seen.note(LB, OLD + 11, told=False)
    asks(seen, 1.0, (OLD + 12, OLD + 14), told=True)
    assert seen.look(OLD + 14).done is False


class TestUnknown:
    """Not known is never "done": whoever waits goes on, until its own time is over."""

    def test_a_responder_that_is_new_does_not_know_who_asks_rarely(self) -> None:
        look = BalancerList(0.0).look(RAREST - 1)
        assert (look.done, look.unknown) == (None, "the responder has run for less than 20 s")
        assert BalancerList(0.0).look(RAREST) == Balancers()
        assert BalancerList(0.0).look(RAREST).done

    def test_whoever_has_asked_a_new_responder_once_may_be_a_balancer(self) -> None:
        seen = BalancerList(0.0)
        seen.note(LB, 5.0, told=True)
        seen.note("192.0.2.2", 6.0, told=False)
        assert seen.look(25.0).untold == ("192.0.2.2",)
        assert seen.look(26.1) == Balancers()

    def test_a_host_that_pretends_to_be_many_hides_no_balancer(self) -> None:
        seen = BalancerList(0.0)
        asks(seen, 1.0, (OLD, OLD + 10))
        for number in range(1000):
            seen.note(f"198.51.100.{number}", OLD + 10, told=True)
        look = seen.look(OLD + 10)
        assert look.untold == (LB,)
        assert look.unknown == "more than 256 clients ask"
        asks(seen, 1.0, (OLD + 11, OLD + 20), told=True)
        assert seen.look(OLD + 20).done is None
        asks(seen, 1.0, (OLD + 21, OLD + 80), told=True)
        assert seen.look(OLD + 80).done  # a minute later


NOTES = st.lists(
    st.tuples(st.sampled_from([LB, "192.0.2.2"]), st.floats(0, 30), st.booleans(), st.booleans(), st.booleans()),
    max_size=40,
)


@given(NOTES)
def test_a_balancer_that_was_never_told_is_never_done(notes: list[tuple[str, float, bool, bool, bool]]) -> None:
    seen, now = BalancerList(0.0), OLD
    for host, seconds, drains, named, out in notes:
        now += seconds
        seen.note(host, now, told=drains and host != LB, name="lb bck/srv" if named else "", done=out and host != LB)
    look = seen.look(now)
    assert look.asking >= len(look.untold)
    assert bool(look.done) == (not look.untold and not look.unknown)
    asked = [now for host, *_ in notes if host == LB]
    if notes and asked and notes[-1][0] == LB and notes[-1][3]:
        assert f"lb bck/srv at {LB}" in look.untold
