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
from lab.matrix import file_name, merge_software
from lab.place import REPOSITORY, Place
from lab.report import parse_json, parse_software, render_json, render_markdown, summarise
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


def test_a_report_of_runs_with_two_versions_names_both_and_each_once() -> None:
    text = render_json("ocf:a:b", {"pcs": "0.11.5", "haproxy": "2.6.12"}, 2, [])
    before = parse_software(text)
    now = {"pcs": "0.11.5", "haproxy": "2.6.13"}
    both = {"pcs": "0.11.5", "haproxy": "2.6.12 and 2.6.13"}
    assert (merge_software(before, now), merge_software(both, now)) == (both, both)
    assert merge_software({}, now) == now


def test_the_worlds_stand_side_by_side_with_what_few_runs_and_no_recovery_are_worth() -> None:
    stuck = replace(GOOD, recovered=False, synced_after=None)
    quick = replace(GOOD, longest_gap=0.1234)
    summaries = [summarise("seed", [GOOD, stuck]), summarise("sound", [GOOD]), summarise("fast", [quick] * 3)]
    page = render_markdown("ocf:a:b", {}, 2, summaries)
    assert "| fault | seed | sound | fast |" in page
    assert "| `kill-all` | 1 of 2 recovered | (39) | 0.12 |" in page
    assert "Side by side" not in render_markdown("ocf:a:b", {}, 2, summaries[:1])


def kinds(gap: float, errors: int, unknown: int, committed: int | None) -> dict[str, dict[str, float | None]]:
    pool = {"acknowledged": 9, "errors": errors, "longest_gap": gap, "unknown": unknown, "committed": committed}
    return {"pool": pool}


def test_each_kind_of_writer_has_a_line_and_what_nobody_could_look_for_is_unknown() -> None:
    runs = [
        replace(GOOD, usual_gap=0.1, by_kind=kinds(0.25, 0, 0, 0)),
        replace(GOOD, usual_gap=0.3, by_kind=kinds(2.5, 3, 2, 1)),
        replace(GOOD, usual_gap=None, by_kind=kinds(0.5, 1, 0, 0)),
    ]
    assert "| `kill-all` | pool | 3 | 0.5 | 2.5 | 3 | 2 | 1 | 0.3 |" in render_markdown(
        "ocf:a:b", {}, 2, [summarise("fast", runs)]
    )
    unread = replace(GOOD, by_kind=kinds(1, 1, 1, None))
    assert "| 1 | unknown | - |" in render_markdown("ocf:a:b", {}, 2, [summarise("fast", [unread])])
    assert "What each kind" not in render_markdown("ocf:a:b", {}, 2, [summarise("fast", [GOOD])])


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
    assert broken_by(stuck, {}, [GOOD, stuck]) == ["not recovered: waiting"]
    assert broken_by(stuck, {}, [stuck]) == broken_by(restless, {}, [restless]) == []


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
