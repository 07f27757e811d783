"""What each node would do, what a grant costs, and when a grant is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from xha.core.cluster.dry_run import (
    Forecast,
    Seen,
    describe,
    digests,
    forecast,
    forecast_document,
    name_decision,
    object_to,
    tell_losses,
    why_unused,
)
from xha.core.cluster.outlook import needs_person
from xha.core.election.decision import Bootstrap, Join, Refuse, Wait
from xha.core.election.facts import Grant, GrantKind, Host, Probe, Probed, Records, Token
from xha.core.election.position_report import PositionReport, State, Unread
from xha.core.galera.lineage import Generation, History, StopRecord
from xha.core.galera.position import Kind, Position, View
from xha.core.pacemaker.cib import Cib
from xha.core.pacemaker.cib_records import Book

UUID = "6f1c2a9e-8b0d-11ef-9c41-3a5f0e7d2b18"
OTHER = "11111111-8b0d-11ef-9c41-3a5f0e7d2b18"
NODES = ("n1", "n2", "n3")
SCHEMA = json.loads((Path(__file__).parents[3] / "docs/schema-1.json").read_text(encoding="utf-8"))
FORGET, BOOTSTRAP, DISCARD = GrantKind.FORGET, GrantKind.BOOTSTRAP, GrantKind.DISCARD


def position_report(node: str, seqno: int = 5, **changes: Any) -> PositionReport:
    """The report of a stopped node that has answered every other node."""
    fields = {"kind": Kind.INTACT, "position": Position(UUID, seqno), "members": NODES, "opens": f"e-{node}"}
    return PositionReport(node, **{**fields, "epochs": tuple(f"e-{one}" for one in NODES), **changes})


EMPTY = {"kind": Kind.EMPTY, "position": Position()}


def seen(*position_reports: PositionReport, **changes: Any) -> Seen:
    """What can be seen of three hosts that are online."""
    cib = Cib(nodes=NODES, hosts=dict.fromkeys(NODES, Host.ONLINE), exists=True, **changes.pop("cib", {}))
    return Seen("db", cib, {one.node: one for one in position_reports}, NODES, now=1000.0, **changes)


def stopped(node: str, seqno: int) -> dict[str, Any]:
    stop = StopRecord(History(Position(UUID, seqno)), "boot")
    return {"book": Book(Records({node: stop}))}


ALL = seen(position_report("n1", 5), position_report("n2", 7), position_report("n3", 7))
TWO = seen(position_report("n1", 5), position_report("n2", 7))
RUNNING = seen(
    position_report("n1", 9, state=State.PRIMARY),
    position_report("n2", 9, state=State.PRIMARY),
    position_report("n3", 12),
)


def test_every_node_is_foreseen_by_the_agent_s_own_rule() -> None:
    forecasts = forecast(ALL)
    assert [one.node for one in forecasts] == list(NODES)
    assert [name_decision(one.decision) for one in forecasts if one.decision] == ["wait", "bootstrap", "wait"]
    assert isinstance(forecasts[1].decision, Bootstrap)
    assert not needs_person(ALL, forecasts)


def test_each_node_counts_what_answers_its_own_question() -> None:
    half = seen(position_report("n1"), position_report("n2"), position_report("n3", epochs=("e-n1", "e-n3")))
    decisions = [one.decision for one in forecast(half)]
    assert isinstance(decisions[0], Bootstrap)
    assert isinstance(decisions[1], Wait)
    assert decisions[1].missing == ("n3",)
    told = digests(half)
    assert told["n1"] == told["n3"] != told["n2"]


def test_reports_that_all_have_answered_have_one_digest() -> None:
    assert len(set(digests(ALL).values())) == 1
    assert set(digests(TWO)) == {"n1", "n2"}
    assert digests(seen()) == {}


def test_who_does_not_report_does_nothing_that_is_known() -> None:
    forecasts = forecast(TWO)
    assert forecasts[2] == Forecast("n3", Host.ONLINE)
    assert needs_person(TWO, forecasts)


def test_a_report_of_another_schema_waits() -> None:
    decision = forecast(seen(position_report("n1"))._replace(reports={"n1": position_report("n1"), "n2": Unread(7)}))[
        1
    ].decision
    assert isinstance(decision, Wait)
    assert "schema 7" in decision.reason


def test_what_somebody_else_has_on_a_port_is_told_and_a_grant_outweighs_it() -> None:
    """A proxy has port 3306 on every host; n3 is off, and was stopped cleanly."""
    ports = dict.fromkeys(NODES, Probed(Probe.ACCEPTED, (3306,)))
    off = {"book": Book(Records({"n3": StopRecord(History(Position(UUID, 5)), "boot")}))}
    said = (position_report("n1", 5), position_report("n2", 7))
    before = forecast(seen(*said, probes=ports, cib=off))
    for one in before[:2]:
        assert isinstance(one.decision, Wait)
        assert one.decision.reason.startswith("something answers on port 3306 of n3: no keeper of n3 has said")
        assert "xha-check grant forget=n3" in one.decision.remedy
    assert needs_person(seen(*said, probes=ports, cib=off), before)
    grant = Grant(FORGET, "n3", digests(seen(*said))["n1"], 990.0, "ann", "a proxy")
    granted = seen(*said, probes=ports, cib={"book": off["book"]._replace(grants=(grant,))})
    assert object_to(granted, FORGET, "n3") == ""
    assert why_unused(granted, grant) == ""
    assert isinstance(forecast(granted)[1].decision, Bootstrap)


def test_who_is_held_acts_on_nothing() -> None:
    held = seen(
        *(one for one in ALL.reports.values() if isinstance(one, PositionReport)), cib={"meta": {"maintenance": "true"}}
    )
    forecasts = forecast(held)
    assert {one.held for one in forecasts} == {"the resource is in maintenance mode"}
    assert needs_person(held, forecasts)


def test_a_refusal_needs_a_person_even_beside_a_primary() -> None:
    forecasts = forecast(RUNNING)
    assert isinstance(forecasts[0].decision, Join)
    assert isinstance(forecasts[2].decision, Refuse)
    assert needs_person(RUNNING, forecasts)
    fine = seen(*(position_report(node, 9, state=State.PRIMARY) for node in NODES))
    assert not needs_person(fine, forecast(fine))


def lone(node: str, seqno: int, **changes: Any) -> PositionReport:
    """The only member of a Primary."""
    return position_report(node, seqno, state=State.PRIMARY, component=View(f"view {node}", (f"u-{node}",)), **changes)


TWO_CLUSTERS = seen(
    position_report("n1", 5), lone("n2", 9), lone("n3", 7, line=(Generation("h", "", 5, ("n3",), by_hand=True),))
)


def test_of_two_clusters_each_says_that_a_person_is_needed_and_what_giving_one_up_may_cost() -> None:
    forecasts = forecast(TWO_CLUSTERS)
    assert all(isinstance(one.decision, Refuse) and "n2 and n3 are Primary" in one.decision.reason for one in forecasts)
    assert needs_person(TWO_CLUSTERS, forecasts)
    [loss] = tell_losses(TWO_CLUSTERS, DISCARD, "n3")
    assert loss.startswith("commits of n3, which went on by itself")


NOT_GRANTED = {
    "no such member": (ALL, FORGET, "n4", "n4 is no member; the members are n1, n2 and n3"),
    "nobody reports": (seen(), FORGET, "n1", "no node reports"),
    "forget beside a Primary": (RUNNING, FORGET, "n3", "n1 and n2 answer as Primary"),
    "bootstrap beside a Primary": (RUNNING, BOOTSTRAP, "n3", "answer as Primary"),
    "discard of a Primary": (RUNNING, DISCARD, "n1", "answer as Primary"),
    "forget a node that runs": (seen(position_report("n1", state=State.STARTING)), FORGET, "n1", "a server runs on n1"),
    "bootstrap of a silent node": (TWO, BOOTSTRAP, "n3", "n3 does not report what it holds"),
    "discard of a silent node": (TWO, DISCARD, "n3", "n3 does not report what it holds"),
    "discard of nothing": (
        seen(position_report("n1"), position_report("n2", **EMPTY)),
        DISCARD,
        "n2",
        "n2 holds no data",
    ),
}


@pytest.mark.parametrize("title", NOT_GRANTED)
def test_when_a_grant_is_not_given(title: str) -> None:
    sight, kind, node, why = NOT_GRANTED[title]
    assert why in object_to(sight, kind, node)


GRANTED = {
    "forget a silent node": (TWO, FORGET, "n3"),
    "forget what came back empty": (seen(position_report("n1"), position_report("n2", **EMPTY)), FORGET, "n2"),
    "bootstrap of any that reports": (TWO, BOOTSTRAP, "n1"),
    "bootstrap of an empty one": (seen(position_report("n1", **EMPTY)), BOOTSTRAP, "n1"),
    "discard beside a Primary": (RUNNING, DISCARD, "n3"),
    "discard of one of two Primaries": (TWO_CLUSTERS, DISCARD, "n3"),
}


@pytest.mark.parametrize("title", GRANTED)
def test_when_a_grant_is_given(title: str) -> None:
    assert object_to(*GRANTED[title]) == ""


# Given 10 s ago, when only n1 and n2 had reported.
GIVEN = Grant(FORGET, "n3", digests(TWO)["n1"], 990.0, "root", "gone")
VOID = {
    "the same reports": (TWO, GIVEN, ""),
    "one more report": (ALL, GIVEN, "what the members report has changed since"),
    "nobody reports any more": (seen(), GIVEN, "what the members report has changed since"),
    "eleven minutes": (TWO._replace(now=1651.0), GIVEN, "it is older than 10 minutes"),
    "a clock behind": (TWO._replace(now=960.0), GIVEN, "it was given 30 s from now: the hosts' clocks differ"),
}


@pytest.mark.parametrize("title", VOID)
def test_why_nobody_acts_on_a_grant(title: str) -> None:
    sight, grant, why = VOID[title]
    given = sight._replace(cib=sight.cib._replace(book=Book(Records(), (grant,))))
    assert why_unused(given, grant) == why
    assert forecast_document(given, forecast(given))["grants"][0]["void"] == (why or None)


SPLIT = (Generation("a", "", 4, ("n1",)),), (Generation("b", "", 4, ("n2",)),)
LOSSES = {
    "a silent node's": (TWO, FORGET, "n3", ["whatever n3 has committed and nobody else received"]),
    "a stopped node's": (
        seen(position_report("n1"), position_report("n2"), cib=stopped("n3", 4)),
        FORGET,
        "n3",
        [f"what n3 committed since its clean stop at {UUID}:4, if it ran since"],
    ),
    "an empty node's": (
        seen(position_report("n1", **EMPTY)),
        FORGET,
        "n1",
        ["whatever n1 held before it came back empty"],
    ),
    "the newest forms it": (ALL, BOOTSTRAP, "n2", []),
    "an older one forms it": (ALL, BOOTSTRAP, "n1", ["2 commits of n2", "2 commits of n3"]),
    "one of two forms it": (TWO, BOOTSTRAP, "n2", ["whatever n3 has committed"]),
    "an empty one forms it": (
        seen(position_report("n1", **EMPTY), position_report("n2"), position_report("n3", **EMPTY)),
        BOOTSTRAP,
        "n1",
        ["commits of n2, of another history"],
    ),
    "beside another history": (
        seen(position_report("n1"), position_report("n2", position=Position(OTHER, 3)), position_report("n3", 5)),
        BOOTSTRAP,
        "n1",
        ["commits of n2, of another history"],
    ),
    "beside a history that split off": (
        seen(
            position_report("n1", 9, line=SPLIT[0]), position_report("n2", 9, line=SPLIT[1]), position_report("n3", 4)
        ),
        BOOTSTRAP,
        "n1",
        ["commits of n2, which went on by itself"],
    ),
    "beside foreign data": (
        seen(
            position_report("n1"), position_report("n2", kind=Kind.FOREIGN, position=Position()), position_report("n3")
        ),
        BOOTSTRAP,
        "n1",
        ["the data of n2: user schemas without a position"],
    ),
    "what is ahead of the Primary": (RUNNING, DISCARD, "n3", ["3 commits of n3"]),
    "one commit": (
        seen(position_report("n1", 5, state=State.PRIMARY), position_report("n2", 6)),
        DISCARD,
        "n2",
        ["1 commit of n2"],
    ),
    "what the Primary has, too": (
        seen(position_report("n1", 5, state=State.PRIMARY), position_report("n2", 5)),
        DISCARD,
        "n2",
        [],
    ),
    "all that there is": (seen(position_report("n1")), DISCARD, "n1", [f"all that n1 holds ({UUID}:5)"]),
}


@pytest.mark.parametrize("title", LOSSES)
def test_what_may_be_lost_by_a_grant(title: str) -> None:
    sight, kind, node, expected = LOSSES[title]
    told = [one for one in tell_losses(sight, kind, node) if one]
    assert len(told) == len(expected)
    for sentence, start in zip(told, expected):
        assert sentence.startswith(start)


def test_what_is_known_of_a_node_is_told() -> None:
    sight = seen(position_report("n1"), position_report("n2", kind=Kind.IN_DOUBT), cib=stopped("n3", 4))
    assert [describe(sight, node) for node in NODES] == [
        f"stopped at {UUID}:5",
        f"stopped, in-doubt at {UUID}:5",
        f"no report; stopped cleanly at {UUID}:4",
    ]
    assert describe(seen(position_report("n1", **EMPTY)), "n1") == "stopped, empty"
    assert describe(seen(), "n1") == "no report"
    assert describe(seen()._replace(reports={"n1": Unread()}), "n1") == "its report cannot be read"


@pytest.mark.parametrize(
    "sight", [ALL, TWO, RUNNING, seen(), seen(position_report("n1", **EMPTY), position_report("n2"))]
)
def test_the_document_is_valid(sight: Seen) -> None:
    grant = Grant(FORGET, "n3", "d", 999.0, "root", "gone")
    book = Book(Records(token=Token("n1", "e", "d")), (grant,), grant)
    for one in (sight, sight._replace(cib=sight.cib._replace(book=book), states={"n1": "waiting: for n3"})):
        part = forecast_document(one, forecast(one))
        jsonschema.validate({"schema": 1, "kind": "outlook", "resources": [part]}, SCHEMA)
        assert [node["node"] for node in part["nodes"]] == list(NODES)
