"""docs/scenarios.md names every fault, and only faults and tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lab.faults import FAULTS
from lab.place import REPOSITORY

PAGE = (REPOSITORY / "docs" / "scenarios.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)


def test_there_are_thirty_in_their_order() -> None:
    assert "# Thirty cases" in PAGE
    assert [int(number) for number, *_ in ROWS] == list(range(1, 31))


def test_every_fault_of_the_laboratory_has_its_place() -> None:
    named = {name for *_, tried in ROWS for name in re.findall(r"`([^`]+)`", tried)}
    assert named == set(FAULTS)


@pytest.mark.parametrize(("what", "tried"), [pytest.param(what, tried, id=what) for _, what, _, tried in ROWS])
def test_what_tries_it_is_there(what: str, tried: str) -> None:
    assert tried, what
    for path, _, name in re.findall(r"((?:tests|docs)/[\w/]+\.(?:py|md))(::(\w+))?", tried):
        text = Path(REPOSITORY, path).read_text(encoding="utf-8")
        assert f"def {name}(" in text or not name, f"{path} has no {name}"
    for pattern in re.findall(r"tests/core/keeper/scripts/[\w*-]+\.txt", tried):
        assert list(REPOSITORY.glob(pattern)), pattern


def test_every_numbered_script_stands_in_its_row() -> None:
    tried = {int(number): text for number, _, _, text in ROWS}
    for path in (REPOSITORY / "tests/core/keeper/scripts").glob("[0-9]*.txt"):
        number, text = path.stem[:2], path.read_text(encoding="utf-8")
        assert f"scripts/{number}-*.txt" in tried[int(number)], path.name
        assert text.startswith(f"# Row {int(number)}: "), path.name
