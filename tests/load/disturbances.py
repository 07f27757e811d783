"""What ordinary days bring: each disturbance, and what the nodes may say meanwhile besides 200."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Callable, NamedTuple

from load.traffic import KEYLESS_ROWS, fill
from loopback import Cluster, Net, Node
from loopback.daemon import Died
from loopback.server_root import SERVER_USER, server_command

BIG_ROWS = 200_000
# How often a joiner begins anew whose transfer failed.
_TRANSFERS = 3
# A node whose lock or transfer is over catches up: joined.
DONOR = frozenset({"donor", "donor-sst", "donor-lock", "joined"})
# A node that is stopped, copied anew and started. At its end it refuses a query with 1047 now and then: one of 90,000
# answers of an hour.
GONE = frozenset({"server-down", "starting", "hung", "not-ready", "rejecting-queries", "disconnected", "non-primary"})
REBUILT = frozenset({"joining", *GONE, *DONOR})


class Scene(NamedTuple):
    """The nodes under load."""

    net: Net
    cluster: Cluster


class Disturbance(NamedTuple):
    """act returns when it is over. allowed: the codes of a 503 that is right meanwhile, by the number of the node."""

    name: str
    act: Callable[[Scene], None]
    allowed: dict[int, frozenset[str]]


def quiet(_: Scene) -> None:
    """Nothing but the load."""
    time.sleep(15)


def alter(scene: Scene) -> None:
    """Rebuild the big table. Galera does it on all nodes at once, in total order isolation."""
    node = scene.cluster.nodes[0]
    fill(node, BIG_ROWS)
    with node.connect(read_timeout=600) as connection, connection.cursor() as cursor:
        cursor.execute("ALTER TABLE load_test.big FORCE, ALGORITHM=COPY")


def huge_delete(scene: Scene) -> None:
    """Delete most of the big table in one transaction: one huge write set for every applier."""
    node = scene.cluster.nodes[0]
    fill(node, BIG_ROWS)
    with node.connect(read_timeout=600) as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM load_test.big WHERE id % 10 <> 0")


def slow_applier(scene: Scene) -> None:
    """Change rows of a table without a key: each costs an applier one reading of the table, so its queue grows."""
    node = scene.cluster.nodes[0]
    for at in range(0, KEYLESS_ROWS, 300):
        node.sql(f"UPDATE load_test.keyless SET pad = REPEAT('z', 100) WHERE n BETWEEN {at} AND {at + 299}")


def backup(scene: Scene) -> None:
    """Copy the third node with mariadb-backup."""
    node = scene.cluster.nodes[2]
    target = scene.net.directory / "backup"
    target.mkdir()
    shutil.chown(target, SERVER_USER, SERVER_USER)
    program = server_command("mariadb-backup", "mariadb-backup")
    arguments = [f"--socket={node.socket}", f"--datadir={node.datadir}", "--user=root", f"--target-dir={target}"]
    log = scene.net.directory / "backup.log"
    with log.open("wb") as output:
        command = [*program, "--no-defaults", "--backup", *arguments]
        done = subprocess.run(command, stdout=output, stderr=output, check=False)
    shutil.rmtree(target)
    if done.returncode != 0:
        last = log.read_text(errors="replace").splitlines()[-3:]
        raise RuntimeError(f"mariadb-backup ended with {done.returncode}: {' / '.join(last)}")


def rebuild(method: str) -> Callable[[Scene], None]:
    """Return the disturbance that loses the third node's data, so that it takes a whole copy by this method."""

    def act(scene: Scene) -> None:
        node = scene.cluster.nodes[2]
        node.stop()
        (node.datadir / "grastate.dat").unlink()
        for left in range(_TRANSFERS - 1, -1, -1):
            node.start(f"--wsrep-sst-method={method}")
            try:
                return node.wait_synced(300)
            except Died:
                # One of forty transfers by mariabackup fails (measured, 10.11): the joiner ends, and joins anew.
                if not left:
                    raise
                errors = [line for line in node.tail(400).splitlines() if "ERROR" in line]
                print(f"test-load: the transfer failed, once more: {' / '.join(errors[:3])}", flush=True)
        return None

    act.__doc__ = f"Rebuild the third node by a state transfer with {method}."
    return act


DISTURBANCES = (
    Disturbance("load alone", quiet, {}),
    Disturbance("ALTER TABLE of all rows", alter, {}),
    Disturbance("one huge DELETE", huge_delete, {}),
    Disturbance("a slow applier", slow_applier, {}),
    Disturbance("mariadb-backup", backup, {3: DONOR}),
    Disturbance("SST by rsync", rebuild("rsync"), {1: DONOR, 2: DONOR, 3: REBUILT}),
    Disturbance("SST by mariabackup", rebuild("mariabackup"), {1: DONOR, 2: DONOR, 3: REBUILT}),
)


def in_turn(seconds: float) -> Iterator[Disturbance]:
    """Give all disturbances once, and then again until the time is over."""
    ends = time.monotonic() + seconds
    yield from DISTURBANCES
    while True:
        for one in DISTURBANCES:
            if time.monotonic() > ends:
                return
            yield one


def settle(nodes: list[Node], stop: threading.Event) -> None:
    """Wait until every node has applied what was sent, so that what follows is judged alone."""
    ends = time.monotonic() + 120
    while time.monotonic() < ends and not stop.is_set():
        queues = [int(node.status("wsrep_local_recv_queue")["wsrep_local_recv_queue"]) for node in nodes]
        if max(queues) <= 1 and all(node.is_synced() for node in nodes):
            return
        time.sleep(0.2)
