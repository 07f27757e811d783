"""xha-check cluster without an account for SQL: what each member's responder says, and what its keeper published.

Three real nodes; the account of the check may log in by the first one's socket only.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from loopback import Cluster, Net, Node, Responder
from loopback.responder import PORT
from shell.conftest import PASSWORD, PATIENT, USER
from shell.host import Host, Result, option_file
from shell.terminal import Terminal
from shell.test_cluster import addresses, configure, reasons, table
from shell.test_output import validate

# The kernel gives up a connection after two minutes; twice the deadline and Python's start are far below.
FINITE = 45.0
_numbers = itertools.count(1)


@contextlib.contextmanager
def responding(net: Net, *nodes: Node, **options: Any) -> Iterator[list[Responder]]:
    """A responder on port 49000 of each node's own address, as on hosts of their own."""
    directory = net.directory / f"responders-{next(_numbers)}"
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(
                Responder(
                    net,
                    directory / node.address,
                    [(node.address, PORT)],
                    node.socket,
                    client=option_file(user=USER, password=PASSWORD),
                    **{"responder": "deadline = 5s", **options},
                )
            )
            for node in nodes
        ]


@pytest.fixture
def strangers(host: Host, members: Cluster) -> Cluster:
    """Three Synced nodes; the check's account may log in by the first one's socket, and nowhere else."""
    members.create_account("here@localhost")
    host.write("/etc/xha/client.cnf", option_file(user="here"), 0o640)
    return members


def document(host: Host, code: int) -> dict[str, Any]:
    result = host.run("xha-check", "cluster", "--json")
    assert result.code == code, result.said
    found: dict[str, Any] = json.loads(result.out)
    validate(found)
    return found


def column(result: Result, name: str) -> list[str]:
    return [cells[name] for cells in table(result).values()]


