"""Three nodes with their keepers and responders behind a HAProxy that asks for the writer."""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from loopback import Cluster, HAProxy, Net, Node, find_program, wait_until
from loopback.responder import PORT
from loopback.server_root import server_user
from responder.process import PROMPT, Responder
from xha.adapters.files import agent_rundir
from xha.adapters.files.agent_rundir import RunDir
from xha.adapters.host.log import Log
from xha.adapters.mysqld.notify_listener import NotifySocket
from xha.adapters.mysqld.program import find_program as find_server_program
from xha.adapters.mysqld.program import read_options
from xha.adapters.pacemaker.standalone import Standalone
from xha.app.keeper import writer as writer_link
from xha.app.keeper.local_server import Installed
from xha.app.keeper.main import make_keeper
from xha.app.keeper.peers import Peers
from xha.app.keeper.process import Locked
from xha.app.node.reader import ConfigFile
from xha.core.election.facts import Host
from xha.core.galera.cluster_address import parse_host_map
from xha.core.ocf.galera_settings import Settings
from xha.core.pacemaker.cib import Cib
from xha.core.pacemaker.cib_records import Book

RESOURCE = "p_mysql"
PR_SET_PDEATHSIG = 1
# Each node has a /run of its own, as on a host of its own.
OWN_RUN = 'mount --make-rprivate / && mount --bind "$0" /run && exec "$@"'


class SharedAttributes(Standalone):
    """Stands for Pacemaker on one of three hosts that are well: attributes are files that all of them see.

    A real one is in the laboratory; here the three keepers share this machine, which can be one node of Pacemaker only.
    """

    def __init__(self, directory: Path, node: str, nodes: tuple[str, ...]) -> None:
        super().__init__()
        self._directory, self._node, self._nodes = directory, node, nodes

    def node_name(self) -> str:
        return self._node

    def read_cib(self, resource: str) -> Cib:
        hosts = dict.fromkeys(self._nodes, Host.ONLINE)
        return Cib(nodes=self._nodes, hosts=hosts, quorum=True, exists=True, book=Book(self._records))

    def read_attribute(self, name: str) -> dict[str, str]:
        found = {node: self._directory / f"{name}@{node}" for node in self._nodes}
        return {node: path.read_text() for node, path in found.items() if path.exists()}

    def set_private(self, name: str, value: str) -> None:
        path = self._directory / f"{name}@{self._node}"
        beside = path.with_name(f".{path.name}")
        beside.write_text(value)
        beside.replace(path)

    set_transient = set_private

    def delete_attribute(self, name: str) -> None:
        (self._directory / f"{name}@{self._node}").unlink(missing_ok=True)


