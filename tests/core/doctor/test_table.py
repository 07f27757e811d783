"""All rules are applied, whatever becomes of one of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from xha.core.doctor import table
from xha.core.doctor.facts import DoctorFacts
from xha.core.doctor.findings import Rule, Symptom, Weight
from xha.core.doctor.unseen import Unlooked, Unseen


def faulty(_: DoctorFacts) -> Iterator[Symptom]:
    yield Symptom("seen before it fails", "a line")
    raise ValueError("a password: 'secret'")


def sees(_: DoctorFacts) -> Iterator[Symptom]:
    yield Symptom("seen by the next rule", "a line")


def lacks_two(_: DoctorFacts) -> Iterator[Symptom]:
    yield from ()
    raise Unlooked(Unseen("one", "a look"), Unseen("two", "a look"), Unseen("one", "a look"))


def test_a_rule_that_fails_has_not_looked_and_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = [Rule(one.__name__, Weight.HARM, "a thing", "why", one) for one in (faulty, sees)]
    monkeypatch.setattr(table, "RULES", tuple(rules))
    came_to = table.examine(DoctorFacts())
    assert [(one.weight, one.rules, one.seen) for one in came_to.findings] == [
        (Weight.HARM, ("faulty",), "seen before it fails"),
        (Weight.HARM, ("sees",), "seen by the next rule"),
        (Weight.UNSEEN, ("faulty",), "a thing: the rule faulty failed (ValueError)"),
    ]
    assert came_to.fine == ()


def test_all_that_a_rule_lacks_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "RULES", (Rule("lacks", Weight.HARM, "a thing", "why", lacks_two),))
    assert [one.seen for one in table.examine(DoctorFacts()).findings] == ["one", "two"]
