"""The doctor's rules about the other members, where there was nobody to ask, or nobody answered."""

from __future__ import annotations

import math

import pytest

from xha.core.doctor import member_rules
from xha.core.doctor.facts import DoctorFacts, MemberFacts, ServerFacts
from xha.core.doctor.findings import Weight
from xha.core.doctor.table import Examination, examine
from xha.core.election.facts import Probe

NAMES = {rule.name for rule in member_rules.RULES}
LISTENS = {3306: "SQL", 4567: "the group"}
SERVER = ServerFacts("a test", {"version": "10.11.6", "wsrep_sst_method": "rsync"}, {})


def look(*members: MemberFacts) -> Examination:
    return examine(DoctorFacts(server=SERVER, members=members))


def weights(examination: Examination, rule: str) -> list[Weight]:
    return [one.weight for one in examination.findings if rule in one.rules]


def member(answer: Probe, clock: float | None = 0.0, **ports: Probe) -> MemberFacts:
    each = dict.fromkeys((*LISTENS, 4444, 4568), answer)
    return MemberFacts("db2:3306", "db2", LISTENS, {**each, **{int(n[1:]): p for n, p in ports.items()}}, clock=clock)


def test_without_another_member_no_rule_has_looked() -> None:
    came_to = look()
    assert not NAMES & set(came_to.fine)
    (found,) = [one for one in came_to.findings if set(one.rules) & NAMES]
    assert (found.weight, set(found.rules)) == (Weight.UNSEEN, NAMES)
    assert (found.seen, "members in [cluster]" in found.write) == ("no other member is known", True)


TRANSFERS = {
    "no port answers: nothing is known": (member(Probe.SILENT), [Weight.UNSEEN]),
    "one refuses, and these drop": (member(Probe.SILENT, p3306=Probe.REFUSED), [Weight.HARM, Weight.HARM]),
    "one drops": (member(Probe.REFUSED, p4444=Probe.SILENT), [Weight.HARM]),
    "they refuse: nothing listens now, and nothing drops": (member(Probe.REFUSED), []),
}


@pytest.mark.parametrize("title", TRANSFERS)
def test_ports_of_state_transfers(title: str) -> None:
    one, wanted = TRANSFERS[title]
    assert weights(look(one), "transfer-ports") == wanted


def test_a_silent_member_does_not_hide_what_another_one_drops() -> None:
    came_to = look(member(Probe.SILENT), member(Probe.ACCEPTED, p4568=Probe.SILENT))
    assert weights(came_to, "transfer-ports") == [Weight.HARM, Weight.UNSEEN]


@pytest.mark.parametrize(
    ("clock", "wanted"),
    [(0.5, []), (-3.0, [Weight.ADVICE]), (None, [Weight.UNSEEN]), (math.nan, [Weight.UNSEEN])],
)
def test_clocks(clock: float | None, wanted: list[Weight]) -> None:
    assert weights(look(member(Probe.ACCEPTED, clock)), "clocks") == wanted
