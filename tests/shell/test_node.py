"""xha-check node: the ways in to a database."""

from __future__ import annotations

import os
import resource
import socket
import time
from pathlib import Path

import pytest

from loopback import Net, Node, wait_until
from shell.conftest import PASSWORD, PATIENT, USER
from shell.host import Host, Result, option_file
from xha.core.node.codes import Code
from xha.core.node.commit_record import FRESH_SECONDS, CommitRecord, render_commit_record
from xha.core.node.commits import Commits

NOBODY = 65534
COMMIT_FILE = "/run/xha/responder/commit.json"
SYNCED = ": in service, synced: the node is synced and answers queries\n"
NOT_KNOWN = f"  commits: not known: no responder of this host has written {COMMIT_FILE}\n"


def test_without_a_mode_it_looks_at_the_node_of_this_host(host: Host, galera: Node) -> None:
    result = host.run("xha-check")
    assert result == (0, socket.gethostname() + SYNCED + NOT_KNOWN, "", result.seconds)
    assert host.run("xha-check", "node").out == result.out


def told(host: Host, galera: Node, commits: Commits, *command: str, age: float = 0.0, owner: int = 0) -> Result:
    """What a command says that began within a second after the responder had written this."""
    while True:
        began = time.monotonic()
        uuid = galera.status("wsrep_gcomm_uuid")["wsrep_gcomm_uuid"]
        host.path(COMMIT_FILE).parent.mkdir(parents=True, exist_ok=True)
        host.write(COMMIT_FILE, render_commit_record(CommitRecord(commits, time.monotonic() - age, uuid)))
        os.chown(host.path(COMMIT_FILE), owner, owner)
        result = host.run(*command)
        if time.monotonic() - began < FRESH_SECONDS:  # on a busy machine the record was too old: once more
            return result


def test_what_the_responder_knows_of_commits_is_believed_while_it_is_fresh(host: Host, galera: Node) -> None:
    late = Commits(Code.CANNOT_COMMIT, "a commit waits since 4.0 s", ("the disk is nearly full: datadir /srv",), "")
    red = told(host, galera, late, "xha-check", "node")
    assert (red.code, "cannot-commit: the node answers queries, but commits nothing: a commit" in red.out) == (2, True)
    host.write("/etc/my.cnf", option_file(user=USER, password=PASSWORD, socket=str(galera.socket)))
    assert told(host, galera, late, "clustercheck", USER, PASSWORD).code == 1
    green = late._replace(code=None)
    assert told(host, galera, green, "clustercheck", USER, PASSWORD).code == 0
    warned = told(host, galera, green, "xha-check", "node", "--nagios")
    assert (warned.code, warned.out.startswith("GALERA WARNING: synced, ")) == (1, True)
    old = told(host, galera, late, "xha-check", "node", age=FRESH_SECONDS + 1)
    assert (old.code, "commits: not known: the responder has not looked for 5 s" in old.out) == (0, True)
    others = told(host, galera, late, "xha-check", "node", owner=NOBODY)
    assert (others.code, "whose word does not count" in others.out) == (0, True)


def test_a_healthy_node_costs_two_lines_and_little_more_than_the_start_of_python(host: Host, galera: Node) -> None:
    # 150 ms is the promise, which `make bench` measures where nothing else runs.
    node, version = (min(processor_seconds(host, *words) for _ in range(3)) for words in ((), ("--version",)))
    assert node < 5 * version
    assert host.run("xha-check").out.count("\n") == 2  # the verdict, and that commits are not known


