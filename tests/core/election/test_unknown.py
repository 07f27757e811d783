"""Unknown is a value of its own: nothing follows from data that could not be read, and they are never given up."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.cluster.test_dry_run import position_report, seen
from core.election.test_rules import (
    ALL,
    EPOCH,
    FENCED,
    G1,
    NODES,
    alive,
    empty,
    granted,
    look,
    primary,
    report,
    stopped,
)
from core.facts import UUID, synced
from xha.core.cluster.dry_run import describe, digests, forecast, object_to, tell_losses
from xha.core.cluster.outlook import needs_person
from xha.core.election.compose_report import NodeFacts, compose_report, give_up, is_unreplicated
from xha.core.election.decision import Bootstrap, Decision, Join, Refuse, Revive, Step, Wait
from xha.core.election.facts import GrantKind, Host, Probe, Probed, Records, Token
from xha.core.election.position_report import (
    LOOKING,
    PositionReport,
    State,
    digest,
    parse_position_report,
    render_position_report,
)
from xha.core.galera.error_log import find_errors, is_inconsistent
from xha.core.galera.node_record import NodeRecord
from xha.core.galera.position import Kind, Position, Standing, parse_recovered_position
from xha.core.galera.recovery import judge_recovery

CAUSE = "mysqld --wsrep-recover was killed by SIGKILL"
ERROR = "2026-01-01 1:02:03 0 [ERROR] InnoDB: Invalid log header checksum\n"
FOUND = f"2026-01-01 1:02:03 0 [Note] WSREP: Recovered position: {UUID}:12\n"
NONE_THERE = "2026-01-01 1:02:03 0 [Note] WSREP: Recovered position: 00000000-0000-0000-0000-000000000000:-1\n"


def blind(node: str, state: State = State.STOPPED, **changes: Any) -> PositionReport:
    """A node that could not read its data. It answers no epoch, but opens one as every node does."""
    return PositionReport(node, state, members=NODES, trouble=CAUSE, opens=EPOCH, **changes)


def failed(node: str) -> PositionReport:
    """A node whose keeper gave up."""
    return give_up(report(node), "mysqld ended while it was starting")


@pytest.mark.parametrize(
    ("log", "code", "overdue", "position", "words"),
    [
        pytest.param(FOUND, 0, False, Position(UUID, 12), "", id="it looked, and found a position"),
        pytest.param(NONE_THERE, 0, False, Position(), "", id="it looked, and there is none"),
        pytest.param("", 0, False, None, "ended well, but named no position", id="it said nothing"),
        pytest.param(
            "WSREP: disabled, skipping position recovery", 0, False, None, "no position", id="it did not look"
        ),
        pytest.param("", -9, False, None, "killed by SIGKILL, as the kernel kills where memory", id="out of memory"),
        pytest.param(FOUND, -11, False, None, "killed by SIGSEGV", id="killed behind its word"),
        pytest.param("", -42, False, None, "killed by signal 42", id="killed by another signal"),
        pytest.param(ERROR, 1, False, None, "exit code 1: [ERROR] InnoDB: Invalid log header", id="it failed"),
        pytest.param(NONE_THERE, 1, False, None, "exit code 1", id="it failed behind its word"),
        pytest.param(FOUND, -9, True, None, "took too long", id="overdue"),
    ],
)
def test_what_a_recovery_came_to(log: str, code: int, overdue: bool, position: Position | None, words: str) -> None:
    found = judge_recovery(log, code, "", overdue=overdue)
    assert (found.position, found.log, found.overdue) == (position, log, overdue)
    assert words in found.failure
    assert bool(found.failure) == (position is None)


def json_line(text: str, label: str = "Note", subsystem: str = "WSREP") -> str:
    """A line of log_sink_json (MySQL 8.0's manual, 5.4.2.7)."""
    said = {"prio": 3, "err_code": 0, "subsystem": subsystem, "msg": text, "time": "2026-01-01T01:02:03.0Z"}
    return json.dumps({**said, "err_symbol": "ER_X", "SQL_state": "HY000", "label": label})


@pytest.mark.parametrize(
    ("log", "position"),
    [
        pytest.param(json_line(f"Recovered position: {UUID}:12"), Position(UUID, 12), id="with its subsystem"),
        pytest.param(
            json_line(f"WSREP: Recovered position: {UUID}:12", subsystem=""), Position(UUID, 12), id="in words"
        ),
        pytest.param(json_line(f"Recovered position: {UUID}:12", subsystem="Server"), None, id="another subsystem's"),
        pytest.param(json_line(f"Recovered position: {UUID}:12")[:-9], None, id="torn"),
        pytest.param('{"msg": ["Recovered position: 1"]}', None, id="no text"),
        pytest.param("[1]\n{}\n{", None, id="no object, an empty one, none at all"),
    ],
)
def test_a_json_log_is_read_as_a_plain_one(log: str, position: Position | None) -> None:
    assert parse_recovered_position(f"{log}\n") == position


def test_the_errors_of_a_json_log() -> None:
    log = "\n".join((json_line("Provider is gone", "Error"), json_line("Aborting", "Error", "Server"), json_line("x")))
    assert find_errors(log) == ("[ERROR] [WSREP] Provider is gone",)
    assert is_inconsistent(json_line("Inconsistency detected: 1 of 2", "Error", "Galera"))


RUNS_OFF = synced(wsrep_on=False, wsrep_cluster_status="Disconnected", wsrep_local_state=None)
NO_PROVIDER = synced(wsrep_provider="none", wsrep_cluster_status="Disconnected", wsrep_local_state=None)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        pytest.param(
            NodeFacts(State.STOPPED, standing=Standing(Kind.UNKNOWN, cause=CAUSE)), CAUSE, id="nobody could look"
        ),
        pytest.param(NodeFacts(State.STOPPED), "", id="nobody has looked"),
        pytest.param(
            NodeFacts(State.NON_PRIMARY, reading=RUNS_OFF), "wsrep_on=OFF", id="its server does not replicate"
        ),
        pytest.param(
            NodeFacts(State.NON_PRIMARY, reading=NO_PROVIDER), "no wsrep_provider", id="nor has it a provider"
        ),
        pytest.param(NodeFacts(State.STARTING, reading=RUNS_OFF), "wsrep_on=OFF", id="nor one that was started here"),
    ],
)
def test_a_report_of_nothing_answers_nobody_and_says_why(facts: NodeFacts, words: str) -> None:
    said = compose_report("n1", facts, epochs=("e1",), opens="e2", members=NODES)
    assert (said.kind, said.position, said.epochs, said.opens) == (Kind.UNKNOWN, Position(), (), "e2")
    assert words in said.trouble
    assert bool(said.trouble) == bool(words)
    assert parse_position_report(render_position_report(said)) == said


