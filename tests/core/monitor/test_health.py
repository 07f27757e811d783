"""The answer of a monitor to everything that it can see: each row of the table, and answers that must never occur."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.facts import synced
from core.galera.test_status_file import recorded
from xha.core.galera.status_file import ServerState, ServerStatus
from xha.core.monitor.health import RULES, Health, judge_health
from xha.core.monitor.keeper_status import KeeperStatus, Phase
from xha.core.monitor.symptoms import LOW_BYTES, DatadirUse, Graces, Symptoms, is_low
from xha.core.node.verdict import Code, Policy, Unreadable, Verdict, judge
from xha.core.ocf.api import ExitCode, Outcome

NOW, PID = 10_000.0, 4711
DEGRADED, GENERIC = ExitCode.DEGRADED, ExitCode.GENERIC


def keeper(phase: Phase = Phase.RUNNING, **said: Any) -> KeeperStatus:
    """A keeper that wrote its status a second ago, about a server that answered then."""
    facts = {"reason": "so it is", "pid": 99, "at": NOW - 1, "since": NOW - 500, "server_pid": PID}
    return KeeperStatus(phase, **{**facts, "answered_at": NOW - 1, "launched_at": NOW - 900, **said})


def running(code: Code | str = "", phase: Phase = Phase.RUNNING, **said: Any) -> Symptoms:
    """A server whose keeper read this code."""
    word = code.value if isinstance(code, Code) else code
    status = "Primary" if word not in ("", "non-primary") else "non-Primary"
    told = keeper(phase, **{"code": word, "message": f"the words of {word}", "cluster_status": status, **said})
    return Symptoms(DatadirUse.RUNNING, PID, alive=True, keeper=told, now=NOW)


def absent(phase: Phase, **said: Any) -> Symptoms:
    """A keeper without a server."""
    return Symptoms(alive=True, keeper=keeper(phase, server_pid=0, **said), now=NOW)


def verdict(code: Code) -> Verdict:
    return judge(Unreadable(code), Policy())


def kept_by_nobody(code: Code = Code.SYNCED, **seen: Any) -> Symptoms:
    """A server that was started long ago, whose last keeper could not begin, and which the monitor asked itself."""
    said = judge(synced(), Policy()) if code is Code.SYNCED else verdict(code)
    facts = {"server_since": NOW - 900, "keeper": keeper(Phase.FAILED, server_pid=0, at=NOW - 5), "verdict": said}
    return Symptoms(DatadirUse.RUNNING, PID, now=NOW, **{**facts, **seen})


def say(seen: Symptoms) -> tuple[str, ExitCode]:
    health = judge_health(seen)
    return health.rule, health.outcome.code


@pytest.mark.parametrize(
    ("seen", "rule", "code"),
    [
        # --- no server
        pytest.param(Symptoms(), "stopped", ExitCode.NOT_RUNNING, id="nothing runs"),
        pytest.param(
            Symptoms(keeper=keeper(Phase.FAILED, permanent=True), now=NOW), "stopped", ExitCode.NOT_RUNNING,
            id="a keeper that failed is gone: start says the rest",
        ),
        pytest.param(Symptoms(status=recorded("killed")), "stopped", ExitCode.NOT_RUNNING, id="only a file is left"),
        pytest.param(absent(Phase.RECOVERING), "preparing", DEGRADED, id="the position is recovered"),
        pytest.param(Symptoms(alive=True), "starting", DEGRADED, id="a keeper before its first word"),
        pytest.param(absent(Phase.WAITING), "waiting", DEGRADED, id="waiting for other members"),
        pytest.param(absent(Phase.REFUSING), "refusing", DEGRADED, id="the election refuses"),
        pytest.param(absent(Phase.HELD), "held", DEGRADED, id="maintenance holds the keeper"),
        pytest.param(absent(Phase.STARTING), "joining", DEGRADED, id="about to join"),
        pytest.param(absent(Phase.FORMING), "joining", DEGRADED, id="about to form the cluster"),
        pytest.param(absent(Phase.RESTORING), "joining", DEGRADED, id="about to restore the view"),
        pytest.param(absent(Phase.FAILED), "failed", GENERIC, id="the keeper has failed"),
        pytest.param(
            kept_by_nobody(alive=True), "no-keeper", DEGRADED,
            id="a keeper that failed is about to end, and a server runs",
        ),
        pytest.param(
            absent(Phase.FAILED)._replace(server=DatadirUse.UNSEEN), "unseen", DEGRADED,
            id="a keeper that failed is about to end, and nobody knows whether a server runs",
        ),
        pytest.param(absent(Phase.RUNNING), "ended", GENERIC, id="the server is gone before the keeper saw it"),
        pytest.param(absent(Phase.ENDED), "ended", GENERIC, id="the keeper saw the server end"),
        pytest.param(absent(Phase.ENDED)._replace(told=True), "told", DEGRADED, id="its keeper has told Pacemaker"),
        pytest.param(
            absent(Phase.WAITING)._replace(told=True), "waiting", DEGRADED, id="told of another one than this"
        ),
        pytest.param(
            absent(Phase.WAITING)._replace(status=recorded("inconsistent")), "waiting", DEGRADED,
            id="the file of a server that is gone says nothing",
        ),
        pytest.param(Symptoms(DatadirUse.OTHER), "occupied", DEGRADED, id="another program in the data directory"),
        pytest.param(Symptoms(DatadirUse.UNSEEN), "unseen", DEGRADED, id="what uses the data could not be looked at"),
        pytest.param(
            absent(Phase.RUNNING)._replace(server=DatadirUse.UNSEEN), "unseen", DEGRADED, id="no server that ended"
        ),
        pytest.param(Symptoms(DatadirUse.RECOVERY, PID), "recovering", DEGRADED, id="a recovery without a keeper"),
        # --- a server that only ends
        pytest.param(running(Code.SYNCED)._replace(server=DatadirUse.STOPPED), "frozen", GENERIC, id="state T"),
        pytest.param(
            running(phase=Phase.STARTING)._replace(server=DatadirUse.STOPPED), "frozen", GENERIC, id="T as a joiner"
        ),
        pytest.param(running(Code.HUNG, answered_at=NOW - 29), "silent", DEGRADED, id="silent for 29 s"),
        pytest.param(running(Code.HUNG, answered_at=NOW - 30), "hung", GENERIC, id="silent for hang_grace"),
        pytest.param(
            running(Code.HUNG, answered_at=0.0, launched_at=0.0), "hung", GENERIC, id="found hung, and still hung"
        ),
        pytest.param(
            running(Code.HUNG, Phase.STARTING, answered_at=0.0), "joining", DEGRADED, id="a joiner never answered"
        ),
        pytest.param(running(Code.SERVER_DOWN, answered_at=NOW - 60), "hung", GENERIC, id="deaf since a minute"),
        pytest.param(
            running(Code.SERVER_DOWN, answered_at=0.0), "check-failed", DEGRADED, id="never met at that address"
        ),
        pytest.param(
            running(Code.SERVER_DOWN, answered_at=NOW - 60)._replace(status=recorded("synced")), "check-failed",
            DEGRADED, id="only its socket is gone",
        ),
        pytest.param(
            running(Code.DISCONNECTED, cluster_status="Disconnected"), "out", GENERIC, id="Disconnected, without limit"
        ),
        pytest.param(
            running(Code.NON_PRIMARY, cluster_status="Disconnected"), "out", GENERIC,
            id="Disconnected, as a keeper of an earlier version says it"
        ),
        pytest.param(running(Code.EVICTED, cluster_status="Disconnected"), "evicted", DEGRADED, id="evicted, as read"),
        pytest.param(
            running(Code.DISCONNECTED, Phase.STARTING, cluster_status="Disconnected"), "joining", DEGRADED,
            id="Disconnected at its start, by its own name"
        ),
        pytest.param(
            running(Code.NON_PRIMARY, Phase.STARTING, cluster_status="Disconnected"), "joining", DEGRADED,
            id="Disconnected at its start",
        ),
        pytest.param(
            running(Code.ACCESS_DENIED)._replace(status=recorded("evicted")), "evicted", DEGRADED,
            id="evicted, without SQL"
        ),
        pytest.param(
            running(Code.SYNCED, Phase.EVICTED), "evicted", DEGRADED, id="evicted, as its keeper knows better"
        ),
        pytest.param(absent(Phase.EVICTED), "ended", GENERIC, id="evicted, and ended by itself"),
        pytest.param(
            running(Code.ACCESS_DENIED)._replace(status=recorded("inconsistent")), "out", GENERIC,
            id="Inconsistent, without SQL",
        ),
        pytest.param(running(Code.REFUSED), "degraded", DEGRADED, id="refused: no proof of a failure"),
        pytest.param(running(Code.OUT_OF_RESOURCES), "degraded", DEGRADED, id="no thread for the monitor"),
        pytest.param(running(Code.SKIP_NETWORKING), "degraded", DEGRADED, id="no port"),
        pytest.param(running(Code.MAINTENANCE), "degraded", DEGRADED, id="offline_mode, as the login met it"),
        pytest.param(
            Symptoms(DatadirUse.RUNNING, PID, verdict=verdict(Code.JOINING)), "joining", DEGRADED,
            id="a joiner without a keeper that does not listen yet"
        ),
        pytest.param(running(Code.WSREP_OFF, cluster_status="Disconnected"), "degraded", DEGRADED, id="without Galera"),
        # --- no keeper
        pytest.param(kept_by_nobody(), "no-keeper", DEGRADED, id="a keeper that cannot begin"),
        pytest.param(
            kept_by_nobody(server_since=NOW - 2), "synced", ExitCode.SUCCESS,
            id="one that gave up before somebody started the server"
        ),
        pytest.param(kept_by_nobody(Code.NON_PRIMARY), "no-keeper", DEGRADED, id="nobody brings it back"),
        pytest.param(kept_by_nobody(Code.EVICTED), "evicted", DEGRADED, id="a keeper has to look first"),
        pytest.param(
            kept_by_nobody(Code.DISCONNECTED), "out", GENERIC, id="what a restart mends comes first"
        ),
        # --- joining
        pytest.param(running(phase=Phase.STARTING), "joining", DEGRADED, id="joining"),
        pytest.param(running(phase=Phase.RESTORING), "joining", DEGRADED, id="the last view is not whole yet"),
        pytest.param(running(Code.JOINED), "joining", DEGRADED, id="catching up"),
        pytest.param(
            running(phase=Phase.STARTING, transfer="rsync, joiner", progress_at=NOW - 600), "joining", DEGRADED,
            id="a state transfer moved ten minutes ago",
        ),
        pytest.param(
            running(phase=Phase.STARTING, transfer="rsync, joiner", progress_at=NOW - 601), "stalled", GENERIC,
            id="a state transfer stands still",
        ),
        pytest.param(
            running(Code.DONOR_SST, transfer="rsync, donor", progress_at=NOW - 601), "degraded", DEGRADED,
            id="a donor is not to blame",
        ),
        pytest.param(running(Code.SYNCED, Phase.STARTING), "synced", ExitCode.SUCCESS, id="Synced before it is said"),
        # --- without a Primary
        pytest.param(running(Code.NON_PRIMARY), "non-primary", DEGRADED, id="no Primary anywhere"),
        pytest.param(
            running(Code.NON_PRIMARY, primary_at=NOW - 59), "non-primary", DEGRADED, id="a Primary since 59 s"
        ),
        pytest.param(
            running(Code.NON_PRIMARY, primary_at=NOW - 60), "left-behind", GENERIC, id="a Primary for rejoin_grace"
        ),
        pytest.param(
            running(Code.NON_PRIMARY, primary_at=NOW - 3600, since=NOW - 3), "non-primary", DEGRADED,
            id="it lost a Primary just now",
        ),
        pytest.param(running(Code.SYNCED, primary_at=NOW - 900), "synced", ExitCode.SUCCESS, id="in that Primary"),
        pytest.param(running(Code.NON_PRIMARY, Phase.REVIVING), "preparing", DEGRADED, id="pc.bootstrap is under way"),
        pytest.param(running(Code.NON_PRIMARY, Phase.REFUSING), "refusing", DEGRADED, id="a survivor that must not"),
        pytest.param(running(Code.NON_PRIMARY, Phase.HELD), "held", DEGRADED, id="a survivor in maintenance"),
        pytest.param(running(Code.SYNCED, Phase.REFUSING), "refusing", DEGRADED, id="two Primaries"),
        pytest.param(running(Code.SYNCED, Phase.HELD), "synced", ExitCode.SUCCESS, id="maintenance, and well"),
        # --- a check that is not possible
        pytest.param(running(Code.ACCESS_DENIED), "check-failed", DEGRADED, id="1045"),
        pytest.param(running(Code.TOO_MANY_CONNECTIONS), "check-failed", DEGRADED, id="1040"),
        pytest.param(running(Code.CONFIG_ERROR), "check-failed", DEGRADED, id="the check's own configuration"),
        pytest.param(
            running(Code.SYNCED)._replace(verdict=verdict(Code.ACCESS_DENIED)), "check-failed", DEGRADED,
            id="the monitor's own look goes before the keeper's",
        ),
        pytest.param(running(), "unknown", DEGRADED, id="not asked yet"),
        pytest.param(Symptoms(DatadirUse.RUNNING, PID), "unknown", DEGRADED, id="no keeper ever"),
        pytest.param(
            running(Code.SYNCED)._replace(server_pid=PID + 1), "unknown", DEGRADED, id="a reading of another server"
        ),
        pytest.param(running(Code.SYNCED)._replace(alive=False), "unknown", DEGRADED, id="a dead keeper's reading"),
        pytest.param(
            Symptoms(DatadirUse.RUNNING, PID, verdict=verdict(Code.SYNCED)), "synced", ExitCode.SUCCESS, id="alone"
        ),
        pytest.param(running(Code.SYNCED, at=NOW - 61), "mute-keeper", DEGRADED, id="a keeper that is stuck"),
        pytest.param(absent(Phase.RECOVERING, since=NOW - 900), "preparing", DEGRADED, id="a recovery takes its time"),
        pytest.param(
            absent(Phase.RECOVERING, at=NOW - 61), "mute-keeper", DEGRADED, id="a keeper stuck while it recovers"
        ),
        pytest.param(absent(Phase.UNKNOWN, at=NOW - 61), "mute-keeper", DEGRADED, id="and while it knows nothing"),
        # --- in a Primary
        *(
            pytest.param(running(code), "degraded", DEGRADED, id=code.value)
            for code in (
                *(Code.DONOR, Code.DONOR_SST, Code.DONOR_LOCK, Code.DESYNCED, Code.REJECTING_QUERIES, Code.READ_ONLY),
                *(Code.DISABLED, Code.MAINTENANCE, Code.NOT_READY),
            )
        ),
        pytest.param(
            running(Code.SYNCED)._replace(query_error="1146 no such table"), "query-fails", DEGRADED, id="a query fails"
        ),
        pytest.param(
            running(Code.SYNCED)._replace(disk_free=1 << 30, disk_size=100 << 30), "disk-low", DEGRADED, id="disk low"
        ),
        pytest.param(running(Code.SYNCED), "synced", ExitCode.SUCCESS, id="well"),
    ],
)  # fmt: skip
def test_a_row_of_the_table(seen: Symptoms, rule: str, code: ExitCode) -> None:
    assert say(seen) == (rule, code)


def test_every_verdict_has_its_row() -> None:
    rows = {code: judge_health(running(code)).rule for code in Code}
    assert set(rows.values()) <= {rule.name for rule in RULES} - {"unknown"}
    assert [code for code, rule in rows.items() if rule == "synced"] == [Code.SYNCED]


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        pytest.param(absent(Phase.WAITING, reason="n2 has not reported"), "n2 has not", id="the keeper's"),
        pytest.param(running(Code.HUNG, answered_at=NOW - 45), "for 45 s; look for a full disk", id="seconds"),
        pytest.param(running(Code.DESYNCED), "SET GLOBAL wsrep_desync = OFF", id="the verdict's remedy"),
        pytest.param(running(Code.ACCESS_DENIED), "says nothing of the database", id="a check is no database"),
        pytest.param(
            Symptoms(DatadirUse.RUNNING, PID, verdict=verdict(Code.NON_PRIMARY)), "xha-check explain", id="no keeper"
        ),
        pytest.param(
            Symptoms(DatadirUse.OTHER, occupant="mysqld, pid 7, of nobody (ibdata1 is open)"),
            "another program uses the data directory: mysqld, pid 7, of nobody (ibdata1 is open); find it", id="who",
        ),
        pytest.param(Symptoms(DatadirUse.UNSEEN, occupant="/d: EACCES"), "is not known: /d: EACCES; mend", id="?"),
        pytest.param(running(phase=Phase.STARTING, transfer="rsync, joiner", progress_at=NOW), "by rsync", id="how"),
        pytest.param(
            running(Code.SYNCED)._replace(disk_free=100 << 20, disk_size=100 << 30), "100 MiB free", id="how much"
        ),
    ],
)  # fmt: skip
def test_the_reason_says_what_and_what_next(seen: Symptoms, words: str) -> None:
    assert words in judge_health(seen).outcome.reason


def test_a_long_reason_is_one_line_and_cut() -> None:
    reason = judge_health(absent(Phase.FAILED, reason="no\n" * 500)).outcome.reason
    assert "\n" not in reason
    assert len(reason) == 400
    assert reason.endswith("...")


@pytest.mark.parametrize("phase", [Phase.WAITING, Phase.REFUSING])
def test_what_pcs_status_shows_of_a_long_decision_ends_with_the_command_that_tells_all(phase: Phase) -> None:
    reason = judge_health(absent(phase, reason="no " * 500)).outcome.reason
    assert len(reason) == 128, "Pacemaker keeps no more"
    assert reason.endswith("...; xha-check explain")
    said = "n1 is not in the list; put it into wsrep_cluster_address" + " or not" * 20
    assert said in judge_health(absent(phase, reason=said)).outcome.reason, "its own next step is seen"


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [
        (running(Code.SYNCED), False),
        (running(Code.SYNCED)._replace(alive=False), True),
        (Symptoms(DatadirUse.RUNNING, PID, verdict=verdict(Code.NON_PRIMARY)), True),
        (Symptoms(DatadirUse.RECOVERY, PID), True),
        (Symptoms(), False),
        (Symptoms(DatadirUse.OTHER), False),
        (Symptoms(DatadirUse.UNSEEN), False),
        (Symptoms(DatadirUse.STOPPED, PID), False),
    ],
)
def test_a_server_without_a_keeper_gets_one(seen: Symptoms, wanted: bool) -> None:
    assert judge_health(seen).launch_keeper is wanted


@pytest.mark.parametrize(
    ("free", "size", "low"),
    [
        (None, None, False),
        (0, 1000, True),
        (49, 1000, True),
        (50, 1000, False),
        (LOW_BYTES - 1, LOW_BYTES * 1000, True),
        (LOW_BYTES, LOW_BYTES * 1000, False),
    ],
)
def test_a_disk_is_low(free: int | None, size: int | None, low: bool) -> None:
    assert is_low(free, size) is low


def test_the_graces_are_parameters() -> None:
    seen = running(Code.HUNG, answered_at=NOW - 45)
    assert say(seen._replace(graces=Graces(hang_grace=60))) == ("silent", DEGRADED)


TIMES = st.sampled_from([0.0, NOW - 2000, NOW - 59, NOW - 1, NOW, NOW + 5])
CODES = st.sampled_from(["", "a code of a newer keeper", *(code.value for code in Code)])
KEEPERS = st.builds(
    KeeperStatus,
    phase=st.sampled_from(Phase),
    reason=st.sampled_from(["", "so it is"]),
    at=TIMES,
    since=TIMES,
    server_pid=st.sampled_from([0, PID]),
    launched_at=TIMES,
    code=CODES,
    cluster_status=st.sampled_from(["", "Primary", "non-Primary", "Disconnected"]),
    answered_at=TIMES,
    primary_at=TIMES,
    transfer=st.sampled_from(["", "rsync, joiner", "rsync, donor"]),
    progress_at=TIMES,
    permanent=st.booleans(),
)
SEEN = st.builds(
    Symptoms,
    server=st.sampled_from(DatadirUse),
    server_pid=st.sampled_from([0, PID]),
    alive=st.booleans(),
    keeper=st.none() | KEEPERS,
    now=st.just(NOW),
    verdict=st.none() | st.sampled_from(Code).map(verdict),
    cluster_status=st.sampled_from(["", "Primary", "non-Primary", "Disconnected"]),
    status=st.none() | st.builds(ServerStatus, st.sampled_from(ServerState), errors=st.just(())),
    query_error=st.sampled_from(["", "1146"]),
    disk_free=st.sampled_from([None, 0, 1 << 40]),
    disk_size=st.sampled_from([None, 1 << 40]),
)


@given(SEEN)
def test_whatever_is_seen_there_is_one_answer_with_a_reason(seen: Symptoms) -> None:
    health = judge_health(seen)
    assert isinstance(health, Health)
    assert health.outcome.code in (ExitCode.SUCCESS, GENERIC, ExitCode.NOT_RUNNING, DEGRADED)
    assert bool(health.outcome.reason) == (health.outcome.code in (GENERIC, DEGRADED))
    assert "\n" not in health.outcome.reason


@given(SEEN)
def test_7_only_if_certainly_nothing_runs_and_0_only_for_a_synced_server(seen: Symptoms) -> None:
    outcome = judge_health(seen).outcome
    nothing = seen.server is DatadirUse.ABSENT and not seen.alive
    assert (outcome == Outcome(ExitCode.NOT_RUNNING)) == nothing
    if outcome.code == ExitCode.SUCCESS:
        assert seen.server is DatadirUse.RUNNING
        assert seen.code == Code.SYNCED.value


@given(SEEN, st.sampled_from([Code.ACCESS_DENIED, Code.TOO_MANY_CONNECTIONS, Code.CONFIG_ERROR, Code.SERVER_DOWN]))
def test_a_failed_check_alone_is_never_a_failed_database(seen: Symptoms, code: Code) -> None:
    """All that is known is that the process runs, and that the check failed."""
    alone = seen._replace(server=DatadirUse.RUNNING, verdict=verdict(code), keeper=None, alive=False)
    alone = alone._replace(status=None if alone.status is None else recorded("synced"))
    assert judge_health(alone).outcome.code == DEGRADED


@given(SEEN)
def test_one_needs_a_proof(seen: Symptoms) -> None:
    health = judge_health(seen)
    if health.outcome.code == GENERIC:
        assert health.rule in ("ended", "failed", "frozen", "out", "hung", "stalled", "left-behind")
        assert not health.launch_keeper


@given(st.sampled_from([0, 1, 2, 3, 4, 5, None]), st.sampled_from(["Primary", "non-Primary", None]), st.booleans())
def test_agent_and_responder_say_the_same_of_a_reading(state: int | None, cluster: str | None, ready: bool) -> None:
    reading = synced(wsrep_local_state=state, wsrep_cluster_status=cluster, wsrep_ready=ready)
    said = judge(reading, Policy())
    seen = Symptoms(DatadirUse.RUNNING, PID, verdict=said, cluster_status=cluster or "")
    well = judge_health(seen).outcome.code == ExitCode.SUCCESS
    assert well == said.available == (said.code is Code.SYNCED)


def test_no_two_rules_have_one_name() -> None:
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names)
