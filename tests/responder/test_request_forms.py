"""Each form of request that a checker sends, to the resident responder and to one that serves a single connection.

What percona-clustercheck answers under xinetd is answered here too: it reads no request at all.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from loopback import HAProxy, Net, Node, find_program, wait_until
from loopback.files import put
from loopback.responder import PORT
from responder.client import PROBE, connect, exchange, read_to_end
from responder.conftest import MakeResponder
from responder.process import ENVIRONMENT, Responder, command
from responder.test_http import SYNCED

LINE = b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 49000\r\n"
BLOCK = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\xdc\x04\xbf\x68"
LOCAL = b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00"
HTTP_2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
ANSWERED = {
    "no version": b"GET /\r\n",
    "no version, bare newline": b"GET /\n",
    "no version, a blank line": b"OPTIONS /\r\n\r\n",
    "one empty line before": b"\r\n" + PROBE,
    "PROXY 1": LINE + PROBE,
    "PROXY 1, IPv6": b"PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n" + PROBE,
    "PROXY 1, unknown": b"PROXY UNKNOWN\r\n" + PROBE,
    "PROXY 2": BLOCK + PROBE,
    "PROXY 2, local": LOCAL + PROBE,
    "PROXY 2, no version": BLOCK + b"GET /\r\n",
}
REFUSED = {
    "PROXY 1 without its ports": b"PROXY TCP4 192.0.2.1 192.0.2.2\r\n" + PROBE,
    "PROXY 1 ended by a newline": LINE.replace(b"\r", b"") + PROBE,
    "PROXY 2 without its addresses": BLOCK[:14] + b"\x00\x00" + PROBE,
    "PROXY 3": BLOCK[:12] + b"\x31" + BLOCK[13:] + PROBE,
    "PROXY twice": LINE + LINE + PROBE,
    "two empty lines": b"\r\n\r\n" + PROBE,
}
Clients = Callable[[], contextlib.AbstractContextManager[socket.socket]]
SECONDS = 30  # what a busy machine may take to answer


class ForEachProbe:
    """The responder as xinetd starts it with `wait = no`: a listening socket, and a process for each connection."""

    def __init__(self, net: Net, responder: Responder) -> None:
        self.listener = socket.create_server((net.next_address(), PORT))
        self.config = responder.config

    @contextlib.contextmanager
    def client(self) -> Iterator[socket.socket]:
        """A connection that such a process serves."""
        with connect(self.listener.getsockname()) as client:
            ours, _ = self.listener.accept()
            process = subprocess.Popen(command("--config", str(self.config)), stdin=ours, env=ENVIRONMENT)
            ours.close()
            try:
                yield client
            finally:
                client.close()
                process.wait(30)


@pytest.fixture(params=["resident", "for each probe"])
def serve(request: pytest.FixtureRequest, net: Net) -> Iterator[Callable[[Responder], Clients]]:
    """Make of a responder what connects to it, or to processes with its configuration: one kind, then the other."""
    with contextlib.ExitStack() as stack:

        def make(responder: Responder) -> Clients:
            if request.param == "resident":
                return lambda: connect(responder.address, SECONDS)
            one = ForEachProbe(net, responder)
            stack.enter_context(one.listener)
            return one.client

        yield make


@pytest.fixture
def clients(serve: Callable[[Responder], Clients], shared: Responder) -> Clients:
    """Connects to a responder whose node is Synced."""
    return serve(shared)


@pytest.mark.parametrize("form", ANSWERED)
def test_it_is_answered_as_a_probe(clients: Clients, form: str) -> None:
    with clients() as sock:
        sock.sendall(ANSWERED[form])
        assert read_to_end(sock).decode() == SYNCED


@pytest.mark.parametrize("form", ["PROXY 1", "PROXY 2, no version", "one empty line before"])
def test_it_may_come_byte_by_byte(clients: Clients, form: str) -> None:
    with clients() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in ANSWERED[form]:
            sock.sendall(bytes([byte]))
            time.sleep(0.001)
        assert read_to_end(sock).decode() == SYNCED


@pytest.mark.parametrize("form", REFUSED)
def test_it_is_refused_in_words(clients: Clients, form: str) -> None:
    with clients() as sock:
        sock.sendall(REFUSED[form])
        answer = read_to_end(sock)
    assert answer.startswith(b"HTTP/1.1 400 "), answer
    assert answer.partition(b"\r\n\r\n")[2].strip()


@pytest.mark.parametrize("begun", [b"", LINE, b"GET /"], ids=repr)
def test_what_is_not_whole_after_5_s_gets_408(clients: Clients, begun: bytes) -> None:
    with clients() as sock:
        began = time.monotonic()
        sock.sendall(begun)
        assert read_to_end(sock).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - began > 4


@pytest.mark.parametrize("header", [LINE, BLOCK], ids=["PROXY 1", "PROXY 2"])
def test_who_asks_is_the_peer_of_the_socket_whatever_the_header_says(
    make_responder: MakeResponder, serve: Callable[[Responder], Clients], header: bytes
) -> None:
    responder = make_responder(
        database="socket = /no/such", responder="allow_from = 192.0.2.1\ndetail_from = 192.0.2.1"
    )
    for path in (b"/", b"/node"):
        with serve(responder)() as sock:
            sock.sendall(header + b"GET " + path + b" HTTP/1.0\r\n\r\n")
            assert read_to_end(sock).startswith(b"HTTP/1.1 403 ")


def test_the_log_names_the_peer_of_the_socket(make_responder: MakeResponder) -> None:
    responder = make_responder(database="socket = /no/such")
    assert exchange(responder.address, LINE + b"rubbish\r\n").status == 400
    wait_until(lambda: responder.lines("METHOD TARGET") or responder.lines("not HTTP"), SECONDS, "it is in the log")
    assert not responder.lines("192.0.2.1")
    assert responder.lines("127.")


class TestAClientThatSendsNothing:
    """`tcp-check expect` without a send: the client waits for the server to speak, as it does under xinetd."""

    @pytest.mark.parametrize("begun", [b"", LINE, BLOCK], ids=["nothing", "PROXY 1 alone", "PROXY 2 alone"])
    @pytest.mark.parametrize("half_closed", [False, True])
    def test_is_answered_as_the_root_after_answer_silent(
        self,
        database: Node,
        make_responder: MakeResponder,
        serve: Callable[[Responder], Clients],
        begun: bytes,
        half_closed: bool,
    ) -> None:
        with serve(make_responder(database, responder="answer_silent = 500ms"))() as sock:
            sock.sendall(begun)
            if half_closed:
                sock.shutdown(socket.SHUT_WR)
            assert read_to_end(sock).decode() == SYNCED

    def test_but_a_part_of_a_request_is_no_silence(
        self, database: Node, make_responder: MakeResponder, serve: Callable[[Responder], Clients]
    ) -> None:
        """What is late may be another path: it never gets the answer of `/`."""
        with serve(make_responder(database, responder="answer_silent = 1500ms"))() as sock:
            sock.sendall(b"GET /no")
            time.sleep(2)
            sock.sendall(b"where HTTP/1.0\r\n\r\n")
            assert read_to_end(sock).startswith(b"HTTP/1.1 404 ")

    def test_is_answered_as_soon_as_the_file_says_so(self, database: Node, make_responder: MakeResponder) -> None:
        """No other client need come for it."""
        responder = make_responder(database)
        assert exchange(responder.address, timeout=SECONDS).status == 408
        put(responder.config, f"{responder.settings}\nanswer_silent = 100ms\n")
        wait_until(lambda: exchange(responder.address, timeout=SECONDS).raw.decode() == SYNCED, SECONDS, "an answer")

    def test_costs_the_others_nothing(self, database: Node, make_responder: MakeResponder) -> None:
        responder = make_responder(database, responder="answer_silent = 300ms")
        with responder.no_growth(), contextlib.ExitStack() as stack:
            silent = [stack.enter_context(connect(responder.address, SECONDS)) for _ in range(100)]
            slow = stack.enter_context(connect(responder.address, SECONDS))
            slow.sendall(b"GET")
            assert responder.ask().raw.decode() == SYNCED
            for sock in silent:
                assert read_to_end(sock).decode() == SYNCED
            slow.sendall(b" /ready\n")
            assert read_to_end(slow).startswith(b"HTTP/1.1 200 ")


class TestHTTP2:
    def test_a_client_that_speaks_nothing_else_is_told_in_its_own_frames(self, clients: Clients) -> None:
        with clients() as sock:
            sock.sendall(HTTP_2)
            answer = read_to_end(sock)
        assert answer[3:5] == b"\x04\x00"  # SETTINGS, as a server's first frame
        assert b"HTTP/2 is not spoken here: ask with HTTP/1.1 or HTTP/1.0\n" in answer

    def test_curl_shows_the_status_and_the_sentence_at_once(self, shared: Responder) -> None:
        host, port = shared.address
        curl = [find_program("curl", "curl"), "-sS", "--max-time", str(SECONDS), "-w", "%{http_version} %{http_code}"]
        done = subprocess.run(
            [*curl, "--http2-prior-knowledge", f"http://{host}:{port}/"], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "HTTP/2 is not spoken here: ask with HTTP/1.1 or HTTP/1.0\n2 505"

    def test_an_offer_of_it_is_not_taken_up(self, shared: Responder) -> None:
        host, port = shared.address
        curl = [find_program("curl", "curl"), "-sS", "--max-time", str(SECONDS), "-w", "%{http_version} %{http_code}"]
        done = subprocess.run([*curl, "--http2", f"http://{host}:{port}/"], capture_output=True, text=True, check=True)
        assert done.stdout == "Percona XtraDB Cluster Node is synced.\n1.1 200"


SIMPLE = "tcp-check send GET\\ /\\r\\n\n  tcp-check expect rstring 200"
HAPROXY = {
    "check-send-proxy, version 1": ("option httpchk", "send-proxy check-send-proxy"),
    "check-send-proxy, version 2": ("option httpchk GET /ready", "send-proxy-v2 check-send-proxy"),
    "http-check connect send-proxy": (
        "option httpchk\n  http-check connect send-proxy\n  http-check send meth GET",
        "",
    ),
    "tcp-check connect send-proxy": (f"option tcp-check\n  tcp-check connect send-proxy\n  {SIMPLE}", ""),
    "tcp-check without a version": (f"option tcp-check\n  {SIMPLE}", ""),
    "tcp-check that sends nothing": ("option tcp-check\n  tcp-check expect string synced", ""),
    "tcp-check that sends a proxy header alone": (
        "option tcp-check\n  tcp-check expect string synced",
        "send-proxy-v2 check-send-proxy",
    ),
}


@pytest.mark.parametrize("checks", HAPROXY)
def test_haproxy_finds_the_node_up_and_down(
    net: Net, database: Node, make_responder: MakeResponder, checks: str
) -> None:
    responder = make_responder(database, responder="answer_silent = 300ms")
    host, port = responder.address
    lines, options = HAPROXY[checks]
    section = (
        f"listen checks\n  bind {net.next_address()}:3307\n  mode tcp\n  {lines}\n  timeout check {SECONDS}s\n"
        f"  server node {host}:{port} check inter 300ms {options}\n"
    )
    with HAProxy(net, net.directory / f"checks-{list(HAPROXY).index(checks)}", section) as haproxy:
        haproxy.wait_status("node", "UP")
        wait_until(lambda: haproxy.server("node")["check_status"].endswith("OK"), SECONDS, "a check has passed")
        put(responder.disabled, "{}")
        haproxy.wait_status("node", "DOWN")
        responder.disabled.unlink()
        haproxy.wait_status("node", "UP")
