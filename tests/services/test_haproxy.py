"""A real HAProxy: its backends and not its frontends, its VIP by ARP between network namespaces, and its process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loopback import Daemon, HAProxy, Net, wait_until
from services.host import CAUTION, DOWN, WELL, Services, blamed, short

SECTIONS = """
defaults
  mode tcp
  timeout connect 1s
  timeout client 5s
  timeout server 5s
  timeout check 1s
  default-server check inter 500ms rise 1 fall 1
listen api
  bind {bind}:5000
  server one {one}
  server two {two}
listen other
  bind {bind}:5001
  server one {one}
"""


class Balanced:
    """An HAProxy in front of two ports that the test opens and closes.

    Nobody accepts there. Each check stays in the backlog, which has room for those of more than two minutes.
    """

    def __init__(self, net: Net, directory: Path, *, has_master: bool = False) -> None:
        self.listeners = [socket.create_server((net.next_address(), 0), backlog=4096) for _ in range(2)]
        self.addresses = ["{}:{}".format(*one.getsockname()) for one in self.listeners]
        self.bind = net.next_address()
        one, two = self.addresses
        sections = SECTIONS.format(bind=self.bind, one=one, two=two)
        self.haproxy = HAProxy(net, directory, sections, has_master=has_master)

    def close(self, number: int) -> None:
        self.listeners[number].close()

    def wait(self, proxy: str, name: str, status: str) -> None:
        wait_until(
            lambda: any(
                (row["pxname"], row["svname"], row["status"]) == (proxy, name, status)
                for row in self.haproxy.show_stat()
            ),
            30,
            f"{proxy}/{name} is {status}",
        )


@pytest.fixture
def balanced(net: Net, tmp_path: Path, services: Services) -> Iterator[Balanced]:
    made = Balanced(net, tmp_path / "haproxy")
    with made.haproxy:
        for proxy in ("api", "other"):
            made.wait(proxy, "BACKEND", "UP")
        services.write(f"[service haproxy]\nstats_socket = {made.haproxy.socket}\n")
        yield made
        if made.haproxy.is_running():
            made.haproxy.thaw()
    for listener in made.listeners:
        listener.close()


def add(services: Services, text: str) -> None:
    services.write(services.config.read_text() + text)


def test_a_haproxy_that_is_well(services: Services, balanced: Balanced) -> None:
    pattern = f"process = ^\\S*haproxy -db -f {balanced.haproxy.socket.parent}/\n"
    add(services, pattern)
    for level, words in (("process", "runs"), ("protocol", "answers on its socket"), ("deep", "2 backends have")):
        result = services.check("haproxy", level)
        assert short(result) == WELL
        assert words in result["proved"]


def test_one_server_of_two_and_a_backend_without_any(services: Services, balanced: Balanced) -> None:
    balanced.close(1)
    balanced.wait("api", "two", "DOWN")
    result = services.check("haproxy")
    assert (short(result), result["message"]) == (blamed("api"), "down: api/two")
    balanced.close(0)
    for backend in ("api", "other"):
        balanced.wait(backend, "BACKEND", "DOWN")
    result = services.check("haproxy")
    assert (short(result), result["message"]) == (blamed("api"), "no server left in api, other")
    frontends = [row["status"] for row in balanced.haproxy.show_stat() if row["svname"] == "FRONTEND"]
    assert frontends == ["OPEN", "OPEN"]  # these report that all is well
    assert short(services.check("haproxy", "protocol")) == WELL
    add(services, "ignore = api other\n")
    assert short(services.check("haproxy")) == WELL


def test_what_is_taken_out_by_hand_is_no_fault(services: Services, balanced: Balanced) -> None:
    balanced.haproxy.command("set server api/two state maint")
    balanced.wait("api", "two", "MAINT")
    assert short(services.check("haproxy")) == WELL
    balanced.haproxy.command("set server api/one state drain")
    balanced.wait("api", "one", "DRAIN")
    result = services.check("haproxy")  # but no server is left for a client
    assert (short(result), result["message"]) == (blamed("api"), "no server left in api (2 taken out by hand)")
    add(services, "backends = other nothing\n")
    result = services.check("haproxy")
    assert (short(result), result["message"]) == (DOWN, "there is no backend nothing")


def test_a_frozen_one_a_dead_one_and_a_closed_socket(services: Services, balanced: Balanced) -> None:
    # another HAProxy of this machine would be told as the one that listens elsewhere
    own = f"process = ^\\S*haproxy -db -f {balanced.haproxy.socket.parent}/\n"
    add(services, f"deadline = 3s\n{own}")
    balanced.haproxy.freeze()
    result = services.check("haproxy")
    assert short(result) == DOWN
    assert (
        "no end after 3 s, waiting for the answer to show info" in result["message"] or "no answer" in result["message"]
    )
    balanced.haproxy.thaw()
    balanced.haproxy.kill()
    result = services.check("haproxy")
    assert short(result) == DOWN
    assert "connection refused" in result["message"]
    services.write("[service haproxy]\nstats_socket = /no/such/socket\nprocess = ^no-such-haproxy\n")
    assert services.check("haproxy")["message"] == "/no/such/socket: no such file or directory"


def test_the_master_s_socket_leads_to_the_worker_that_serves(services: Services, net: Net, tmp_path: Path) -> None:
    """`haproxy -W -S`, as Debian's unit starts it. The master keeps a connection open after its answer."""
    made = Balanced(net, tmp_path / "haproxy", has_master=True)
    own = f"process = ^\\S*haproxy -db -f {made.haproxy.socket.parent}/\n"
    with made.haproxy:
        for proxy in ("api", "other"):
            made.wait(proxy, "BACKEND", "UP")
        services.write(f"[service haproxy]\nstats_socket = {made.haproxy.master}\ndeadline = 5s\n{own}")
        for level, words in (("process", "runs"), ("protocol", "answers on its socket"), ("deep", "2 backends have")):
            result = services.check("haproxy", level)
            assert (short(result), words in result["proved"]) == (WELL, True), result
            assert result["duration_ms"] < 5000
        made.close(1)
        made.wait("api", "two", "DOWN")
        result = services.check("haproxy")
        assert (short(result), result["message"]) == (blamed("api"), "down: api/two")
        # A reload that fails leaves the old worker, and one that works another one.
        config = made.haproxy.socket.with_name("haproxy.cfg")
        right, before = config.read_text(), worker_of(made)
        for text, loaded in ((f"{right}nonsense\n", before), (right, None)):
            config.write_text(text)
            made.haproxy.signal(signal.SIGUSR2)
            wait_until(lambda: has_reloaded(made, before, loaded), 60, "it has reloaded")  # noqa: B023 - called at once
            wait_until(lambda: short(services.check("haproxy")) == blamed("api"), 30, "the worker is found")
    result = services.check("haproxy")
    assert (short(result), "connection refused" in result["message"]) == (DOWN, True), result
    for listener in made.listeners:
        listener.close()