def processor_seconds(host: Host, *arguments: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    host.run("xha-check", *arguments)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_an_account_without_a_password_is_the_user_who_runs_it(host: Host, galera: Node) -> None:
    host.path("/etc/xha/client.cnf").unlink()
    galera.create_account("nobody@localhost", "IDENTIFIED VIA unix_socket")
    assert host.run("xha-check", user=NOBODY).code == 0
    denied = host.run("xha-check", user=NOBODY - 1)
    assert denied.code == 3
    assert "access-denied" in denied.out
    assert "CREATE USER xha@localhost IDENTIFIED VIA unix_socket" in denied.out


def test_a_user_without_a_name_is_denied_in_words(host: Host, galera: Node) -> None:
    host.path("/etc/xha/client.cnf").unlink()
    result = host.run("xha-check", user=12345)
    assert result.code == 3
    assert "access-denied" in result.out
    assert "'12345'@'localhost'" in result.out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--socket", "{socket}"],
        ["--host", "{address}"],
        ["--host", "{address}", "--port", "3306"],
        ["--node", "--host", "{address}"],
        ["--node", "{address}"],
        ["--node", "{address}:3306"],
        ["--node", "{address}", "--port", "3306"],
        ["--host=localhost"],
    ],
    ids=" ".join,
)
def test_the_command_line_says_where_the_database_is(host: Host, galera: Node, arguments: list[str]) -> None:
    host.write("/etc/xha/xha.conf", PATIENT)
    host.write("/etc/xha/client.cnf", option_file(user=USER, password=PASSWORD, socket=str(galera.socket)), 0o640)
    argv = [one.format(socket=galera.socket, address=galera.address) for one in arguments]
    result = host.run("xha-check", *argv)
    assert result.code == 0, result.said
    assert SYNCED in result.out


def test_the_socket_of_the_distribution_needs_no_configuration(host: Host, galera: Node) -> None:
    host.path("/etc/xha/xha.conf").unlink()
    host.path("/run/mysqld/mysqld.sock").symlink_to(galera.socket)
    # Without a configuration the deadline is a second, which a busy machine may not have.
    wait_until(lambda: host.run("xha-check").code == 0, 30, "it is synced")


@pytest.mark.parametrize("arguments", [["--node", "[::1]:{port}"], ["--host", "::1", "--port", "{port}"]])
def test_a_node_is_reached_over_ipv6(host: Host, tls: Node, arguments: list[str]) -> None:
    host.write("/etc/xha/xha.conf", PATIENT)
    result = host.run("xha-check", *(one.format(port=tls.port) for one in arguments))
    assert result.code == 0, result.said


def test_a_port_alone_means_tcp_on_this_host(host: Host, tls: Node) -> None:
    result = host.run("xha-check", "--port", str(tls.port))
    assert result.code == 2
    assert f"127.0.0.1:{tls.port}: connection refused" in result.out


def test_xha_conf_outranks_the_option_file_and_the_command_line_outranks_both(host: Host, galera: Node) -> None:
    account = {"user": USER, "password": PASSWORD}
    host.write("/etc/xha/client.cnf", option_file(**account, socket="/run/from-option-file"), 0o640)
    assert f"{galera.socket}" not in host.run("xha-check", "--config", "/dev/null").out
    assert "/run/from-option-file: no such file" in host.run("xha-check", "--config", "/dev/null").out
    assert host.run("xha-check").code == 0
    assert "/run/from-command-line: no such file" in host.run("xha-check", "--socket", "/run/from-command-line").out


def test_defaults_file_names_another_account(host: Host, galera: Node) -> None:
    host.write("/run/other.cnf", option_file(user="somebody-else"), 0o640)
    assert "'somebody-else'@'localhost'" in host.run("xha-check", "--defaults-file", "/run/other.cnf").out
    config = f"[database]\ndefaults_file = /run/other.cnf\nsocket = {galera.socket}\n{PATIENT}"
    host.write("/etc/xha/xha.conf", config)
    assert "'somebody-else'@'localhost'" in host.run("xha-check").out
    assert host.run("xha-check", "--defaults-file", "/etc/xha/client.cnf").code == 0


def test_the_option_file_is_read_by_mysqls_rules(host: Host, galera: Node) -> None:
    host.path("/run/conf.d").mkdir()
    host.write("/run/conf.d/10-secret.cnf", f'[client-mariadb]\npassword="{PASSWORD}" # quoted, so # may stand in it\n')
    text = "[mysqld]\nuser=mysql\n[client]\nuser=first\npassword=first\n!includedir /run/conf.d\n"
    host.write("/etc/xha/client.cnf", f"{text}[client-server]\nloose-user = '{USER}'\n", 0o640)
    result = host.run("xha-check")
    assert result.code == 0, result.said


