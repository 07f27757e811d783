"""What one decision of the election costs at nine nodes, in each of the situations that look at the most."""

from __future__ import annotations

import statistics
import time

from bench.measures import Row
from xha.core.election.decision import Bootstrap, Decision, Join, RestoreView, Revive, Wait
from xha.core.election.facts import Around, Host, Records
from xha.core.election.position_report import PositionReport, State
from xha.core.election.rules import elect
from xha.core.galera.lineage import MAX_LINE, Generation
from xha.core.galera.position import Kind, Position, View

NODES = tuple(f"node{number}" for number in range(1, 10))
ME, EPOCH, TARGET_MS, RUNS = NODES[0], "e", 5.0, 200
UUID = "6f1c2a9e-8b0d-11ef-9c41-3a5f0e7d2b18"
# As long as a report may carry it, with all nodes as founders.
LINE = tuple(Generation(f"g{number}", f"g{number - 1}", number, NODES) for number in range(MAX_LINE, 0, -1))
VIEW = View(f"{UUID} 7", tuple(f"uuid {node}" for node in NODES))
APART = View(f"non-primary {UUID}", tuple(f"{place} {node}" for place, node in enumerate(NODES)))


def measure_election() -> list[Row]:
    """Return the row of the slowest situation. Each is decided from the facts that a keeper has at hand."""
    spent = {what: _median_ms(*one) for what, one in situations().items()}
    what, slowest = max(spent.items(), key=lambda one: one[1])
    met = slowest < TARGET_MS
    row = Row(f"one elect at nine nodes, {what}", f"{slowest:.2f} ms", "", f"under {TARGET_MS:g} ms", met)
    return [row]


def situations() -> dict[str, tuple[dict[str, PositionReport], type[Decision]]]:
    """Return the reports of each situation, and what is decided of them."""
    stopped = {node: _report(node, 100 + (node == ME)) for node in NODES}
    restorable = {node: _report(node, 100)._replace(restorable=True) for node in NODES}
    primary = {node: _report(node, 100, State.PRIMARY)._replace(component=VIEW) for node in NODES[1:]}
    apart = {
        node: _report(node, 100, State.NON_PRIMARY)._replace(component=APART, own_uuid=f"{place} {node}")
        for place, node in enumerate(NODES)
    }
    six = {node: stopped[node] for node in NODES[:6]}
    return {
        "all stopped": (stopped, Bootstrap),
        "all restore a view": (restorable, RestoreView),
        "one joins eight": ({**primary, ME: _report(ME, 90)._replace(own_uuid="before")}, Join),
        "all survive without a Primary": (apart, Revive),
        "three are missing": (six, Wait),
    }


def _report(node: str, seqno: int, state: State = State.STOPPED) -> PositionReport:
    return PositionReport(
        node,
        state,
        Kind.INTACT,
        Position(UUID, seqno),
        LINE,
        own_uuid=f"uuid {node}",
        view=VIEW,
        view_seqno=90,
        members=NODES,
        epochs=(EPOCH,),
    )


def _median_ms(reports: dict[str, PositionReport], expected: type[Decision]) -> float:
    around = Around(EPOCH, 1000.0, quorum=True, hosts=dict.fromkeys(NODES, Host.ONLINE))
    spent = []
    for _ in range(RUNS):
        began = time.process_time()
        decision = elect(ME, reports, NODES, Records(line=LINE, cluster=UUID), (), around)
        spent.append((time.process_time() - began) * 1000)
        assert isinstance(decision, expected), decision
    return statistics.median(spent)
