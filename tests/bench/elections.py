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

MOST, ME, EPOCH, TARGET_MS, RUNS = 9, "node1", "e", 5.0, 200
UUID = "6f1c2a9e-8b0d-11ef-9c41-3a5f0e7d2b18"


def measure_election() -> list[Row]:
    """Return the row of the slowest situation. Each is decided from the facts that a keeper has at hand."""
    what, spent = slowest(MOST)
    met = spent < TARGET_MS
    return [Row(f"one elect at nine nodes, {what}", f"{spent:.2f} ms", "", f"under {TARGET_MS:g} ms", met)]


def slowest(number: int) -> tuple[str, float]:
    """Return the situation of this many nodes that takes longest, and its milliseconds of CPU."""
    nodes = tuple(f"node{place}" for place in range(1, number + 1))
    spent = {what: _median_ms(nodes, *one) for what, one in situations(nodes).items()}
    return max(spent.items(), key=lambda one: one[1])


def situations(nodes: tuple[str, ...]) -> dict[str, tuple[dict[str, PositionReport], type[Decision]]]:
    """Return the reports of each situation, and what is decided of them."""
    # As long as a report may carry it, with all nodes as founders.
    line = tuple(Generation(f"g{place}", f"g{place - 1}", place, nodes) for place in range(MAX_LINE, 0, -1))
    view = View(f"{UUID} 7", tuple(f"uuid {node}" for node in nodes))
    apart_view = View(f"non-primary {UUID}", tuple(f"{place} {node}" for place, node in enumerate(nodes)))

    def _report(node: str, seqno: int, state: State = State.STOPPED) -> PositionReport:
        return _report_of(nodes, line, view, node, seqno, state)

    stopped = {node: _report(node, 100 + (node == ME)) for node in nodes}
    restorable = {node: _report(node, 100)._replace(restorable=True) for node in nodes}
    primary = {node: _report(node, 100, State.PRIMARY)._replace(component=view) for node in nodes[1:]}
    apart = {
        node: _report(node, 100, State.NON_PRIMARY)._replace(component=apart_view, own_uuid=f"{place} {node}")
        for place, node in enumerate(nodes)
    }
    some = {node: stopped[node] for node in nodes[: 2 * len(nodes) // 3]}
    return {
        "all stopped": (stopped, Bootstrap),
        "all restore a view": (restorable, RestoreView),
        "one joins the others": ({**primary, ME: _report(ME, 90)._replace(own_uuid="before")}, Join),
        "all survive without a Primary": (apart, Revive),
        "a third is missing": (some, Wait),
    }


def _report_of(  # noqa: PLR0913, PLR0917 - what a report is made of
    nodes: tuple[str, ...], line: tuple[Generation, ...], view: View, node: str, seqno: int, state: State
) -> PositionReport:
    return PositionReport(
        node,
        state,
        Kind.INTACT,
        Position(UUID, seqno),
        line,
        own_uuid=f"uuid {node}",
        view=view,
        view_seqno=90,
        members=nodes,
        epochs=(EPOCH,),
    )


def _median_ms(nodes: tuple[str, ...], reports: dict[str, PositionReport], expected: type[Decision]) -> float:
    around = Around(EPOCH, 1000.0, quorum=True, hosts=dict.fromkeys(nodes, Host.ONLINE))
    spent = []
    for _ in range(RUNS):
        began = time.process_time()
        decision = elect(ME, reports, nodes, Records(line=reports[ME].line, cluster=UUID), (), around)
        spent.append((time.process_time() - began) * 1000)
        assert isinstance(decision, expected), decision
    return statistics.median(spent)
