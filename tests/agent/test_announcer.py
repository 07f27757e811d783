"""What the cluster is told of a keeper: its state where that changes, and, again and again, that it still speaks."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from xha.adapters.files.agent_rundir import RunDir
from xha.adapters.host.log import Log
from xha.adapters.pacemaker.cluster import ClusterUnreachable
from xha.app.keeper import announcer
from xha.app.keeper.announcer import SPEAK_SECONDS, Announcer
from xha.core.monitor.keeper_status import KeeperStatus, Phase

RUNS, WAITS = KeeperStatus(Phase.RUNNING, "synced"), KeeperStatus(Phase.WAITING, "h2 has not reported")


class Cluster:
    """Keeps each attribute that is set, in order; does not answer while it is told so."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.answers = True

    def set_private(self, name: str, value: str) -> None:
        if not self.answers:
            raise ClusterUnreachable("attrd_updater did not answer within 5 s")
        self.told.append((name, value))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    made = SimpleNamespace(now=1000.0)
    made.monotonic, made.time = (lambda: made.now), (lambda: 1.8e9 + made.now)
    monkeypatch.setattr(announcer, "time", made)
    return made


def test_a_state_is_told_with_its_time_and_the_time_alone_is_repeated(tmp_path: Path, clock: SimpleNamespace) -> None:
    cluster = Cluster()
    said = Announcer(RunDir("db", str(tmp_path)), cluster, "db", Log("test"))  # type: ignore[arg-type]
    said.say(RUNS)
    began = ("xha-db-since", "1800001000")
    assert cluster.told == [("xha-db-state", "running: synced"), began, ("xha-db-at", "1800001000")]
    clock.now += SPEAK_SECONDS - 1
    said.say(RUNS)
    assert len(cluster.told) == 3
    clock.now += 1
    said.say(RUNS)
    assert cluster.told[3:] == [("xha-db-at", "1800001030")]
    clock.now += 1
    said.say(WAITS)
    waits = [("xha-db-state", "waiting: h2 has not reported"), ("xha-db-since", "1800001031")]
    assert cluster.told[4:] == [*waits, ("xha-db-at", "1800001031")]
    clock.now += 1
    said.say(WAITS._replace(reason="h3 has not reported"))
    assert cluster.told[7:] == [("xha-db-state", "waiting: h3 has not reported"), ("xha-db-at", "1800001032")]


def test_of_a_server_that_does_not_answer_it_is_told_when_it_last_did(tmp_path: Path, clock: SimpleNamespace) -> None:
    """The report and the state are from then: whoever reads them must not take them for what holds now."""
    cluster = Cluster()
    said = Announcer(RunDir("db", str(tmp_path)), cluster, "db", Log("test"))  # type: ignore[arg-type]
    said.say(RUNS._replace(server_pid=7, answered_at=clock.now))
    clock.now += SPEAK_SECONDS
    said.say(RUNS._replace(server_pid=7, answered_at=clock.now - SPEAK_SECONDS))
    assert [value for name, value in cluster.told if name == "xha-db-at"] == ["1800001000", "1800001000"]
    clock.now += SPEAK_SECONDS
    said.say(RUNS._replace(server_pid=7))  # one that starts has never answered
    assert cluster.told[-1] == ("xha-db-at", "1800001060")


def test_a_cluster_that_does_not_answer_is_told_later_and_a_keeper_goes_on(
    tmp_path: Path, clock: SimpleNamespace
) -> None:
    cluster = Cluster()
    said = Announcer(RunDir("db", str(tmp_path)), cluster, "db", Log("test"))  # type: ignore[arg-type]
    cluster.answers = False
    said.say(RUNS)
    cluster.answers = True
    clock.now += 1
    said.say(RUNS)
    began = ("xha-db-since", "1800001000")
    assert cluster.told == [("xha-db-state", "running: synced"), began, ("xha-db-at", "1800001001")]
