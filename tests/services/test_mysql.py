"""The Galera node among the services: xha's own verdict, on a real node."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from loopback import Net, Node, wait_until
from responder.certificates import Authority
from services.host import BLIND, CAUTION, DOWN, WELL, Services, short


@pytest.fixture
def galera(node: Node, services: Services, tmp_path: Path) -> Node:
    node.create_account("xhaservices@localhost")
    (tmp_path / "client.cnf").write_text("[client]\nuser = xhaservices\n")
    services.write(
        f"[database]\nsocket = {node.socket}\ndefaults_file = {tmp_path}/client.cnf\n[responder]\n"
        f"disabled_file = {tmp_path}/disabled\ndeadline = 3s\n[service mysql]\ndeadline = 10s\n"
        # This one: the tests beside us freeze theirs, and a stopped process is a fault.
        f"process = ^\\S*(mariadbd|mysqld) .*--bind-address={re.escape(node.address)} \n"
    )
    return node


def test_a_synced_node_a_desynced_and_a_refusing_one(services: Services, galera: Node) -> None:
    for level, words in (("process", "runs"), ("protocol", "a query is answered"), ("deep", "Synced")):
        result = services.check("mysql", level)
        assert short(result) == WELL, result
        assert words in result["proved"]
    galera.sql("SET GLOBAL wsrep_desync = ON")
    wait_until(lambda: galera.status("wsrep_local_state") == {"wsrep_local_state": "2"}, 20, "it is desynced")
    result = services.check("mysql")
    assert short(result) == CAUTION
    assert result["message"].startswith("desynced: ")
    galera.sql("SET GLOBAL wsrep_desync = OFF")
    wait_until(galera.is_synced, 20, "it is Synced again")
    galera.sql("SET GLOBAL wsrep_reject_queries = ALL")
    result = services.check("mysql")
    assert short(result) == DOWN
    assert result["message"].startswith("rejecting-queries: ")
    assert short(services.check("mysql", "protocol")) == WELL
    galera.sql("SET GLOBAL wsrep_reject_queries = NONE")


def test_a_frozen_one_and_one_that_refuses_the_account(services: Services, galera: Node, tmp_path: Path) -> None:
    galera.freeze()
    result = services.check("mysql")
    assert short(result) == DOWN
    assert "hung" in result["message"]
    galera.thaw()
    wait_until(galera.is_synced, 20, "it answers again")
    (tmp_path / "client.cnf").write_text("[client]\nuser = nobody-here\n")
    result = services.check("mysql")
    assert short(result) == BLIND
    assert result["message"].startswith("needs an account that works: access-denied: ")


def test_a_certificate_that_is_not_trusted_and_one_for_another_name(
    services: Services, net: Net, tmp_path: Path
) -> None:
    authority, address = Authority(net.directory / "services-authority"), net.next_address()
    certificate, key = authority.certify("server", address)
    other = "127.0.0.1"
    options = [f"--bind-address={address},{other}", f"--ssl-cert={certificate}", f"--ssl-key={key}"]
    port = net.next_port()
    with Node(net, net.directory / "with-tls", address, options=[*options, f"--port={port}"]) as node:
        node.create_account("xhaservices")
        for host, trusted, words in (
            (address, authority.ca, None),
            (address, authority.other_ca, "certificate"),
            (other, authority.ca, "certificate"),
        ):
            client = f"[client]\nuser = xhaservices\nssl-ca = {trusted}\nssl-verify-server-cert\n"
            (tmp_path / "client.cnf").write_text(client)
            database = f"[database]\nhost = {host}\nport = {port}\ndefaults_file = {tmp_path}/client.cnf\n"
            services.write(f"{database}[responder]\ndisabled_file = {tmp_path}/disabled\n[service mysql]\n")
            result = services.check("mysql")
            if words is None:
                assert short(result) == WELL, result
            else:
                assert short(result) == BLIND, result
                assert result["message"].startswith("needs other settings: config-error: "), result
                assert words in result["message"]