def ask_master(made: Balanced, command: str) -> str:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(made.haproxy.master))
        connection.sendall(f"{command}\n".encode())
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


def worker_of(made: Balanced) -> int:
    """The pid of the worker that serves: the first one below the heading."""
    rows = ask_master(made, "show proc").partition("# workers\n")[2]
    return int(rows.split()[0])


def has_reloaded(made: Balanced, before: int, expected: int | None) -> bool:
    """Whether the master has read its file again, and the worker is the expected one, or another one than before."""
    try:
        if expected is not None:
            return "failed: 1" in ask_master(made, "show proc") and worker_of(made) == expected
        return worker_of(made) != before
    except (OSError, IndexError, ValueError):  # it executes itself
        return False


def test_too_many_connections_are_a_warning(services: Services, balanced: Balanced) -> None:
    balanced.haproxy.command("set maxconn global 10")
    with socket.create_connection((balanced.bind, 5000)):
        add(services, "max_connections_used = 1%\n")
        result = services.check("haproxy")
    assert short(result) == CAUTION
    assert "of 10 connections are in use" in result["message"]


# --- the VIP: three hosts on one Ethernet, each a network namespace

VIP = "10.99.0.5"
HOSTS = """
set -e
ip link set lo up
ip link add lan type bridge
ip link set lan up
for n in 1 2 3; do
    ip netns add {prefix}-$n
    ip link add port$n type veth peer name eth0 netns {prefix}-$n
    ip link set port$n master lan
    ip link set port$n up
    ip -n {prefix}-$n addr add 10.99.0.1$n/24 dev eth0
    ip -n {prefix}-$n link set eth0 up
    ip -n {prefix}-$n link set lo up
done
touch {ready}
exec sleep infinity
"""


