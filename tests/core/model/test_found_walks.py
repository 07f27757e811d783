"""What random walks of the model have found, each as a short walk that shows it."""

from __future__ import annotations

import pytest

from core.model.cluster_world import World
from xha.core.election.decision import Wait


def test_a_view_that_ended_before_a_keeper_looked_is_known_behind_a_clean_stop() -> None:
    """A joiner comes in, acknowledges a commit, and all are cut off and stopped, while no keeper looks.

    A clean stop removes gvwstate.dat. Those who know only their view before that one form a Primary without asking
    whether the joiner has a newer commit.
    """
    world = World(3)
    a, b, c = world.nodes.values()
    world.found(a)
    world.take_disk(a)
    for _ in range(4):
        for node in (b, c, a):
            world.tick(node)
    assert a.server is not None
    assert a.server.transferring
    world.finish_transfers()
    world.move({"A": 0, "B": 1, "C": 2}, gap=[a])
    for node in (a, b, c):
        world.clean_stop(node)
    world.move({"A": 0, "B": 1, "C": 1})
    for _ in range(8):
        world.tick(b)
        world.tick(c)
    decision = world.agents["B"].last
    assert isinstance(decision, Wait)
    assert decision.missing == ("A",)
    world.move(dict.fromkeys(world.nodes, 0))
    for _ in range(10):
        world.round()
    assert world.settled


def test_nobody_is_told_of_a_commit_before_it_is_recorded_that_there_is_a_cluster() -> None:
    """A known limit (docs/election.md), which holds for a last commit that nobody else delivered, too."""
    world = World(3)
    a, _, _ = world.nodes.values()
    for _ in range(10):
        if a.server is None:
            world.round()
    assert not world.cib(a).cluster
    world.kill([a], gap=True)
    assert world.acknowledged
    assert world.cib(a).cluster


@pytest.mark.parametrize("applies", [False, True])
def test_an_evicted_server_may_be_the_only_one_that_has_applied_a_commit(applies: bool) -> None:
    """Both others are killed with what they had not applied: they wait for it by name, until it is restarted."""
    world = World(3)
    a, b, c = world.nodes.values()
    world.found(a)
    world.commit(c, slow=[a, b])
    world.commit(a, slow=[b, c])
    world.commit(c, slow=[a, b])
    assert world.evict(c, applies=applies)
    c.slow = 20
    world.tick(c)
    world.kill([a, b])
    for _ in range(8):
        for node in (a, b, c):
            world.tick(node)
    decision = world.agents["B"].last
    assert isinstance(decision, Wait)
    assert decision.missing == ("C",)
    assert not world.primaries()
    c.slow = 0
    for _ in range(10):
        world.round()
    assert world.settled
    assert world.acknowledged <= set(a.disk.history)


def test_the_view_of_an_evicted_server_holds_nobody_up() -> None:
    """Both others are killed, and hold all that it has: they need not wait until its gvwstate.dat is set aside."""
    world = World(3)
    a, b, c = world.nodes.values()
    world.found(a)
    world.commit(a, slow=[c])
    assert world.evict(c, applies=True)
    c.slow = 1000
    for _ in range(3):
        world.round()
    world.kill([a, b])
    for _ in range(12):
        world.round()
    assert {node.name for node in next(iter(world.primaries().values()))} == {"A", "B"}


def test_nobody_waits_for_an_evicted_server_that_holds_nothing_more() -> None:
    """Its storage stays frozen, and of the other two one is killed: the last one forms the cluster with it."""
    world = World(3)
    a, b, c = world.nodes.values()
    world.found(a)
    world.commit(a, slow=[c])
    assert world.evict(c, applies=True)
    c.slow = 1000
    for _ in range(3):
        world.round()
    world.kill([b])
    for _ in range(8):
        world.round()
    assert {node.name for node in next(iter(world.primaries().values()))} == {"A", "B"}
    assert c.server is not None
    assert c.server.evicted
