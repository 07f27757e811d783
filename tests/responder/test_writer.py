"""One writer at a time, behind a real HAProxy: a switchover, a killed server, a killed keeper, a drain."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from loopback import Cluster, Net, wait_until
from responder.process import ACCOUNT
from responder.test_drained_stop import Client
from responder.writers import RESOURCE, KeptNode, KeptWorld
from xha.app.cluster.switchover import Switchover
from xha.core.monitor.keeper_tally import COUNTERS, SPOKE_SECONDS, KeeperTally

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="not root")


@pytest.fixture(scope="module")
def world(net: Net, session_cluster: Cluster) -> Iterator[KeptWorld]:
    first = session_cluster.nodes[0]
    session_cluster.create_account(f"{ACCOUNT}@localhost")
    for statement in (
        "CREATE USER IF NOT EXISTS app@'%'",
        "GRANT ALL ON drained.* TO app@'%'",
        "CREATE DATABASE IF NOT EXISTS drained",
        "CREATE OR REPLACE TABLE drained.rows (client VARCHAR(10), n INT, PRIMARY KEY (client, n))",
    ):
        first.sql(statement)
    try:
        with KeptWorld(net, session_cluster).running() as running:
            yield running
    finally:
        session_cluster.mend()


class Load:
    """Clients that write through HAProxy while the block runs."""

    def __init__(self, world: KeptWorld, *names: str) -> None:
        self._stop = threading.Event()
        self.clients = [Client(name, world.bind, self._stop) for name in names]

    def __enter__(self) -> Load:
        for client in self.clients:
            client.start()
        self.wait_rows(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for client in self.clients:
            client.join(30)

    def wait_rows(self, count: int) -> None:
        """Wait until each client has written so many rows more."""
        written = [len(client.done) for client in self.clients]
        wait_until(
            lambda: all(len(one.done) > n + count for one, n in zip(self.clients, written)),
            60,
            lambda: f"all write: {[one.errors[-1:] for one in self.clients]}",
        )

    def gaps(self) -> dict[str, float]:
        return {client.name: round(client.longest_gap(), 2) for client in self.clients}


def hand_over(world: KeptWorld, by: str, to: str = "") -> list[str]:
    """Do what `xha-check switchover` does on a host; return its steps."""
    steps: list[str] = []
    node = world[by]
    switchover = Switchover(
        node.cluster,  # type: ignore[arg-type]
        RESOURCE,
        node.run,
        world.names,
        lambda text, seconds: steps.append(f"{seconds:.1f} s {text}"),
    )
    came = switchover.run(to, leave_seconds=5.0)
    assert (came.objection, came.unfinished) == ("", ""), f"{steps}\n{world.tell()}"
    return steps


def test_a_switchover_is_an_error_for_nobody_whose_pool_tests_its_connections(
    world: KeptWorld, tell: Callable[[str], None]
) -> None:
    wait_until(
        lambda: all(one.responder.node()["writer"]["balancers"]["unknown"] is None for one in world.nodes),
        60,
        "the responders know who asks",
    )
    with Load(world, "fresh-1", "fresh-2", "pool-1", "pool-2", "plain-1") as load:
        steps = hand_over(world, "h3", "h2")
        world.wait_writer("h2")
        load.wait_rows(20)
    assert {one.name: one.errors for one in load.clients if one.kind != "plain" and one.errors} == {}, steps
    for client in load.clients:
        rows = world["h2"].node.sql("SELECT n FROM drained.rows WHERE client = %s", client.name)
        assert set(client.acknowledged) <= {number for (number,) in rows}, "an acknowledged row is lost"
    tell(f"{'; '.join(steps)}; longest time without a row: {load.gaps()}; plain: {load.clients[-1].errors}")


def keeper_metrics(node: KeptNode) -> dict[tuple[str, ...], float]:
    text = node.responder.ask("/metrics").body
    families = text_string_to_metric_families(text)
    samples = {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}
    return {key: value for key, value in samples.items() if key[0].startswith("xha_keeper_")}


def test_what_a_keeper_says_and_counts_is_at_metrics_and_is_silent_with_it(world: KeptWorld) -> None:
    node = next(one for one in world.nodes if one.at_writer()[0] != 200)
    told = keeper_metrics(node)
    assert told["xha_keeper_phase", RESOURCE, "running"] == 1
    assert told["xha_keeper_decision", RESOURCE, "join"] == 1
    assert 0 <= told["xha_keeper_age_seconds", RESOURCE] < 30
    assert abs(told["xha_keeper_decision_timestamp_seconds", RESOURCE] - time.time()) < 3600
    counted = {name: told[f"xha_keeper_{name}_total", RESOURCE] for name in COUNTERS}
    assert counted == dict.fromkeys(COUNTERS, 0)  # its server ran before it, and has lost no Primary
    node.kill_keeper()
    # Whoever was killed has left this file. The next keeper goes on with its counts.
    node.run.write_keeper_tally(KeeperTally("wait", 1.8e9, elections=2))
    status = node.run.read_keeper_status()
    assert status is not None
    node.run.write_keeper_status(status._replace(at=status.at - SPOKE_SECONDS))
    silent = keeper_metrics(node)
    assert silent["xha_keeper_phase", RESOURCE, "silent"] == 1
    assert silent["xha_keeper_age_seconds", RESOURCE] > SPOKE_SECONDS
    os.chown(node.run.file("keeper.json"), 65534, 65534)
    assert keeper_metrics(node)["xha_keeper_phase", RESOURCE, "unreadable"] == 1
    node.start_keeper()
    running = ("xha_keeper_phase", RESOURCE, "running")
    wait_until(lambda: running in keeper_metrics(node), 30, lambda: f"it runs again: {keeper_metrics(node)}")
    assert keeper_metrics(node)["xha_keeper_elections_total", RESOURCE] == 2


def test_a_writer_whose_keeper_is_killed_stays(world: KeptWorld) -> None:
    (writer,) = world.writers()
    world[writer].kill_keeper()
    ends = time.monotonic() + 5.0
    while time.monotonic() < ends:  # longer than any report is fresh
        assert world.writers() == [writer]
        time.sleep(0.2)
    world[writer].start_keeper()
    world[writer].responder.outlive_reading()
    assert world.writers() == [writer]


def test_a_draining_writer_goes_on_until_another_one_is_in_service(
    world: KeptWorld, tell: Callable[[str], None]
) -> None:
    (writer,) = world.writers()
    with Load(world, "fresh-3", "pool-3") as load:
        world[writer].responder.drain.write_text("{}")
        begun = time.monotonic()
        seen: list[list[str]] = []
        while time.monotonic() - begun < 12 and world[writer].at_writer()[0] == 200:
            seen.append(world.writers())
        took = time.monotonic() - begun
        assert world[writer].at_writer() == (404, "draining"), world.tell()
        assert [] not in seen, "nobody was the writer for a moment"
        wait_until(lambda: world.haproxy.server(writer)["status"] == "NOLB", 20, "HAProxy has taken it out")
        load.wait_rows(20)
    world[writer].responder.drain.unlink()
    assert load.clients[0].errors == []
    tell(f"404 after {took:.1f} s; longest time without a row: {load.gaps()}")
    wait_until(lambda: world[writer].at_writer() == (503, "not-writer"), 20, "no failback")


@pytest.mark.alone  # it is timed
def test_a_killed_writer_is_followed_by_another(world: KeptWorld, tell: Callable[[str], None]) -> None:
    (writer,) = world.writers()
    world[writer].node.kill()
    begun = time.monotonic()
    wait_until(lambda: any(one != writer for one in world.writers()), 30, world.tell)
    took = time.monotonic() - begun
    after = next(one for one in world.writers() if one != writer)
    tell(f"{after} is the writer {took:.2f} s after the server of {writer} was killed")
    assert took < 6.0  # the keeper that notices looks once a second, and so does the next; a busy machine is slower
    world.cluster.mend()
    assert writer not in world.writers(), "no failback"
