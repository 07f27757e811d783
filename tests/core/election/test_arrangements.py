"""The election where not every host of the list runs an instance, where there are more, and where one only votes."""

from __future__ import annotations

from typing import Any

import pytest

from core.election.test_rules import EPOCH, NODES, NOW, empty, granted, look, report, stopped
from core.facts import UUID
from xha.core.election.decision import Bootstrap, Decision, Join, Refuse, RestoreView, Revive, Wait
from xha.core.election.facts import Around, GrantKind, Host, Probe, Probed, Records
from xha.core.election.position_report import PositionReport, State
from xha.core.election.rules import elect
from xha.core.galera.cluster_address import name_members, parse_cluster_address
from xha.core.galera.lineage import ROOT, Generation
from xha.core.galera.position import Position, View

ONLINE = dict.fromkeys(NODES, Host.ONLINE)
# clone-max=2 of three hosts: Pacemaker hears of no instance on n3, or after a move on n2.
TWO, MOVED = View("view 8", ("u1", "u2")), View("view 9", ("u1", "u3"))
NEVER = [report("n1", 13, view=TWO), report("n2", view=TWO)]
AFTER = [report("n1", 13, view=MOVED), report("n3", view=MOVED)]
EMPTY = [empty("n1"), empty("n2")]
BOTH = [granted(GrantKind.BOOTSTRAP, "n1", *EMPTY), granted(GrantKind.FORGET, "n3", *EMPTY)]
BEHIND = Records({"n2": stopped(11)}, cluster="c")
CRASHED_AT = Records({"n2": stopped(13)._replace(clean=False)}, cluster="c")
CRASHED_AHEAD = Records({"n2": stopped(14)._replace(clean=False)}, cluster="c")


@pytest.mark.parametrize(
    ("decision", "kind", "words"),
    [
        pytest.param(look("n1", *NEVER, hosts=ONLINE), Bootstrap, "without n3", id="a host that never ran it"),
        pytest.param(look("n1", *NEVER, hosts=ONLINE, two_node=True), Wait, "n3", id="with two_node a proof is due"),
        pytest.param(look("n1", *AFTER, hosts=ONLINE, records=BEHIND), Bootstrap, "without n2", id="it was moved away"),
        pytest.param(
            look("n1", *[one._replace(view_seqno=-1) for one in AFTER], records=BEHIND, hosts=ONLINE),
            Bootstrap,
            "without n2",
            id="moved away: its stop is proof enough",
        ),
        pytest.param(
            look("n1", *[one._replace(view_seqno=-1) for one in AFTER], records=CRASHED_AT, hosts=ONLINE),
            Bootstrap,
            "without n2",
            id="killed, and started elsewhere: what its keeper found is proof enough",
        ),
        pytest.param(
            look("n1", *[one._replace(view_seqno=-1) for one in AFTER], records=CRASHED_AHEAD, hosts=ONLINE),
            Wait,
            "n2",
            id="killed, and it holds more: the others wait for it",
        ),
        pytest.param(
            look("n1", *[one._replace(view_seqno=-1) for one in AFTER], hosts=ONLINE),
            Wait,
            "n2 has not reported",
            id="moved away by a fence: without a record it may hold more",
        ),
        pytest.param(look("n1", *EMPTY, hosts=ONLINE), Wait, "missing: n3", id="the first start ever needs everybody"),
        pytest.param(look("n1", *EMPTY, hosts=ONLINE, grants=BOTH), Bootstrap, "granted", id="or a person's two words"),
    ],
)
def test_where_a_host_of_the_list_runs_no_instance(decision: Decision, kind: type, words: str) -> None:
    assert isinstance(decision, kind)
    assert words in decision.reason


def test_the_first_start_without_everybody_names_both_grants_that_it_takes() -> None:
    """clone-max below the hosts of the list: nobody knows what the third host's disk holds."""
    decision = look("n1", *EMPTY, hosts=ONLINE)
    assert isinstance(decision, Wait)
    assert "grant bootstrap=n1" in decision.remedy
    assert "grant forget=n3" in decision.remedy


def test_hosts_of_pacemaker_that_are_not_in_the_list_are_no_members() -> None:
    """As in an asymmetric cluster, where constraints name the hosts that may run it."""
    peers = parse_cluster_address("gcomm://n1,n2,n3").peers
    found = name_members(peers, nodes=("controller1", "n3", "n2", "n1", "compute1"))
    assert (found.names, found.unknown) == (("n1", "n2", "n3"), ())


# --- Galera's files were moved by hand, as out of wsrep_data_home_dir, and xha's record was left behind

FIRST, LATER = Generation("g1", ROOT, 5, ("n1",)), Generation("g2", "g1", 9, ("n3",))
LEFT_AT = {"n1": 12, "n2": 11, "n3": 13}
RECORDS = Records({node: stopped(seqno, LATER, FIRST) for node, seqno in LEFT_AT.items()}, line=(LATER, FIRST))
BARE = [report(node, seqno, view=None, view_seqno=-1, own_uuid="") for node, seqno in LEFT_AT.items()]


