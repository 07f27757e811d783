"""Renders a whole cluster as JSON and as a Nagios line (docs/schema-1.json)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..node.report import SCHEMA, nagios_text
from ..node.verdict import NagiosCode

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .comparison import Disagreement, MemberAnswer


def cluster_document(nodes: Iterable[dict[str, Any]], disagreements: Iterable[Disagreement]) -> dict[str, Any]:
    """Return the JSON object of kind cluster, made of the nodes' own documents."""
    return {
        "schema": SCHEMA,
        "kind": "cluster",
        "nodes": list(nodes),
        "disagreements": [{**one._asdict(), "nodes": list(one.nodes)} for one in disagreements],
    }


def render_nagios_cluster(answers: Iterable[MemberAnswer], disagreements: Iterable[Disagreement]) -> str:
    """Return the status line of a whole cluster."""
    answers, disagreements = tuple(answers), tuple(disagreements)
    worst = cluster_exit_code(answers, disagreements)
    serving = sum(one.verdict.available for one in answers)
    faults = [f"{one.member} {one.verdict.code.value}" for one in answers if one.verdict.exit_code]
    text = ", ".join([f"{serving} of {len(answers)} in service", *faults, *(one.message for one in disagreements)])
    return f"{nagios_text(f'GALERA {worst.name}: {text}')} | in_service={serving};;;0;{len(answers)}"


def cluster_exit_code(answers: Iterable[MemberAnswer], disagreements: Iterable[Disagreement]) -> NagiosCode:
    """Return the cluster's exit code.

    A disagreement is CRITICAL. Otherwise the worst node decides, in the order critical, warning, unknown, ok.
    """
    codes = {one.verdict.exit_code for one in answers}
    if any(disagreements):
        return NagiosCode.CRITICAL
    order = (NagiosCode.CRITICAL, NagiosCode.WARNING, NagiosCode.UNKNOWN, NagiosCode.OK)
    return next((code for code in order if code in codes), NagiosCode.UNKNOWN)
