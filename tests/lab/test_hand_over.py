"""An operator changes the agent of the document's cluster (docs/operations.md). Runs last: nothing changes it back."""

from __future__ import annotations

import pytest

from lab import cluster
from lab.contenders import DELETE, XHA
from lab.laboratory import Laboratory
from lab.repair import settle
from lab.standing import carry_out, wait_synced
from lab.waiting import wait_until

pytestmark = pytest.mark.lab
SAID_SECONDS = 30


def test_after_the_hand_over_pacemaker_lists_no_failure_and_every_node_says_what_it_does(lab: Laboratory) -> None:
    host = lab["h1"]
    before = cluster.read_galera(host)
    host.sh(DELETE, timeout=180)
    carry_out(lab, XHA.create)
    wait_synced(lab)
    assert cluster.read_galera(host).uuid == before.uuid
    settle(host)
    for each in lab:
        wait_until(f"{each} to say so", lambda each=each: "running: " in cluster.read_state(each), timeout=SAID_SECONDS)  # type: ignore[misc]
    assert cluster.running_on(host, "p_mysql") == {"h1", "h2", "h3"}
    explained = host.sh("xha-check explain", check=False).out
    assert explained.count("is in the Primary component") >= 3, explained