def test_a_primary_that_no_longer_replicates_answers_and_says_so() -> None:
    facts = NodeFacts(
        State.PRIMARY,
        NodeRecord(inconsistent=True),
        reading=synced(wsrep_on=False, wsrep_local_state_uuid=UUID, wsrep_last_committed=7),
    )
    said = compose_report("n1", facts, epochs=("e1",), members=NODES)
    assert (said.kind, said.epochs, said.inconsistent) == (Kind.INTACT, ("e1",), True)
    assert "reaches no other member" in said.trouble


@pytest.mark.parametrize(
    ("changes", "off"),
    [
        ({}, False),
        ({"wsrep_on": None}, False),
        ({"wsrep_on": None, "wsrep_provider": "none"}, True),
        ({"wsrep_on": True, "wsrep_provider": "none"}, True),
        ({"wsrep_on": True, "wsrep_provider": ""}, True),
        ({"wsrep_on": False, "wsrep_provider": "/usr/lib/galera.so"}, True),
        ({"wsrep_on": True, "wsrep_provider": "/usr/lib/galera.so"}, False),
    ],
)
def test_what_was_not_read_is_no_word_of_a_server_without_replication(changes: dict[str, Any], off: bool) -> None:
    assert is_unreplicated(synced(**changes)) is off
    assert not is_unreplicated(None)


