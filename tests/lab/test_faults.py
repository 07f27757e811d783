"""A few faults, so that the instruments are known to work; the whole matrix is `make lab-report`."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from lab import client, standing
from lab.faults import FAULTS, Scene
from lab.laboratory import Laboratory
from lab.standing import carry_out
from lab.trial import try_fault
from lab.waiting import wait_until
from lab.worlds import SEED, SOUND

pytestmark = pytest.mark.lab
FENCE_SECONDS = 60


def test_killing_the_active_mysqld_costs_errors_but_no_acknowledged_write(scene: Scene) -> None:
    outcome = try_fault(scene, FAULTS["kill-active"])
    assert outcome.recovered
    assert outcome.lost == {"h1": 0, "h2": 0, "h3": 0}
    assert sum(outcome.errors.values()) > 0
    assert outcome.longest_gap > 0
    assert outcome.synced_after


def test_a_write_that_a_node_lost_is_counted_as_missing_there_and_nowhere_else(lab: Laboratory) -> None:
    with client.writing(lab) as writers:
        wait_until("a row of the first writer", lambda: (0, 1) in {each.row for each in writers.attempts()}, timeout=10)
    acknowledged = frozenset(each.row for each in writers.attempts() if each.error is None)
    lab["h3"].sh("mariadb -e 'SET SESSION wsrep_on=OFF; DELETE FROM lab.acknowledged WHERE writer=0 AND number=1'")
    assert {host.name: client.missing(acknowledged, host) for host in lab} == {"h1": 0, "h2": 0, "h3": 1}


@pytest.fixture
def sound(lab: Laboratory) -> Iterator[Laboratory]:
    """The same cluster in the sound world; the seed's properties return afterwards."""
    try:
        carry_out(lab, SOUND.properties)
        yield lab
    finally:
        lab.network.heal()
        standing.wait_online(lab)
        lab["h1"].sh("for host in h1 h2 h3; do pcs stonith delete fence_$host; done", timeout=60, check=False)
        carry_out(lab, SEED.properties)


def test_in_the_sound_world_a_host_that_was_cut_off_loses_power_and_no_acknowledged_write_is_lost(
    sound: Laboratory,
) -> None:
    with client.writing(sound) as writers:
        struck = time.monotonic()
        sound.network.pull_cable("h1")
        wait_until("h1 to be fenced", lambda: not sound["h1"].has_power(), timeout=FENCE_SECONDS, every=0.02)
        wait_until("writes to go on", lambda: writers.wrote_since(time.monotonic() - 1), timeout=60)
        assert writers.wrote_since(struck)
        sound.network.heal()
        sound["h1"].wait_booted()
        standing.wait_synced(sound)
    acknowledged = frozenset(each.row for each in writers.attempts() if each.error is None)
    assert {host.name: client.missing(acknowledged, host) for host in sound} == {"h1": 0, "h2": 0, "h3": 0}
