"""What random walks of the model have found, each as a short walk that shows it."""

from __future__ import annotations

from core.model.cluster_world import World


def test_nobody_is_told_of_a_commit_before_it_is_recorded_that_there_is_a_cluster() -> None:
    """A known limit (docs/election.md), which holds for a last commit that nobody else delivered, too."""
    world = World(3)
    a, b, _ = world.nodes.values()
    for _ in range(10):
        if a.server is None:
            world.round()
    assert not world.is_recorded(b)
    world.kill([a], gap=True)
    assert not world.acknowledged