def test_a_report_of_an_older_version_has_no_trouble() -> None:
    document = json.loads(render_position_report(report("n1")))
    del document["trouble"]
    assert parse_position_report(json.dumps(document)) == report("n1")


def test_who_knows_nothing_changes_no_digest() -> None:
    assert digest([report("n1"), blind("n2")]) == digest([report("n1")]) == digest([report("n1"), failed("n3")])


def test_a_recovery_under_way_is_waited_for_and_nobody_is_told_to_mend_or_to_forget_its_node() -> None:
    looking = blind("n1")._replace(trouble=LOOKING)
    alone = look("n2", looking, report("n2"), report("n3"))
    assert isinstance(alone, Wait)
    assert LOOKING in alone.reason
    assert alone.remedy == "wait: a recovery on n1 ends by itself, and may take long"
    itself = look("n1", looking, report("n2"), report("n3"))
    assert itself == Wait(f"n1: {LOOKING}", ("n1",), "wait: that ends by itself, and may take long")
    beside = look("n2", looking, report("n2"), blind("n3"))
    assert isinstance(beside, Wait)
    assert beside.remedy == "mend that on n3; a node that cannot look does so again by itself"


TOKEN = Records(token=Token("n1", "e9", ""))
LEFT = Records({"n1": stopped(12)})


@pytest.mark.parametrize(
    ("decision", "kind", "words"),
    [
        pytest.param(look("n1", blind("n1"), report("n2"), report("n3")), Wait, CAUSE, id="it forms nothing itself"),
        pytest.param(look("n1", blind("n1"), primary("n2")), Wait, CAUSE, id="it joins nobody"),
        pytest.param(look("n1", blind("n1"), empty("n2"), empty("n3")), Wait, CAUSE, id="it is not the first ever"),
        pytest.param(
            look("n1", PositionReport("n1", members=NODES), primary("n2")), Wait, "has not looked yet", id="not yet"
        ),
        pytest.param(
            look("n1", blind("n1", State.NON_PRIMARY), primary("n2")), Refuse, CAUSE, id="a server without replication"
        ),
        pytest.param(
            look("n1", PositionReport("n1", State.STARTING, members=NODES), primary("n2")),
            Join,
            "has not said yet how far it is",
            id="a server that somebody else launched",
        ),
        pytest.param(look("n2", blind("n1"), report("n2"), report("n3")), Wait, CAUSE, id="the others wait for it"),
        pytest.param(look("n2", failed("n1"), report("n2"), report("n3")), Wait, "gave up", id="and for a failed one"),
        pytest.param(look("n2", blind("n1"), empty("n2"), empty("n3")), Wait, CAUSE, id="also if they are empty"),
        pytest.param(
            look("n2", blind("n1"), report("n2", 12), report("n3"), records=Records(line=(G1,))),
            Wait,
            CAUSE,
            id="the newest history may be theirs",
        ),
        pytest.param(
            look("n2", blind("n1"), alive("n2", component=("u2",)), report("n3")), Wait, CAUSE, id="survivors wait"
        ),
        pytest.param(
            look("n2", blind("n1"), alive("n2", component=("u2",)), report("n3"), hosts={"n1": Host.ONLINE}),
            Wait,
            CAUSE,
            id="survivors wait for whoever is online",
        ),
        pytest.param(
            look("n2", blind("n1"), report("n2"), report("n3"), quorum=False), Wait, CAUSE, id="without a quorum, too"
        ),
        pytest.param(
            look("n2", failed("n1"), *ALL[1:], records=TOKEN),
            Wait,
            "n1 was to form the cluster, and says",
            id="a token",
        ),
        pytest.param(
            look("n2", report("n1", epochs=("e9", EPOCH)), *ALL[1:], records=TOKEN),
            Bootstrap,
            "newest",
            id="a token whose holder has reported again binds nobody",
        ),
        pytest.param(
            look("n2", blind("n1"), report("n2", 13), report("n3", 13), records=LEFT),
            Bootstrap,
            "",
            id="a clean stop proves what they cannot say",
        ),
        pytest.param(
            look("n2", blind("n1"), primary("n2"), report("n3")), Join, "", id="a Primary goes on without them"
        ),
        pytest.param(
            look("n3", blind("n1"), primary("n2"), report("n3")), Join, "n2 is Primary", id="and takes whoever joins"
        ),
        pytest.param(
            look("n2", alive("n2", component=("u2",)), blind("n1"), report("n3"), hosts=FENCED | {"n1": Host.FENCED}),
            Revive,
            "",
            id="a fenced one is down, whatever it said",
        ),
    ],
)
def test_who_cannot_look_is_waited_for_with_his_cause_and_never_given_up(
    decision: Decision, kind: type[Decision], words: str
) -> None:
    assert isinstance(decision, kind), decision
    assert words in decision.reason
    remedy = decision.remedy if isinstance(decision, (Wait, Refuse)) else ""
    assert "grant" not in remedy
    assert "n1" not in remedy.replace("mend that on n1", "") or kind is Refuse


