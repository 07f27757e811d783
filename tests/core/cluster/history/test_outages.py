"""From spans to outages and availability, and how they are told."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from xha.core.cluster.history.ledger_lines import NodeState
from xha.core.cluster.history.outages import HistoryView, Totals, count_nines, judge_history
from xha.core.cluster.history.report import (
    history_document,
    history_exit_code,
    render_history_text,
    render_nagios_history,
)
from xha.core.cluster.history.timeline import NOBODY_RAN, NodeHistory, Span

SCHEMA = json.loads((Path(__file__).parents[4] / "docs/schema-1.json").read_text())
UP, DOWN, JOINING = NodeState(True, "synced"), NodeState(False, "server-down"), NodeState(False, "joining")
OFF = NodeState(False, "disabled", True)
UNKNOWN = None
END = 2000.0


def node(name: str, *steps: tuple[float, NodeState | None]) -> NodeHistory:
    """A node whose history ends at END; each step is seconds and a state."""
    at = END - sum(seconds for seconds, _ in steps)
    found = []
    for seconds, state in steps:
        found.append(Span(at, at + seconds, state, "" if state else NOBODY_RAN, 0.5))
        at += seconds
    return NodeHistory(name, tuple(found))


def judge(*nodes: NodeHistory, seconds: float = 1000) -> HistoryView:
    return judge_history(nodes, END - seconds, END)


# What happened, then the cluster's seconds up, planned, unplanned and unknown, its outages' causes, and the exit code.
CASES: dict[str, tuple[list[NodeHistory], tuple[float, float, float, float], list[str], int]] = {
    "all is well": ([node("a", (1000, UP)), node("b", (1000, UP))], (1000, 0, 0, 0), [], 0),
    "one node is away, the other serves": (
        [node("a", (500, UP), (100, DOWN), (400, UP)), node("b", (1000, UP))],
        (1000, 0, 0, 0),
        [],
        1,
    ),
    "both are away for 40 s": (
        [node("a", (500, UP), (100, DOWN), (400, UP)), node("b", (560, UP), (90, DOWN), (350, UP))],
        (960, 0, 40, 0),
        ["server-down"],
        2,
    ),
    "one is away, and of the other nothing is known: neither up nor down": (
        [node("a", (500, UP), (100, DOWN), (400, UP)), node("b", (400, UP), (300, UNKNOWN), (300, UP))],
        (900, 0, 0, 100),
        [],
        1,
    ),
    "a planned outage of a node": (
        [node("a", (500, UP), (100, OFF), (400, UP)), node("b", (1000, UP))],
        (1000, 0, 0, 0),
        [],
        0,
    ),
    "the whole cluster is out as planned": (
        [node("a", (500, UP), (100, OFF), (400, UP))],
        (900, 100, 0, 0),
        ["disabled"],
        0,
    ),
    "one is out as planned, then the other fails: that is not planned": (
        [node("a", (500, UP), (100, OFF), (400, UP)), node("b", (540, UP), (20, DOWN), (440, UP))],
        (980, 0, 20, 0),
        ["disabled, server-down"],
        2,
    ),
    "of one of two nothing is known": (
        [node("a", (1000, UP)), NodeHistory("b", cause="no answer")],
        (1000, 0, 0, 0),
        [],
        3,
    ),
    "of one of two more is unknown than known": (
        [node("a", (1000, UP)), node("b", (501, UNKNOWN), (499, UP))],
        (1000, 0, 0, 0),
        [],
        3,
    ),
    "of one of two less is unknown than known": (
        [node("a", (1000, UP)), node("b", (499, UNKNOWN), (501, UP))],
        (1000, 0, 0, 0),
        [],
        0,
    ),
    "nothing is known": ([NodeHistory("a", cause="no file")], (0, 0, 0, 1000), [], 3),
}


@pytest.mark.parametrize("case", CASES)
def test_how_available_the_cluster_was(case: str) -> None:
    nodes, seconds, causes, code = CASES[case]
    view = judge(*nodes)
    assert view.cluster.totals == pytest.approx(Totals(*seconds))
    assert [one.codes[0] for one in view.cluster.outages] == causes
    assert history_exit_code(view) == code
    assert sum(view.cluster.totals) == pytest.approx(1000)  # unknown time is counted, as unknown


def test_one_outage_goes_through_several_reasons_and_its_rto_is_the_whole_of_it() -> None:
    view = judge(node("a", (500, UP), (30, DOWN), (70, JOINING), (400, UP)), node("b", (1000, UP)))
    (outage,) = view.nodes[0].outages
    assert (outage.codes, outage.rto, outage.noticed) == (("server-down", "joining"), 100, 0.5)
    assert outage.affected == "clients of a; b served"


# What was seen of an outage; whether its begin was, whether it lasts, and why its end is not known.
HALF_SEEN: dict[str, tuple[list[tuple[float, NodeState | None]], tuple[bool, bool, str]]] = {
    "it lasts": ([(900, UP), (100, DOWN)], (True, True, "")),
    "nobody saw its begin": ([(100, UNKNOWN), (100, DOWN), (800, UP)], (False, False, "")),
    "nobody saw its end": ([(100, UP), (100, DOWN), (800, UNKNOWN)], (True, False, NOBODY_RAN)),
}


@pytest.mark.parametrize("case", HALF_SEEN)
def test_the_rto_of_an_outage_that_was_not_wholly_seen_is_not_known(case: str) -> None:
    steps, wanted = HALF_SEEN[case]
    (outage,) = judge(node("a", *steps)).nodes[0].outages
    assert outage.rto is None
    assert (outage.begun, outage.lasts, outage.then) == wanted


WHOM = {
    "the others served": ([node("b", (1000, UP))], "clients of a; b served"),
    "no other is known": ([], "clients of a; it is the only member that is known"),
    "nobody else served": (
        [node("b", (500, UP), (500, DOWN))],
        "every client for 100.0 s: no other member was in service",
    ),
    "it is not known whether another served": (
        [node("b", (500, UP), (500, UNKNOWN))],
        "clients of a; whether b served is not known",
    ),
}


@pytest.mark.parametrize("case", WHOM)
def test_who_was_affected(case: str) -> None:
    others, wanted = WHOM[case]
    view = judge(node("a", (600, UP), (100, DOWN), (300, UP)), *others)
    assert view.nodes[0].outages[0].affected == wanted


# The table of the guide: hours and minutes of downtime in a year of 365 days.
YEAR = 365 * 86400.0


@pytest.mark.parametrize(("down", "nines"), [(87.6 * 3600, 2), (52.56 * 60, 4), (5.256 * 60, 5)])
def test_nines_are_those_of_the_guide(down: float, nines: float) -> None:
    totals = Totals(up=YEAR - down, unplanned=down)
    assert totals.availability == pytest.approx(1 - down / YEAR)
    assert count_nines(totals.availability) == pytest.approx(nines)


def test_no_downtime_has_no_number_of_nines_and_no_time_has_no_availability() -> None:
    assert count_nines(Totals(up=1).availability) is None
    assert Totals(unknown=1).availability is None


def test_planned_downtime_is_apart_and_unknown_time_is_the_lower_bound() -> None:
    totals = Totals(up=800, planned=100, unplanned=50, unknown=50)
    assert totals.availability == pytest.approx(800 / 950)
    assert totals.unplanned_availability == pytest.approx(800 / 850)
    assert totals.at_least == pytest.approx(0.8)


def told() -> HistoryView:
    away = NodeHistory("c", cause="the responder on port 49000 does not tell this host", remedy="add it to detail_from")
    return judge(node("a", (500, UP), (30, DOWN), (70, JOINING), (400, UP)), node("b", (600, UP), (400, OFF)), away)


def test_a_person_reads_so() -> None:
    text = render_history_text(told())
    assert [row[0] for row in text.table] == ["WHO", "cluster", "a", "b", "c"]
    assert text.table[2][1:] == ("90.0000 %", "1.0", "100 s", "0 s", "1", "100 s", "0 s", "90.0000 %")
    assert text.table[4][1:3] == ("-", "-")
    assert text.outages[1] == (
        "1970-01-01 00:25:00Z",
        "1970-01-01 00:26:40Z",
        "100 s",
        "a",
        "unplanned",
        "server-down > joining",
    )
    assert text.outages[2][1:5] == ("lasts", "-", "b", "planned")
    assert (
        "c: 16 min are not known: the responder on port 49000 does not tell this host; to do: add it to detail_from"
        in text.below
    )


def test_a_line_for_nagios_reads_so() -> None:
    assert render_nagios_history(told()) == (
        "HISTORY WARNING: cluster available 100.0000 %, nines all, a 1 outages, b 1 outages, c 16 min not known | "
        "availability=100.000000% unplanned=0.000s planned=0.000s unknown=0.000s "
        "unknown_a=0.000s unknown_b=0.000s unknown_c=1000.000s"
    )


def test_nagios_is_told_by_name_of_whom_nothing_is_known() -> None:
    silent = [NodeHistory(name, cause="connection refused") for name in ("b's", "c")]
    assert render_nagios_history(judge(node("a", (1000, UP)), *silent)) == (
        "HISTORY UNKNOWN: cluster available 100.0000 %, nines all, b's 16 min not known, c 16 min not known | "
        "availability=100.000000% unplanned=0.000s planned=0.000s unknown=0.000s "
        "unknown_a=0.000s unknown_b_s=1000.000s unknown_c=1000.000s"
    )


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ([node("a", (1000, UP)), node("b", (1000, UP))], "no outage"),
        ([node("a", (1000, UP)), node("b", (999, UP), (1, UNKNOWN))], "no outage is known"),
        ([NodeHistory("a", cause="no file")], "no outage is known"),
    ],
)
def test_that_there_was_no_outage_is_said_only_where_all_is_known(nodes: list[NodeHistory], said: str) -> None:
    text = render_history_text(judge(*nodes))
    assert (text.outages, text.no_outage) == ((), said)


def test_lines_that_cannot_be_read_are_counted_before_a_person() -> None:
    text = render_history_text(judge(node("a", (1000, UP))._replace(unreadable=3)))
    assert text.below == ("a: 3 lines of its history cannot be read",)


@pytest.mark.parametrize("case", CASES)
def test_its_json_is_that_of_the_schema(case: str) -> None:
    jsonschema.validate(json.loads(json.dumps(history_document(judge(*CASES[case][0])))), SCHEMA)


def test_a_share_is_rounded_down() -> None:
    text = render_history_text(judge(node("a", (999_999_999, UP), (1, DOWN)), seconds=1e9))
    assert text.table[1][1:3] == ("99.9999 %", "9.0")
