"""A server that the group has shut out, and that cannot be ended yet: only its data may hinder the others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.election.test_rules import NODES, alive, empty, granted, look, report, stopped
from core.facts import UUID, synced
from xha.core.election.compose_report import NodeFacts, compose_report
from xha.core.election.decision import Bootstrap, Decision, Refuse, RestoreView, Revive, Wait
from xha.core.election.facts import GrantKind, Probe, Probed, Records
from xha.core.election.position_report import (
    PositionReport,
    State,
    parse_position_report,
    render_position_report,
)
from xha.core.galera.lineage import ROOT, Generation
from xha.core.galera.node_record import NodeRecord
from xha.core.galera.position import GvwState, Kind, Position, View

# n3 was in view 7 with all, and was evicted: view 8 is n1's and n2's.
REST = View("view 8", ("u1", "u2"))
OUT = report("n3", 11, state=State.NON_PRIMARY, evicted=True)
APART = alive("n1", 12, view=REST)
KILLED = report("n2", 12, view=REST)
BOTH = [report("n1", 12, view=REST, view_seqno=12), report("n2", 13, view=REST, view_seqno=12)]
LISTENS = {"n3": Probed(Probe.ACCEPTED, (3306,))}
STOPPED = report("n3", 11)
G2 = Generation("g2", ROOT, 5, ("n9",))


def with_own(seqno: int, **changes: Any) -> PositionReport:
    return OUT._replace(position=Position(UUID, seqno), **changes)


@pytest.mark.parametrize(
    ("decision", "kind", "words"),
    [
        pytest.param(look("n1", APART, KILLED, STOPPED), Revive, "everybody else is down", id="control: it is stopped"),
        pytest.param(look("n1", APART, KILLED, OUT), Revive, "shut out or down", id="the survivor of the rest"),
        pytest.param(look("n1", APART, KILLED, OUT, probes=LISTENS), Revive, "", id="its port still answers"),
        pytest.param(look("n2", APART, KILLED, OUT), Wait, "n1 lives without a Primary", id="it does not decide"),
        pytest.param(look("n3", APART, KILLED, OUT), Wait, "has shut n3 out", id="nor does it become Primary"),
        pytest.param(
            look("n1", alive("n1", 12), KILLED, OUT),
            Wait,
            "than UUID:12 (n2 read seqno 5 in the view behind its last, and it has applied more than that)",
            id="who was cut off before it was evicted may lack what it has received",
        ),
        pytest.param(
            look("n1", alive("n1", 12, view=View("view 6", ("u1", "u2"))), KILLED._replace(view=None), OUT),
            Wait,
            "may hold more",
            id="a view before it came proves nothing",
        ),
        pytest.param(
            look("n1", APART._replace(view=View("torn", ("u1", "u2"))), KILLED._replace(view=None), OUT),
            Wait,
            "may hold more",
            id="nor does one of which nobody knows when it was",
        ),
        pytest.param(
            look("n1", APART._replace(view=View("view 9", ("u8",))), KILLED._replace(view=None), OUT),
            Wait,
            "may hold more",
            id="nor one of other servers",
        ),
        pytest.param(
            look("n1", APART._replace(view=View("view 9", ("u1", "u8"))), KILLED._replace(view=None), OUT),
            Revive,
            "",
            id="a view after that, with another life of n2",
        ),
        pytest.param(
            look("n1", APART, KILLED, with_own(13)), Wait, "(it has applied more)", id="it has applied more: all wait"
        ),
        pytest.param(
            look("n1", APART, KILLED, with_own(11, line=(G2,)), records=Records(line=())),
            Refuse,
            "holds what the servers that live",
            id="it went on by itself",
        ),
        pytest.param(
            look("n1", APART, KILLED, OUT._replace(view=None)), Wait, "may hold more", id="it does not know its view"
        ),
        pytest.param(
            look(
                "n1",
                alive("n1", 12),
                KILLED,
                OUT,
                grants=(granted(GrantKind.FORGET, "n3", alive("n1", 12), KILLED, OUT),),
            ),
            Revive,
            "that only n3 acknowledged at the end may be missing",
            id="a person gives its data up",
        ),
    ],
)
def test_a_survivor_while_an_evicted_server_waits(decision: Decision, kind: type, words: str) -> None:
    assert isinstance(decision, kind), decision
    assert words.replace("UUID", UUID) in decision.reason


@pytest.mark.parametrize(
    ("decision", "kind", "words"),
    [
        pytest.param(look("n2", *BOTH, OUT), Bootstrap, "newest data", id="both of the rest were killed"),
        pytest.param(look("n2", *BOTH, OUT, probes=LISTENS), Bootstrap, "", id="its port still answers"),
        pytest.param(look("n3", *BOTH, OUT), Wait, "has shut n3 out", id="it forms nothing"),
        pytest.param(
            look("n2", *[one._replace(view_seqno=-1) for one in BOTH], OUT),
            Wait,
            "more than UUID:13 (where its last view ended is unknown: n1 and n2 read no position in the next one)",
            id="a killed one loses what it had not applied: how far it was then is to be known",
        ),
        pytest.param(
            look("n2", *[one._replace(view_seqno=14) for one in BOTH], OUT),
            Wait,
            "(n1 and n2 read seqno 14 in the view behind its last)",
            id="and it is not there",
        ),
        pytest.param(look("n2", *BOTH, with_own(14)), Wait, "n3 (UUID:14) out", id="it has applied more"),
        pytest.param(look("n1", empty("n1"), empty("n2"), OUT), Wait, "shut n3 (UUID:11)", id="it alone has data"),
        pytest.param(
            look("n1", *[one._replace(kind=Kind.IN_DOUBT, view_seqno=-1) for one in BOTH], with_own(13)),
            Wait,
            "shut n3",
            id="data in doubt do not form a cluster that it could",
        ),
        pytest.param(
            look("n1", *BOTH, with_own(14), grants=(granted(GrantKind.BOOTSTRAP, "n1", *BOTH, with_own(14)),)),
            Bootstrap,
            "granted it",
            id="a person chooses one of the rest",
        ),
        pytest.param(
            look("n1", *BOTH, with_own(14), grants=(granted(GrantKind.BOOTSTRAP, "n3", *BOTH, with_own(14)),)),
            Wait,
            "shut n3",
            id="a person chooses it: it is waited for",
        ),
        pytest.param(
            look("n1", *[one._replace(restorable=True) for one in BOTH], OUT),
            RestoreView,
            "n1 and n2",
            id="the rest forms its last view again",
        ),
    ],
)
def test_stopped_nodes_while_an_evicted_server_waits(decision: Decision, kind: type, words: str) -> None:
    assert isinstance(decision, kind), decision
    assert words.replace("UUID", UUID) in decision.reason


def test_who_waits_for_it_is_told_what_to_mend() -> None:
    decision = look("n1", alive("n1", 12), KILLED, OUT)
    assert isinstance(decision, Wait)
    assert decision.missing == ("n3",)
    assert "mend the storage of n3" in decision.remedy
    assert "grant forget=n3" in decision.remedy


FACTS = NodeFacts(
    State.NON_PRIMARY,
    NodeRecord(view=View("view 7", ("u1", "u2", "u3")), own_uuid="u3", view_seqno=5),
    reading=synced(
        wsrep_local_recv_queue=29, wsrep_last_committed=11, wsrep_local_state_uuid=UUID, wsrep_local_index=2
    ),
    evicted=True,
)


def test_an_evicted_server_with_a_queue_says_how_far_it_is_at_least_and_in_which_view_it_was() -> None:
    made = compose_report("n3", FACTS, epochs=("e1",), members=NODES)
    assert (made.state, made.kind, made.position, made.evicted) == (
        State.NON_PRIMARY,
        Kind.INTACT,
        Position(UUID, 11),
        True,
    )
    assert (made.own_uuid, made.component, made.epochs) == ("u3", None, ("e1",))
    saved = GvwState("u3", View("view 7", ("u1", "u2", "u3")))
    assert not compose_report("n3", FACTS._replace(gvwstate=saved)).restorable


@pytest.mark.parametrize(
    ("changes", "state", "kind"),
    [
        pytest.param({"evicted": False}, State.STARTING, Kind.UNKNOWN, id="one that still applies may become Primary"),
        pytest.param({"state": State.STARTING}, State.STARTING, Kind.UNKNOWN, id="a joiner was no member"),
        pytest.param({"state": State.PRIMARY}, State.PRIMARY, Kind.INTACT, id="one that says it is inside is"),
        pytest.param({"reading": synced()}, State.NON_PRIMARY, Kind.UNKNOWN, id="one that names no position"),
        pytest.param({"reading": None}, State.STARTING, Kind.UNKNOWN, id="one that nobody has asked"),
    ],
)
def test_what_is_not_known_of_an_evicted_server(changes: dict[str, Any], state: State, kind: Kind) -> None:
    made = compose_report("n3", FACTS._replace(**changes), epochs=("e1",), members=NODES)
    assert (made.state, made.kind) == (state, kind)
    assert made.evicted == (state is State.NON_PRIMARY)
    assert bool(made.epochs) == (kind is not Kind.UNKNOWN)


def test_a_report_of_an_older_version_is_of_no_evicted_server() -> None:
    assert parse_position_report(render_position_report(OUT)) == OUT
    older = json.loads(render_position_report(OUT))
    del older["evicted"]
    assert parse_position_report(json.dumps(older)) == OUT._replace(evicted=False)
    assert isinstance(look("n1", APART, KILLED, OUT._replace(evicted=False)), Wait)


def test_a_clean_stop_of_an_earlier_life_proves_nothing_of_it() -> None:
    records = Records({"n3": stopped(11)})
    assert isinstance(look("n1", alive("n1", 12), KILLED, OUT, records=records), Wait)
