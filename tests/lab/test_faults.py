"""What the instruments and the world with fencing do with any agent. The whole matrix is `make lab-report`."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from lab import client, standing
from lab.laboratory import Laboratory
from lab.library import host_of
from lab.place import HOSTS
from lab.repair import take_back_parameters
from lab.standing import carry_out
from lab.waiting import wait_until
from lab.worlds import SOUND

pytestmark = pytest.mark.lab
FENCE_SECONDS = 60


def test_a_write_that_a_node_lost_is_counted_as_missing_there_and_nowhere_else(lab: Laboratory) -> None:
    with client.writing(lab) as writers:
        wait_until("a row of the first writer", lambda: (0, 1) in {each.row for each in writers.attempts()}, timeout=60)
    acknowledged = frozenset(each.row for each in writers.attempts() if each.error is None)
    lab["h3"].sh("mariadb -e 'SET SESSION wsrep_on=OFF; DELETE FROM lab.acknowledged WHERE writer=0 AND number=1'")
    assert {host.name: client.missing(acknowledged, host) for host in lab} == {"h1": 0, "h2": 0, "h3": 1}


@pytest.fixture
def sound(lab: Laboratory) -> Iterator[Laboratory]:
    """The same cluster in the world with fencing. The seed's properties return afterwards."""
    properties = lab["h1"].sh("cibadmin --query --scope crm_config").out
    try:
        carry_out(lab, SOUND.properties(HOSTS))
        yield lab
    finally:
        lab.network.heal()
        standing.wait_online(lab)
        lab["h1"].sh("cibadmin --replace --scope crm_config --xml-pipe", text=properties)
        take_back_parameters(lab["h1"], lab.place.resources.read_text())  # this removes the fence devices


def test_in_the_sound_world_a_host_that_was_cut_off_loses_power_and_no_acknowledged_write_is_lost(
    sound: Laboratory,
) -> None:
    with client.writing(sound) as writers:
        struck = time.monotonic()
        sound.network.pull_cable("h1")
        wait_until("h1 to be fenced", lambda: not sound["h1"].has_power(), timeout=FENCE_SECONDS, every=0.02)
        for name in ("h2", "h3"):
            wait_until(f"{name} to say so", lambda name=name: host_of(sound, name, "h1") == "fenced", timeout=60)
        wait_until("writes to go on", lambda: writers.wrote_since(time.monotonic() - 1), timeout=60)
        assert writers.wrote_since(struck)
        sound.network.heal()
        sound["h1"].wait_booted()
        standing.wait_synced(sound)
    acknowledged = frozenset(each.row for each in writers.attempts() if each.error is None)
    assert {host.name: client.missing(acknowledged, host) for host in sound} == {"h1": 0, "h2": 0, "h3": 0}
