"""What runs: three Galera nodes, a responder for each, HAProxy in front, and a client that connects through it."""

from __future__ import annotations

import contextlib
import http.client
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pymysql

from loopback import Cluster, HAProxy, Net, Node, Responder, listen_mysql
from loopback.responder import PORT

FRONTEND_HOST, FRONTEND_PORT = 10, 3307
NOT_ASKED = {"verdict": {"code": "-", "message": ""}, "reading": {}}


@dataclass(frozen=True)
class Row:
    """Both views of one node at one moment. "-" means not known yet."""

    node: str
    address: str
    verdict: str = "-"
    reason: str = ""
    state: str = "-"
    queue: str = "-"
    haproxy: str = "-"
    seen_by_check: str = ""
    serves_clients: bool = False


@dataclass(frozen=True)
class View:
    rows: tuple[Row, ...]
    client: str

    def row(self, name: str) -> Row:
        return next(row for row in self.rows if row.node == name)


@dataclass
class Client:
    """Connects through HAProxy, asks which node answers, and closes, repeatedly. `answered` is the last node."""

    host: str
    password: str
    answered: str = "-"
    _ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self._ended.wait(0.3):
            try:
                with contextlib.closing(self._connect()) as connection, connection.cursor() as cursor:
                    cursor.execute("SELECT @@wsrep_node_name")
                    self.answered = cursor.fetchone()[0]
            except pymysql.MySQLError:
                self.answered = "-"

    def end(self) -> None:
        self._ended.set()

    def _connect(self) -> pymysql.Connection[Any]:
        return pymysql.connect(
            host=self.host,
            port=FRONTEND_PORT,
            user="app",
            password=self.password,
            connect_timeout=2,
            read_timeout=2,
            ssl_disabled=True,
        )


class Scene:
    """The daemons, built in the order in which a viewer should see them appear."""

    def __init__(self, net: Net) -> None:
        self._password = secrets.token_hex(8)
        self.cluster = Cluster(net, net.directory / "cluster")
        nodes = self.cluster.nodes
        self.responders = [
            Responder(
                net,
                net.directory / f"responder-{node.name}",
                [(node.address, PORT)],
                node.socket,
                client=f"[client]\nuser = xha\npassword = {self._password}\n",
            )
            for node in nodes
        ]
        self.frontend = net.address(FRONTEND_HOST)
        section = listen_mysql(f"{self.frontend}:{FRONTEND_PORT}", [node.address for node in nodes])
        self.haproxy = HAProxy(net, net.directory / "haproxy", section)
        self.client = Client(self.frontend, self._password)

    def node(self, name: str) -> Node:
        return next(node for node in self.cluster.nodes if node.name == name)

    def start_nodes(self) -> None:
        """Bootstrap one node, create the accounts, start the responders, and let the other nodes join."""
        first, *others = self.cluster.nodes
        first.bootstrap()
        first.wait_synced()
        first.create_account("xha@localhost", f"IDENTIFIED BY '{self._password}' WITH MAX_USER_CONNECTIONS 10")
        first.create_account("app@'%'", f"IDENTIFIED BY '{self._password}'")
        for responder in self.responders:
            responder.start()
        for node in others:
            node.start()
        for node in others:
            node.wait_synced()

    def start_haproxy(self) -> None:
        self.haproxy.start()
        threading.Thread(target=self.client.run, daemon=True).start()

    def look(self) -> View:
        """Query all of them now."""
        servers = self._servers()
        rows = []
        for node, responder in zip(self.cluster.nodes, self.responders):
            told = self._told_by(responder)
            server = servers.get(node.name.replace("node", "mysql"), {})
            reading = told["reading"]
            rows.append(
                Row(
                    node=node.name,
                    address=node.address,
                    verdict=told["verdict"]["code"],
                    reason=told["verdict"]["message"],
                    state=_text(reading.get("wsrep_local_state_comment")),
                    queue=_text(reading.get("wsrep_local_recv_queue")),
                    haproxy=server.get("status", "-"),
                    seen_by_check=server.get("check_status", ""),
                    serves_clients=self.client.answered == node.name,
                )
            )
        return View(tuple(rows), self.client.answered)

    def logs(self) -> str:
        """The end of every log, for a step that failed."""
        daemons = [*self.cluster.nodes, *self.responders, self.haproxy]
        return "\n".join(daemon.tail(8) for daemon in daemons)

    @contextlib.contextmanager
    def ended_afterwards(self) -> Iterator[None]:
        try:
            yield
        finally:
            self.client.end()
            for daemon in (self.haproxy, *self.responders):
                daemon.kill()
            self.cluster.kill()

    def _servers(self) -> dict[str, dict[str, str]]:
        if not self.haproxy.is_running():
            return {}
        with contextlib.suppress(OSError):
            return {row["svname"]: row for row in self.haproxy.show_stat()}
        return {}

    def _told_by(self, responder: Responder) -> dict[str, Any]:
        if not responder.is_running():
            return NOT_ASKED
        with contextlib.suppress(OSError, http.client.HTTPException):
            return responder.node()
        return NOT_ASKED


def _text(value: object) -> str:
    return "-" if value is None else str(value)
