"""Who is evicted for a stall, and by whom: each thing that stands in the way, and what holds whatever is reported."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xha.core.election.stall import (
    PERIOD_SECONDS,
    REPORT_SECONDS,
    Eviction,
    HeardStall,
    StallFacts,
    StallReport,
    hear_stalls,
    judge_stall,
    parse_stall_report,
    render_stall_report,
)

MEMBERS = ("A", "B", "C")
NOW, CLOCK = 100.0, 1.8e9


def uuid(node: str) -> str:
    return f"7a2d3bae-8b0d-11ef-a7d2-{node.lower() * 12}"


def well(node: str, **changes: Any) -> StallReport:
    return StallReport(1, uuid(node), 131, synced=True)._replace(**changes)


def stalls(node: str, **changes: Any) -> StallReport:
    """As measured on a frozen binary log: 29 write sets behind."""
    return well(node, applied=101, requested=True, stalled=30.0, weight=1)._replace(**changes)


def heard(*reports: StallReport, **changes: Any) -> dict[str, HeardStall]:
    """The reports of A, B, C and so on, as just heard; changes: of how one was heard, by its name."""
    found = {node: HeardStall(one, NOW, alive=True) for node, one in zip("ABCDE", reports)}
    return {**found, **changes}


def facts(**changes: Any) -> StallFacts:
    """Three members, of which B stalls, as A sees it."""
    plain = StallFacts(
        "A",
        MEMBERS,
        heard(well("A"), stalls("B"), well("C")),
        NOW,
        20.0,
        view=tuple(map(uuid, MEMBERS)),
        size=3,
        data_members=3,
        weight=3,
        clock=CLOCK,
    )
    return plain._replace(**changes)


BEFORE = HeardStall(stalls("B"), NOW - 2, alive=True)
STALE = HeardStall(well("C"), NOW - REPORT_SECONDS - 0.1, alive=True)
GARBD = (*map(uuid, "AB"), "an arbitrator's")


@pytest.mark.parametrize(
    ("seen", "evicts", "said"),
    [
        pytest.param(facts(), True, "it is evicted now", id="one of three"),
        pytest.param(facts(heard=heard(*map(well, MEMBERS))), False, "", id="nobody stalls"),
        pytest.param(facts(threshold=0.0), False, "only named", id="not asked for"),
        pytest.param(facts(threshold=31.0), False, "after 31 s", id="not yet"),
        pytest.param(
            facts(threshold=32.0, heard=heard(well("A"), stalls("B"), well("C"), B=BEFORE)), True, "evicted now",
            id="a report two seconds ago: it has gone on since",
        ),
        pytest.param(facts(me="B"), False, "the others decide", id="of itself nobody decides"),
        pytest.param(facts(me="C"), False, "A evicts it", id="the first of the list acts"),
        pytest.param(
            facts(me="C", heard=heard(well("A", synced=False), stalls("B"), well("C"))), True, "now",
            id="or the first that is well",
        ),
        pytest.param(
            facts(heard=heard(well("A", requested=True), stalls("B"), well("C"))), False, "C evicts it",
            id="who stops others itself does not act",
        ),
        pytest.param(
            facts(heard=heard(well("A"), stalls("B"), stalls("C"))), False, "B and C stall at once", id="two at once"
        ),
        pytest.param(facts(heard=heard(well("A"), stalls("B"))), False, "how C is, is not known", id="one never heard"),
        pytest.param(
            facts(heard=heard(well("A"), stalls("B"), C=STALE)), False, "how C is, is not known", id="silent for 5 s"
        ),
        pytest.param(
            facts(heard=heard(well("A"), stalls("B"), C=HeardStall(well("C"), NOW))), False, "how C is, is not known",
            id="one heard once: perhaps a dead keeper's word",
        ),
        pytest.param(
            facts(heard=heard(well("A"), stalls("B"), well("C", uuid=uuid("E")))), False, "how C is, is not known",
            id="one of an earlier life of its server",
        ),
        pytest.param(
            facts(heard=heard(well("A"), B=HeardStall(stalls("B"), NOW - 6, True))), False, "", id="it is silent itself"
        ),
        pytest.param(facts(view=()), False, "does not know who is in", id="no view: pc.recovery is off"),
        pytest.param(facts(size=2), False, "does not know who is in", id="the view changes"),
        pytest.param(facts(data_members=None), False, "does not know who is in", id="nobody knows who has data"),
        pytest.param(
            facts(heard=heard(well("A"), stalls("B", synced=False), well("C"))), False, "not Synced", id="a donor"
        ),
        pytest.param(
            facts(heard=heard(well("A"), stalls("B", applied=131), well("C"))), False, "applied as much",
            id="it lacks nothing that others have",
        ),
        pytest.param(facts(joining=("C",)), False, "C may need B as a donor", id="a joiner"),
        pytest.param(facts(weight=None), False, "not known", id="the votes are not known"),
        pytest.param(
            facts(heard=heard(well("A"), stalls("B", weight=None), well("C"))), False, "not known",
            id="its own votes are not known",
        ),
        pytest.param(
            facts(weight=4, heard=heard(well("A"), stalls("B", weight=2), well("C"))), False, "2 of 4 votes",
            id="it has half of the votes",
        ),
        pytest.param(
            facts(members=("A", "B"), heard=heard(well("A"), stalls("B")), view=tuple(map(uuid, "AB")), size=2,
                  data_members=2, weight=2), False, "1 of 2 votes", id="two nodes",
        ),
        pytest.param(
            facts(members=("A", "B"), heard=heard(well("A"), stalls("B")), view=GARBD, data_members=2), True, "now",
            id="two nodes and an arbitrator",
        ),
        pytest.param(facts(quorum=False), False, "Pacemaker has no quorum", id="no quorum"),
        pytest.param(facts(forbidden={"A": "maintenance"}), False, "maintenance", id="maintenance here"),
        pytest.param(facts(forbidden={"B": "maintenance"}), False, "maintenance", id="maintenance there"),
        pytest.param(facts(holder="C"), False, "C has the token", id="another one acts"),
        pytest.param(facts(holder="A"), True, "now", id="the token is taken already"),
        pytest.param(
            facts(last=Eviction("C", uuid("C"), "A", CLOCK - PERIOD_SECONDS + 1)), False, "within 10 minutes",
            id="one was evicted ten minutes ago",
        ),
        pytest.param(
            facts(last=Eviction("C", uuid("C"), "A", CLOCK + 60)), False, "within 10 minutes",
            id="clocks differ: one was evicted a minute from now",
        ),
        pytest.param(
            facts(last=Eviction("C", uuid("C"), "A", CLOCK - PERIOD_SECONDS)), True, "now", id="and a moment later"
        ),
    ],
)  # fmt: skip
def test_what_is_decided(seen: StallFacts, evicts: bool, said: str) -> None:
    decision = judge_stall(seen)
    assert (decision.evict, said in decision.reason, bool(decision.reason)) == (evicts, True, bool(said))
    assert decision.culprit == ("B" if said else "")


reports = st.builds(
    StallReport,
    number=st.integers(1, 3),
    uuid=st.sampled_from([*map(uuid, "ABCD"), ""]),
    applied=st.integers(99, 103),
    synced=st.booleans(),
    requested=st.booleans(),
    stalled=st.sampled_from([0.0, 6.0, 30.0]),
    weight=st.sampled_from([None, 0, 1, 2, -1]),
)
whatever = st.builds(
    StallFacts,
    me=st.sampled_from(MEMBERS),
    members=st.permutations(MEMBERS).map(tuple),
    heard=st.dictionaries(
        st.sampled_from([*MEMBERS, "D"]),
        st.builds(HeardStall, reports, st.sampled_from([NOW, NOW - 4, NOW - 6, NOW + 1]), st.booleans()),
    ),
    now=st.just(NOW),
    threshold=st.sampled_from([0.0, 5.0, 20.0]),
    view=st.sampled_from([tuple(map(uuid, "ABC")), tuple(map(uuid, "AB")), GARBD, ()]),
    size=st.sampled_from([None, 2, 3]),
    data_members=st.sampled_from([None, 2, 3]),
    weight=st.sampled_from([None, 2, 3, 4]),
    joining=st.sampled_from([(), ("C",), ("D",)]),
    forbidden=st.sampled_from([{}, {"A": "maintenance"}]),
    quorum=st.booleans(),
    holder=st.sampled_from(["", "A", "B"]),
    last=st.sampled_from([None, Eviction("C", "", "A", CLOCK - 30), Eviction("C", "", "A", CLOCK - 900)]),
    clock=st.just(CLOCK),
)


@given(seen=whatever)
def test_whatever_is_reported_what_is_unknown_evicts_nobody_and_the_rest_keeps_its_majority(seen: StallFacts) -> None:
    decision = judge_stall(seen)
    if not decision.evict:
        return
    culprit = seen.heard[decision.culprit].report
    known = [node for node, one in seen.heard.items() if one.is_known(NOW) and one.report.uuid in seen.view]
    assert {seen.me, decision.culprit} <= set(known)
    assert decision.culprit != seen.me
    assert seen.data_members == len([node for node in known if node in seen.members])
    assert culprit.weight is not None
    assert seen.weight is not None
    assert 2 * (seen.weight - culprit.weight) > seen.weight
    assert seen.threshold > 0
    assert culprit.applied < seen.heard[seen.me].report.applied
    assert seen.quorum
    assert not seen.joining or seen.joining == (decision.culprit,)
    assert seen.last is None or CLOCK - seen.last.at >= PERIOD_SECONDS


@given(seen=whatever)
def test_of_those_who_hear_the_same_one_acts_at_most(seen: StallFacts) -> None:
    assert sum(judge_stall(seen._replace(me=node, holder="")).evict for node in MEMBERS) <= 1


def test_a_word_counts_once_it_was_seen_to_change_and_is_as_old_as_that() -> None:
    first = hear_stalls({}, {"B": well("B")}, 10.0)
    assert not first["B"].is_known(10.0), "a dead keeper may have left it"
    again = hear_stalls(first, {"B": well("B")}, 12.0)
    assert again == first
    new = hear_stalls(again, {"B": well("B", number=2)}, 14.0)
    assert new["B"].is_known(14.0 + REPORT_SECONDS)
    assert not new["B"].is_known(14.1 + REPORT_SECONDS)
    assert hear_stalls(new, {}, 15.0) == {}


def test_a_report_comes_back_as_it_was_told_and_without_a_uuid_it_is_none() -> None:
    assert parse_stall_report(render_stall_report(stalls("B"))) == stalls("B")
    for text in ("", "{}", "[]", render_stall_report(well("B", uuid="x' OR 1")), '{"schema": 2}'):
        assert parse_stall_report(text) is None
