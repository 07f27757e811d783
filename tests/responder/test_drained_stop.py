"""A planned stop behind a real HAProxy: what clients of three kinds notice of it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pymysql
import pytest

from loopback import Cluster, HAProxy, Net, Node, wait_until
from loopback.doors import CHECKOUT
from loopback.responder import PORT
from responder.conftest import MakeResponder
from responder.process import PROMPT, Responder
from xha.adapters.files.agent_rundir import RunDir
from xha.app.agent import drain
from xha.core.config.xha_conf import parse_config
from xha.core.monitor.keeper_status import KeeperStatus, Phase
from xha.core.ocf.api import Instance
from xha.core.ocf.galera_settings import Settings
from xha.core.pacemaker.cib import Cib

INSTANCE = Instance("p_mysql", "h1", timeout=60.0)


class OtherKeepers:
    """Stands for Pacemaker: the keepers of these nodes say that they are ready."""

    def __init__(self, *ready: str) -> None:
        self._ready = {"h1": "1", **dict.fromkeys(ready, "1")}

    def node_name(self) -> str:
        return "h1"

    def read_cib(self, resource: str) -> Cib:
        return Cib(exists=resource == "p_mysql")

    def read_attribute(self, name: str) -> dict[str, str]:
        assert name == "xha-p_mysql-ready"
        return self._ready


class Client(threading.Thread):
    """Writes numbered rows through HAProxy. `errors` has what it was told; a row without an answer is unknown.

    kind: `fresh` opens a connection for each row. `pool` keeps one, and tests it before each use, as SQLAlchemy's
    pre-ping. `plain` keeps one, and opens another after an error.
    """

    def __init__(self, name: str, address: tuple[str, int], stop: threading.Event) -> None:
        super().__init__(name=name, daemon=True)
        self.kind, self._address, self._stop_writing = name.partition("-")[0], address, stop
        self.done: list[float] = []
        self.errors: list[str] = []
        self.acknowledged: list[int] = []
        self._connection: pymysql.Connection[Any] | None = None

    def run(self) -> None:
        number = 0
        while not self._stop_writing.is_set():
            number += 1
            try:
                with self._use().cursor() as cursor:
                    cursor.execute("INSERT INTO drained.rows VALUES (%s, %s)", (self.name, number))
                self.acknowledged.append(number)
                self.done.append(time.monotonic())
            except (pymysql.MySQLError, OSError) as error:
                self.errors.append(str(error))
                self._close()
            if self.kind == "fresh":
                self._close()
            time.sleep(0.005 if self.kind == "plain" else 0.05)
        self._close()

    def _use(self) -> pymysql.Connection[Any]:
        if self._connection is not None and self.kind == "pool":
            try:
                self._connection.ping(reconnect=False)
            except (pymysql.MySQLError, OSError):
                self._close()
        if self._connection is None:
            host, port = self._address
            self._connection = pymysql.connect(
                host=host,
                port=port,
                user="app",
                autocommit=True,
                connect_timeout=5,
                read_timeout=10,
                ssl_disabled=True,  # or each connection loads the system's authorities, 19 ms
            )
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(pymysql.MySQLError, OSError):
                self._connection.close()
        self._connection = None

    def longest_gap(self) -> float:
        return max(later - earlier for earlier, later in zip(self.done, self.done[1:]))


class Farm(NamedTuple):
    """Three nodes behind a balancer, and where clients connect."""

    haproxy: HAProxy
    responders: list[Responder]
    bind: tuple[str, int]


def advised_section(bind: str, nodes: list[str]) -> str:
    """Return `defaults` and `listen mysql` of docs/haproxy.cfg with these addresses, and more time for checks."""
    text = (CHECKOUT / "docs/haproxy.cfg").read_text(encoding="utf-8")
    text = text[text.index("\ndefaults\n") : text.index("listen mysql-writer")]
    changes = {
        " 10.0.0.5:3307": f" {bind}",
        **{f" 10.0.0.{number}:": f" {node}:" for number, node in enumerate(nodes, start=6)},
        "timeout check 1500ms": "timeout check 5s",
    }
    for said, ours in changes.items():
        assert said in text
        text = text.replace(said, ours)
    return text


@pytest.fixture
def farm(net: Net, three: Cluster, make_responder: MakeResponder) -> Iterator[Farm]:
    """HAProxy as docs/haproxy.cfg has it, one node active and the others its backups."""
    responders = [make_responder(node, listen=[(node.address, PORT)], responder=PROMPT) for node in three.nodes]
    three.nodes[0].sql("CREATE USER IF NOT EXISTS app@'%'")
    three.nodes[0].sql("GRANT ALL ON drained.* TO app@'%'")
    three.nodes[0].sql("CREATE DATABASE IF NOT EXISTS drained")
    three.nodes[0].sql("CREATE OR REPLACE TABLE drained.rows (client VARCHAR(10), n INT, PRIMARY KEY (client, n))")
    bind = (net.next_address(), 3307)
    section = advised_section(f"{bind[0]}:{bind[1]}", [node.address for node in three.nodes])
    with HAProxy(net, net.directory / "farm", section) as haproxy:
        for number in (1, 2, 3):
            haproxy.wait_status(f"controller-{number}", "UP")
        for responder in responders:
            wait_until(lambda one=responder: one.node()["balancers"]["unknown"] is None, 60, "it knows who asks")  # type: ignore[misc]
        yield Farm(haproxy, responders, bind)


def stop_drained(node: Node, monkeypatch: pytest.MonkeyPatch, responder: Responder, *others: str) -> str:
    """Drain and stop a node as the agent's stop does, and return what the drain said."""
    said: list[str] = []
    config = parse_config(responder.config.read_text(), str(responder.config))
    listening = config.responder._replace(listen=(responder.address,))
    monkeypatch.setattr(drain, "read_config", lambda: config._replace(responder=listening))
    monkeypatch.setattr(drain, "connect", lambda *_: OtherKeepers(*others))
    monkeypatch.setattr(drain.Log, "info", lambda _, text: said.append(text))
    monkeypatch.setattr(drain.Log, "warning", lambda _, text: said.append(text))
    settings = Settings(socket=str(node.socket), datadir=str(node.datadir))
    drain.drain_before_stop(settings, INSTANCE, RunDir(INSTANCE.name), KeeperStatus(Phase.RUNNING))
    node.stop()
    (line,) = said
    return line