def test_whoever_else_is_missing_may_be_given_up_only_by_himself() -> None:
    decision = look("n2", blind("n1"), report("n2"), quorum=False)
    assert isinstance(decision, Wait)
    assert CAUSE in decision.reason
    assert "forget" not in decision.remedy


def test_a_person_may_give_up_what_nobody_knows() -> None:
    facts = blind("n1"), report("n2"), report("n3")
    given_up = look("n1", *facts, grants=[granted(GrantKind.DISCARD, "n1", *facts)])
    assert isinstance(given_up, Wait)
    assert given_up.first is Step.DISCARD
    assert isinstance(look("n2", *facts, grants=[granted(GrantKind.FORGET, "n1", *facts)]), Bootstrap)


def test_who_ran_without_replication_is_no_candidate_and_gets_a_full_copy() -> None:
    strayed = report("n1", 12, kind=Kind.IN_DOUBT, inconsistent=True)
    assert look("n1", strayed, report("n2"), report("n3")).reason.startswith("n2 holds the newest")
    assert "to get a full copy" in look("n1", strayed, primary("n2")).reason
    only = look("n1", strayed, empty("n2", superseded=True), empty("n3", superseded=True))
    assert isinstance(only, Refuse)
    assert "ran without replication (n1)" in only.reason


def test_with_rows_of_its_own_a_person_begins_another_history() -> None:
    """The others have the same position without those rows. With the same UUID they would join without them."""
    facts = report("n1", 12, kind=Kind.IN_DOUBT, inconsistent=True), report("n2"), report("n3")
    decision = look("n1", *facts, grants=[granted(GrantKind.BOOTSTRAP, "n1", *facts)])
    assert isinstance(decision, Bootstrap)
    assert decision.position == Position()
    assert decision.founding.origin.line == ()


@pytest.mark.parametrize(
    ("probe", "records", "kind"),
    [
        pytest.param(Probe.SILENT, LEFT, Wait, id="it may run"),
        pytest.param(Probe.REFUSED, LEFT, Bootstrap, id="it does not run"),
        pytest.param(Probe.SILENT, Records(), Bootstrap, id="nobody left cleanly, so it is no Primary by itself"),
    ],
)
def test_an_arbitrator_that_says_nothing_may_run(probe: Probe, records: Records, kind: type[Decision]) -> None:
    decision = look("n2", *ALL, arbitrators={"g": Probed(probe)}, records=records)
    assert isinstance(decision, kind)
    if isinstance(decision, Wait):
        assert "the parameter arbitrators" in decision.remedy