@pytest.mark.parametrize(
    ("decision", "kind", "words"),
    [
        pytest.param(look("n3", *BARE, records=RECORDS), Bootstrap, "newest data of all", id="the highest forms"),
        pytest.param(look("n1", *BARE, records=RECORDS), Wait, "n3 holds the newest", id="the others wait for it"),
        pytest.param(
            look("n3", BARE[0], BARE[1]._replace(position=Position(UUID, 10)), BARE[2], records=RECORDS),
            Refuse,
            "each went on without the other",
            id="data that end elsewhere than the stop left them are of nobody knows where",
        ),
        pytest.param(
            look("n3", *BARE, records=RECORDS._replace(stops={})),
            Refuse,
            "each went on without the other",
            id="so are data without a clean stop",
        ),
    ],
)
def test_data_without_a_record_are_what_the_node_s_own_clean_stop_left(
    decision: Decision, kind: type, words: str
) -> None:
    assert isinstance(decision, kind), decision
    assert words in decision.reason
    if isinstance(decision, Bootstrap):
        assert decision.founding.origin.line == (LATER, FIRST)


# --- two nodes and garbd, whose group UUID is in each view, and which reports nothing

PAIR = ("n1", "n2")
VIEW = View("view 9", ("u1", "u2", "ug"))
APART = View("dead", ("u1", "ug"))
CRASHED = [report("n1", 13, view=VIEW), report("n2", view=VIEW)]
STOPS = Records({"n1": stopped(13), "n2": stopped(12)})
KILLED = Records({node: stop._replace(clean=False) for node, stop in STOPS.stops.items()})
ALONE = report("n1", 13, state=State.NON_PRIMARY, component=APART, view=VIEW)


def two(*reports: PositionReport, arbitrator: Probe = Probe.ACCEPTED, **facts: Any) -> Decision:
    records = facts.pop("records", Records())
    known = {one.node: one._replace(members=PAIR) for one in reports}
    around = {"quorum": True, "two_node": True, "arbitrators": {"arb": Probed(arbitrator)}, **facts}
    return elect("n1", known, PAIR, records, (), Around(EPOCH, NOW, **around))


@pytest.mark.parametrize(
    ("decision", "kind", "words"),
    [
        pytest.param(two(empty("n1"), empty("n2")), Bootstrap, "none ever did", id="the first start"),
        pytest.param(two(*CRASHED), Bootstrap, "newest data", id="both were killed: garbd alone is no Primary"),
        pytest.param(
            two(*[one._replace(restorable=True) for one in CRASHED]), Wait, "set aside", id="no view of it is restored"
        ),
        pytest.param(two(*CRASHED, records=STOPS), Wait, "arb runs", id="both were stopped: garbd may be Primary"),
        pytest.param(two(*CRASHED, records=KILLED), Bootstrap, "newest data", id="stopped after they were killed"),
        pytest.param(two(*CRASHED, records=STOPS, arbitrator=Probe.REFUSED), Bootstrap, "", id="it is stopped"),
        pytest.param(
            two(ALONE, hosts={"n1": Host.ONLINE, "n2": Host.FENCED}), Revive, "Primary again", id="the other is fenced"
        ),
        pytest.param(
            two(ALONE, hosts={"n1": Host.ONLINE, "n2": Host.LOST}), Wait, "n2 may be running", id="the other is lost"
        ),
        pytest.param(
            two(report("n1", 13, view=View("view 10", ("u1", "ug"))), hosts={"n2": Host.FENCED}),
            Wait,
            "n2 is down, but may hold newer",
            id="a view does not tell garbd from a member: the other is waited for",
        ),
    ],
)
def test_two_nodes_and_an_arbitrator(decision: Decision, kind: type, words: str) -> None:
    assert isinstance(decision, kind)
    assert words in decision.reason


# --- nine

NINE = tuple(f"n{number}" for number in range(1, 10))
WHOLE = View("view 7", tuple(f"u{number}" for number in range(1, 10)))


def nine(me: str, *reports: PositionReport, **facts: Any) -> Decision:
    known = {one.node: one._replace(members=NINE) for one in reports}
    return elect(me, known, NINE, Records(), (), Around(EPOCH, NOW, **{"quorum": True, **facts}))


ALL = [report(node, 12, view=WHOLE) for node in NINE]
LEFT = View("view 8", WHOLE.members[:5])
FIVE = [report(node, 12, view=LEFT) for node in NINE[:5]]


@pytest.mark.parametrize(
    ("decision", "kind", "words"),
    [
        pytest.param(nine("n9", *ALL[:8], ALL[8]._replace(position=Position(UUID, 13))), Bootstrap, "", id="all"),
        pytest.param(
            nine("n1", *[one._replace(restorable=True) for one in ALL]),
            RestoreView,
            "n8 and n9",
            id="view",
        ),
        pytest.param(nine("n1", *FIVE), Bootstrap, "without n6, n7, n8 and n9", id="the last view's five are enough"),
        pytest.param(nine("n1", *FIVE[:4]), Wait, "n5", id="four of its five are not"),
        pytest.param(nine("n1", *FIVE, quorum=False), Wait, "", id="nor are five without quorum"),
        pytest.param(
            nine(
                "n1",
                report("n1", view=WHOLE, own_uuid="before"),
                *[report(node, 20, state=State.PRIMARY, component=LEFT) for node in NINE[1:5]],
            ),
            Join,
            "",
            id="one joins",
        ),
    ],
)
def test_nine_nodes(decision: Decision, kind: type, words: str) -> None:
    assert isinstance(decision, kind), decision
    assert words in decision.reason
