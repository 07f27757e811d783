"""Whether a stop drains its node, for whom it waits, and whose connections may be closed meanwhile."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xha.core.node.drain_rule import (
    Answers,
    ClientSeen,
    DrainSeen,
    DrainSetting,
    ResponderView,
    choose_idle,
    judge_drain,
    open_transactions,
    parse_responder_view,
    why_no_drain,
)

PLANNED = DrainSetting(15.0, serves=True, others=("h2",))


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        pytest.param(PLANNED, "", id="a planned stop, and another node is ready"),
        pytest.param(PLANNED._replace(limit=0.0), "drain_timeout is 0", id="an operator does not want it"),
        pytest.param(PLANNED._replace(serves=False), "load balancers send no traffic here", id="nothing to drain"),
        pytest.param(PLANNED._replace(others=()), "no other node takes over", id="it is the last, or all are stopped"),
        pytest.param(PLANNED._replace(others=None), "it is not known whether another", id="Pacemaker does not answer"),
        pytest.param(
            PLANNED._replace(foreign="/srv/other"),
            "the responder of this host tells of /srv/other",
            id="the responder is another cluster's",
        ),
    ],
)
def test_which_stops_are_drained(setting: DrainSetting, why: str) -> None:
    assert why_no_drain(setting).startswith(why)
    assert bool(why_no_drain(setting)) == bool(why)


TOLD, ASKED = Answers(True), Answers(False, ("192.0.2.1",))
IDLE, WORKS, OPEN = ClientSeen(1, 9.0), ClientSeen(2, None, "7"), ClientSeen(3, 9.0, "8")


def seen(answers: Answers | None, *clients: ClientSeen, elapsed: float = 1.0, told_for: float = 0.0) -> DrainSeen:
    return DrainSeen(15.0, elapsed, answers, told_for, clients, open_transactions(clients))


@pytest.mark.parametrize(
    ("look", "over", "text"),
    [
        pytest.param(seen(TOLD), True, "new connections go elsewhere, and", id="told, and nobody is here"),
        pytest.param(seen(ASKED), False, "192.0.2.1 may still send new connections here", id="one is not told"),
        pytest.param(seen(Answers(False)), False, "a load balancer may still send", id="one whose name is not told"),
        pytest.param(seen(Answers(None)), False, "the responder does not know who asks it", id="not known who asks"),
        pytest.param(seen(None), False, "there is no responder", id="no responder: a fixed wait"),
        pytest.param(seen(None, elapsed=15.0), True, "the time is over (15 s): there is no", id="and its end"),
        pytest.param(seen(TOLD, WORKS, OPEN), False, "open transactions: 2", id="transactions"),
        pytest.param(seen(TOLD, OPEN, elapsed=15.0), True, "the time is over (15 s): open", id="one that never ends"),
        pytest.param(seen(TOLD, IDLE), False, "connected clients: 1", id="idle ones are closed first"),
        pytest.param(seen(TOLD, IDLE, told_for=2.5), True, "new connections go", id="one that pauses for no moment"),
        pytest.param(
            seen(TOLD, WORKS, told_for=2.5)._replace(waits_for=frozenset({(2, "6")})),
            True,
            "new connections go",
            id="a client that begins one transaction after the other",
        ),
        pytest.param(seen(TOLD)._replace(clients=None), False, "it cannot be read which", id="the server is silent"),
    ],
)
def test_for_whom_a_stop_waits(look: DrainSeen, over: bool, text: str) -> None:
    found = judge_drain(look)
    assert found[0] is over
    assert found[1].startswith(text)


def test_only_connections_that_lose_nothing_are_closed() -> None:
    pauses = ClientSeen(6, 0.02, known=0.5)
    busy = ClientSeen(4, 0.001, known=9.0)
    new = ClientSeen(5, 0.4)
    assert choose_idle((IDLE, WORKS, OPEN, pauses, busy, new)) == (1, 6)


CLIENT = st.builds(ClientSeen, st.integers(1, 3), st.none() | st.floats(0, 9), st.sampled_from(["", "7", "8"]))
CLIENTS = st.none() | st.lists(CLIENT).map(tuple)
OPENED = st.frozensets(st.tuples(st.integers(1, 3), st.sampled_from(["7", "8"])))
TOLD_FOR = st.none() | st.floats(0, 60)
ANSWERS = st.none() | st.builds(Answers, st.sampled_from([True, False, None]), st.lists(st.just("lb")).map(tuple))
LOOKS = st.builds(DrainSeen, st.floats(0.1, 30), st.floats(0, 60), ANSWERS, TOLD_FOR, CLIENTS, OPENED)


@given(LOOKS)
def test_a_drain_always_ends_and_before_its_time_only_where_all_is_known_and_nothing_open(look: DrainSeen) -> None:
    over, text = judge_drain(look)
    assert text
    if look.elapsed >= look.limit:
        assert over
    elif over:
        assert look.told
        assert look.clients is not None
        assert not look.waits_for & open_transactions(look.clients)


def node_says(**more: Any) -> dict[str, Any]:
    return {"verdict": {"available": True, "code": "synced"}, "reading": {"datadir": "/srv/mysql/"}, **more}


@pytest.mark.parametrize(
    ("document", "view"),
    [
        pytest.param(
            node_says(balancers={"asking": 2, "untold": ["lb"], "unknown": None, "done": False}),
            ResponderView(True, "/srv/mysql/", Answers(False, ("lb",))),
            id="a node that serves, and one balancer",
        ),
        pytest.param(
            node_says(verdict={"available": False, "code": "draining"}, balancers={"done": True, "untold": []}),
            ResponderView(True, "/srv/mysql/", Answers(True)),
            id="a person drains it already",
        ),
        pytest.param(
            node_says(verdict={"available": False, "code": "hung"}, balancers={"done": None, "untold": []}),
            ResponderView(False, "/srv/mysql/", Answers(None)),
            id="a node that does not serve",
        ),
        pytest.param(node_says(), ResponderView(True, "/srv/mysql/", Answers(None)), id="an earlier version"),
        pytest.param(
            node_says(balancers=None, reading={"datadir": None}), ResponderView(True, "", Answers(None)), id="wait = no"
        ),
        pytest.param({}, None, id="another document"),
        pytest.param([], None, id="a list"),
        pytest.param(node_says(balancers={"done": "yes", "untold": []}), None, id="a field of another type"),
        pytest.param(node_says(balancers={"done": True, "untold": [1]}), None, id="a name that is none"),
    ],
)
def test_what_a_responder_tells_of_its_node(document: Any, view: ResponderView | None) -> None:
    assert parse_responder_view(json.dumps(document)) == view


@given(st.text())
def test_no_text_makes_it_fail(text: str) -> None:
    assert parse_responder_view(text) is None
