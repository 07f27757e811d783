"""What `make bench` makes of its figures."""

from __future__ import annotations

from pathlib import Path

from bench.growth import Growth
from bench.measures import Row
from bench.page import Part, compare, figures, read_parts, write
from bench.responders import Told, Turned, find_stale

ROW = Row("CPU of one monitor", "20 ms", "57 ms", "at most 0.5", met=True, ratio=0.35)
GROWTH = Growth("reading the CIB", "0.1 MB", "5 MB", 2.0, 100.0)
PARTS = {"growth": Part("2026-11-27", 1.5, growths=(GROWTH,)), "monitors": Part("2026-11-26", 2.0, (ROW,))}


def test_only_ratios_are_compared_and_only_what_became_worse_is_told() -> None:
    without = Part("", 0.0, (Row("the same, wall", "9 ms", "", "", met=False),))
    now = figures({**PARTS, "other": without})
    assert now == {"CPU of one monitor": 0.35, "reading the CIB: 5 MB against 0.1 MB": 50.0}
    assert compare(now, {}) == compare(now, now) == compare({}, now) == []
    assert compare(now, {**now, "CPU of one monitor": 0.3}) == []  # within what varies
    assert compare(now, {**now, "CPU of one monitor": 0.2}) == ["worse: CPU of one monitor: 0.20 before, 0.35 now"]


def test_what_is_written_is_read_and_a_part_leaves_the_others(tmp_path: Path) -> None:
    page, path = tmp_path / "page.md", tmp_path / "figures.json"
    write(PARTS, page, path)
    assert read_parts(path) == PARTS
    write({"monitors": Part("2026-11-28", 3.0, (ROW._replace(met=False),))}, page, path)
    assert read_parts(path)["growth"] == PARTS["growth"]
    assert "| CPU of one monitor | 20 ms | 57 ms | at most 0.5 | NO |" in page.read_text()
    assert "| reading the CIB | 0.1 MB: 2.0 ms | 5 MB: 100.0 ms | 50.0 |" in page.read_text()


def test_figures_that_cannot_be_read_are_none(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    for text in ("", "[]", "{}", '{"a": []}', '{"a": {"when": "", "load": "x"}}'):
        path.write_text(text)
        assert read_parts(path) == {}
    assert read_parts(tmp_path / "none") == {}


def test_an_answer_is_stale_only_if_the_node_was_otherwise_all_the_time() -> None:
    turns = [Turned(10.0, 10.1, well=False), Turned(20.0, 20.1, well=True)]
    old = Told(15.0, 15.1, well=True, age=0.5)
    assert find_stale([old], turns) == [old]
    assert find_stale([Told(15.0, 15.1, well=False, age=0.5)], turns) == []
    assert find_stale([old._replace(age=4.95)], turns) == []  # it says that it may be from before
    assert find_stale([Told(19.9, 20.0, well=True, age=0.1)], turns) == []  # it has changed meanwhile
    assert find_stale([Told(5.0, 5.1, well=True, age=0.1)], turns) == []  # nobody knows
