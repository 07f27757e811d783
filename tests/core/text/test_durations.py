"""Durations as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xha.core.text.durations import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("100ms", 0.1),
        ("1s", 1.0),
        ("2h", 7200.0),
        ("10m", 600.0),
        ("1d", 86400.0),
        ("1.5s", 1.5),
        (" 5 s ", 5.0),
        ("0s", 0.0),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "1", "s", "-1s", "+1s", "1S", "1 week", "1h30m", "1e3s", ".5s", "5.s", "\u0661s", "inf s"]
)
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration") as refusal:
        parse_duration(text)
    assert repr(text) in str(refusal.value)


@given(st.text(max_size=30) | st.from_regex(r"\d+(\.\d+)? *(ms|[smhd])", fullmatch=True))
def test_any_text_is_a_finite_duration_or_refused(text: str) -> None:
    try:
        seconds = parse_duration(text)
    except ValueError:
        return
    assert 0 <= seconds < 1e15
