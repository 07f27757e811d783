"""What holds of the step whatever it is given: it is pure, total, and keeps its order."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from core.keeper import scene as module
from core.keeper.scene import Scene
from core.keeper.test_scripts import SCRIPTS, events_of
from xha.core.galera.node_record import NodeRecord
from xha.core.keeper import effects as acts
from xha.core.keeper.machine import learnt, rest, step
from xha.core.keeper.memory import Memory
from xha.core.keeper.observation import Observation
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
