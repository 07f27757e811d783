"""All rules of the doctor, in the order in which they are told, and their application to the facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from . import (
    data_rules,
    galera_rules,
    haproxy_asking,
    haproxy_timing,
    host_rules,
    member_rules,
    pacemaker_rules,
    server_rules,
)
from .findings import DoctorFinding, Weight
from .unseen import Unlooked, Unseen

if TYPE_CHECKING:
    from .facts import DoctorFacts
    from .findings import Rule, Symptom

RULES: tuple[Rule, ...] = (
    *server_rules.RULES,
    *galera_rules.RULES,
    *data_rules.RULES,
    *haproxy_asking.RULES,
    *haproxy_timing.RULES,
    *pacemaker_rules.RULES,
    *host_rules.RULES,
    *member_rules.RULES,
)
_ORDER = (Weight.HARM, Weight.ADVICE, Weight.UNSEEN)
_FAULT = "a corrected xha: this is a fault of the rule (docs/support.md)"
_UNSEEN_WHY = "nothing is known of it, good or bad"


class Examination(NamedTuple):
    """What came of all rules. fine: those that found nothing. left_out: those that --host-only leaves out."""

    findings: tuple[DoctorFinding, ...]
    fine: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def examine(facts: DoctorFacts, *, host_only: bool = False) -> Examination:
    """Apply every rule. A rule that could not look is a finding; those that lack the same fact are one finding."""
    findings: list[DoctorFinding] = []
    unseen: dict[Unseen, list[str]] = {}
    fine, left_out = [], []
    for rule in RULES:
        if host_only and rule.remote:
            left_out.append(rule.name)
            continue
        found, lacks = _apply(rule, facts)
        findings += (DoctorFinding(rule.weight, (rule.name,), one.seen, rule.why, one.write) for one in found)
        for lack in lacks:
            unseen.setdefault(lack, []).append(rule.name)
        if not found and not lacks:
            fine.append(rule.name)
    findings += [
        DoctorFinding(Weight.UNSEEN, tuple(names), lack.what, _UNSEEN_WHY, lack.needs) for lack, names in unseen.items()
    ]
    findings.sort(key=lambda one: _ORDER.index(one.weight))
    return Examination(tuple(findings), tuple(fine), tuple(left_out))


def _apply(rule: Rule, facts: DoctorFacts) -> tuple[list[Symptom], tuple[Unseen, ...]]:
    """Return what a rule saw, and what it could not look at. A rule that fails has not looked: the others still do."""
    found: list[Symptom] = []
    try:
        found.extend(rule.examine(facts))
    except Unlooked as lack:
        return found, tuple(dict.fromkeys(lack.all))
    except Exception as error:
        # Its words may be of what another program said: the kind of the error is enough to find the fault.
        return found, (Unseen(f"{rule.subject}: the rule {rule.name} failed ({type(error).__name__})", _FAULT),)
    return found, ()
