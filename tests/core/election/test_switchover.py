"""To whom the writer is handed over, and why to nobody."""

from __future__ import annotations

from typing import Any

import pytest

from core.kept import UUID
from xha.core.election.position_report import PositionReport, State
from xha.core.election.switchover import LONGEST_QUEUE, SwitchoverFacts, plan_switchover
from xha.core.election.writer import NO_CLAIM, Claim, WriterWord
from xha.core.galera.position import Position, View

HERE, THERE = View("1", ("a", "b", "c")), View("2", ("b",))


def word(**changes: Any) -> WriterWord:
    return WriterWord(Claim(3, "A"), True, settled=True, queue=0, lowest=50, last=90)._replace(**changes)


def asked(named: str = "", words: dict[str, WriterWord | None] | None = None, **changes: Any) -> SwitchoverFacts:
    """A is the writer, all are well and have answered."""
    said: dict[str, WriterWord | None] = {**dict.fromkeys("ABC", word()), **(words or {})}
    facts = SwitchoverFacts(
        named,
        ("A", "B", "C"),
        Claim(3, "A"),
        {node: one for node, one in said.items() if one is not None},
        {node: PositionReport(node, State.PRIMARY, component=HERE, keeper="7.8") for node in "ABC"},
        quorum=True,
    )
    return facts._replace(**changes)


GONE = {"C": None}
SHORT, LONG = {"C": Position(UUID, 20)}, {"C": Position(UUID, 49)}


@pytest.mark.parametrize(
    ("facts", "target", "objection"),
    [
        pytest.param(asked(), "B", "", id="the first of the list that can"),
        pytest.param(asked("C"), "C", "", id="the one that is named"),
        pytest.param(asked(words={"B": word(fit=False)}), "C", "", id="the first is not fit"),
        pytest.param(asked("A"), "", "A is the writer already", id="to itself"),
        pytest.param(asked("X"), "", "X is none of the members", id="to a stranger"),
        pytest.param(asked(claim=NO_CLAIM), "", "there is no writer yet", id="no writer"),
        pytest.param(asked(quorum=False), "", "no quorum", id="no quorum"),
        pytest.param(asked("B", {"B": None}), "", "the keeper of B has not answered", id="a silent candidate"),
        pytest.param(asked(words={"A": None}), "", "the keeper of A has not answered", id="a silent writer goes on"),
        pytest.param(
            asked(words={"A": None}, reports={"A": PositionReport("A", State.PRIMARY)}),
            "",
            "attrd_updater --name xha-RSC-claim --node A --delete",
            id="a writer whose word an older version has left",
        ),
        pytest.param(asked("B", {"B": word(fit=False, drains=True)}), "", "B drains", id="a candidate that drains"),
        pytest.param(asked("B", {"B": word(fit=False)}), "", "B is out of service", id="a candidate out of service"),
        pytest.param(
            asked("B", reports={"A": PositionReport("A", component=HERE), "B": PositionReport("B", component=THERE)}),
            "",
            "B is in another component",
            id="a candidate elsewhere",
        ),
        pytest.param(asked("B", {"B": word(queue=LONGEST_QUEUE + 1)}), "", "a queue of 11", id="a queue"),
        pytest.param(asked("B", {"B": word(queue=-1)}), "", "does not say", id="a queue that is not known"),
        pytest.param(
            asked(words=dict.fromkeys("BC", word(fit=False))),
            "",
            "no candidate: B is out of service",
            id="no candidate",
        ),
        pytest.param(
            asked(words=GONE, stopped=SHORT), "", "no gcache covers the absence of C", id="no gcache covers it"
        ),
        pytest.param(asked(words=GONE, stopped=LONG), "B", "", id="the gcache covers it"),
        pytest.param(asked(words={**GONE, "B": word(lowest=15)}, stopped=SHORT), "B", "", id="another one's does"),
    ],
)
def test_to_whom(facts: SwitchoverFacts, target: str, objection: str) -> None:
    plan = plan_switchover(facts)
    assert plan.target == target
    assert objection in plan.objection
    assert bool(plan.objection) is not bool(target)


def test_what_is_not_known_of_an_absent_member_is_told() -> None:
    facts = asked(words=GONE, reports={})
    assert plan_switchover(facts).notes == ("whether a gcache covers the absence of C is not known",)
