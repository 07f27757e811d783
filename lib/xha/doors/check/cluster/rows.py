"""The text about a cluster: a row for each member with its source and age, and below it what is not well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....core.cluster.sources import Source
from ....core.node.verdict import Code
from ....core.text.ages import render_age
from ....core.text.escape import clean
from ...terminal.table import FACTS, Row, clean_cells, fact_cells

if TYPE_CHECKING:
    from ....app.cluster.look import ClusterView
    from ....core.cluster.member_view import MemberView

HEADINGS = ("NODE", "SERVICE", "REASON", "SOURCE", "AGE", *FACTS)
# In characters: a line names every member of a large cluster.
_WIDEST = 4000


def cluster_rows(view: ClusterView) -> list[Row]:
    """Return a row for each member. Who is well has no message."""
    return [_row(one) for one in view.views]


def _row(view: MemberView) -> Row:
    chosen = view.chosen
    source = chosen.source.value if chosen else "-"
    age = "-" if chosen is None or chosen.age is None else render_age(chosen.age)
    cells = clean_cells(str(view.member), view.service, view.code, source, age, *fact_cells(view.reading))
    message = f"{view.message}; to do: {view.remedy}" if view.remedy else view.message
    return Row(cells, view.exit_code, HEADINGS, clean(message, _WIDEST) if view.exit_code else "")


def message_lines(rows: list[Row]) -> list[str]:
    """Return a line for each member that is not well."""
    return [f"{one.cells[0]}: {one.message}" for one in rows if one.message]


def disagreement_lines(view: ClusterView) -> list[str]:
    """Return a line for each disagreement."""
    return [f"DISAGREEMENT {one.code}: {clean(one.message, _WIDEST)}" for one in view.disagreements]


def warning_lines(view: ClusterView) -> list[str]:
    """Return a line for each warning of a member."""
    return [f"WARNING {one.member}: {clean(text, _WIDEST)}" for one in view.views for text in one.warnings]


def note_lines(view: ClusterView) -> list[str]:
    """Return whose facts this host cannot see for want of an account, and what would let it: told once, for all."""
    denied = ", ".join(str(one.member) for one in view.views if _is_judged_unseen(one))
    if not denied:
        return []
    return [
        f"NOTE: no account for SQL on {clean(denied, _WIDEST)}: their own words are shown, and not compared; create an "
        "account for TCP (docs/installation.md, One account), or add this host to detail_from there"
    ]


def _is_judged_unseen(view: MemberView) -> bool:
    """Whether SQL is denied to this host, another source decides, and none tells what the server said."""
    sql, reading = view.of(Source.SQL), view.reading
    unseen = reading is None or reading.status.wsrep_local_state is None
    return view.chosen is not None and sql is not None and sql.code == Code.ACCESS_DENIED.value and unseen
