"""What holds of the step whatever it is given: it is pure, total, and keeps its order."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from core.keeper import scene as module
from core.keeper.scene import Scene
from core.keeper.test_scripts import SCRIPTS, events_of
from xha.core.election.writer import WriterMemory
from xha.core.galera.known_servers import ServerProcess
from xha.core.galera.node_record import NodeRecord
from xha.core.galera.reading import Reading, WsrepStatus
from xha.core.keeper import effects as acts
from xha.core.keeper.machine import learnt, step
from xha.core.keeper.memory import KeeperChild, Memory, Plan
from xha.core.keeper.observation import Fresh, Observation, ServerSeen, Trouble
from xha.core.keeper.outcomes import FailureCause
from xha.core.keeper.server.pace import (
    BUSY,
    CALM,
    CALM_AGE,
    FAULT_SECONDS,
    GLANCE_SECONDS,
    HURRIED_AGE,
    HURRY,
    QUICK,
    WATCHED,
    configuration_age,
    rest,
)
from xha.core.pacemaker import guards

PAIRS = 4000
Seen = list[tuple[Memory, Observation]]


@pytest.fixture(scope="module")
def seen() -> Seen:
    """Every memory of every script, with what was seen then."""
    pairs: Seen = []

    def record(memory: Memory, observation: Observation) -> tuple[Memory, tuple[acts.Effect, ...]]:
        pairs.append((memory, observation))
        return step(memory, observation)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "step", record)
        for path in SCRIPTS:
            play_all(path)
    return pairs


def play_all(path: Path) -> None:
    scene = Scene()
    for line in events_of(path.read_text(encoding="utf-8")):
        if line and not line.startswith("#"):
            scene.play(line)


def test_whatever_is_remembered_and_whatever_is_seen_there_is_an_answer(seen: Seen) -> None:
    """Also where what is seen does not follow from what was done: another host's look, a result of another step."""
    chance = random.Random(1)
    memories, observations = [one for one, _ in seen], [one for _, one in seen]
    for _ in range(PAIRS):
        memory, observation = chance.choice(memories), chance.choice(observations)
        parts = chance.choice(observations)
        mixed = observation._replace(server=parts.server, data=parts.data, cluster=parts.cluster)
        for one in (observation, mixed):
            first, again = step(memory, one), step(memory, one)
            assert first == again
            assert isinstance(learnt(memory, one), Memory)
            assert 0.0 <= rest(first[0], one) <= 5.0


def test_what_must_come_before_a_launch_does(seen: Seen) -> None:
    launches = 0
    for memory, observation in seen:
        after, effects = step(memory, observation)
        done = [one.act for one in effects]
        if after.launching is not None and learnt(memory, observation).launching is None:
            assert [one for one in done if isinstance(one, acts.Publish)][-1].report == after.launching.report
            assert after.launching.guards[0] == guards.Confirmed(after.launching.report)
        for place, act in enumerate(done):
            if isinstance(act, acts.Launch):
                launches += 1
                behind = {type(one) for one in done[place + 1 :]}
                assert behind <= {acts.SetReady, acts.ReleaseToken, acts.End}
                # What it builds on was done by a step before, and has come back from the cluster.
                assert {type(one) for one in done[:place]} <= {acts.Say, acts.LogLine}
                announced = learnt(memory, observation).launching
                assert announced is not None
                assert observation.cluster is not None
                assert observation.cluster.reports["A"] == announced.report
                [held] = [one.guards for one in effects if one.act == act]
                assert held == announced.guards
            if isinstance(act, acts.ConsumeGrants):
                before = observation.data.record if observation.data else None
                changed = [one for one in done[:place] if not _keeps_all_but_the_view(one, before)]
                assert not {type(one) for one in changed} & {acts.WriteRecord, acts.RecordLine, acts.Discard}
    assert launches > 10


def _keeps_all_but_the_view(act: acts.Act, record: NodeRecord | None) -> bool:
    """What was seen of the last view needs no grant."""
    if not isinstance(act, acts.WriteRecord) or record is None:
        return False
    seen = act.record
    return seen == record._replace(view=seen.view, own_uuid=seen.own_uuid, view_seqno=seen.view_seqno)


def test_the_token_is_given_back_last(seen: Seen) -> None:
    for memory, observation in seen:
        done = [type(one.act) for one in step(memory, observation)[1]]
        if acts.ReleaseToken in done:
            assert done[done.index(acts.ReleaseToken) + 1 :] in ([], [acts.End])
            assert not {acts.Launch, acts.MakePrimary, acts.TakeToken} & {*done}


SERVER = ServerProcess(7, 70, "mariadbd, pid 7")
SERVES = Memory(
    server=SERVER,
    reading=Reading(
        WsrepStatus(wsrep_cluster_status="Primary", wsrep_local_state=4, wsrep_gcomm_uuid="u", wsrep_connected=True)
    ),
)
NOTHING = Observation(100.0, Fresh("e", "g", "k"))
TOLD = NOTHING._replace(server=ServerSeen(SERVER, told=(1, 2, 3)))
UNTOLD = NOTHING._replace(server=ServerSeen(SERVER))
UNREACHABLE = Trouble(FailureCause.UNREACHABLE, "")
CHILD = KeeperChild(acts.CheckHost(5.0), 1, 0.0)


@pytest.mark.parametrize(
    ("memory", "observation", "seconds", "age"),
    [
        (SERVES, TOLD, WATCHED, CALM_AGE),
        (SERVES, UNTOLD, CALM, CALM_AGE),
        (SERVES, TOLD._replace(trouble=UNREACHABLE), CALM, CALM_AGE),
        (SERVES, TOLD._replace(trouble=Trouble(FailureCause.UNFORESEEN, "")), FAULT_SECONDS, CALM_AGE),
        (SERVES._replace(writer=WriterMemory(hurries=True)), TOLD, HURRY, HURRIED_AGE),
        (SERVES._replace(refused=True), TOLD, BUSY, 0.0),
        (SERVES._replace(plan=Plan("", 9.0)), TOLD, BUSY, 0.0),
        (SERVES._replace(child=CHILD), TOLD, CALM, 0.0),
        (SERVES._replace(reading=None), TOLD, BUSY, 0.0),
        (Memory(), NOTHING, BUSY, 0.0),
        (Memory(child=CHILD), NOTHING, CALM, 0.0),
        (Memory(child=CHILD, writer=WriterMemory(hurries=True)), NOTHING, HURRY, 0.0),
    ],
)
def test_how_long_a_look_and_the_configuration_may_wait(
    memory: Memory, observation: Observation, seconds: float, age: float
) -> None:
    assert rest(memory, observation) == seconds
    assert configuration_age(memory) == age


def test_no_look_waits_longer_than_who_relies_on_it(seen: Seen) -> None:
    """A lost Primary is noticed within a second, and who asks is answered within two, whatever has gone before."""
    waited = set()
    for memory, observation in seen:
        after, _ = step(memory, observation)
        for now in (observation, observation._replace(server=TOLD.server), observation._replace(server=None)):
            seconds = rest(after, now)
            waited.add(seconds)
            failed = seconds == FAULT_SECONDS
            watched = now.server is not None and now.server.told
            assert failed or seconds + GLANCE_SECONDS <= 2.0
            assert failed or min(seconds, GLANCE_SECONDS if watched else seconds) <= 1.0
            assert not after.launching or seconds <= HURRY or now.trouble is not None
        assert (configuration_age(after) > 0.0) == after.is_calm
    assert {QUICK, HURRY, BUSY, CALM, WATCHED} <= waited