class TestTheOutlook:
    SIGHT = seen(blind("n1", epochs=()), position_report("n2"), position_report("n3"))

    def test_it_tells_the_cause_and_asks_for_a_person(self) -> None:
        assert describe(self.SIGHT, "n1") == f"stopped, data unknown: {CAUSE}"
        forecasts = forecast(self.SIGHT)
        assert all(isinstance(one.decision, Wait) and CAUSE in one.decision.reason for one in forecasts)
        assert needs_person(self.SIGHT, forecasts)

    def test_a_keeper_that_gave_up_is_told_apart(self) -> None:
        sight = seen(failed("n1"), position_report("n2"), position_report("n3"))
        decision = forecast(sight)[0].decision
        assert isinstance(decision, Wait)
        assert decision.reason == "n1: its keeper gave up: mysqld ended while it was starting"
        assert decision.remedy == "mend that, then pcs resource cleanup"

    def test_also_beside_a_primary(self) -> None:
        sight = seen(
            blind("n1"), position_report("n2", state=State.PRIMARY), position_report("n3", state=State.PRIMARY)
        )
        assert needs_person(sight, forecast(sight))

    def test_a_recovery_under_way_is_no_trouble(self) -> None:
        looking = blind("n1")._replace(trouble=LOOKING)
        sight = seen(looking, position_report("n2", state=State.PRIMARY), position_report("n3", state=State.PRIMARY))
        assert not needs_person(sight, forecast(sight))
        alone = seen(looking, position_report("n2"), position_report("n3"))
        assert needs_person(alone, forecast(alone))  # nobody acts, and nobody is Primary

    def test_the_digests_of_all_that_ask_are_the_same(self) -> None:
        sight = seen(blind("n1")._replace(opens="e-n1"), position_report("n2"), position_report("n3"))
        assert set(digests(sight)) == {"n1", "n2", "n3"}
        assert len(set(digests(sight).values())) == 1
        gone = seen(failed("n1"), position_report("n2"), position_report("n3"))
        assert set(digests(gone)) == {"n2", "n3"}

    @pytest.mark.parametrize(
        ("kind", "report_of_n1", "why"),
        [
            (GrantKind.BOOTSTRAP, blind("n1"), f"n1 does not know what it holds ({CAUSE})"),
            (GrantKind.BOOTSTRAP, failed("n1"), "n1 does not know what it holds (its keeper gave up"),
            (GrantKind.DISCARD, failed("n1"), "mend that first"),
            (GrantKind.DISCARD, blind("n1"), ""),
            (GrantKind.FORGET, blind("n1"), ""),
            (GrantKind.FORGET, failed("n1"), ""),
        ],
    )
    def test_what_a_person_can_grant(self, kind: GrantKind, report_of_n1: PositionReport, why: str) -> None:
        told = object_to(seen(report_of_n1, position_report("n2"), position_report("n3")), kind, "n1")
        assert why in told
        assert bool(told) == bool(why)

    def test_where_nobody_asks_nobody_could_act_on_a_grant(self) -> None:
        assert "no node reports" in object_to(seen(failed("n1")), GrantKind.FORGET, "n2")

    def test_what_may_be_lost_is_not_known(self) -> None:
        [discarded] = tell_losses(self.SIGHT, GrantKind.DISCARD, "n1")
        assert discarded == "all that n1 holds (nobody knows what, and it may be the newest)"
        for kind, node in ((GrantKind.FORGET, "n1"), (GrantKind.BOOTSTRAP, "n2")):
            [told] = [one for one in tell_losses(self.SIGHT, kind, node) if one]
            assert told.startswith("whatever n1 has committed and nobody else received")
