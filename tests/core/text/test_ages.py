"""Ages for people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xha.core.text.ages import render_age


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3.0, "0 ms"),
        (0.0, "0 ms"),
        (0.0129, "12 ms"),
        (0.9999, "999 ms"),
        (1.0, "1 s"),
        (1.59, "1.5 s"),
        (9.99, "9.9 s"),
        (10.9, "10 s"),
        (119.9, "119 s"),
        (120.0, "2 min"),
        (7199.0, "119 min"),
        (7200.0, "2 h"),
        (172800.0, "2 d"),
        (31 * 86400.0, "31 d"),
    ],
)
def test_an_age_is_a_number_and_a_unit(seconds: float, text: str) -> None:
    assert render_age(seconds) == text


@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_what_is_older_never_reads_younger(one: float, other: float) -> None:
    units = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
    older, younger = max(one, other), min(one, other)
    read = []
    for age in (older, younger):
        number, unit = render_age(age).split()
        read.append(float(number) * units[unit])
    assert read[0] >= read[1] - 1e-9
