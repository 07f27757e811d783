"""A stall is ended: three real servers, one with a frozen binary log, and the keeper of each with its real step.

Pacemaker is a fake here, one object that hands every keeper what any of them wrote: three hosts of its own are the
laboratory's (tests/lab). All that is told to it, and all that the servers do, is real.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from typing import Callable

import pymysql
import pytest

from loopback import Cluster, Net, Node, wait_until
from loopback.disk import Disk
from responder.test_commits import DURABLE, LATE
from xha.adapters.files import agent_rundir
from xha.adapters.files.agent_rundir import RunDir
from xha.adapters.host.log import Log
from xha.adapters.mysqld.notify_listener import NotifySocket
from xha.adapters.mysqld.program import find_program, read_options
from xha.adapters.pacemaker.standalone import Standalone
from xha.app.keeper.local_server import Installed
from xha.app.keeper.main import make_keeper
from xha.app.keeper.peers import Peers
from xha.core.election.facts import Host, Records, Token
from xha.core.election.stall import Eviction
from xha.core.galera.lineage import Generation
from xha.core.monitor.keeper_status import KeeperStatus, Phase
from xha.core.node.codes import Code
from xha.core.ocf.galera_settings import Settings
from xha.core.pacemaker.cib import Cib
from xha.core.pacemaker.cib_records import Book

pytestmark = [
    pytest.mark.alone,  # a frozen file system holds up everybody's sync(2)
    pytest.mark.skipif(os.geteuid() != 0, reason="not root"),
]

RESOURCE, THRESHOLD = "db", 6.0
# From the threshold to the first write: the goal.
GOAL = 5.0


class Shared:
    """What Pacemaker keeps for all."""

    def __init__(self, nodes: tuple[str, ...]) -> None:
        self.nodes = nodes
        self.attributes: dict[str, dict[str, str]] = {}
        self.records = Records()
        self.eviction: Eviction | None = None


class Together(Standalone):
    """One host's sight of it."""

    def __init__(self, name: str, shared: Shared) -> None:
        super().__init__()
        self._name, self._shared = name, shared

    def node_name(self) -> str:
        return self._name

    def read_cib(self, resource: str) -> Cib:
        shared = self._shared
        hosts = dict.fromkeys(shared.nodes, Host.ONLINE)
        book = Book(shared.records, eviction=shared.eviction)
        return Cib(nodes=shared.nodes, hosts=hosts, quorum=True, exists=True, book=book)

    def read_attribute(self, name: str) -> dict[str, str]:
        return dict(self._shared.attributes.get(name, {}))

    def set_private(self, name: str, value: str) -> None:
        self._shared.attributes.setdefault(name, {})[self._name] = value

    set_transient = set_private

    def delete_attribute(self, name: str) -> None:
        self._shared.attributes.get(name, {}).pop(self._name, None)

    def write_records(self, resource: str, *, line: tuple[Generation, ...] | None = None, cluster: str = "") -> None:  # type: ignore[override]
        records = self._shared.records
        self._shared.records = records._replace(
            line=records.line if line is None else tuple(line), cluster=cluster or records.cluster
        )

    def write_eviction(self, resource: str, eviction: Eviction) -> None:
        self._shared.eviction = eviction

    def take_token(self, resource: str, token: Token) -> bool:
        if self._shared.records.token is not None:
            return False
        self._shared.records = self._shared.records._replace(token=token)
        return True

    def release_token(self, resource: str) -> None:
        self._shared.records = self._shared.records._replace(token=None)


class Kept:
    """A node and its keeper, which looks when it is told to."""

    def __init__(self, node: Node, shared: Shared, members: list[str], stack: contextlib.ExitStack) -> None:
        self.node = node
        settings = Settings(
            config=str(node.directory / "my.cnf"),
            wsrep_cluster_address=f"gcomm://{','.join(members)}",
            cluster_host_map=dict(zip(shared.nodes, members)),
            evict_stalled=THRESHOLD,
        )
        self.run = RunDir(node.name)
        self.run.make()
        self.run.write_settings(settings)
        program, options = read_options(find_program(settings))
        self.run.make_server_directory(*program.account.owner)
        notifier = NotifySocket(self.run.file("notify"), program.account.owner)
        stack.callback(notifier.close)
        peers = Peers(Together(node.name, shared), RESOURCE, settings, settings.wsrep_cluster_address, options.ports)
        log = Log(f"keeper-{node.name}", use_syslog=False)
        self.keeper = make_keeper(self.run, log, settings, Installed(program, options), notifier, peers)
        stack.callback(self._end)

    def look(self) -> None:
        self.keeper.look_and_act()

    @property
    def status(self) -> KeeperStatus:
        status = self.run.read_keeper_status()
        assert status is not None
        return status

    def _end(self) -> None:
        self.keeper._children.end()
        assert self.keeper._performer._server.stop(10.0)


