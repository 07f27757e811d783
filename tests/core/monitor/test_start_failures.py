"""Failed starts: only the third failure of one kind within ten minutes is called hopeless."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xha.core.monitor.start_failures import WITHIN, Failure, add_failure, is_hopeless, parse_failures, render_failures


def failures(text: str) -> tuple[Failure, ...]:
    """`0:ist 10:ist` means two failures of one kind, 10 s apart."""
    pairs = (word.split(":") for word in text.split())
    return tuple(Failure(float(at), what) for at, what in pairs)


@pytest.mark.parametrize(
    ("history", "now", "hopeless"),
    [
        pytest.param("", 0, False, id="none"),
        pytest.param("0:ist", 0, False, id="one"),
        pytest.param("0:ist 1:ist", 2, False, id="two"),
        pytest.param("0:ist 1:ist 2:ist", 2, True, id="three at once"),
        pytest.param("0:ist 300:ist 600:ist", 600, True, id="three in exactly ten minutes"),
        pytest.param("0:ist 300:ist 601:ist", 601, False, id="the first is too old"),
        pytest.param("0:ist 1:ist 2:ist", 601, False, id="ten minutes without another"),
        pytest.param("0:ist 1:sst 2:ist", 2, False, id="another kind between two"),
        pytest.param("0:ist 1:sst 2:ist 3:ist", 3, True, id="another kind among three"),
        pytest.param("0:ist 1:ist 2:ist 3:sst", 3, False, id="what came last is new"),
        pytest.param("50:ist 51:ist 52:ist", 10, False, id="after a reboot the clock begins again"),
    ],
)
def test_the_third_like_one_is_hopeless(history: str, now: float, hopeless: bool) -> None:
    assert is_hopeless(failures(history), now) is hopeless


FAILURES = st.lists(st.builds(Failure, st.floats(0, 2000), st.sampled_from(["ist", "sst", "crash"])), max_size=30)


@given(FAILURES)
def test_what_is_forgotten_never_changes_the_word(history: list[Failure]) -> None:
    history.sort()
    kept: tuple[Failure, ...] = ()
    for count, failure in enumerate(history, start=1):
        kept = add_failure(kept, failure)
        assert kept[-1] == failure
        assert all(failure.at - one.at <= WITHIN for one in kept)
        if len(kept) < 20:
            assert is_hopeless(kept, failure.at) == is_hopeless(history[:count], failure.at)


@given(st.lists(st.just("ist"), min_size=3, max_size=200))
def test_a_start_that_always_fails_at_once_stays_hopeless_and_its_history_short(kinds: list[str]) -> None:
    kept: tuple[Failure, ...] = ()
    for at, what in enumerate(kinds):
        kept = add_failure(kept, Failure(at / 10, what))
    assert is_hopeless(kept, len(kinds) / 10)
    assert len(kept) <= 20


@given(FAILURES)
def test_failures_survive_their_text(history: list[Failure]) -> None:
    text = render_failures(history)
    assert "\n" not in text
    assert parse_failures(text) == tuple(history)
    assert parse_failures(text[:-1]) == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        '{"failures": []}',
        '{"schema": 2, "failures": [[1.0, "ist"]]}',
        '{"schema": 1, "failures": [[1.0]]}',
        '{"schema": 1, "failures": [[1.0, 2]]}',
        '{"schema": 1, "failures": [["soon", "ist"]]}',
        '{"schema": 1, "failures": 7}',
    ],
)
def test_what_is_no_history_is_none(text: str) -> None:
    assert parse_failures(text) == ()


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3), max_leaves=5))
def test_no_document_makes_it_fail(value: Any) -> None:
    found = parse_failures(json.dumps({"schema": 1, "failures": value}))
    assert all(isinstance(one, Failure) for one in found)