class TestResponders:
    def test_their_word_stands_with_source_and_age(self, net: Net, host: Host, strangers: Cluster) -> None:
        with responding(net, *strangers.nodes, responder="deadline = 5s\ndetail_from = 192.0.2.1"):
            result = host.run("xha-check", "cluster")
            nagios = host.run("xha-check", "cluster", "--nagios")
            members = document(host, 0)["members"]
        assert (result.code, result.err) == (0, ""), result.said
        assert column(result, "SERVICE") == ["in"] * 3
        assert column(result, "REASON") == ["synced"] * 3
        assert column(result, "SOURCE") == ["sql", "responder", "responder"]
        assert "-" not in column(result, "AGE")
        _, second, third = addresses(strangers)
        assert column(result, "SIZE") == ["3", "-", "-"]
        assert f"NOTE: no account for SQL on {second}:3306, {third}:3306:" in result.out
        assert nagios.out == "GALERA OK: 3 of 3 in service, 2 by responder | in_service=3;;;0;3\n"
        assert [one["source"] for one in members] == ["sql", "responder", "responder"]
        assert [one["source"] for one in members[1]["sources"]] == ["sql", "responder", "keeper"]
        sql, responder, keeper = members[1]["sources"]
        assert (sql["code"], sql["available"]) == ("access-denied", None)
        assert (responder["code"], responder["available"], responder["cause"]) == ("synced", True, None)
        assert keeper["cause"].startswith("Pacemaker does not answer here (cibadmin: ")

    def test_one_host_s_word_is_told_where_its_server_refuses_this_host(
        self, net: Net, host: Host, strangers: Cluster
    ) -> None:
        node = strangers.nodes[1]
        with responding(net, node):
            result = host.run("xha-check", "node", node.address)
            told = json.loads(host.run("xha-check", "node", node.address, "--json").out)
            other = host.run("xha-check", "node", f"{node.address}:3307")
        validate(told)
        assert (result.code, result.err) == (0, ""), result.said
        assert f"{node.address}: in service, synced: its responder says: the node is synced" in result.out
        assert "SQL from here: access-denied" in result.out
        assert (told["source"], told["verdict"]["code"]) == ("responder", "synced")
        assert "server-down" in other.out, "a responder does not speak for another server of its host"
        denied = host.run("xha-check", "node", node.address)
        assert denied.code == 3
        assert "access-denied" in denied.out
        assert f"port {PORT}" in denied.out, "what was tried is told"

    def test_where_this_host_may_see_details_they_are_compared(
        self, net: Net, host: Host, strangers: Cluster, galera: Node
    ) -> None:
        host.write("/etc/xha/client.cnf", option_file(user="here"), 0o640)
        configure(host, strangers.nodes[0], *addresses(strangers), galera.address)
        with responding(net, *strangers.nodes, galera, responder="deadline = 5s\ndetail_from = 127.0.0.0/8"):
            result = host.run("xha-check", "cluster")
            found = document(host, 2)
        assert result.code == 2
        assert column(result, "SIZE") == ["3", "3", "3", "1"]
        assert "NOTE" not in result.out
        assert column(result, "SERVICE") == ["in"] * 4  # each is well: only side by side they are not
        assert [one["code"] for one in found["disagreements"]] == ["uuid", "two-primaries"]
        uuid = galera.status("wsrep_cluster_state_uuid")["wsrep_cluster_state_uuid"]
        assert f"{uuid} on {galera.address}:3306 (by its responder)" in found["disagreements"][0]["message"]

    def test_a_disabled_member_is_out_although_sql_cannot_see_it(self, net: Net, host: Host, members: Cluster) -> None:
        with responding(net, members.nodes[1]) as (responder,):
            responder.disabled.write_text("{}")
            result = host.run("xha-check", "cluster")
        assert result.code == 1, result.said
        assert reasons(result)[members.nodes[1].address] == "disabled"
        assert column(result, "SOURCE") == ["sql", "responder", "sql"]
        assert "DISAGREEMENT" not in result.out

    def test_a_responder_that_refuses_this_host_is_named_with_its_remedy(
        self, net: Net, host: Host, strangers: Cluster
    ) -> None:
        with responding(net, *strangers.nodes, responder="allow_from = 192.0.2.1"):
            result = host.run("xha-check", "cluster")
        assert result.code == 3, result.said
        assert column(result, "SERVICE") == ["in", "unknown", "unknown"]
        assert "responder: the responder on port 49000 refuses this host" in result.out
        assert "add this host to allow_from" in result.out

    def test_without_any_responder_each_source_s_cause_is_told(self, host: Host, strangers: Cluster) -> None:
        result = host.run("xha-check", "cluster")
        assert result.code == 3
        assert column(result, "SOURCE") == ["sql", "-", "-"]
        (line,) = [one for one in result.out.splitlines() if one.startswith(f"{addresses(strangers)[1]}:3306: ")]
        for part in (
            "sql: the server refuses the check's account: ",
            "responder: port 49000: connection refused",
            "keeper: Pacemaker does not answer here (cibadmin: ",
            "to do: start xha-responder there",
        ):
            assert part in line
        assert "c1ustercheck" not in result.said

    def test_a_frozen_server_is_told_by_its_responder(self, net: Net, host: Host, strangers: Cluster) -> None:
        configure(host, strangers.nodes[0], *addresses(strangers), more="[responder]\ndeadline = 3s\n")
        with responding(net, *strangers.nodes, responder="deadline = 500ms"):
            strangers.nodes[2].freeze()
            result = host.run("xha-check", "cluster")
            strangers.nodes[2].thaw()
        assert result.code == 2, result.said
        assert reasons(result)[addresses(strangers)[2]] == "hung"
        assert column(result, "SERVICE")[2] == "out"
        assert column(result, "SOURCE")[2] == "responder"

    def test_a_responder_that_says_what_sql_contradicts_is_a_disagreement(
        self, net: Net, host: Host, members: Cluster
    ) -> None:
        client = option_file(user=USER, password=f"wrong-{PASSWORD}")
        directory = net.directory / f"responders-{next(_numbers)}"
        node = members.nodes[1]
        with Responder(net, directory, [(node.address, PORT)], node.socket, client=client):
            result = host.run("xha-check", "cluster")
        assert result.code == 2, result.said
        assert reasons(result)[node.address] == "synced"
        assert (
            f"DISAGREEMENT sources: {node.address}:3306: SQL says synced, but its responder says access-denied: "
            "load balancers that ask it send no traffic there"
        ) in result.out
        assert "wrong-" not in result.said


