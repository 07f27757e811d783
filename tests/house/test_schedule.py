"""The order of the tests names what is there."""

from __future__ import annotations

from pathlib import Path

from schedule import LABORATORY, OWN, SECONDS, group_of

CHECKOUT = Path(__file__).resolve().parents[2]


def test_what_takes_long_is_there_under_that_name() -> None:
    assert [name for name in SECONDS if not (CHECKOUT / name).exists()] == []


def test_tests_that_share_a_laboratory_are_one_group() -> None:
    files = (CHECKOUT / LABORATORY).glob("test_*.py")
    groups = {group_of(f"{LABORATORY}/{path.name}::test_it") for path in files}
    assert groups == {LABORATORY, *OWN}
    assert groups <= set(SECONDS)
