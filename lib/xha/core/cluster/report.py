"""Renders a whole cluster as JSON and as a Nagios line (docs/schema-1.json)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ..node.report import SCHEMA, nagios_text
from ..node.verdict import NagiosCode
from ..text.escape import clean
from .sources import Source

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .comparison import Disagreement
    from .member_view import MemberView
    from .sources import SourceAnswer

_LONGEST = 4000


def cluster_document(
    nodes: Iterable[dict[str, Any]], views: Iterable[MemberView], disagreements: Iterable[Disagreement]
) -> dict[str, Any]:
    """Return the JSON object of kind cluster. nodes: what SQL from this host came to, a node's document each."""
    return {
        "schema": SCHEMA,
        "kind": "cluster",
        "nodes": list(nodes),
        "members": [_member(view) for view in views],
        "disagreements": [{**one._asdict(), "nodes": list(one.nodes)} for one in disagreements],
    }


def _member(view: MemberView) -> dict[str, Any]:
    chosen, facts = view.chosen, view.facts
    return {
        "member": str(view.member),
        "service": view.service,
        "source": chosen.source.value if chosen else None,
        "age_ms": _milliseconds(chosen.age) if chosen else None,
        "code": view.code,
        "exit_code": int(view.exit_code),
        "message": clean(view.message, _LONGEST),
        "remedy": view.remedy,
        "facts_from": facts.source.value if facts else None,
        "sources": [_source(one) for one in view.answers],
    }


def _source(one: SourceAnswer) -> dict[str, Any]:
    return {
        "source": one.source.value,
        "age_ms": _milliseconds(one.age),
        "code": one.code or None,
        "available": one.available,
        "cause": clean(one.cause, _LONGEST) or None,
    }


def _milliseconds(age: float | None) -> int | None:
    return None if age is None else round(age * 1000)


def render_nagios_cluster(views: Iterable[MemberView], disagreements: Iterable[Disagreement]) -> str:
    """Return the status line of a whole cluster. It counts who is in service by another source than SQL."""
    views, disagreements = tuple(views), tuple(disagreements)
    worst = nagios_cluster_code(views, disagreements)
    serving = [view.chosen.source for view in views if view.chosen is not None and view.service == "in"]
    counts = Counter(serving)
    told = [f"{counts[source]} by {source.value}" for source in Source if source is not Source.SQL and counts[source]]
    faults = [f"{view.member} {view.code}" for view in views if view.exit_code]
    warnings = [f"{view.member}: {warning}" for view in views for warning in view.warnings]
    text = ", ".join(
        [
            f"{len(serving)} of {len(views)} in service",
            *told,
            *faults,
            *(one.message for one in disagreements),
            *warnings,
        ]
    )
    return f"{nagios_text(f'GALERA {worst.name}: {text}')} | in_service={len(serving)};;;0;{len(views)}"


def nagios_cluster_code(views: Iterable[MemberView], disagreements: Iterable[Disagreement]) -> NagiosCode:
    """Return the exit code of --nagios: a cluster that is well and of which there is a warning is WARNING, never OK."""
    views = tuple(views)
    code = cluster_exit_code(views, disagreements)
    return NagiosCode.WARNING if code is NagiosCode.OK and any(view.warnings for view in views) else code


def cluster_exit_code(views: Iterable[MemberView], disagreements: Iterable[Disagreement]) -> NagiosCode:
    """Return the cluster's exit code.

    A disagreement is CRITICAL. Otherwise the worst member decides, in the order critical, warning, unknown, ok.
    """
    codes = {view.exit_code for view in views}
    if any(disagreements):
        return NagiosCode.CRITICAL
    order = (NagiosCode.CRITICAL, NagiosCode.WARNING, NagiosCode.UNKNOWN, NagiosCode.OK)
    return next((code for code in order if code in codes), NagiosCode.UNKNOWN)
