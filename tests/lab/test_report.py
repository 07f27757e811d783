"""The report and the soak's conditions, from hand-written outcomes."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from lab import soak
from lab.cluster import Galera
from lab.contenders import XHA
from lab.faults import FAULTS
from lab.laboratory import Laboratory
from lab.matrix import file_name
from lab.place import REPOSITORY, Place
from lab.report import parse_json, render_json, render_markdown, summarise
from lab.soak import LENGTH, broken_by, sequence
from lab.trial import Outcome
from lab.worlds import SEED

GOOD = Outcome("kill-all", True, 50.0, 40.0, 40.0, 39.0, {"2013 Lost connection": 8}, {"h1": 0, "h2": 0}, 0, 60.0, 0.5)
PRIMARY = Galera("Synced", "Primary", True, 3, "u")


def test_times_are_medians_and_losses_are_the_worst() -> None:
    slow = replace(GOOD, synced_after=90.0, lost={"h1": 0, "h2": 5}, needless_starts=2)
    summary = summarise("seed", [GOOD, slow, GOOD])
    assert (summary.synced_after, summary.writes_lost, summary.needless_starts) == (50.0, 5, 2)
    assert (summary.recovered, summary.runs, summary.errors) == (3, 3, 8)


def test_a_time_that_one_run_never_reached_is_not_a_median_of_the_others() -> None:
    stuck = replace(GOOD, recovered=False, synced_after=None)
    summary = summarise("seed", [GOOD, stuck, GOOD])
    assert summary.synced_after is None
    assert summary.writes_after == 40.0
    assert "| 2 of 3 | never | 40 |" in render_markdown("ocf:a:b", {}, 2, [summary])


def test_the_time_of_a_single_run_is_no_median_and_stays_off_the_page() -> None:
    page = render_markdown("ocf:a:b", {}, 2, [summarise("seed", [GOOD, GOOD])])
    assert "| 2 of 2 | - | - | - | - | 8 | 0 |" in page
    assert "| 3 of 3 | 50 | 40 | 40 | 39 | 8 | 0 |" in render_markdown(
        "ocf:a:b", {}, 2, [summarise("seed", [GOOD] * 3)]
    )


def test_losses_that_nobody_could_count_are_unknown_and_not_none() -> None:
    stuck = replace(GOOD, recovered=False, lost={})
    assert summarise("seed", [stuck]).writes_lost is None
    assert "| unknown |" in render_markdown("ocf:a:b", {}, 2, [summarise("seed", [stuck])])
    assert summarise("seed", [stuck, replace(GOOD, lost={"h1": 2})]).writes_lost == 2


def test_the_json_is_an_object_with_a_list_of_faults_and_every_run_of_each() -> None:
    said = json.loads(render_json("ocf:a:b", {"pcs": "1"}, 2, [summarise("seed", [GOOD, GOOD])]))
    assert [fault["name"] for fault in said["faults"]] == ["kill-all"]
    assert said["faults"][0]["outcomes"][1]["errors"] == {"2013 Lost connection": 8}


def test_a_report_holds_all_that_the_next_one_needs() -> None:
    runs = [GOOD, replace(GOOD, recovered=False, synced_after=None, said=("waiting for h1",))]
    text = render_json("ocf:a:b", {}, 2, [summarise("seed", runs), summarise("sound", [GOOD])])
    assert parse_json(text) == [("seed", runs[0]), ("seed", runs[1]), ("sound", GOOD)]


def test_what_an_operator_was_told_stands_below_the_table() -> None:
    stuck = replace(GOOD, recovered=False, said=("waiting for h1",))
    page = render_markdown("ocf:a:b", {}, 2, [summarise("seed", [stuck, stuck])])
    assert page.endswith("`pcs status` said:\n\n- `kill-all`: *waiting for h1*\n")
    assert "pcs status" not in render_markdown("ocf:a:b", {}, 2, [summarise("seed", [GOOD])])


def test_the_report_is_named_after_the_agent_and_another_system_than_the_first() -> None:
    assert file_name("ocf:heartbeat:galera", "debian12") == "heartbeat-galera"
    assert file_name("ocf:xha:galera", "debian13") == "xha-galera-debian13"
    assert "`make lab-report AGENT=a OS=debian13`" in render_markdown("a", {}, 2, [], order=" OS=debian13")


def test_a_sequence_follows_from_its_seed_and_number_alone() -> None:
    assert sequence("7", 3) == sequence("7", 3)
    assert sequence("7", 3) != sequence("7", 4)
    assert set(sequence("7", 3)) <= set(FAULTS)
    assert len(set(sequence("7", 3))) == LENGTH


def test_a_soak_goes_on_with_what_it_has_not_finished_and_each_sequence_is_a_row(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No laboratory is built: what a sequence comes to is given."""
    run: list[int] = []
    page = tmp_path / "soak.md"
    page.write_text(soak.PAGE.read_text().partition("| --- |")[0] + "| --- | --- | --- | --- | --- | --- | --- |\n")
    monkeypatch.setattr(soak, "PAGE", page)
    monkeypatch.setattr(
        soak, "run_sequence", lambda _, seed, number: run.append(number) or (["h2 | lacks"] if number == 2 else [])
    )
    monkeypatch.setattr(soak, "BUILD", REPOSITORY / "build" / "lab-soak" / tmp_path.name)
    lab = Laboratory(Place("none"))
    try:
        assert soak.run_soak(lab, XHA, SEED, "7", 1)
        assert not soak.run_soak(lab, XHA, SEED, "7", 2)
        rows = page.read_text().splitlines()[-2:]
    finally:
        shutil.rmtree(soak.BUILD, ignore_errors=True)
    assert run == [1, 2]
    assert rows[0].startswith(f"| ocf:xha:galera | {lab.system.name} | seed | 7 | 1 | `")
    assert [row.split(" | ")[-1] for row in rows] == ["held |", "h2 / lacks |"]
    again = soak.Row("ocf:xha:galera", lab.system.name, "seed", "7", 2, ["kill-all"], [])
    assert soak.add_row(page.read_text(), again).splitlines()[-2:] == [rows[0], again.render()]


def test_what_the_report_of_single_faults_does_not_have_is_named() -> None:
    stuck, restless = replace(GOOD, recovered=False, said=("waiting",)), replace(GOOD, needless_starts=1)
    assert broken_by(stuck, {}, [GOOD]) == ["not recovered: waiting"]
    assert broken_by(restless, {}, [GOOD]) == ["1 starts of mysqld that were not needed"]
    assert broken_by(stuck, {}, [GOOD, stuck]) == broken_by(restless, {}, [restless]) == []


def test_one_component_without_losses_holds() -> None:
    assert broken_by(GOOD, dict.fromkeys(("h1", "h2", "h3"), PRIMARY)) == []
    assert broken_by(GOOD, {"h1": Galera(), "h2": replace(PRIMARY, size=1)}) == []


def test_lost_writes_and_two_components_are_named() -> None:
    assert broken_by(replace(GOOD, lost={"h2": 3}), {}) == ["h2 lacks 3 acknowledged writes"]
    for nodes in (
        {"h1": replace(PRIMARY, size=1), "h2": replace(PRIMARY, size=2), "h3": replace(PRIMARY, size=2)},
        {"h1": replace(PRIMARY, size=1), "h2": replace(PRIMARY, size=1)},
        {"h1": PRIMARY, "h2": replace(PRIMARY, uuid="other")},
    ):
        assert "more than one primary component" in broken_by(GOOD, nodes)[0]
