"""xha-check node: every verdict that a real server can be brought to, its exit code and its words."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

import pytest

from loopback import Net, Node, wait_until
from shell.conftest import PASSWORD, PATIENT, SQL_PASSWORD, USER
from shell.databases import plain_server
from shell.host import Host, option_file


def verdict(host: Host, *arguments: str) -> tuple[int, bool, str]:
    """Exit code, in service, and code. Text and JSON must say the same.

    Of a server that is down the message tells of another test's state transfer, which begins or ends in between.
    """
    for _ in range(5):
        text = host.run("xha-check", *arguments)
        result = host.run("xha-check", "--json", *arguments)
        document = json.loads(result.out)["verdict"]
        service = "in service" if document["available"] else "out of service"
        said = f": {service}, {document['code']}: {document['message']}\n"
        if said in text.out or document["code"] != "server-down":
            break
    assert said in text.out
    assert (f"  to do: {document['remedy']}\n" in text.out) == bool(document["remedy"])
    assert text.code == result.code
    assert text.err == result.err == ""
    return result.code, document["available"], document["code"]


@contextlib.contextmanager
def variable(node: Node, name: str, value: str, after: str) -> Iterator[None]:
    node.sql(f"SET GLOBAL {name} = {value}")
    try:
        yield
    finally:
        node.sql(f"SET GLOBAL {name} = {after}")


def test_synced_is_0(host: Host, galera: Node) -> None:
    assert verdict(host) == (0, True, "synced")


def test_desynced_is_1_and_named_as_an_operators_doing(host: Host, galera: Node) -> None:
    with variable(galera, "wsrep_desync", "ON", "OFF"):
        wait_until(lambda: galera.status("wsrep_local_state") == {"wsrep_local_state": "2"}, 10, "the node is desynced")
        assert verdict(host) == (1, False, "desynced")
    galera.wait_synced()


def test_read_only_is_1_and_in_service_by_default(host: Host, galera: Node) -> None:
    with variable(galera, "read_only", "ON", "OFF"):
        assert verdict(host) == (1, True, "read-only")


def test_read_only_is_out_of_service_by_policy_unless_it_is_the_last_node(host: Host, galera: Node) -> None:
    database = f"{PATIENT}[database]\nsocket = {galera.socket}\n[policy]\navailable_when_readonly = 0\n"
    host.write("/etc/xha/xha.conf", f"{database}last_node = 0\n")
    with variable(galera, "read_only", "ON", "OFF"):
        assert verdict(host) == (1, False, "read-only")
        host.write("/etc/xha/xha.conf", database)
        assert verdict(host) == (1, True, "read-only")
        assert "in service because it is the only member of the cluster" in host.run("xha-check").out


def test_a_backup_lock_is_1_and_a_donor_as_far_as_anybody_can_see(host: Host, galera: Node) -> None:
    host.write("/etc/xha/xha.conf", f"{PATIENT}[database]\nsocket = {galera.socket}\n[policy]\nlast_node = 0\n")
    with contextlib.closing(galera.connect()) as backup, backup.cursor() as cursor:
        cursor.execute("BACKUP STAGE START")
        cursor.execute("BACKUP STAGE BLOCK_COMMIT")
        wait_until(lambda: galera.status("wsrep_local_state") == {"wsrep_local_state": "2"}, 10, "the node is donor")
        assert verdict(host) == (1, False, "donor")
        cursor.execute("BACKUP STAGE END")
    galera.wait_synced()


def test_rejecting_queries_is_2(host: Host, galera: Node) -> None:
    with variable(galera, "wsrep_reject_queries", "'ALL'", "'NONE'"):
        assert verdict(host) == (2, False, "rejecting-queries")


def test_a_server_without_galera_is_2(host: Host, net: Net) -> None:
    with contextlib.ExitStack() as stack:
        plain = plain_server(net)
        stack.callback(plain.kill)
        plain.start()
        plain.wait_ready(plain.answers, 60, "the server answers")
        host.write("/etc/xha/client.cnf", option_file(user="root"), 0o640)
        host.write("/etc/xha/xha.conf", PATIENT)
        assert verdict(host, "--socket", str(plain.socket)) == (2, False, "wsrep-off")


def test_a_frozen_server_is_2_within_the_deadline(host: Host, galera: Node) -> None:
    host.write("/etc/xha/xha.conf", f"[database]\nsocket = {galera.socket}\n[responder]\ndeadline = 2500ms\n")
    galera.freeze()
    assert verdict(host) == (2, False, "hung")
    assert verdict(host, "--host", galera.address) == (2, False, "hung")
    assert 2.3 < host.run("xha-check").seconds < 12.5  # and not after the default's second
    galera.thaw()
    galera.wait_synced()
    assert verdict(host) == (0, True, "synced")


def test_a_dead_server_is_2(host: Host, galera: Node) -> None:
    galera.kill()
    assert verdict(host) == (2, False, "server-down")
    assert f"{galera.socket}: no such file or directory" in host.run("xha-check").out
    assert verdict(host, "--host", galera.address) == (2, False, "server-down")
    assert "connection refused" in host.run("xha-check", "--host", galera.address).out


def test_a_wrong_password_is_3_and_stays_secret(host: Host, galera: Node) -> None:
    wrong = "not-the-password"
    host.write("/etc/xha/client.cnf", option_file(user=USER, password=wrong), 0o640)
    assert verdict(host) == (3, False, "access-denied")
    for arguments in ([], ["--json"], ["--nagios"], ["--host", galera.address]):
        assert wrong not in host.run("xha-check", *arguments).said


def test_no_connection_left_is_3(host: Host, galera: Node) -> None:
    with galera.full(10, user=USER, password=PASSWORD):
        assert verdict(host) == (3, False, "too-many-connections")
    wait_until(lambda: host.run("xha-check").code == 0, 20, "a connection is free")


def test_no_connection_left_for_the_account_is_3(host: Host, galera: Node) -> None:
    galera.create_account("limited@localhost", f"IDENTIFIED BY '{SQL_PASSWORD}' WITH MAX_USER_CONNECTIONS 1")
    host.write("/etc/xha/client.cnf", option_file(user="limited", password=PASSWORD), 0o640)
    assert verdict(host) == (0, True, "synced")
    with contextlib.closing(galera.connect(user="limited", password=PASSWORD)):
        assert verdict(host) == (3, False, "too-many-connections")


def test_a_wrong_configuration_is_3(host: Host, galera: Node) -> None:
    host.write("/etc/xha/xha.conf", "[database]\nsockte = /x\n")
    assert verdict(host) == (3, False, "config-error")


def test_a_name_that_nobody_knows_says_nothing_about_a_server(host: Host) -> None:
    host.write("/etc/xha/xha.conf", "")
    code, available, reason = verdict(host, "--node", "no-such-host.invalid")
    assert (code, available, reason) == (3, False, "config-error")


@pytest.mark.parametrize("arguments", [[], ["--json"], ["--nagios"]])
def test_a_disabled_node_is_1(host: Host, galera: Node, arguments: list[str]) -> None:
    host.write("/etc/xha/disabled", '{"by": "ada", "why": "new disk", "until": null}\n')
    result = host.run("xha-check", *arguments)
    assert result.code == 1
    assert "disabled" in result.out
    assert "new disk" in result.out
