"""What random walks of the model have found, each as a short walk that shows it."""

from __future__ import annotations

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
