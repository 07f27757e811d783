"""Who may form the cluster, case by case: the rows of the table of scenarios, and the limits of every rule."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.facts import OTHER_UUID, UUID
from xha.core.election.decision import Bootstrap, Decision, Join, Refuse, RestoreView, Revive, Step, Wait
from xha.core.election.facts import Around, Grant, GrantKind, Host, Probe, Probed, Records, Token
from xha.core.election.position_report import (
    SCHEMA,
    PositionReport,
    State,
    Unread,
    digest,
    parse_position_report,
    render_position_report,
)
from xha.core.election.rules import elect
from xha.core.galera.lineage import (
    ROOT,
    Generation,
    History,
    Order,
    StopRecord,
    adopt,
    agree,
    begin_by_hand,
    compare,
    find_line,
)
from xha.core.galera.position import Kind, Position, View

NODES = ("n1", "n2", "n3")
EPOCH = "e1"
NOW = 5000.0
VIEW = View("view 7", ("u1", "u2", "u3"))
G1 = Generation("g1", ROOT, 10, ("n8",))
G2 = Generation("g2", ROOT, 10, ("n9",))


def report(node: str, seqno: int = 12, **changes: Any) -> PositionReport:
    """A node that was killed together with all others: intact, with its last view known and set aside."""
    whole = PositionReport(
        node=node,
        kind=Kind.INTACT,
        position=Position(UUID, seqno),
        own_uuid=f"u{node[1:]}",
        view=VIEW,
        view_seqno=5,
        members=NODES,
        epochs=(EPOCH,),
    )
    return whole._replace(**changes)


def empty(node: str, **changes: Any) -> PositionReport:
    return report(node, kind=Kind.EMPTY, position=Position(), view=None, view_seqno=-1, own_uuid="", **changes)


def primary(node: str, seqno: int = 20, **changes: Any) -> PositionReport:
    """A member of the Primary that continued without the others."""
    facts = {"component": View("view 8", (f"u{node[1:]}",)), **changes}
    return report(node, seqno, state=State.PRIMARY, **facts)


def alive(node: str, seqno: int = 12, component: tuple[str, ...] = ("u1",), **changes: Any) -> PositionReport:
    return report(node, seqno, state=State.NON_PRIMARY, component=View("dead", component), **changes)


def look(me: str, *reports: PositionReport, records: Records = Records(), grants: Any = (), **around: Any) -> Decision:  # noqa: B008
    facts = Around(EPOCH, NOW, **{"quorum": True, **around})
    return elect(me, {one.node: one for one in reports}, NODES, records, grants, facts)


def granted(kind: GrantKind, node: str, *reports: PositionReport, at: float = NOW - 60) -> Grant:
    return Grant(kind, node, digest(reports), at, "ann", "disk gone")


def stopped(seqno: int, *line: Generation) -> StopRecord:
    return StopRecord(History(Position(UUID, seqno), line), "boot")


OTHERS, SERVES = Probed(Probe.ACCEPTED, (3306,)), Probed(Probe.ACCEPTED, (3306, 4567))
ONLINE = dict.fromkeys(NODES, Host.ONLINE)
PAIRED = View("view 8", ("u2", "u3"))
LONE = View("view 9", ("u1",))
ALL = [report("n1"), report("n2", 13), report("n3")]
PAIR = [report("n1", view=View("view 8", ("u1", "u2"))), report("n2", 13, view=View("view 8", ("u1", "u2")))]


@pytest.mark.parametrize(
    ("decision", "kind", "words"),
    [
        pytest.param(look("n2", *ALL), Bootstrap, "newest data of all", id="3 power loss: the highest forms"),
        pytest.param(look("n1", *ALL), Wait, "n2 holds the newest", id="3 power loss: the others wait for it"),
        pytest.param(
            look("n1", *[one._replace(position=Position(UUID, 12)) for one in ALL]),
            Bootstrap,
            "",
            id="3 a tie: list order",
        ),
        pytest.param(
            look("n3", report("n1"), report("n2"), report("n3", safe_to_bootstrap=True)),
            Bootstrap,
            "",
            id="2 a tie: the flag",
        ),
        pytest.param(
            look("n2", report("n1", safe_to_bootstrap=True), report("n2", 13), report("n3")),
            Bootstrap,
            "newest",
            id="2 the flag is no proof",
        ),
        pytest.param(
            look("n1", empty("n1"), empty("n2"), empty("n3")), Bootstrap, "none ever did", id="1 the first ever"
        ),
        pytest.param(
            look("n2", empty("n1"), empty("n2"), empty("n3")), Wait, "n1", id="1 the others wait for the first"
        ),
        pytest.param(
            look("n1", empty("n1"), empty("n2"), empty("n3"), records=Records(cluster=UUID)),
            Refuse,
            "has existed",
            id="1 all empty, but it existed",
        ),
        pytest.param(look("n1", empty("n1"), empty("n2")), Wait, "n3", id="1 the first ever needs everybody"),
        pytest.param(look("n1", report("n1"), primary("n2")), Join, "n2 is Primary", id="4 killed alone: it joins"),
        pytest.param(
            look("n1", report("n1"), primary("n2", component=VIEW)),
            Wait,
            "has not noticed yet that the server of n1 has ended",
            id="4 killed a moment ago: not before the others have noticed",
        ),
        pytest.param(look("n1", empty("n1"), primary("n2")), Join, "no data", id="10 an empty one joins"),
        pytest.param(
            look("n1", report("n1", kind=Kind.IN_DOUBT), primary("n2")), Join, "in doubt", id="11 one in doubt joins"
        ),
        pytest.param(look("n1", report("n1", 25), primary("n2")), Refuse, "lose 5 commits", id="ahead of the Primary"),
        pytest.param(
            look("n1", report("n1", 25), primary("n2", component=PAIRED), primary("n3", 25, component=PAIRED)),
            Join,
            "n3 is Primary",
            id="one lags in it",
        ),
        pytest.param(
            look("n1", report("n1", 25, kind=Kind.IN_DOUBT), primary("n2")), Refuse, "lose", id="in doubt, and ahead"
        ),
        pytest.param(
            look("n1", report("n1", 12), primary("n2", line=(G2,))), Refuse, "went on by itself", id="it forked"
        ),
        pytest.param(look("n1", report("n1", 10), primary("n2", line=(G2,))), Join, "", id="an ancestor joins"),
        pytest.param(
            look("n1", report("n1", position=Position(OTHER_UUID, 3)), primary("n2")), Refuse, "another history", id="8"
        ),
        pytest.param(
            look("n1", report("n1", kind=Kind.FOREIGN, position=Position()), primary("n2")),
            Refuse,
            "user schemas",
            id="foreign",
        ),
        pytest.param(
            look("n1", report("n1"), primary("n2"), primary("n3", position=Position(OTHER_UUID, 3))),
            Refuse,
            "different histories",
            id="8 two Primaries",
        ),
        pytest.param(
            look("n1", report("n1", 10), primary("n2", line=(G1,)), primary("n3", line=(G2,))),
            Refuse,
            "n2 and n3 are Primary with different histories",
            id="8 two were bootstrapped by hand: nobody joins either",
        ),
        pytest.param(
            look("n2", report("n1", 10), primary("n2", line=(G1,)), primary("n3", line=(G2,))),
            Refuse,
            "n2 and n3 are Primary with different histories",
            id="8 two were bootstrapped by hand: each of them says so",
        ),
        pytest.param(
            look("n2", report("n1", 10), primary("n2"), primary("n3", 21, line=(Generation("h", ROOT, 20),))),
            Refuse,
            "different histories",
            id="8 two clusters, of which one has not written yet",
        ),
        pytest.param(
            look("n1", report("n1"), primary("n2", component=View("view 7", ("u2",))), primary("n3", component=PAIRED)),
            Join,
            "n2 is Primary",
            id="8 one cluster, and a member that has not seen its last view yet",
        ),
        pytest.param(
            look("n1", report("n1"), primary("n2", line=(G1,), component=PAIRED), primary("n3", 21, component=PAIRED)),
            Refuse,
            "joining n3",
            id="8 one component, one member does not know its line yet: a third is judged by the line",
        ),
        pytest.param(
            look("n2", report("n1"), primary("n2", line=(G1,), component=PAIRED), primary("n3", 21, component=PAIRED)),
            Join,
            "n2 is in the Primary",
            id="8 one component, one member does not know its line yet: no two clusters",
        ),
        pytest.param(
            look("n1", report("n1"), report("n2", position=Position(OTHER_UUID, 99)), report("n3")),
            Refuse,
            "different clusters",
            id="8 two UUIDs",
        ),
        pytest.param(
            look("n1", report("n1", 15, line=(G1,)), report("n2", 12, line=(G2,)), report("n3")),
            Refuse,
            "went on without",
            id="8 two generations",
        ),
        pytest.param(
            look("n1", report("n1", 11, line=(G1,)), report("n2", 10), report("n3", 9)), Bootstrap, "", id="9 one line"
        ),
        pytest.param(
            look("n1", *[report(node, kind=Kind.IN_DOUBT) for node in NODES]), Bootstrap, "", id="all killed in ALTER"
        ),
        pytest.param(
            look("n1", report("n1"), report("n2", 13, kind=Kind.IN_DOUBT), report("n3")),
            Refuse,
            "n2",
            id="in doubt and ahead: nobody can choose",
        ),
        pytest.param(
            look("n1", *[report(node, kind=Kind.IN_DOUBT, inconsistent=True) for node in NODES]),
            Refuse,
            "inconsistent",
            id="all inconsistent",
        ),
        pytest.param(look("n2", *PAIR), Bootstrap, "without n3", id="22 one missing, in no view: a majority suffices"),
        pytest.param(look("n2", *ALL, quorum=False), Wait, "quorum", id="6 a minority waits"),
        pytest.param(look("n2", *PAIR, two_node=True), Wait, "no proof", id="7 under two_node only down is proof"),
        pytest.param(look("n2", *ALL[:2]), Wait, "n3", id="22 one missing, in the view: it may be newer"),
        pytest.param(
            look("n2", *ALL[:2], hosts={"n3": Host.FENCED}), Wait, "may hold newer", id="22 fencing proves only down"
        ),
        pytest.param(
            look("n2", *ALL[:2], hosts={"n3": Host.CLEAN_DOWN}, records=Records({"n3": stopped(11)})),
            Bootstrap,
            "without n3",
            id="2 it left cleanly, and before",
        ),
        pytest.param(
            look("n2", *ALL[:2], hosts={"n3": Host.CLEAN_DOWN}, records=Records({"n3": stopped(14)})),
            Wait,
            "n3",
            id="2 it left cleanly, and last",
        ),
        pytest.param(
            look("n2", *ALL[:2], records=Records({"n3": stopped(11)}), two_node=True, hosts={"n3": Host.LOST}),
            Wait,
            "no proof",
            id="7 a record behind a cut is no proof",
        ),
        pytest.param(
            look("n2", *ALL[:2], grants=[granted(GrantKind.FORGET, "n3", *ALL[:2])]), Bootstrap, "", id="22 a grant"
        ),
        pytest.param(
            look("n2", *ALL[:2], grants=[granted(GrantKind.FORGET, "n3", *ALL[:2])], quorum=False),
            Bootstrap,
            "",
            id="22 a grant acts without quorum",
        ),
        pytest.param(
            look("n2", *ALL[:2], grants=[granted(GrantKind.FORGET, "n3", *ALL[:2], at=NOW - 601)]),
            Wait,
            "",
            id="an old grant",
        ),
        pytest.param(
            look("n2", *ALL[:2], grants=[granted(GrantKind.FORGET, "n3", *ALL[:1])]),
            Wait,
            "",
            id="a grant for other reports",
        ),
        pytest.param(
            look("n2", *ALL[:2], report("n3", 14, epochs=("old",))), Wait, "n3", id="an old report does not count"
        ),
        pytest.param(
            look("n2", *ALL[:2], records=Records({"n3": stopped(12)}), hosts=ONLINE, probes={"n3": SERVES}),
            Wait,
            "something answers on ports 3306 and 4567 of n3: no keeper of n3 has said how far it is",
            id="23 mysqld started by hand",
        ),
        pytest.param(
            look("n2", *ALL, probes={"n1": OTHERS, "n2": OTHERS, "n3": SERVES}),
            Bootstrap,
            "newest",
            id="keepers that have looked just now know better than ports",
        ),
        pytest.param(
            look("n2", *ALL[:2], alive("n3", 12, ("u3",)), probes={"n3": SERVES}),
            Wait,
            "n3 lives without a Primary",
            id="a server that its keeper tells of",
        ),
        pytest.param(
            look("n2", *ALL[:2], grants=[granted(GrantKind.FORGET, "n3", *ALL[:2])], probes={"n3": OTHERS}),
            Bootstrap,
            "",
            id="a grant outweighs what somebody else has on a port",
        ),
        pytest.param(
            look("n1", *ALL[:2], grants=[granted(GrantKind.BOOTSTRAP, "n1", *ALL[:2])], probes={"n3": OTHERS}),
            Wait,
            "something answers on port 3306 of n3",
            id="a grant for another node says nothing of that port",
        ),
        pytest.param(
            look("n2", *ALL, records=Records(token=Token("n3", "e9", ""))), Wait, "n3 is forming", id="another's token"
        ),
        pytest.param(
            look("n2", *ALL[:2], ALL[2]._replace(epochs=(EPOCH, "e9")), records=Records(token=Token("n3", "e9", ""))),
            Bootstrap,
            "",
            id="its holder came back without it",
        ),
        pytest.param(
            look("n2", *ALL, records=Records(line=(G1,))), Refuse, "newest history", id="a generation is missing"
        ),
        pytest.param(
            look("n1", report("n1"), empty("n2"), report("n3")),
            Refuse,
            "without data",
            id="a disk that held data is empty",
        ),
        pytest.param(
            look("n1", report("n1", view=LONE), empty("n2"), empty("n3")),
            Bootstrap,
            "",
            id="10 new disks join the last",
        ),
        pytest.param(
            look("n1", report("n1", view=LONE, view_seqno=-1), empty("n2"), empty("n3")),
            Refuse,
            "",
            id="a view never reached",
        ),
        pytest.param(
            look("n1", report("n1"), empty("n2", superseded=True), report("n3")),
            Bootstrap,
            "",
            id="15 a joiner crashed in SST",
        ),
        pytest.param(
            look("n2", *ALL, arbitrators={"g": Probed(Probe.ACCEPTED)}, records=Records({"n1": stopped(12)})),
            Wait,
            "arbitrator",
            id="garbd may be Primary alone",
        ),
        pytest.param(elect("n4", {}, NODES, Records()), Refuse, "not in the list", id="25 this node is not listed"),
        pytest.param(
            look("n1", report("n1"), report("n2", members=("n1", "n2")), report("n3")),
            Refuse,
            "lists",
            id="25 two lists",
        ),
        pytest.param(elect("n1", {}, NODES, Records()), Wait, "own position", id="nothing recovered yet"),
        pytest.param(
            elect("n1", {"n1": report("n1"), "n2": Unread(9)}, NODES, Records(), around=Around(EPOCH)),
            Wait,
            "n2 has schema 9",
            id="21 mixed versions",
        ),
    ],
)
def test_who_forms_the_cluster(decision: Decision, kind: type[Decision], words: str) -> None:
    assert isinstance(decision, kind), decision
    assert words in decision.reason
    if isinstance(decision, Refuse):
        assert decision.nodes
        assert decision.remedy


RESTORABLE = [report(node, restorable=True) for node in NODES]


@pytest.mark.parametrize(
    ("decision", "kind", "words"),
    [
        pytest.param(look("n1", *RESTORABLE), RestoreView, "n1, n2 and n3", id="3 everybody of the view is back"),
        pytest.param(
            look("n1", *RESTORABLE[:2], RESTORABLE[2]._replace(state=State.RESTORING)),
            RestoreView,
            "",
            id="one has begun",
        ),
        pytest.param(look("n1", *RESTORABLE[:2]), Wait, "n3", id="one is missing"),
        pytest.param(
            look("n1", report("n1", view=View("", ())), report("n2"), report("n3")),
            Bootstrap,
            "",
            id="a view of nobody",
        ),
        pytest.param(
            look("n1", *RESTORABLE[:2], report("n3", restorable=True, view=LONE)), Wait, "set aside", id="another view"
        ),
        pytest.param(
            look("n1", *RESTORABLE[:2], report("n3", 10, restorable=True, line=(G1,))),
            Refuse,
            "",
            id="another generation",
        ),
        pytest.param(
            look("n1", *RESTORABLE[:2], report("n3", restorable=True, kind=Kind.IN_DOUBT)),
            Wait,
            "set aside",
            id="in doubt",
        ),
        pytest.param(look("n1", *RESTORABLE, quorum=False), Wait, "quorum", id="a minority"),
        pytest.param(
            look("n1", *RESTORABLE, records=Records(token=Token("n2", "e9", ""))), Wait, "n2", id="a token is taken"
        ),
        pytest.param(
            look("n1", report("n1", state=State.RESTORING), overdue=True), Wait, "in its time", id="it took too long"
        ),
        pytest.param(
            look("n1", RESTORABLE[0]._replace(state=State.RESTORING), *RESTORABLE[1:]),
            RestoreView,
            "waits for the other members",
            id="the others begin",
        ),
        pytest.param(
            look("n1", RESTORABLE[0]._replace(state=State.RESTORING), RESTORABLE[1], report("n3")),
            Wait,
            "n3 cannot restore the last view any more",
            id="one has set it aside since",
        ),
    ],
)
def test_when_the_last_view_is_restored(decision: Decision, kind: type[Decision], words: str) -> None:
    assert isinstance(decision, kind), decision
    assert words in decision.reason


FENCED = {"n2": Host.FENCED, "n3": Host.FENCED}


@pytest.mark.parametrize(
    ("decision", "kind", "words", "first"),
    [
        pytest.param(
            look("n1", alive("n1"), hosts=FENCED), Revive, "may be missing", None, id="5 the others are fenced"
        ),
        pytest.param(
            look("n1", alive("n1"), report("n2"), report("n3", 11)), Revive, "", None, id="5 the others are behind"
        ),
        pytest.param(
            look("n1", alive("n1"), report("n2", 13), report("n3")),
            Wait,
            "n2 holds more",
            Step.STOP,
            id="5 one is ahead",
        ),
        pytest.param(
            look("n1", alive("n1"), report("n2", 13, line=(G2,)), report("n3")), Refuse, "n2", None, id="5 one went on"
        ),
        pytest.param(look("n1", alive("n1")), Wait, "no proof", None, id="6 the others may run"),
        pytest.param(look("n1", alive("n1"), hosts=FENCED, quorum=False), Wait, "quorum", None, id="6 a minority"),
        pytest.param(
            look("n1", alive("n1"), alive("n2", component=("u2",)), report("n3")), Wait, "n2", None, id="7 two halves"
        ),
        pytest.param(
            look("n2", alive("n1", 12, ("u1", "u2")), alive("n2", 12, ("u1", "u2")), report("n3")),
            Wait,
            "n1 makes",
            None,
            id="one node does it",
        ),
        pytest.param(
            look("n1", alive("n1"), hosts={"n2": Host.FENCED, "n3": Host.ONLINE}),
            Wait,
            "n3",
            None,
            id="a host that answers has to report",
        ),
        pytest.param(
            look("n2", alive("n1"), report("n2"), report("n3")), Wait, "n1 lives", None, id="the stopped wait"
        ),
    ],
)
def test_what_becomes_of_survivors(decision: Decision, kind: type[Decision], words: str, first: Step | None) -> None:
    assert isinstance(decision, kind), decision
    assert words in decision.reason
    assert getattr(decision, "first", None) is first


def test_a_grant_decides_between_two_histories() -> None:
    reports = [report("n1"), report("n2", position=Position(OTHER_UUID, 99)), report("n3")]
    chosen = granted(GrantKind.BOOTSTRAP, "n1", *reports)
    decision = look("n1", *reports, grants=[chosen])
    assert isinstance(decision, Bootstrap)
    assert decision.grants == (chosen,)
    assert decision.position == Position(UUID, 12)
    given_up = granted(GrantKind.DISCARD, "n2", *reports)
    assert look("n2", *reports, grants=[given_up]) == Wait("a grant gives up the data of n2", first=Step.DISCARD)


def test_a_discard_outlives_the_primary_s_commits() -> None:
    shown = [report("n1", 25), primary("n2", 20)]
    grant = granted(GrantKind.DISCARD, "n1", *shown)
    decision = look("n1", report("n1", 25), primary("n2", 24), grants=[grant])
    assert isinstance(decision, Wait)
    assert decision.first is Step.DISCARD


def test_a_grant_ends_one_of_two_primaries_and_no_other() -> None:
    shown = [report("n1", 10), primary("n2", line=(G1,)), primary("n3", line=(G2,))]
    grant = granted(GrantKind.DISCARD, "n3", *shown)
    later = [shown[0], *(one._replace(position=Position(UUID, 30)) for one in shown[1:])]
    decisions = [look(node, *later, grants=[grant]) for node in NODES]
    assert [decision for decision in decisions if getattr(decision, "first", None)] == [
        Wait("a grant gives up the data of n3", first=Step.DISCARD)
    ]


def test_a_founding_begins_a_generation_where_its_founder_stands() -> None:
    decision = look("n2", *ALL)
    assert isinstance(decision, Bootstrap)
    assert decision.founding.line("g9") == (Generation("g9", ROOT, 13, ("n2",)),)


@pytest.mark.parametrize(
    ("one", "other", "order"),
    [
        pytest.param((12, ()), (12, ()), Order.EQUAL, id="the same"),
        pytest.param((11, ()), (12, ()), Order.BEHIND, id="one generation"),
        pytest.param((10, ()), (10, (G1,)), Order.BEHIND, id="the same rows, an older generation"),
        pytest.param((9, ()), (15, (G1,)), Order.BEHIND, id="an ancestor"),
        pytest.param((11, ()), (10, (G1,)), Order.AHEAD, id="the fork is still empty"),
        pytest.param((11, ()), (15, (G1,)), Order.DIVERGED, id="both went on"),
        pytest.param((11, (G2,)), (15, (G1,)), Order.DIVERGED, id="two forks"),
        pytest.param((10, (G2,)), (10, (G1,)), Order.EQUAL, id="two forks that never wrote"),
        pytest.param((10, (G2,)), (15, (G1,)), Order.BEHIND, id="a fork that never wrote"),
        pytest.param((9, (Generation("g9", "g8", 5),)), (9, ()), Order.DIVERGED, id="a line that nobody else knows"),
    ],
)
def test_how_histories_stand_to_each_other(
    one: tuple[int, tuple[Generation, ...]], other: tuple[int, tuple[Generation, ...]], order: Order
) -> None:
    first, second = (History(Position(UUID, seqno), line) for seqno, line in (one, other))
    turned = {Order.AHEAD: Order.BEHIND, Order.BEHIND: Order.AHEAD}
    assert compare(first, second) is order
    assert compare(second, first) is turned.get(order, order)


BY_HAND = Generation("h", ROOT, 12, ("n1",), by_hand=True)
REVIVED = tuple(Generation(f"r{number}", f"r{number - 1}", 12 + number) for number in range(20, 4, -1))


@pytest.mark.parametrize(
    ("line", "origin", "found"),
    [
        pytest.param((), 12, (BY_HAND,), id="of a cluster that was there before xha"),
        pytest.param((G1,), 12, (BY_HAND._replace(parent="g1"), G1), id="behind what the agent formed"),
        pytest.param((BY_HAND,), 12, (BY_HAND,), id="it is known: the same server, seen by another keeper"),
        pytest.param((G1, BY_HAND), 12, (G1, BY_HAND), id="it is known, and revived since"),
        pytest.param(
            (Generation("g7", ROOT, 12, ("n1",)),),
            12,
            (BY_HAND._replace(parent="g7"), Generation("g7", ROOT, 12, ("n1",))),
            id="another server, from where the agent had formed the cluster here, and nobody had written",
        ),
        pytest.param(REVIVED, 12, REVIVED, id="it was revived so often that nobody knows"),
        pytest.param(
            (Generation("g3", "g1", 50), G1),
            12,
            (BY_HAND._replace(parent="g1"), G1),
            id="a line written down for a join that never came so far",
        ),
        pytest.param((G1,), 5, (BY_HAND._replace(position=5),), id="from before all that is known"),
    ],
)
def test_what_is_bootstrapped_by_hand_is_a_generation_of_its_own(
    line: tuple[Generation, ...], origin: int, found: tuple[Generation, ...]
) -> None:
    assert begin_by_hand("n1", line, origin, "h") == found


def test_two_that_were_bootstrapped_by_hand_are_told_apart() -> None:
    """Without this, the one that was behind joined by IST, and lacked a row that all others had (seen)."""
    one, other = (
        History(Position(UUID, seqno), begin_by_hand(node, (G1,), 20, node)) for node, seqno in (("n2", 24), ("n3", 22))
    )
    assert compare(other, one) is Order.DIVERGED
    third = History(Position(UUID, 20), (G1,))
    assert (compare(third, one), compare(third, other)) == (Order.BEHIND, Order.BEHIND)


def test_a_primary_that_a_person_formed_says_nothing_of_who_is_missing_until_all_have_been_in_it() -> None:
    """Its view does not prove that there was no other Primary before it, because it has no member of the last one."""
    alone = report("n1", 15, view=LONE, line=(BY_HAND,))
    decision = look("n1", alone)
    assert isinstance(decision, Wait)
    assert decision.missing == ("n2", "n3")
    assert "may hold newer commits" in decision.reason
    assert isinstance(look("n1", alone._replace(line=agree((BY_HAND,)))), Bootstrap)


@pytest.mark.parametrize(
    ("line", "beside", "found"),
    [
        pytest.param((), [(G1,)], (G1,), id="the others know more of it"),
        pytest.param((G1,), [()], (G1,), id="the others know less of it"),
        pytest.param((), [(), (G1,)], (G1,), id="one of the others knows more of it"),
        pytest.param((G1,), [(G2,), (G1,)], (G1,), id="a stranger is there, too"),
        pytest.param((G1,), [(G2,)], None, id="it came to another component"),
        pytest.param((G1,), [], (G1,), id="it is alone"),
        pytest.param(
            (BY_HAND._replace(by_hand=False),),
            [(BY_HAND,)],
            (BY_HAND._replace(by_hand=False),),
            id="it knows more of it",
        ),
    ],
)
def test_the_line_of_a_node_in_a_component(
    line: tuple[Generation, ...],
    beside: list[tuple[Generation, ...]],
    found: tuple[Generation, ...] | None,
) -> None:
    assert find_line(line, beside) == found


def test_a_founder_that_was_killed_too_soon_stands_in_what_it_founded() -> None:
    assert adopt("n8", (), ((G1,),)) == (G1,)
    assert adopt("n3", (), ((G1,),)) == ()


TEXTS = st.text(max_size=8)
VIEWS = st.none() | st.builds(View, TEXTS, st.lists(TEXTS, max_size=3).map(tuple))
POSITIONS = st.builds(Position, st.sampled_from([UUID, OTHER_UUID]), st.integers(0, 20)) | st.just(Position())
LINES = st.sampled_from([(), (G1,), (G2,), (Generation("g3", "g1", 12, ("n2",)), G1)])
BALLOTS = st.builds(
    PositionReport,
    node=st.sampled_from(NODES),
    state=st.sampled_from(State),
    kind=st.sampled_from(Kind),
    position=POSITIONS,
    line=LINES,
    view=VIEWS,
    component=VIEWS,
    own_uuid=TEXTS,
    members=st.just(NODES) | st.just(NODES[:2]),
    epochs=st.just((EPOCH,)) | st.just(()),
)


@given(BALLOTS)
def test_a_report_survives_its_text(position_report: PositionReport) -> None:
    text = render_position_report(position_report)
    assert "\n" not in text
    assert parse_position_report(text) == position_report


@given(st.text() | st.from_regex(r'\{"schema":[12],.*\}'))
def test_any_other_text_is_unread(text: str) -> None:
    assert isinstance(parse_position_report(text), Unread)


@given(BALLOTS, st.sampled_from(sorted(PositionReport._fields)), st.sampled_from([None, 7, "x", [], {}, [7], True]))
def test_a_misshapen_field_is_never_guessed_at(position_report: PositionReport, field: str, value: Any) -> None:
    document = json.loads(render_position_report(position_report))
    parsed = parse_position_report(json.dumps({**document, field: value}))
    assert isinstance(parsed, Unread) or json.loads(render_position_report(parsed))[field] == value
    assert parse_position_report(json.dumps({**document, "schema": SCHEMA + 1})) == Unread(SCHEMA + 1)


@given(
    st.lists(BALLOTS, max_size=4),
    st.sampled_from(NODES),
    st.builds(
        Around,
        epoch=st.just(EPOCH),
        quorum=st.booleans(),
        two_node=st.booleans(),
        hosts=st.dictionaries(st.sampled_from(NODES), st.sampled_from(Host)),
        overdue=st.booleans(),
    ),
    LINES,
)
def test_whatever_it_is_told_it_decides_and_says_why(
    position_reports: list[PositionReport], me: str, around: Around, line: tuple[Generation, ...]
) -> None:
    reports = {one.node: one for one in position_reports}
    decision = elect(me, reports, NODES, Records(line=line), (), around)
    assert decision.reason
    if isinstance(decision, (Bootstrap, Revive, RestoreView)):
        assert around.quorum or reports[me].state is State.RESTORING


def test_a_port_that_answers_is_told_with_the_command_that_ends_the_wait() -> None:
    around: dict[str, Any] = {"records": Records({"n3": stopped(12)}), "hosts": ONLINE, "probes": {"n3": OTHERS}}
    decision = look("n2", *ALL[:2], **around)
    assert isinstance(decision, Wait)
    assert decision.missing == ("n3",)
    assert decision.remedy.endswith(
        "start the resource on n3; if it is something else's: xha-check grant forget=n3 --why TEXT"
    )
    blind = PositionReport("n3", members=NODES, trouble="its disk is full", opens="e3")
    troubled = look("n2", *ALL[:2], blind, **around)
    assert isinstance(troubled, Wait)
    assert troubled.reason.endswith("of n3: the keeper of n3 says: its disk is full")
    assert troubled.remedy == "mend that on n3; a node that cannot look does so again by itself"
