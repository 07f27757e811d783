"""A real HAProxy with the seed document's `listen mysql` section, and its view of the nodes."""

from __future__ import annotations

import contextlib
import http.server
import itertools
import re
import threading
from collections.abc import Iterator

import pytest

from loopback import Cluster, HAProxy, Net, Node, listen_mysql, wait_until
from loopback.files import put
from loopback.responder import PORT
from responder.conftest import MakeResponder
from responder.process import PROMPT, Responder

SERVERS = ("mysql-1", "mysql-2", "mysql-3")
# A check's timeout is its interval. The seed's are 2 s and more; the tests shorten them, and a busy machine must not
# fail.
INTERVAL, TIMEOUT = "1s", "  timeout check 5s\n"
SEND_STATE = "  http-check send-state\n"


class Watch:
    """Everything that HAProxy says about its checks, for as long as it runs."""

    def __init__(self, haproxy: HAProxy) -> None:
        self.seen: set[tuple[str, str]] = set()
        self._haproxy = haproxy
        self._over = threading.Event()

    def look(self) -> None:
        while not self._over.wait(0.02):
            for row in self._haproxy.show_stat():
                if row["svname"] in SERVERS:
                    self.seen.add((row["check_status"], row["last_chk"]))

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self.look)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()


def responders_at(three: Cluster, make_responder: MakeResponder, **options: str) -> list[Responder]:
    """A responder on port 49000 of each node's address."""
    return [make_responder(node, listen=[(node.address, PORT)], **options) for node in three.nodes]


def test_haproxy_goes_down_and_up_with_the_verdict_and_never_by_a_reset(
    net: Net, three: Cluster, make_responder: MakeResponder
) -> None:
    responders = responders_at(three, make_responder, responder=PROMPT)
    section = listen_mysql(f"{net.next_address()}:3307", [node.address for node in three.nodes], INTERVAL)
    with HAProxy(net, net.directory / "haproxy", section + TIMEOUT) as haproxy:
        watch = Watch(haproxy)
        with watch.running():
            for name in SERVERS:
                haproxy.wait_status(name, "UP")

            put(responders[0].disabled, "{}")
            haproxy.wait_status("mysql-1", "DOWN")
            responders[0].disabled.unlink()
            haproxy.wait_status("mysql-1", "UP")

            three.nodes[1].sql("SET GLOBAL wsrep_reject_queries = 'ALL'")
            haproxy.wait_status("mysql-2", "DOWN")
            three.nodes[1].sql("SET GLOBAL wsrep_reject_queries = 'NONE'")
            haproxy.wait_status("mysql-2", "UP")

            three.nodes[2].freeze()
            haproxy.wait_status("mysql-3", "DOWN")
            three.nodes[2].thaw()
            haproxy.wait_status("mysql-3", "UP", 60)

            three.nodes[2].stop()
            haproxy.wait_status("mysql-3", "DOWN")
            three.nodes[2].start()
            haproxy.wait_status("mysql-3", "UP", 60)
    assert {status for status, _ in watch.seen} - {"INI", ""} == {"L7OK", "L7STS"}, watch.seen


def test_a_thousand_checks_of_a_healthy_node_never_fail(
    net: Net, database: Node, make_responder: MakeResponder
) -> None:
    patient = make_responder(database, responder="deadline = 10s\nhang_reset = 10s")
    host, port = patient.address
    section = (
        f"listen many\n  bind {net.next_address()}:3307\n  mode tcp\n  option httpchk\n  timeout check 20s\n"
        f"  server-template node- 20 {host}:3306 check port {port} inter 50ms\n"
    )
    with HAProxy(net, net.directory / "many-checks", section) as haproxy:
        before = patient.count("xha_requests_total")
        wait_until(lambda: patient.count("xha_requests_total") > before + 1000, 60, "a thousand checks")
        rows = [row for row in haproxy.show_stat() if row["svname"].startswith("node-")]
    assert len(rows) == 20
    assert {(row["status"], row["check_status"], row["chkfail"]) for row in rows} == {("UP", "L7OK", "0")}