def test_a_password_that_everybody_can_read_is_a_warning(host: Host, galera: Node) -> None:
    host.path("/etc/xha/client.cnf").chmod(0o644)
    result = host.run("xha-check")
    assert result.code == 0
    assert "warning: /etc/xha/client.cnf: everybody on this host can read the password" in result.out


def test_an_option_file_that_everybody_can_write_is_refused(host: Host, galera: Node) -> None:
    host.path("/etc/xha/client.cnf").chmod(0o666)
    result = host.run("xha-check")
    assert result.code == 3
    assert "config-error" in result.out
    assert "/etc/xha/client.cnf: everybody on this host can write it" in result.out


def test_an_option_file_that_may_not_be_read_is_named(host: Host, galera: Node) -> None:
    host.path("/etc/xha/client.cnf").chmod(0o600)
    result = host.run("xha-check", user=NOBODY)
    assert result.code == 3
    assert "/etc/xha/client.cnf: permission denied" in result.out


class TestTLS:
    """With the option file's names for it."""

    @pytest.fixture
    def certificate(self, net: Net) -> Path:
        return net.directory / "certificate" / "cert.pem"

    def check(self, host: Host, tls: Node, **options: str) -> tuple[int, str]:
        host.write("/etc/xha/xha.conf", PATIENT)
        host.write("/etc/xha/client.cnf", option_file(user="encrypted", password=PASSWORD, **options), 0o640)
        tls.create_account("encrypted@'::1'", f"IDENTIFIED BY '{PASSWORD.replace(chr(39), chr(39) * 2)}' REQUIRE SSL")
        result = host.run("xha-check", "node", f"[::1]:{tls.port}")
        return result.code, result.said

    def test_an_account_that_requires_tls_is_denied_without(self, host: Host, tls: Node) -> None:
        code, said = self.check(host, tls, skip_ssl="1")
        assert (code, "access-denied" in said, "the login was not encrypted" in said) == (3, True, True)

    def test_it_is_let_in_without_a_word_on_tls(self, host: Host, tls: Node) -> None:
        code, said = self.check(host, tls)
        assert code == 0, said

    def test_the_verified_server_is_trusted(self, host: Host, tls: Node, certificate: Path) -> None:
        code, said = self.check(host, tls, ssl_ca=str(certificate), ssl_verify_server_cert="1")
        assert code == 0, said

    def test_tls_may_be_asked_for_without_verification(self, host: Host, tls: Node) -> None:
        code, said = self.check(host, tls, ssl="1")
        assert code == 0, said

    def test_a_server_that_nobody_vouches_for_is_refused(self, host: Host, tls: Node) -> None:
        other = "/etc/ssl/certs/ca-certificates.crt"
        code, said = self.check(host, tls, ssl_ca=other, ssl_verify_server_cert="1")
        assert code == 3
        assert "config-error" in said
        assert "certificate verify failed" in said

    def test_a_missing_authority_file_is_named(self, host: Host, tls: Node) -> None:
        code, said = self.check(host, tls, ssl_ca="/run/no-such.pem")
        assert code == 3
        assert "/run/no-such.pem" in said


@pytest.mark.parametrize("command", [("xha-check", "node"), ("xha-check", "cluster"), ("clustercheck",)])
def test_a_check_logs_out(host: Host, galera: Node, command: tuple[str, ...]) -> None:
    """A connection that is only dropped is a warning in the server's log: one for each check that ran."""
    galera.create_account("quiet@localhost", "IDENTIFIED BY 'quiet'")
    client = option_file(user="quiet", password="quiet", socket=str(galera.socket))
    host.write("/etc/xha/client.cnf", client, 0o640)
    host.write("/etc/my.cnf", client)
    account = ("quiet", "quiet") if command == ("clustercheck",) else ()
    assert "synced" in host.run(*command, *account).out
    connections = "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'quiet'"
    wait_until(lambda: not galera.sql(connections), 30, "its connections have ended")
    log = galera.error_log.read_text().splitlines()
    assert not [line for line in log if "Aborted connection" in line and "'quiet'" in line]