class Lan(Daemon):
    """Hosts 1 to 3, 10.99.0.11 to .13, on a bridge. They end with this daemon; `forget` removes their names."""

    def __init__(self, net: Net, directory: Path) -> None:
        self.prefix = f"xha-{net.prefix.replace('.', '-')}-{os.getpid()}"
        self.ready = directory / "ready"
        script = HOSTS.format(prefix=self.prefix, ready=self.ready)
        # With a /run of its own, because the names of the namespaces are files there.
        argv = ["unshare", "--net", "--mount", "sh", "-c", f"mount -t tmpfs x /run && {script}"]
        super().__init__(net, argv, directory / "lan.log")

    def start(self) -> None:
        super().start()
        self.wait_ready(self.ready.exists, 20, "three hosts are on the network")

    def enter(self, host: int) -> list[str]:
        outside = ["nsenter", f"--target={self.pid}", "--net", "--mount", "--"]
        return [*outside, "ip", "netns", "exec", f"{self.prefix}-{host}"]

    def run(self, host: int, *command: str) -> None:
        subprocess.run([*self.enter(host), *command], check=True, capture_output=True, timeout=20)

    def take(self, host: int) -> None:
        self.run(host, "ip", "addr", "add", f"{VIP}/24", "dev", "eth0", "nodad")

    def drop(self, host: int) -> None:
        self.run(host, "ip", "addr", "del", f"{VIP}/24", "dev", "eth0")


@pytest.fixture(scope="module")
def session_lan(net: Net, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lan]:
    if os.geteuid() != 0:
        pytest.skip("not root")
    with Lan(net, tmp_path_factory.mktemp("lan")) as running:
        yield running


@pytest.fixture
def vip(session_lan: Lan, balanced: Balanced, services: Services) -> Any:
    """Check on host 1: vip(more lines of the section)."""
    base = services.config.read_text() + f"vip = {VIP}\n"

    def run(more: str = "", wrapper: tuple[str, ...] = ()) -> dict[str, Any]:
        services.write(base + more)
        return services.check("haproxy", wrapper=[*session_lan.enter(1), *wrapper])

    return run


def test_the_vip_moves_and_is_held_twice(vip: Any, session_lan: Lan) -> None:
    result = vip()
    assert (short(result), result["message"]) == (blamed("vip"), f"nobody holds the VIP {VIP}")
    session_lan.take(1)
    result = vip()
    assert short(result) == WELL
    assert f"the VIP {VIP} is here, by one host" in result["proved"]
    assert short(vip("vip_expect = holder\n")) == WELL
    assert short(vip("vip_expect = not-holder\n")) == DOWN
    session_lan.take(2)
    result = vip()
    assert short(result) == DOWN
    assert f"the VIP {VIP} is held twice: by this host and " in result["message"]
    session_lan.drop(1)
    result = vip()
    assert short(result) == WELL
    assert "is elsewhere, by one host" in result["proved"]
    assert short(vip("vip_expect = holder\n")) == DOWN
    session_lan.take(3)
    assert "is held twice: by " in vip()["message"]
    for host in (2, 3):
        session_lan.drop(host)


def test_the_vip_is_reachable_or_not(vip: Any, session_lan: Lan) -> None:
    session_lan.take(1)
    result = vip("vip_ports = 5000\n")
    assert (short(result), result["message"]) == (DOWN, f"the VIP {VIP} port 5000: connection refused")
    code = "import socket, time; s = socket.create_server(('', 5000)); print(flush=True); time.sleep(60)"
    with subprocess.Popen([*session_lan.enter(1), "python3", "-c", code], stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            server.stdout.readline()
            result = vip("vip_ports = 5000\n")
            assert short(result) == WELL
            assert "reachable on 5000" in result["proved"]
        finally:
            server.kill()
    session_lan.drop(1)


def test_a_vip_on_a_dead_interface(vip: Any, session_lan: Lan) -> None:
    session_lan.run(1, "ip", "link", "add", "dead0", "type", "veth", "peer", "name", "dead1")
    session_lan.run(1, "ip", "addr", "add", f"{VIP}/24", "dev", "dead0")
    result = vip()
    assert (short(result), result["message"]) == (DOWN, f"the VIP {VIP} is on an interface that is down")
    session_lan.run(1, "ip", "link", "del", "dead0")


def test_without_the_capability_it_says_that_nobody_looked(vip: Any, session_lan: Lan) -> None:
    session_lan.take(1)
    closed = ("setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw", "--")
    result = vip(wrapper=closed)
    assert short(result) == WELL
    assert "by how many hosts needs CAP_NET_RAW" in result["proved"]
    session_lan.drop(1)
    result = vip(wrapper=closed)
    assert short(result) == CAUTION
    assert "nobody knows who holds the VIP" in result["message"]
