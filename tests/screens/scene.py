"""What runs: three Galera nodes and their responders, HAProxy, memcached; and a host on which xha-check is called.

One node has lost its server and one is drained, so that the screens have something to say. The doctor looks at a
node of its own: three nodes on one machine are what it would complain of.
"""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from pathlib import Path

from loopback import Cluster, HAProxy, Net, Node, Responder, find_program, listen_mysql, wait_until
from loopback.files import put
from loopback.memcached import PORT, Memcached
from loopback.responder import PORT as RESPONDER_PORT
from shell.host import Host, option_file

DOCS = Path(__file__).parents[2] / "docs"
FRONTEND_HOST, FRONTEND_PORT = 10, 3306
FIRST_HOST = 31  # not those of the cluster that other tests share: both may run in one network
NOBODY = 99  # an address of the network at which nothing listens
FLEET = "/etc/xha/fleet"

DATABASE = "/run/mysqld/mysqld.sock"  # the distribution's own path: what is shown is what a controller shows
# As an installation has it: the tests' own servers run without fsync.
SOUND = ("--innodb-flush-log-at-trx-commit=1", "--innodb-doublewrite=ON", "--log-bin", "--log-slave-updates")
SOUND_SQL = (
    "CREATE DATABASE xha",
    "CREATE TABLE xha.canary (node VARCHAR(255) NOT NULL PRIMARY KEY, at TIMESTAMP(3) NOT NULL) ENGINE=InnoDB",
    "CREATE USER xha@localhost IDENTIFIED VIA unix_socket",
    "GRANT SELECT, INSERT, UPDATE ON xha.canary TO xha@localhost",
    "GRANT PROCESS ON *.* TO xha@localhost",
)
# What is wrong with it.
UNSOUND_SQL = (
    "SET GLOBAL innodb_flush_log_at_trx_commit = 2",
    "CREATE DATABASE shop",
    "CREATE TABLE shop.basket (item INT) ENGINE=InnoDB",
    "CREATE TABLE shop.visit (id INT PRIMARY KEY) ENGINE=MyISAM",
)

# One row a section, of services that are on this host, and of one that is not.
XHA_CONF = """\
[database]
socket = {socket}
[responder]
deadline = 5s
[service mysql]
[service haproxy]
stats_socket = {haproxy}
process = ^no-such-process
[service memcached]
host = {memcached}
process = ^no-such-process
[service keystone]
url = http://{nobody}:5000
process = ^no-such-process
"""


class Scene:
    """The daemons. Enter it, and they run; leave it, and nothing of them is left."""

    def __init__(self, net: Net) -> None:
        directory = net.directory / "screens"
        self._user, self._password = "xha", secrets.token_hex(8)
        account = option_file(user=self._user, password=self._password)
        self.cluster = Cluster(net, directory / "cluster", first_host=FIRST_HOST)
        self.responders = [
            Responder(
                net,
                directory / f"responder-{node.name}",
                [(node.address, RESPONDER_PORT)],
                node.socket,
                client=account,
                responder="detail_from = 127.0.0.0/8",
            )
            for node in self.cluster.nodes
        ]
        addresses = [node.address for node in self.cluster.nodes]
        section = listen_mysql(f"{net.address(FRONTEND_HOST)}:{FRONTEND_PORT}", addresses)
        self.haproxy = HAProxy(net, directory / "haproxy", section)
        self.memcached = Memcached(net, directory / "memcached")
        self.host = Host(net, directory / "host")
        address = net.next_address()
        self.lone = Node(net, directory / "lone", address, members=[address], options=SOUND)
        self._account, self._nobody = account, net.address(NOBODY)
        self._stack = ExitStack()

    def __enter__(self) -> Scene:
        with ExitStack() as stack:
            stack.enter_context(self.cluster)
            for host in ("localhost", "'127.%'"):
                self.cluster.create_account(f"{self._user}@{host}", f"IDENTIFIED BY '{self._password}'")
            for daemon in (*self.responders, self.haproxy, self.memcached, self.lone, self.host):
                stack.enter_context(daemon)
            self._configure()
            self._disturb()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    @property
    def _first(self) -> Node:
        return self.cluster.nodes[0]

    def _configure(self) -> None:
        self.host.write("/etc/xha/client.cnf", self._account, 0o640)
        self._lead_to(self._first)
        words = XHA_CONF.format(
            socket=DATABASE,
            haproxy=self.haproxy.socket,
            memcached=f"{self.memcached.address}\nport = {PORT}",
            nobody=self._nobody,
        )
        self.host.write("/etc/xha/xha.conf", words)
        self.host.write(FLEET, self._fleet())
        haproxy = self.host.path("/etc/haproxy")
        haproxy.unlink(missing_ok=True)
        haproxy.mkdir()
        put(haproxy / "haproxy.cfg", (DOCS / "haproxy.cfg").read_text())

    def _fleet(self) -> str:
        one, two, three = (f"{host}:{port}" for host, port in (each.address for each in self.responders))
        rows = {
            "eu-1": f"{one} {two} {three}",
            "eu-2": f"{one} {two}",
            "us-1": f"{one}",
            "lab": f"{self._nobody}",
            "old": f"{three}",
        }
        return "".join(f"{name}: {members}\n" for name, members in rows.items())

    def _disturb(self) -> None:
        put(self.responders[1].drain, '{"by": "root", "why": "kernel update"}')
        self.cluster.nodes[2].kill()
        self.cluster.wait_size(2, 60)
        wait_until(lambda: self._count_down() == len(self.cluster.nodes) - 1, 60, "HAProxy has seen that two are out")

    def _count_down(self) -> int:
        return [row["status"].split()[0] for row in self.haproxy.show_stat()].count("DOWN")

    def _lead_to(self, node: Node) -> None:
        self.host.path(DATABASE).unlink(missing_ok=True)
        self.host.path(DATABASE).symlink_to(node.socket)

    def look_at_lone(self) -> None:
        """From now on the host's server is a node that is alone in its cluster, with a few settings that will hurt."""
        for statement in (*SOUND_SQL, *UNSOUND_SQL):
            self.lone.sql(statement)
        self.host.write("/etc/xha/client.cnf", "[client]\n", 0o640)
        self.host.write("/etc/xha/xha.conf", f"[database]\nsocket = {DATABASE}\n")
        self._lead_to(self.lone)

    def show(self, *words: str) -> list[str]:
        """The command line of xha-check on the host, which sees no processes but its own."""
        alone = [find_program("unshare", "util-linux"), "--pid", "--fork", "--mount-proc"]
        return self.host.enter(*alone, self.host.door("xha-check"), *words)
