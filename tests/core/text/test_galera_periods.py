"""Times as Galera writes them."""

from __future__ import annotations

import pytest

from xha.core.text.durations import parse_galera_period

GOOD = {"PT5S": 5.0, "PT1M30S": 90.0, "PT0.5S": 0.5, "P1DT12H": 129600.0, " PT15S ": 15.0, "7.5": 7.5}


@pytest.mark.parametrize("text", GOOD)
def test_a_time_is_so_many_seconds(text: str) -> None:
    assert parse_galera_period(text) == GOOD[text]


@pytest.mark.parametrize("text", ["", "P", "PT", "5s", "PTS", "P1M", "PT-5S", "1e3", "PT5S;"])
def test_anything_else_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="no time as Galera writes it"):
        parse_galera_period(text)
