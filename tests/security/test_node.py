"""A node under Pacemaker's agent, whose server's account puts arbitrary names into its own directories."""

from __future__ import annotations

import os

import pytest

from agent.host import Resource
from agent.test_life import await_code, host, make_resource, resource, running
from loopback import wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="not root")

__all__ = ["host", "make_resource", "resource", "running"]
# The limit of one call, in seconds, on a busy machine. Each of these used to wait forever.
PROMPT = 30.0


@pytest.mark.parametrize("name", ["the error log", "the status file", "gvwstate.dat", "xha-node.json", ".xha-creating"])
def test_a_fifo_hangs_neither_keeper_nor_monitor_nor_stop(running: Resource, name: str) -> None:
    places = {
        "the error log": f"{running.directory}/server.log",
        "the status file": f"/run/xha/galera/{running.resource}/mysqld/status.json",
    }
    path = places.get(name, f"{running.datadir}/{name}")
    as_mysql = ("setpriv", "--reuid=mysql", "--clear-groups", "sh", "-c")
    running.host.run(*as_mysql, f"rm -f {path} && mkfifo {path}", check=True)
    keeper = running.keeper_pid
    for level in (0, 10, 20):
        seen = running.monitor(level)
        assert seen.code in (0, 190), seen
        assert seen.seconds < PROMPT
    before = running.run_file("keeper.json")["at"]
    await_word_after(running, before)
    assert running.keepers() == [keeper]
    running.signal("KILL", *running.server_pids())
    await_code(running, 1, PROMPT)
    ended = running.call("stop")
    assert (ended.code, running.server_pids(), running.keepers()) == (0, [], []), ended.err
    assert ended.seconds < PROMPT


def await_word_after(one: Resource, at: float) -> None:
    """Wait until the keeper has looked again: a keeper that hangs publishes nothing more."""
    wait_until(lambda: one.run_file("keeper.json").get("at", 0) > at, PROMPT, "the keeper looks again")