def test_this_host_s_responder_names_the_members_where_no_account_is_left(
    net: Net, host: Host, members: Cluster
) -> None:
    host.write("/etc/xha/client.cnf", option_file(user="nobody_knows_me"), 0o640)
    own = members.nodes[0]
    directory = net.directory / f"responders-{next(_numbers)}"
    # 127.0.0.1 is this host's; the others' are on their own addresses.
    client = option_file(user=USER, password=PASSWORD)
    port = net.next_port()
    configure(host, own, more=f"{PATIENT}listen = 127.0.0.1:{port}\n")
    with Responder(net, directory, [("127.0.0.1", port), (members.nodes[1].address, port)], own.socket, client=client):
        result = host.run("xha-check", "cluster")
    assert reasons(result) == dict(zip(addresses(members), ["synced", "synced", "access-denied"])), result.said
    assert column(result, "SOURCE") == ["responder", "responder", "-"]
    assert result.code == 3


@contextlib.contextmanager
def black_hole(address: str, port: int) -> Iterator[None]:
    """A port whose backlog is full: the kernel drops what asks for another connection, as a dead host would."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((address, port))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex((address, port))
        yield


class TestSilence:
    def test_a_black_hole_costs_its_own_row_and_no_more_than_its_time(
        self, net: Net, host: Host, strangers: Cluster
    ) -> None:
        hole = net.address(99)
        with black_hole(hole, 3306), black_hole(hole, PORT), responding(net, *strangers.nodes):
            configure(host, strangers.nodes[0], *addresses(strangers), hole, more="[responder]\ndeadline = 2s\n")
            result = host.run("xha-check", "cluster", timeout=60)
        assert result.code == 2, result.said
        assert reasons(result) == {**dict.fromkeys(addresses(strangers), "synced"), hole: "unreachable"}
        assert column(result, "SERVICE")[-1] == "unknown"
        assert "responder: no connection to port 49000 in time" in result.out
        assert result.seconds < FINITE

    def test_whoever_waits_at_a_terminal_is_told_for_whom(self, net: Net, host: Host, members: Cluster) -> None:
        hole = net.address(99)
        configure(host, members.nodes[0], *addresses(members), hole, more="[responder]\ndeadline = 6s\n")
        with (
            black_hole(hole, 3306),
            black_hole(hole, PORT),
            Terminal(host.enter(host.door("xha-check"), "cluster")) as terminal,
        ):
            shown = terminal.wait_for("xha-check: still waiting for ", 30)
            assert terminal.wait_end(60) == 2
        assert "NODE" not in shown
        assert f"still waiting for {hole}:3306\r\n" in terminal.text

    def test_a_pipe_hears_nothing_of_it(self, net: Net, host: Host, members: Cluster) -> None:
        hole = net.address(99)
        configure(host, members.nodes[0], *addresses(members), hole, more="[responder]\ndeadline = 3s\n")
        with black_hole(hole, 3306), black_hole(hole, PORT):
            result = host.run("xha-check", "cluster")
        assert (result.code, result.err) == (2, "")


class TestNarrow:
    def test_at_80_columns_whole_columns_are_left_out_and_no_sentence_is_cut(
        self, net: Net, host: Host, strangers: Cluster
    ) -> None:
        with (
            responding(net, *strangers.nodes[:2]),
            Terminal(host.enter(host.door("xha-check"), "cluster"), columns=80) as terminal,
        ):
            assert terminal.wait_end() == 3
        heading, *rows = terminal.text.replace("\r", "").splitlines()
        assert heading.split()[:5] == ["NODE", "SERVICE", "REASON", "SOURCE", "AGE"]
        assert "QUEUE" not in heading
        assert all(len(row) <= 80 + len("\x1b[32m\x1b[0m") for row in rows[:3])
        assert "or create an account for TCP (docs/installation.md, One account)" in terminal.text
