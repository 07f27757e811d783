"""Real RabbitMQ brokers on addresses of one claimed network, each as small as an Erlang VM can be.

    with Rabbits(net, net.directory / "rabbits", size=3) as rabbits:
        rabbits.brokers[1].freeze()

Every broker has the ports that it would have on a host of its own (5672, 15672). They have an epmd of their own, on a
port derived from the network's number, so that neither the machine's epmd nor another test's knows them.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import requests

from loopback.addresses import Net
from loopback.daemon import Daemon, Died, Disposable, NotInTime, wait_until
from loopback.server_root import service_command
from loopback.sockets import is_listening

PACKAGE = "rabbitmq-server"
PORT, TLS_PORT, API_PORT = 5672, 5671, 15672
FIRST_HOST = 61
# A broker needs a distribution port that is unique on this host, whatever its address is: ten for each network.
EPMD_PORT, DISTRIBUTION_PORT = 20000, 21000
USER, PASSWORD = "openstack", "geheim-7fa1"
START_SECONDS = 240.0  # three Erlang VMs on two busy cores
NET_TICK = 120  # seconds after which a silent broker is given up: a short freeze, or a busy machine, is no partition

CONFIG = """\
listeners.tcp.1 = {address}:5672
management.tcp.ip = {address}
management.tcp.port = 15672
default_user = {user}
default_pass = {password}
cluster_partition_handling = ignore
net_ticktime = {tick}
collect_statistics_interval = 1000
vm_memory_high_watermark.absolute = 512MB
disk_free_limit.absolute = 1MB
log.file = false
log.console = true
log.console.level = warning
cluster_formation.peer_discovery_backend = classic_config
"""


class Broker(Daemon):
    """One RabbitMQ node. `name` is its node name, such as rabbit-1@127.49.0.61."""

    def __init__(self, rabbits: Rabbits, directory: Path, address: str, index: int) -> None:
        self.rabbits, self.directory, self.address = rabbits, directory, address
        self.name, self.index = f"rabbit-{index}@{address}", index
        super().__init__(
            rabbits.net, service_command("rabbitmq-server", PACKAGE), directory / "log", env=self._environment()
        )

    def _environment(self) -> dict[str, str]:
        directory = self.directory
        interface = self.address.replace(".", ",")
        return {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "LANG": "C.UTF-8",
            "HOME": str(self.rabbits.directory),  # with the cookie
            "ERL_EPMD_PORT": str(self.rabbits.epmd_port),
            "RUNNING_UNDER_SYSTEMD": "true",  # the VM replaces its shell, so that signals reach it
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_USE_LONGNAME": "true",
            "RABBITMQ_DIST_PORT": str(DISTRIBUTION_PORT + 10 * self.rabbits.number + self.index),
            "ERL_CRASH_DUMP": str(directory / "erl_crash.dump"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(directory / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(directory / "mnesia"),
            "RABBITMQ_LOG_BASE": str(directory),
            "RABBITMQ_PID_FILE": str(directory / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                f"+S 1:1 +SDio 1 +A 2 -kernel inet_dist_use_interface {{{interface}}}"
            ),
        }

    @property
    def api(self) -> str:
        """The base URL of its management API."""
        return f"http://{self.address}:{API_PORT}"

    def start(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        text = CONFIG.format(address=self.address, user=USER, password=PASSWORD, tick=NET_TICK)
        text += "".join(option.format(address=self.address) + "\n" for option in self.rabbits.options)
        # Only nodes that run already: 4.0 starts an Erlang VM to ask the others, up to ten times, which took 24 s each
        # where nodes did not run yet (measured).
        for index, name in enumerate(dict.fromkeys((self.rabbits.brokers[0].name, self.name)), start=1):
            text += f"cluster_formation.classic_config.nodes.{index} = {name}\n"
        (self.directory / "rabbitmq.conf").write_text(text)
        (self.directory / "plugins").write_text("[rabbitmq_management].\n")
        super().start()

    def wait_started(self, seconds: float = START_SECONDS) -> None:
        """Wait until AMQP and the management API accept connections."""
        ready = [(self.address, PORT), (self.address, API_PORT)]
        self.wait_ready(lambda: all(is_listening(*address) for address in ready), seconds, f"{self.name} accepts")

    def control(self, *words: str, seconds: float = 60) -> str:
        """Return the output of rabbitmqctl, which starts an Erlang VM of its own, about a second of CPU."""
        return self.tool("rabbitmqctl", "--quiet", *words, seconds=seconds)

    def tool(self, name: str, *words: str, seconds: float = 60) -> str:
        """Return the output of one of RabbitMQ's tools. Raises Died if it fails."""
        done = subprocess.run(
            [*service_command(name, PACKAGE), "-n", self.name, "--longnames", *words],
            env={**self._environment(), "RABBITMQ_CTL_ERL_ARGS": "+S 1:1 +SDio 1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if done.returncode:
            raise Died(f"{name} {' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def ask(self, path: str) -> object:
        """The JSON document at a path of the management API."""
        answer = requests.get(f"{self.api}{path}", auth=(USER, PASSWORD), timeout=10)
        answer.raise_for_status()
        return answer.json()

    def send(self, method: str, path: str, document: object = None) -> None:
        """Make a change through the management API: `PUT /api/policies/...`."""
        requests.request(
            method, f"{self.api}{path}", auth=(USER, PASSWORD), json=document, timeout=10
        ).raise_for_status()

    def running_nodes(self) -> list[str]:
        """The nodes that this one sees running; empty if it does not answer."""
        with contextlib.suppress(requests.RequestException):
            nodes = self.ask("/api/nodes?columns=name,running")
            assert isinstance(nodes, list)
            return sorted(node["name"] for node in nodes if node.get("running"))
        return []


class Rabbits(Disposable):
    """Brokers of one cluster, with their epmd: one set in a network at a time."""

    def __init__(self, net: Net, directory: Path, size: int = 1, *, options: Sequence[str] = ()) -> None:
        """options: additional lines for each rabbitmq.conf; {address} is replaced by the broker's own."""
        self.net, self.directory, self.options = net, directory, options
        self.number = int(net.prefix.rpartition(".")[2])
        self.epmd_port = EPMD_PORT + self.number
        addresses = [net.address(FIRST_HOST + index) for index in range(size)]
        argv = [*service_command("epmd", PACKAGE), "-port", str(self.epmd_port), "-address", ",".join(addresses)]
        self.epmd = Daemon(net, argv, directory / "epmd.log", env={})
        self.brokers: list[Broker] = []
        for index, address in enumerate(addresses, start=1):
            self.brokers.append(Broker(self, directory / f"broker-{index}", address, index))

    def start(self) -> None:
        """Start all from nothing; returns when they are one cluster."""
        self.directory.mkdir(parents=True, exist_ok=True)
        cookie = self.directory / ".erlang.cookie"
        if not cookie.exists():
            cookie.write_text(secrets.token_hex(16))
            cookie.chmod(0o400)
        self.epmd.start()
        wait_until(lambda: is_listening("127.0.0.1", self.epmd_port), 30, "epmd accepts")
        first, *others = self.brokers
        first.start()
        first.wait_started()
        for broker in others:
            broker.start()
        for broker in others:
            broker.wait_started()
        self.wait_whole()

    def wait_whole(self, seconds: float = 120) -> None:
        """Wait until every broker sees every other one running."""
        names = sorted(broker.name for broker in self.brokers)
        wait_until(
            lambda: all(broker.running_nodes() == names for broker in self.brokers),
            seconds,
            lambda: f"a cluster of {len(names)}\n" + "\n".join(broker.tail() for broker in self.brokers),
        )

    def split_off(self, broker: Broker) -> None:
        """Cut one broker's connections to all others for 3 s. It reconnects too late for Mnesia: a split brain.

        All of its connections are cut, because RabbitMQ widens a cut between two brokers in an unpredictable way. They
        are cut for a while, because the others separate from each other if the broker is back before all have seen it
        leave.
        """
        broker.control(
            "eval",
            "Cookie = erlang:get_cookie(), erlang:set_cookie(node(), cut), "
            "[erlang:disconnect_node(Node) || Node <- nodes(), lists:member(Node, mnesia:system_info(db_nodes))], "
            "timer:sleep(3000), erlang:set_cookie(node(), Cookie).",
        )

    def mend(self) -> None:
        """Repair the cluster, whatever a test has left; start all again if nothing else helps."""
        with contextlib.suppress(NotInTime):
            if all(broker.is_running() for broker in self.brokers):
                for broker in self.brokers:
                    broker.thaw()
                self.wait_whole(15)
                if not any(node.get("partitions") for node in self._nodes()):
                    return
        self.kill()
        for broker in self.brokers:
            shutil.rmtree(broker.directory)
        self.start()

    def _nodes(self) -> list[dict[str, list[str]]]:
        nodes = self.brokers[0].ask("/api/nodes?columns=name,partitions")
        assert isinstance(nodes, list)
        return nodes

    def kill(self) -> None:
        for broker in self.brokers:
            broker.kill()
        self.epmd.kill()