class Three:
    """Three nodes with their keepers; the binary log of the second is on a file system of its own."""

    def __init__(self, cluster: Cluster, log: Disk, kept: list[Kept], shared: Shared) -> None:
        self.cluster, self.log, self.kept, self.shared = cluster, log, kept, shared
        self.acknowledged: list[int] = []
        self.last = time.monotonic()

    def look(self, *silent: int) -> None:
        """Let all keepers look, but for those that are silent."""
        for index, one in enumerate(self.kept):
            if index not in silent:
                one.look()

    def look_until(self, condition: Callable[[], bool], seconds: float, what: str, *silent: int) -> None:
        def looked() -> bool:
            self.look(*silent)
            return condition()

        wait_until(looked, seconds, lambda: f"{what}: {[one.status for one in self.kept]}")

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Insert rows on the first node, and remember which were acknowledged."""
        import threading

        ended = threading.Event()

        def write() -> None:
            while not ended.is_set():
                with (
                    contextlib.suppress(pymysql.MySQLError),
                    contextlib.closing(self.cluster.nodes[0].connect()) as connection,
                    connection.cursor() as cursor,
                ):
                    while not ended.is_set():
                        cursor.execute("INSERT INTO app.orders (v) VALUES (REPEAT('x', 200))")
                        self.acknowledged.append(int(cursor.lastrowid))
                        self.last = time.monotonic()
                        time.sleep(0.01)

        thread = threading.Thread(target=write, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(40)

    def is_stopped(self) -> bool:
        """Whether the second node stops all by flow control. Freezing a disk holds up a write for a moment, too."""
        requested = self.cluster.nodes[1].status("wsrep_flow_control_requested")
        return requested["wsrep_flow_control_requested"] == "true" and self.stands(0.5)

    def stands(self, seconds: float) -> bool:
        return time.monotonic() - self.last > seconds

    def wait_has_all(self, node: Node) -> None:
        """Wait until a node has all rows that were acknowledged: one that is Synced may not have applied the last."""
        wait_until(
            lambda: set(self.acknowledged) <= {int(row[0]) for row in node.sql("SELECT id FROM app.orders")},
            LATE,
            f"{node.name} has all acknowledged rows",
        )


@pytest.fixture(scope="module")
def three(net: Net) -> Iterator[Three]:
    with contextlib.ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(agent_rundir, "BASE", str(net.directory / "kept-run"))
        log = stack.enter_context(Disk(net.directory / "kept-log", 256 << 20))
        cluster = Cluster(net, net.directory / "kept", first_host=81, by_file=True)
        for node in cluster.nodes:
            # In a file that its keeper may read, as Debian has it: it says why the server has left.
            node.options = [*DURABLE, f"--log-error={node.directory}/server.log"]
        cluster.nodes[1].options.append(f"--log-bin={log.path}/bin")
        stack.enter_context(cluster)
        cluster.nodes[0].sql("CREATE DATABASE app")
        cluster.nodes[0].sql("CREATE TABLE app.orders (id BIGINT AUTO_INCREMENT PRIMARY KEY, v TEXT) ENGINE=InnoDB")
        names = tuple(node.name for node in cluster.nodes)
        shared = Shared(names)
        kept = [Kept(node, shared, [one.address for one in cluster.nodes], stack) for node in cluster.nodes]
        three = Three(cluster, log, kept, shared)
        stack.callback(log.mend)
        three.look_until(lambda: all(one.status.ready for one in kept), LATE, "all serve")
        yield three


def test_while_one_member_is_not_heard_nobody_is_evicted(three: Three) -> None:
    with three.writing():
        wait_until(lambda: len(three.acknowledged) > 50, LATE, "it writes")
        three.log.freeze()
        try:
            wait_until(three.is_stopped, LATE, "no write is acknowledged")
            began = time.monotonic()
            while time.monotonic() - began < THRESHOLD + GOAL + 3:
                three.look(2)  # the third keeper says nothing
            assert three.shared.eviction is None
            assert three.stands(THRESHOLD)
            assert "is not known" in three.kept[0].status.reason
        finally:
            three.log.mend()
        three.look_until(lambda: not three.stands(0.3), LATE, "it writes again")
        three.look_until(lambda: not any(three.shared.attributes["xha-db-stall"].values()), LATE, "nobody tells of it")


def test_the_member_that_stalls_is_evicted_and_comes_back_once_its_disk_takes_writes(
    three: Three, tell: Callable[[str], None]
) -> None:
    second = three.kept[1]
    before = second.status.server_pid
    with three.writing():
        wait_until(lambda: not three.stands(0.3), LATE, "it writes")
        three.log.freeze()
        try:
            wait_until(three.is_stopped, LATE, "no write is acknowledged")
            stopped = three.last
            three.look_until(lambda: not three.stands(0.3), LATE, "it writes again")
            gap = three.last - stopped
            tell(f"no write was acknowledged for {gap:.1f} s, with a threshold of {THRESHOLD:.0f} s")
            assert THRESHOLD <= gap <= THRESHOLD + GOAL
            assert three.shared.eviction is not None
            assert (three.shared.eviction.node, three.shared.eviction.by) == ("node-2", "node-1")
            tallies = [one.run.read_keeper_tally() for one in three.kept]
            assert [tally and (tally.evictions, tally.elections) for tally in tallies] == [(1, 0), (0, 0), (0, 0)]
            three.look_until(lambda: second.status.phase is Phase.EVICTED, LATE, "its keeper knows")
            assert (second.status.code, second.status.ready) == (Code.EVICTED.value, False)
            began = time.monotonic()
            while time.monotonic() - began < 4:
                three.look()
            assert (second.status.phase, second.status.server_pid) == (Phase.EVICTED, before)
            assert three.shared.records.token is None
        finally:
            three.log.mend()
        thawed = time.monotonic()
        three.look_until(lambda: second.status.ready and second.status.server_pid != before, 90, "it has joined again")
        tell(f"Synced again {time.monotonic() - thawed:.1f} s after its disk was thawed")
    three.cluster.wait_size(3)
    for one in three.kept:
        wait_until(one.node.is_synced, LATE, f"{one.node.name} is Synced")
        three.wait_has_all(one.node)
    assert not list(three.log.path.glob(".xha*"))
