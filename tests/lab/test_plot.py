"""The drawing of the outages, and that the one in docs/lab is of the reports there."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

from lab.matrix import read_reports
from lab.place import REPOSITORY
from lab.plot import LEFT, MOST, SERIES, WIDTH, place, render_plot
from lab.trial import Outcome

SVG = "{http://www.w3.org/2000/svg}"
RUN = Outcome("kill-all", True, 50.0, 40.0, 40.0, 39.0, {}, {"h1": 0}, 0, 60.0, 0.5)


def test_the_drawing_in_docs_is_of_the_reports_there() -> None:
    assert (REPOSITORY / "docs/lab/outages.svg").read_text(encoding="utf-8") == render_plot(read_reports())


def draw(*runs: tuple[str, str, Outcome]) -> ElementTree.Element:
    reports: dict[str, list[tuple[str, Outcome]]] = {}
    for agent, world, run in runs:
        reports.setdefault(agent, []).append((world, run))
    return ElementTree.fromstring(render_plot(reports))


def bars(drawing: ElementTree.Element) -> list[tuple[str, str]]:
    """The colour of each bar, and what it is filled with."""
    found = drawing.iter(f"{SVG}rect")
    return [(each.get("stroke", ""), each.get("fill", "")) for each in found if each.get("class") == "bar"]


def test_each_agent_has_a_bar_in_each_world_where_it_was_tried_and_none_elsewhere() -> None:
    heartbeat, fast = SERIES[0], SERIES[-1]
    drawing = draw((heartbeat.agent, heartbeat.world, RUN), *[(fast.agent, fast.world, RUN)] * 3)
    assert bars(drawing) == [(heartbeat.colour, "white"), (fast.colour, fast.colour)]
    assert len(list(drawing.iter(f"{SVG}circle"))) == 4
    assert [each.text for each in drawing.iter(f"{SVG}text")].count("kill-all") == 1
    assert bars(draw()) == []


def test_a_run_that_did_not_recover_is_a_cross_and_no_dot() -> None:
    stuck = replace(RUN, recovered=False, synced_after=None)
    drawing = draw((SERIES[0].agent, "seed", stuck))
    assert (len(list(drawing.iter(f"{SVG}circle"))), len(list(drawing.iter(f"{SVG}path")))) == (0, 1)


def test_times_are_in_order_on_the_axis_and_none_leaves_it() -> None:
    places = [place(seconds) for seconds in (0.0, 0.1, 0.3, 1, 10, 100, MOST, 10_000)]
    assert places == sorted(places)
    assert (places[0], places[-1]) == (LEFT, WIDTH - 40)
