"""A server that is reached and answers with an ERR packet: what that says of the node, through every entry point."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopback import Net, Node, door
from loopback.files import put
from responder.client import PROBE
from responder.conftest import MakeResponder
from responder.process import ACCOUNT, Responder
from security.doors import run
from security.hostile_database import OK, Client, Mode, hostile
from xha.adapters.mysql.agent_login import execute
from xha.adapters.mysql.anonymous_ping import ask_database
from xha.adapters.mysql.login_target import Target
from xha.adapters.mysql.session import ReadError
from xha.app.node.reader import FixedConfig, Reader
from xha.core.config.xha_conf import Config, Database
from xha.core.config.xha_conf import Responder as ResponderSettings
from xha.core.node.verdict import Unreadable

QUOTE = "a word of the server's"
WHEN = ("connection", "login", "statement", "reading")


def refuses(number: int, when: str, text: str = QUOTE) -> Mode:
    """Answers the connection, the login, the first statement or the reading with an ERR packet."""

    def mode(client: Client) -> None:
        error = b"\xff" + struct.pack("<H", number) + b"#HY000" + text.encode()
        if when == "reading":
            client.let_in()
        elif when != "connection":
            client.greet()
            if when == "statement":
                client.send(OK)
                client.receive()
        client.send(error)
        with contextlib.suppress(OSError):
            client.receive()  # the client says goodbye; a reset would lose the packet

    return mode


# number: the code, wherever the packet comes.
CODES = [
    pytest.param(3032, "maintenance", 1, id="3032 offline_mode"),
    pytest.param(1135, "out-of-resources", 2, id="1135 no thread"),
    pytest.param(1041, "out-of-resources", 2, id="1041 no memory"),
    pytest.param(1037, "out-of-resources", 2, id="1037 no memory, with a size"),
    pytest.param(1184, "rejecting-queries", 2, id="1184 init_connect"),
    pytest.param(1524, "access-denied", 3, id="1524 login plugin not loaded"),
    pytest.param(3955, "access-denied", 3, id="3955 locked after wrong passwords"),
    pytest.param(4020, "access-denied", 3, id="4020"),
    pytest.param(3159, "access-denied", 3, id="3159 require_secure_transport"),
    pytest.param(1045, "access-denied", 3, id="1045 password"),
    pytest.param(1040, "too-many-connections", 3, id="1040 max_connections"),
    pytest.param(1047, "not-ready", 2, id="1047 not prepared for use"),
    pytest.param(1053, "server-down", 2, id="1053 shuts down"),
    pytest.param(1927, "refused", 2, id="1927 connection killed"),
    pytest.param(1227, "refused", 2, id="1227 a privilege is missing"),
    pytest.param(9001, "refused", 2, id="9001 of a proxy before the server"),
    pytest.param(65535, "refused", 2, id="a number that nobody knows"),
]


def take(address: str) -> tuple[str, int, str]:
    """The code, the exit code and the message of one reading of the server there."""
    settings = ResponderSettings(disabled_file=None, deadline=5.0)
    config = Config(Database(defaults_file=os.devnull, host=address, server_user="mysql"), responder=settings)
    verdict = Reader(FixedConfig(config)).take().verdict
    assert not verdict.available
    return verdict.code.value, int(verdict.exit_code), verdict.message


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize(("number", "code", "exit_code"), CODES)
def test_an_err_packet_is_the_server_s_word_and_is_quoted(
    net: Net, number: int, code: str, exit_code: int, when: str
) -> None:
    address = net.next_address()
    with hostile((address, 3306), refuses(number, when)):
        found, exits, message = take(address)
    assert (found, exits) == (code, exit_code)
    assert QUOTE in message
    assert f"(error {number})" in message or number > 32767  # of which PyMySQL makes a negative one


def test_what_is_quoted_cannot_steer_a_terminal(net: Net) -> None:
    address = net.next_address()
    with hostile((address, 3306), refuses(9001, "login", "\x1b[2J\nroot: x" + "y" * 5000)):
        code, _, message = take(address)
    assert code == "refused"
    assert message.isprintable()
    assert len(message) < 1000


class Site:
    """A server that refuses with 9001, and the settings with which each program asks it."""

    def __init__(self, directory: Path, address: str) -> None:
        directory.chmod(0o755)
        self.address, self.directory = address, directory
        self.config, self.client = directory / "xha.conf", directory / "client.cnf"
        put(self.client, f"[client]\nuser = {ACCOUNT}\nhost = {address}\n", 0o640)
        put(
            self.config,
            f"[database]\ndefaults_file = {self.client}\n[cluster]\nmembers = {address}\n"
            f"[responder]\ndeadline = 5s\ndisabled_file = {directory}/disabled\n",
        )


@pytest.fixture
def site(net: Net, tmp_path: Path) -> Iterator[Site]:
    address = net.next_address()
    with hostile((address, 3306), refuses(9001, "login")):
        yield Site(tmp_path, address)


def test_the_resident_responder_says_refused_and_that_nothing_needs_repair(
    site: Site, make_responder: MakeResponder
) -> None:
    responder = make_responder(database=f"host = {site.address}")
    assert responder.verdict() == (503, "refused")
    assert responder.ask("/live").status == 200
    assert QUOTE in message_of(responder)


def message_of(responder: Responder) -> str:
    return str(json.loads(responder.ask("/node").body)["verdict"]["message"])


def test_the_responder_of_one_request_says_refused(site: Site, net: Net) -> None:
    with socket.create_server((net.next_address(), 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
        with client, accepted:
            client.sendall(PROBE.replace(b" / ", b" /ready "))
            run([door("xha-responder"), "--config", str(site.config)], stdin=accepted)
            accepted.close()
            client.settimeout(10)
            said = b"".join(iter(lambda: client.recv(4096), b""))
    assert b" 503 " in said
    assert b"refused" in said


def test_xha_check_node_says_refused_with_2_and_quotes_it(site: Site) -> None:
    said = run([door("xha-check"), "node", "--json", "--config", str(site.config)])
    verdict = said.document["verdict"]
    assert (said.code, verdict["code"], verdict["live"]) == (2, "refused", True)
    assert f"{QUOTE} (error 9001)" in verdict["message"]


def test_xha_check_cluster_says_refused_of_a_member(site: Site) -> None:
    said = run([door("xha-check"), "cluster", "--json", "--config", str(site.config)])
    assert said.code == 2
    assert [node["verdict"]["code"] for node in said.document["nodes"]] == ["refused"]


def test_clustercheck_answers_503_and_writes_why(site: Site) -> None:
    why = site.directory / "why"
    said = run([door("clustercheck"), "-", "0", str(why), "1", str(site.client)])
    assert (said.code, said.out.partition("\r\n")[0]) == (1, "HTTP/1.1 503 Service Unavailable")
    assert QUOTE in why.read_text()


def test_the_agent_s_statement_says_refused(site: Site) -> None:
    with pytest.raises(ReadError) as caught:
        execute(Target(ACCOUNT, host=site.address), "SELECT 1", 5.0)
    assert caught.value.unreadable == Unreadable(caught.value.unreadable.code, str(caught.value))
    assert caught.value.unreadable.code.value == "refused"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1045, ""),
        (1524, ""),
        (3159, ""),
        (1129, "no login (1129)"),
        (1040, "too many connections"),
        (1135, "out of memory or threads"),
        (3032, "in maintenance (offline_mode)"),
        (9001, "no login (9001)"),
    ],
)
def test_a_service_s_database_that_refuses_the_account_answers_and_any_other_refusal_is_named(
    net: Net, number: int, words: str
) -> None:
    address = net.next_address()
    with hostile((address, 3306), refuses(number, "login")):
        assert ask_database((address, 3306), 10.0) == words


# --- what a real server can be brought to


def test_a_failing_init_connect_is_rejecting_queries_and_right_again_on_the_next_probe(
    database: Node, make_responder: MakeResponder
) -> None:
    database.sql("SET GLOBAL init_connect = 'SELECT * FROM nothing.like_this'")
    try:
        responder = make_responder(database)
        assert responder.verdict() == (503, "rejecting-queries")
        assert "(error 1184)" in message_of(responder)
        assert responder.ask("/live").status == 200
    finally:
        database.sql("SET GLOBAL init_connect = ''")
    assert responder.next_verdict() == (200, "synced")


def test_an_account_whose_plugin_is_not_loaded_is_access_denied(database: Node, make_responder: MakeResponder) -> None:
    database.sql("INSTALL SONAME 'auth_ed25519'")
    database.sql("CREATE OR REPLACE USER modern@localhost IDENTIFIED VIA ed25519 USING PASSWORD('x')")
    database.sql("UNINSTALL SONAME 'auth_ed25519'")
    try:
        responder = make_responder(database, client="[client]\nuser = modern\npassword = x\n")
        assert responder.verdict() == (503, "access-denied")
        assert "(error 1524)" in message_of(responder)
    finally:
        database.sql("DROP USER modern@localhost")
