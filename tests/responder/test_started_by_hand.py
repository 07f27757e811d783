"""Started with --listen, and without anything to listen on."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from loopback import Net, Node
from loopback.responder import PORT
from responder.client import PROBE, exchange
from responder.conftest import MakeResponder
from responder.process import ENVIRONMENT, Responder, command


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30,
        check=False,
    )  # fmt: skip


def test_listen_may_be_given_several_times(net: Net, database: Node, make_responder: MakeResponder) -> None:
    addresses = [(net.next_address(), PORT), (net.next_address(), PORT + 1), ("::1", net.next_port())]
    make_responder(database, listen=addresses)
    assert [exchange(address, PROBE).status for address in addresses] == [200] * 3


def test_the_ipv6_wildcard_serves_ipv4_too_and_knows_its_clients_as_ipv4(
    net: Net, database: Node, make_responder: MakeResponder
) -> None:
    port = net.next_port()
    make_responder(database, listen=[("::", port)], responder="allow_from = 127.0.0.0/8\ndetail_from = 127.0.0.0/8")
    assert exchange((net.next_address(), port), PROBE).status == 200
    assert exchange(("::1", port), PROBE).status == 403


def test_both_wildcards_may_be_given(net: Net, database: Node, make_responder: MakeResponder) -> None:
    port = net.next_port()
    make_responder(database, listen=[("0.0.0.0", port), ("::", port)])
    assert [exchange((host, port), PROBE).status for host in ("127.0.0.1", "::1")] == [200, 200]


def test_an_ipv6_client_outside_allow_from_is_refused_and_one_inside_is_not(
    net: Net, database: Node, make_responder: MakeResponder
) -> None:
    for networks, status in (("::1/128", 200), ("2001:db8::/32", 403)):
        address = ("::1", net.next_port())
        make_responder(database, listen=[address], responder=f"allow_from = {networks}")
        assert [exchange(address, PROBE).status for _ in range(2)] == [status, status]


def test_listen_of_xha_conf_counts_where_the_command_line_has_none(
    net: Net, database: Node, make_responder: MakeResponder
) -> None:
    address = (net.next_address(), PORT)
    responder = make_responder(database, responder=f"listen = {address[0]}:{address[1]}")
    responder.stop()
    responder.argv = [word for word in responder.argv if not word.startswith("--listen")]
    responder.addresses = [address]
    responder.start()
    assert responder.verdict() == (200, "synced")


def test_without_a_socket_it_says_what_to_do_and_exits_2(tmp_path: Path) -> None:
    (tmp_path / "xha.conf").touch()
    done = run("--config", str(tmp_path / "xha.conf"))
    assert done.returncode == 2
    assert "--listen ADDRESS:PORT" in done.stderr


def test_without_a_socket_and_with_a_wrong_file_both_are_named(tmp_path: Path) -> None:
    (tmp_path / "xha.conf").write_text("[responder]\nlisten_on = x\n")
    done = run("--config", str(tmp_path / "xha.conf"))
    assert done.returncode == 2
    assert "listen_on" in done.stderr
    assert "--listen ADDRESS:PORT" in done.stderr


def test_an_address_that_is_taken_or_not_ours_is_named_and_exits_2(shared: Responder) -> None:
    for address, words in ((f"{shared.address[0]}:{shared.address[1]}", "in use"), (f"192.0.2.1:{PORT}", "assign")):
        done = run("--listen", address)
        assert (done.returncode, words in done.stderr, address.split(":")[0] in done.stderr) == (2, True, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--listen", "nowhere"],
        ["--listen", "127.0.0.1:99999"],
        ["--listen", "::1:49000"],
        ["--liste", "127.0.0.1:49000"],
        ["--port", "x"],
        ["--host", "a", "--socket", "/b"],
        ["surplus"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_exits_3_with_one_line(arguments: list[str]) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)


def test_database_options_of_the_command_line_outrank_the_file(database: Node, make_responder: MakeResponder) -> None:
    responder = make_responder(database, database="port = 1")
    responder.stop()
    for options, verdict in (
        (["--socket", str(database.socket)], (200, "synced")),
        (["--socket", "/nonexistent"], (503, "server-down")),
        (["--host", database.address, "--port", str(database.port)], (200, "synced")),
        (["--host", database.address, "--port", "3399"], (503, "server-down")),
    ):
        plain = responder.argv
        responder.argv = [*plain, *options]
        responder.start()
        assert responder.verdict() == verdict
        responder.stop()
        responder.argv = plain
