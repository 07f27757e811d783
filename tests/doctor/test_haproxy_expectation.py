"""What HAProxy makes of an answer: the reading of its file says what the real one does."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from loopback import HAProxy, Net
from loopback.daemon import wait_until
from xha.core.config.haproxy_cfg import parse_haproxy_cfg
from xha.core.config.http_expectation import Taken, take_status

STATUSES = (200, 301, 404, 503)
# The lines of a section, and what it makes of each status.
UP, DOWN, NOLB = Taken.UP, Taken.DOWN, Taken.DRAINED
EXPECTATIONS = {
    "": (UP, UP, DOWN, DOWN),
    "http-check disable-on-404": (UP, UP, NOLB, DOWN),
    "http-check expect status 200": (UP, DOWN, DOWN, DOWN),
    "http-check expect status 200-399,404": (UP, UP, UP, DOWN),
    "http-check expect ! status 503": (UP, UP, UP, DOWN),
    "http-check expect rstatus ^[23]": (UP, UP, DOWN, DOWN),
    "http-check expect ! rstatus ^5": (UP, UP, UP, DOWN),
    "http-check expect comment a\\ b ! rstatus ^5": (UP, UP, UP, DOWN),
    "http-check expect rstatus .": (UP, UP, UP, UP),
    "http-check expect status 503": (DOWN, DOWN, DOWN, UP),
    "http-check disable-on-404\n  http-check expect status 200": (UP, DOWN, NOLB, DOWN),
    "http-check disable-on-404\n  http-check expect ! rstatus ^5": (UP, UP, NOLB, DOWN),
    "http-check expect ! rstatus ^5\n  http-check expect status 200": (UP, DOWN, DOWN, DOWN),
}
LISTEN = """
listen l{number}
  bind {bind}:{port}
  mode tcp
  option httpchk GET /
  timeout check 10s
  {lines}
  default-server check inter 500ms rise 1 fall 1
"""


class _Answers(BaseHTTPRequestHandler):
    """Answers 200 at first, then the number of its address: a server has to be up before it can drain."""

    def do_GET(self) -> None:
        status = 200
        if self.server.armed.is_set():  # type: ignore[attr-defined]
            status = self.server.status  # type: ignore[attr-defined]
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def statuses(net: Net) -> Iterator[dict[str, dict[str, str]]]:
    """HAProxy's status of each server, by section and by server."""
    address, armed = net.next_address(), threading.Event()
    servers = []
    for status in STATUSES:
        server = ThreadingHTTPServer((address, 0), _Answers)
        server.status, server.armed = status, armed  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
    lines = [f"  server s{server.status} {address}:{server.server_port}" for server in servers]  # type: ignore[attr-defined]
    text = "".join(
        LISTEN.format(number=number, bind=address, port=20000 + number, lines=one) + "\n".join(lines) + "\n"
        for number, one in enumerate(EXPECTATIONS)
    )
    with HAProxy(net, net.directory / "expectations", text) as haproxy:
        everybody = len(EXPECTATIONS) * len(STATUSES)

        def all_asked() -> bool:
            servers = [row for row in haproxy.show_stat() if row["svname"].startswith("s")]
            return sum(row["check_status"].startswith("L7") for row in servers) == everybody

        wait_until(all_asked, 30, "HAProxy has asked every server")
        armed.set()
        rows: dict[str, dict[str, str]] = {}

        def settled() -> bool:
            for row in haproxy.show_stat():
                rows.setdefault(row["pxname"], {})[row["svname"]] = row["status"].split()[0]
            return all(
                rows[f"l{number}"][f"s{status}"] == told(one)
                for number, wanted in enumerate(EXPECTATIONS.values())
                for status, one in zip(STATUSES, wanted)
            )

        with contextlib.suppress(AssertionError):  # the test names the one that differs
            wait_until(settled, 20, "HAProxy has settled")
        yield rows
    for server in servers:
        server.shutdown()
        server.server_close()


def told(taken: Taken) -> str:
    return {UP: "UP", DOWN: "DOWN", NOLB: "NOLB"}[taken]


@pytest.mark.parametrize("number", range(len(EXPECTATIONS)))
def test_the_file_says_what_haproxy_does(statuses: dict[str, dict[str, str]], number: int) -> None:
    lines, wanted = list(EXPECTATIONS.items())[number]
    (proxy,) = parse_haproxy_cfg(f"listen l\n  option httpchk GET /\n  {lines}\n")
    assert [statuses[f"l{number}"][f"s{status}"] for status in STATUSES] == [told(one) for one in wanted]
    assert [take_status(proxy, status) for status in STATUSES] == list(wanted)