def test_a_planned_stop_is_an_error_for_nobody_whose_pool_tests_its_connections(
    farm: Farm, three: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = threading.Event()
    clients = [Client(name, farm.bind, stop) for name in ("fresh-1", "fresh-2", "pool-1", "pool-2", "plain-1")]
    for client in clients:
        client.start()
    try:
        wait_until(
            lambda: all(len(one.done) > 20 for one in clients),
            60,
            lambda: f"all write: {[one.errors[-1:] for one in clients]}",
        )
        line = stop_drained(three.nodes[0], monkeypatch, farm.responders[0], "h2")
        written = [len(client.done) for client in clients]
        wait_until(lambda: all(len(one.done) > n + 20 for one, n in zip(clients, written)), 60, "all write again")
    finally:
        stop.set()
        for client in clients:
            client.join(30)
    assert line.startswith("drained: new connections go elsewhere, and what was open has ended, after ")
    assert {client.name: client.errors for client in clients if client.kind != "plain" and client.errors} == {}, line
    three.nodes[0].restart()
    for client in clients:
        rows = {number for (number,) in three.nodes[0].sql("SELECT n FROM drained.rows WHERE client = %s", client.name)}
        assert set(client.acknowledged) <= rows, "an acknowledged row is lost"
    gaps = {client.name: round(client.longest_gap(), 2) for client in clients}
    print(f"{line}; longest time without a row: {gaps}")
