"""Renders the results of services as JSON, Nagios lines and Prometheus metrics (docs/schema-1.json)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...node.report import SCHEMA, nagios_text
from .result import Status, worst_exit_code

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .result import Result


def services_document(results: Sequence[Result]) -> dict[str, Any]:
    """Return the JSON object of kind services."""
    return {"schema": SCHEMA, "kind": "services", "services": [result.document() for result in results]}


def render_nagios_services(results: Sequence[Result]) -> str:
    """Return the status line: each fault with its blame, and the durations as performance data."""
    worst = worst_exit_code(results)
    good = sum(result.status in (Status.OK, Status.NOT_APPLICABLE) for result in results)
    if len(results) == 1:
        text = _describe(results[0])
    else:
        faults = [_describe(one) for one in results if one.status not in (Status.OK, Status.NOT_APPLICABLE)]
        text = ", ".join([f"{good} of {len(results)} are well", *faults])
    if len(results) == 1:
        perfdata = f"duration_ms={results[0].duration_ms} age_ms={results[0].age_ms}"
    else:
        perfdata = " ".join(f"'{_label(one.name)}_duration_ms'={one.duration_ms}" for one in results)
    return f"{nagios_text(f'SERVICE {worst.name}: {text}')} | {perfdata}"


def _label(name: str) -> str:
    """Return the name without the characters that end a label of performance data. Invalid names may have them."""
    return name.replace("'", "").replace("=", "")


def _describe(result: Result) -> str:
    blame = f" ({result.blame})" if result.blame else ""
    return f"{result.name} {result.status.value}{blame}: {result.message}"