def test_by_haproxys_word_the_last_usable_server_stays_in_service(
    net: Net, three: Cluster, make_responder: MakeResponder
) -> None:
    policy = "last_node = haproxy\navailable_when_readonly = 0"
    responders = responders_at(three, make_responder, responder=PROMPT, policy=policy)
    servers = "".join(
        f"  server mysql-{number} {node.address}:3306 check port {PORT} inter {INTERVAL}\n"
        for number, node in enumerate(three.nodes, start=1)
    )
    bind = f"{net.next_address()}:3307"
    section = f"listen mysql\n  bind {bind}\n  mode tcp\n  option httpchk\n{TIMEOUT}{SEND_STATE}{servers}"
    with HAProxy(net, net.directory / "send-state", section) as haproxy:
        for name in SERVERS:
            haproxy.wait_status(name, "UP")
        try:
            three.nodes[0].sql("SET GLOBAL read_only = ON")
            haproxy.wait_status("mysql-1", "DOWN")  # two others are usable
            three.nodes[0].sql("SET GLOBAL read_only = OFF")
            haproxy.wait_status("mysql-1", "UP")
            for responder in responders[1:]:
                put(responder.disabled, "{}")
            haproxy.wait_status("mysql-2", "DOWN")
            haproxy.wait_status("mysql-3", "DOWN")
            three.nodes[0].sql("SET GLOBAL read_only = ON")
            assert responders[0].next_verdict() == (503, "read-only")  # without HAProxy's header
            before, own = responders[0].count("xha_requests_total"), itertools.count(1)
            wait_until(
                lambda: responders[0].count("xha_requests_total") - next(own) >= before + 5,
                60,
                "five more checks, two more than take a server down",
            )
            haproxy.wait_status("mysql-1", "UP")
            responders[1].disabled.unlink()
            haproxy.wait_status("mysql-2", "UP")
            haproxy.wait_status("mysql-1", "DOWN")  # it is not the last one any more
        finally:
            three.nodes[0].sql("SET GLOBAL read_only = OFF")


def test_nobody_outside_allow_from_can_speak_for_haproxy(shared: Responder, make_responder: MakeResponder) -> None:
    closed = make_responder(policy="last_node = haproxy", responder="allow_from = 192.0.2.0/24")
    assert closed.ask("/", headers=["X-Haproxy-Server-State: UP; weight=1/1"]).status == 403


class Recorder(http.server.BaseHTTPRequestHandler):
    """Listens in place of a responder and keeps what HAProxy says about itself."""

    states: dict[str, str]

    def do_OPTIONS(self) -> None:
        address = str(self.server.server_address[0])
        self.states[address] = self.headers["X-Haproxy-Server-State"]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def recorded(net: Net) -> Iterator[dict[str, str]]:
    """What HAProxy says to each of three addresses; the keys are the addresses."""
    addresses = [net.next_address() for _ in SERVERS]
    states: dict[str, str] = {}
    handler = type("Handler", (Recorder,), {"states": states})
    with contextlib.ExitStack() as stack:
        for address in addresses:
            states[address] = ""
            server = stack.enter_context(http.server.ThreadingHTTPServer((address, PORT), handler))
            threading.Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
        yield states


def test_in_the_seeds_section_every_server_is_told_that_it_is_the_only_one_though_all_three_are_usable(
    net: Net, recorded: dict[str, str]
) -> None:
    """Why last_node = haproxy is opt-in: backups do not count, so the header would keep any read-only node forever."""
    section = listen_mysql(f"{net.next_address()}:3307", list(recorded), INTERVAL) + TIMEOUT + SEND_STATE
    with HAProxy(net, net.directory / "recorded", section) as haproxy:
        for name in SERVERS:
            haproxy.wait_status(name, "UP")
        wait_until(
            lambda: (
                {haproxy.server(name)["status"] for name in SERVERS} == {"UP"}
                and all(re.match(r"UP .*; weight=1/1;", state) for state in recorded.values())
            ),
            30,
            lambda: f"all UP, and weight=1/1 in {recorded}",
        )
