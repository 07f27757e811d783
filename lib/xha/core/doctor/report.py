"""Renders an examination as text, JSON (docs/doctor.md) and a Nagios line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..node.report import SCHEMA, nagios_text
from ..node.verdict import NagiosCode
from ..text.escape import clean
from .findings import Weight

if TYPE_CHECKING:
    from typing import Any

    from .findings import DoctorFinding
    from .table import Examination

_LONGEST = 2000
_CODES = {
    Weight.HARM: NagiosCode.CRITICAL,
    Weight.UNSEEN: NagiosCode.UNKNOWN,
    Weight.ADVICE: NagiosCode.WARNING,
}


def exit_code(examination: Examination) -> NagiosCode:
    """Return 2 if something will hurt, 3 if something could not be looked at, 1 for advice alone, 0 for nothing.

    What was not looked at may hurt, so it outranks advice.
    """
    weights = {one.weight for one in examination.findings}
    return next((code for weight, code in _CODES.items() if weight in weights), NagiosCode.OK)


def render_text(examination: Examination) -> list[str]:
    """Return the lines for a person: three for each finding, and a summary."""
    lines = []
    for one in examination.findings:
        lines.append(f"{one.weight.value}: {clean(one.seen, _LONGEST)}  [{', '.join(one.rules)}]")
        if one.weight is Weight.UNSEEN:
            lines.append(f"  needs: {clean(one.write, _LONGEST)}")
        else:
            lines += [f"  why: {one.why}", f"  write: {clean(one.write, _LONGEST)}"]
    return [*lines, summarise(examination)]


def summarise(examination: Examination) -> str:
    """Return how many rules came to what, in one line."""
    said = [f"{len(examination.fine)} rules found nothing"]
    for weight in Weight:
        found = [one for one in examination.findings if one.weight is weight]
        names = {name for one in found for name in one.rules}
        if names:
            said.append(f"{len(names)}: {weight.value}")
    if examination.left_out:
        said.append(f"{len(examination.left_out)} left out by --host-only ({', '.join(examination.left_out)})")
    return "; ".join(said)


def render_nagios(examination: Examination) -> str:
    """Return the status line with performance data (Monitoring Plugins guidelines, section 2.6)."""
    code = exit_code(examination)
    told = "; ".join(f"{one.weight.value}: {one.rules[0]}, {one.seen}" for one in examination.findings)
    counts = {weight: sum(one.weight is weight for one in examination.findings) for weight in Weight}
    numbers = " ".join(f"{weight.name.lower()}={count}" for weight, count in counts.items())
    line = nagios_text(f"DOCTOR {code.name}: {told or summarise(examination)}")
    return f"{line} | fine={len(examination.fine)} {numbers}"


def doctor_document(examination: Examination) -> dict[str, Any]:
    """Return the document of --json."""
    return {
        "schema": SCHEMA,
        "kind": "doctor",
        "exit_code": int(exit_code(examination)),
        "findings": [_document(one) for one in examination.findings],
        "fine": list(examination.fine),
        "left_out": list(examination.left_out),
    }


def _document(one: DoctorFinding) -> dict[str, Any]:
    unseen = one.weight is Weight.UNSEEN
    return {
        "weight": one.weight.name.lower(),
        "rules": list(one.rules),
        "seen": clean(one.seen, _LONGEST),
        "why": one.why,
        "write": None if unseen else clean(one.write, _LONGEST),
        "needs": clean(one.write, _LONGEST) if unseen else None,
    }
