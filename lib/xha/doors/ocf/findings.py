"""Prints the findings of validate-all and reload-agent in lines that crmsh parses (`ERROR: ` or `WARNING: `)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.ocf.api import ExitCode, Finding, Outcome
from ..terminal.stderr import complain

if TYPE_CHECKING:
    from collections.abc import Sequence


def tell_findings(findings: Sequence[Finding]) -> Outcome:
    """Print each finding in a line that crmsh parses. Return code and text of the first error."""
    for one in findings:
        complain(f"{'ERROR' if one.code else 'WARNING'}: {' '.join(one.text.split())}\n")
    worst = next((one for one in findings if one.code), Finding(ExitCode.SUCCESS, ""))
    return Outcome(worst.code, worst.text)
