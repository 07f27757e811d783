"""A node that drains: 404, which a real HAProxy takes for "no new connections", and nothing else is 404."""

from __future__ import annotations

import contextlib
from typing import Any

import pymysql
import pytest

from loopback import Cluster, HAProxy, Net, Node
from loopback.files import put
from loopback.responder import PORT
from responder.conftest import MakeResponder
from responder.process import PROMPT

ALL_PATHS = ("/", "/ready", "/live")


def connect(address: tuple[str, int]) -> pymysql.Connection[Any]:
    """A client's connection through HAProxy."""
    host, port = address
    times = {"connect_timeout": 5, "read_timeout": 10}
    return pymysql.connect(host=host, port=port, user="app", autocommit=True, ssl_disabled=True, **times)


def where(connection: pymysql.Connection[Any]) -> str:
    """The address of the node behind a connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@bind_address")
        (row,) = cursor.fetchall()
    return str(row[0])


@pytest.mark.parametrize(
    ("files", "read_only", "expected"),
    [
        pytest.param({"drain": "{}"}, False, (404, 404, 200), id="a node that would serve"),
        pytest.param({"drain": "garbage"}, False, (404, 404, 200), id="whatever the file says"),
        pytest.param({"drain": '{"until": "2001-01-01T00:00:00Z"}'}, False, (200, 200, 200), id="its time is over"),
        pytest.param({"drain": "{}", "disabled": "{}"}, False, (503, 503, 200), id="disabled outranks it"),
        pytest.param({"drain": "{}"}, True, (503, 503, 200), id="a node that does not serve anyway"),
    ],
)
def test_what_a_drain_file_makes_of_a_node(
    database: Node, make_responder: MakeResponder, files: dict[str, str], read_only: bool, expected: tuple[int, ...]
) -> None:
    responder = make_responder(database, policy="available_when_readonly = 0\nlast_node = 0")
    for name, text in files.items():
        put(responder.directory / name, text)
    database.sql(f"SET GLOBAL read_only = {int(read_only)}")
    try:
        responder.next_verdict()
        assert tuple(responder.ask(path).status for path in ALL_PATHS) == expected
    finally:
        database.sql("SET GLOBAL read_only = 0")


def test_who_drains_it_is_told_on_its_own_host(database: Node, make_responder: MakeResponder) -> None:
    responder = make_responder(database)
    put(responder.drain, '{"by": "ann", "why": "kernel", "until": null}')
    assert responder.next_verdict() == (404, "draining")
    document = responder.node()
    assert document["drain"] == {"by": "ann", "why": "kernel", "until": None}
    assert document["disabled"] is None
    assert "xha_draining 1\n" in responder.ask("/metrics").body
    assert len(responder.lines("out of service: draining")) == 1


def test_haproxy_sends_no_new_connection_to_a_node_that_drains_and_ends_no_open_one(
    net: Net, three: Cluster, make_responder: MakeResponder
) -> None:
    nodes = three.nodes[:2]
    responders = [make_responder(node, listen=[(node.address, PORT)], responder=PROMPT) for node in nodes]
    three.create_account("app@'%'")
    bind = (net.next_address(), 3307)
    servers = "".join(
        f"  server mysql-{number} {node.address}:3306 check port {PORT} inter 500ms fall 3 rise 1 "
        f"on-marked-down shutdown-sessions{' backup' if number > 1 else ''}\n"
        for number, node in enumerate(nodes, start=1)
    )
    section = (
        f"listen mysql\n  bind {bind[0]}:{bind[1]}\n  mode tcp\n  timeout client 60s\n  timeout server 60s\n"
        f"  option httpchk\n  http-check disable-on-404\n  timeout check 5s\n{servers}"
    )
    with HAProxy(net, net.directory / "drain", section) as haproxy, contextlib.ExitStack() as stack:
        haproxy.wait_status("mysql-1", "UP")
        haproxy.wait_status("mysql-2", "UP")
        old = stack.enter_context(contextlib.closing(connect(bind)))
        assert where(old) == nodes[0].address
        put(responders[0].drain, "{}")
        haproxy.wait_status("mysql-1", "NOLB")
        new = stack.enter_context(contextlib.closing(connect(bind)))
        assert where(new) == nodes[1].address
        assert where(old) == nodes[0].address  # the open one lives on
        assert haproxy.server("mysql-1")["chkdown"] == "0"  # it was never marked as down
        responders[0].drain.unlink()
        haproxy.wait_status("mysql-1", "UP")
        with contextlib.closing(connect(bind)) as again:
            assert where(again) == nodes[0].address
        assert where(new) == nodes[1].address