class KeptNode:
    """One node: its server, its keeper in a process of its own, and its responder."""

    def __init__(self, world: KeptWorld, name: str, node: Node) -> None:
        self.name, self.node, self._world = name, node, world
        self.directory = world.directory / name
        self.cluster = SharedAttributes(world.attributes, name, world.names)
        self.run = RunDir(RESOURCE, str(self.directory / "run/xha/galera"))
        self.run.make()
        self.config = self.directory / "my.cnf"
        words = [word[2:] for word in [*node._fixed, *node.options]]
        self.config.write_text("\n".join(["[mysqld]", *words, f"log_error={node.error_log}", ""]))
        self.directory.chmod(0o755)
        where = f"listen = {node.address}:{PORT}\n{PROMPT}"
        self.responder = Responder(
            world.net,
            f"writer-{name}",
            node,
            listen=[(node.address, PORT)],
            responder=where,
            wrapper=[
                find_program("unshare", "util-linux"),
                "--mount",
                "sh",
                "-c",
                OWN_RUN,
                str(self.directory / "run"),
            ],
        )
        self._keeper: Any = None

    @property
    def settings(self) -> Settings:
        hosts = ";".join(f"{name}:{one.address}" for name, one in zip(self._world.names, self._world.cluster.nodes))
        return Settings(
            config=str(self.config),
            user=server_user() or "mysql",
            group="",
            cluster_host_map=parse_host_map(hosts),
            drain_timeout=5.0,
        )

    def start_keeper(self) -> None:
        self._keeper = multiprocessing.get_context("fork").Process(target=self._keep, daemon=True)
        self._keeper.start()

    def _keep(self) -> None:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        log_file = os.open(self.directory / "keeper.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log_file, 2)
        config = str(self.responder.config)
        writer_link.ConfigFile = lambda _: ConfigFile(config)  # type: ignore[assignment, misc]
        settings = self.settings
        program, options = read_options(find_server_program(settings))
        addresses = ",".join(one.address for one in self._world.cluster.nodes)
        with Locked(self.run):
            notifier = NotifySocket(self.run.file("notify"), program.account.owner)
            peers = Peers(self.cluster, RESOURCE, settings, f"gcomm://{addresses}", options.ports)
            self.run.write_settings(settings)
            make_keeper(self.run, Log("keeper"), settings, Installed(program, options), notifier, peers).run()

    def kill_keeper(self) -> None:
        self._keeper.kill()
        self._keeper.join(10)

    @property
    def log(self) -> str:
        path = self.directory / "keeper.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def at_writer(self) -> tuple[int, str]:
        """The status and the code at /writer."""
        answer = self.responder.ask("/writer")
        return answer.status, answer.code


class KeptWorld:
    """Three of them, and a HAProxy that sends all connections to the writer."""

    def __init__(self, net: Net, cluster: Cluster) -> None:
        self.net, self.cluster = net, cluster
        self.directory = net.directory / "kept"
        self.attributes = self.directory / "attributes"
        self.attributes.mkdir(parents=True)
        self.names = ("h1", "h2", "h3")
        self.nodes = [KeptNode(self, name, node) for name, node in zip(self.names, cluster.nodes)]
        self.bind = (net.next_address(), 3307)
        servers = "".join(
            f"  server {one.name} {one.node.address}:3306 check port {PORT} inter 500ms fall 2 rise 2 "
            "on-marked-down shutdown-sessions\n"
            for one in self.nodes
        )
        self.haproxy = HAProxy(
            net,
            self.directory / "haproxy",
            f"listen mysql\n  bind {self.bind[0]}:{self.bind[1]}\n  mode tcp\n  timeout client 60s\n"
            "  timeout server 60s\n  option httpchk GET /writer\n  http-check disable-on-404\n"
            f"  http-check send-state\n  timeout check 5s\n  retries 3\n  option redispatch\n{servers}",
        )

    @contextlib.contextmanager
    def running(self) -> Iterator[KeptWorld]:
        with contextlib.ExitStack() as stack:
            for one in self.nodes:
                stack.enter_context(one.responder)
                one.start_keeper()
                stack.callback(one.kill_keeper)
            stack.enter_context(self.haproxy)
            self.wait_writer("h1")
            yield self

    def __getitem__(self, name: str) -> KeptNode:
        return self.nodes[self.names.index(name)]

    def writers(self) -> list[str]:
        """Who answers 200 at /writer."""
        return [one.name for one in self.nodes if one.at_writer()[0] == 200]

    def wait_writer(self, name: str, seconds: float = 60) -> float:
        """Wait until this node alone is the writer, and HAProxy sends it connections; return how long it took."""
        begun = time.monotonic()
        wait_until(lambda: self.writers() == [name], seconds, lambda: f"{name} writes: {self.writers()}\n{self.tell()}")
        wait_until(lambda: self.haproxy.server(name)["status"] == "UP", seconds, f"HAProxy sends connections to {name}")
        return time.monotonic() - begun

    def tell(self) -> str:
        return "\n".join(f"{one.name}: {one.at_writer()}\n{one.log[-2000:]}" for one in self.nodes)


__all__ = ["RESOURCE", "KeptNode", "KeptWorld", "SharedAttributes", "agent_rundir"]
