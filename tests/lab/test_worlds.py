"""What a world writes on its hosts, and what is tried in it. Nothing is built here."""

from __future__ import annotations

import re

import pytest

from lab import document
from lab.contenders import XHA
from lab.faults import FAULTS
from lab.matrix import names_of
from lab.place import ADDRESSES, BALANCER_PORT, HOSTS, VIP, WRITER_PORT
from lab.standing import plan
from lab.worlds import FAST, FAST_GALERA, FAST_HAPROXY, SEED, WORLDS, World


def test_the_fast_world_has_the_advised_files_with_the_laboratory_s_addresses() -> None:
    for text in (FAST_HAPROXY.today, FAST_GALERA.today):
        assert set(re.findall(r"\d+\.\d+\.\d+\.\d+", text)) - {"0.0.0.0", "127.0.0.1"} <= {VIP, *ADDRESSES.values()}
    assert [f"bind {VIP}:{port}" in FAST_HAPROXY.today for port in (BALANCER_PORT, WRITER_PORT)] == [True, True]
    for line in ("wsrep_node_name={name}", "wsrep_node_address={address}"):
        assert f"\n{line}\n" in FAST_GALERA.today
    assert "evs.suspect_timeout=PT1S" in FAST_GALERA.today


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_a_cluster_has_the_files_of_its_world_and_no_other(world: World) -> None:
    steps = [step for step, _ in plan(XHA, world, in_full=False)]
    assert {step.path: step for step in steps if step.path == FAST_HAPROXY.path} == {
        FAST_HAPROXY.path: FAST_HAPROXY if world is FAST else document.haproxy_cfg(HOSTS)
    }
    assert [step for step in steps if step.path == FAST_GALERA.path] == [world.galera(HOSTS)]
    assert (document.XINETD_START in steps) == (world is not FAST)


def test_the_faults_of_a_world_are_known_and_those_that_are_named_come_first() -> None:
    assert [name for world in WORLDS.values() for name in world.faults if name not in FAULTS] == []
    assert names_of(SEED) == list(FAULTS)
    assert names_of(FAST) == list(FAST.faults)
    assert names_of(FAST, ["kill-in-alter"]) == ["kill-in-alter"]
