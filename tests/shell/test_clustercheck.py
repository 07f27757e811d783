"""clustercheck: percona-clustercheck's bytes and exit codes, for what a real node is."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from loopback import Node, wait_until
from shell.conftest import PASSWORD, USER
from shell.host import CLUSTERCHECK_SECONDS, Host, closed, syslog_lines
from shell.probes import DISABLED, NOT_SYNCED, READ_ONLY, SYNCED

LEGACY = "/var/tmp/clustercheck.disabled"
ACCOUNT = (USER, PASSWORD)


def test_the_expected_bytes_are_the_ones_in_the_field() -> None:
    lengths = [40, 44, 43, 51]
    for text, length in zip((SYNCED, NOT_SYNCED, READ_ONLY, DISABLED), lengths):
        assert f"\r\nContent-Length: {length}\r\n\r\n" in text


def test_a_synced_node_is_200_and_0(host: Host, percona: Node) -> None:
    result = host.clustercheck(*ACCOUNT)
    assert result == (0, SYNCED, "", result.seconds)


def test_a_desynced_node_is_as_donors_are(host: Host, percona: Node) -> None:
    percona.sql("SET GLOBAL wsrep_desync = ON")
    wait_until(lambda: percona.status("wsrep_local_state") == {"wsrep_local_state": "2"}, 10, "the node is desynced")
    try:
        assert host.clustercheck(*ACCOUNT)[:3] == (1, NOT_SYNCED, "")
        assert host.clustercheck(*ACCOUNT, "0")[:3] == (1, NOT_SYNCED, "")
        assert host.clustercheck(*ACCOUNT, "1")[:3] == (0, SYNCED, "")
    finally:
        percona.sql("SET GLOBAL wsrep_desync = OFF")
    percona.wait_synced()


def test_a_read_only_node_is_as_the_fifth_argument_says(host: Host, percona: Node) -> None:
    percona.sql("SET GLOBAL read_only = ON")
    try:
        assert host.clustercheck(*ACCOUNT)[:2] == (0, SYNCED)
        assert host.clustercheck(*ACCOUNT, "0", "/dev/null", "1")[:2] == (0, SYNCED)
        assert host.clustercheck(*ACCOUNT, "0", "/dev/null", "0")[:3] == (1, READ_ONLY, "")
    finally:
        percona.sql("SET GLOBAL read_only = OFF")


def test_a_node_that_shows_green_and_refuses_queries_is_503(host: Host, percona: Node) -> None:
    percona.sql("SET GLOBAL wsrep_reject_queries = ALL")
    try:
        assert host.clustercheck(*ACCOUNT)[:3] == (1, NOT_SYNCED, "")
    finally:
        percona.sql("SET GLOBAL wsrep_reject_queries = NONE")


def test_a_frozen_server_is_503_in_seconds(host: Host, percona: Node) -> None:
    percona.freeze()
    result = host.run("clustercheck", *ACCOUNT)
    assert result[:3] == (1, NOT_SYNCED, "")
    assert result.seconds < 9  # the deadline is 1 s; the script takes 10


def test_a_dead_server_is_503(host: Host, percona: Node) -> None:
    percona.kill()
    assert host.clustercheck(*ACCOUNT)[:3] == (1, NOT_SYNCED, "")


def test_no_client_program_is_needed(host: Host, percona: Node) -> None:
    assert host.clustercheck(*ACCOUNT, env={"PATH": "/nonexistent"})[:2] == (0, SYNCED)


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_is_the_script_s_own_line_and_0(host: Host, option: str) -> None:
    result = host.clustercheck(option)
    assert (result.code, result.err) == (0, "")
    assert result.out == (
        f"Usage: {host.door('clustercheck')} <user> <pass> <available_when_donor=0|1> <log_file> "
        "<available_when_readonly=0|1> <defaults_extra_file>\n"
    )


class TestDisabled:
    def test_by_the_script_s_own_file(self, host: Host, percona: Node) -> None:
        host.write(LEGACY, "")
        assert host.clustercheck(*ACCOUNT)[:3] == (1, DISABLED, "")

    def test_by_xha_check(self, host: Host, percona: Node) -> None:
        assert host.run("xha-check", "--disable", "--until", "1h").code == 0
        assert host.clustercheck(*ACCOUNT)[:3] == (1, DISABLED, "")
        assert host.run("xha-check", "--enable").code == 0
        assert host.clustercheck(*ACCOUNT)[:3] == (0, SYNCED, "")

    def test_by_a_file_that_cannot_be_understood(self, host: Host, percona: Node) -> None:
        host.write("/etc/xha/disabled", "\0rubbish")
        assert host.clustercheck(*ACCOUNT)[:3] == (1, DISABLED, "")

    def test_not_by_one_that_has_run_out(self, host: Host, percona: Node) -> None:
        host.write("/etc/xha/disabled", '{"by": null, "why": null, "until": "2001-01-01T00:00:00Z"}')
        assert host.clustercheck(*ACCOUNT)[:3] == (0, SYNCED, "")

    def test_by_a_fifo_or_a_link_to_nowhere_that_any_user_can_make(self, host: Host, percona: Node) -> None:
        os.mkfifo(host.path(LEGACY))
        assert host.clustercheck(*ACCOUNT)[:3] == (1, DISABLED, "")
        host.path(LEGACY).unlink()
        host.path(LEGACY).symlink_to("/no/such/place")
        assert host.clustercheck(*ACCOUNT)[:3] == (1, DISABLED, "")

    def test_before_any_setting_is_read(self, host: Host) -> None:
        host.write(LEGACY, "")
        os.mkfifo(host.path("/etc/sysconfig/clustercheck"))  # opening it would wait for ever
        assert host.clustercheck()[:3] == (1, DISABLED, "")


class TestStreams:
    """What ssh, cron, HAProxy's external-check and a shell may leave at descriptors 0, 1 and 2."""

    def test_closed_streams_change_no_exit_code_and_no_answer(self, host: Host, percona: Node) -> None:
        door = host.door("clustercheck")
        assert host.run_in_time(*closed(0), door, *ACCOUNT)[:3] == (0, SYNCED, "")
        assert host.run_in_time(*closed(1), door, *ACCOUNT)[:3] == (0, "", "")
        assert host.run_in_time(*closed(0, 1, 2), door, *ACCOUNT)[:3] == (0, "", "")
        assert host.run_in_time(*closed(0, 1, 2), door, "x")[0] == 1

    def test_a_unix_socket_for_standard_input_is_a_pipe_and_no_client(self, host: Host, percona: Node) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            result = host.clustercheck(*ACCOUNT, stdin=theirs)
        assert result[:3] == (0, SYNCED, "")
        assert result.seconds < 8

    def test_a_full_disk_is_no_verdict(self, host: Host, percona: Node) -> None:
        with open("/dev/full", "w") as full:
            assert host.clustercheck(*ACCOUNT, stdout=full)[:3] == (0, "", "")


class TestErrorFile:
    def test_holds_the_reason_of_the_last_answer_only(self, host: Host, percona: Node) -> None:
        log = host.path("/run/reason")
        log.write_text("of yesterday\n" * 100)
        assert host.clustercheck("nobody-we-know", "x", "0", "/run/reason").code == 1
        assert "Access denied for user 'nobody-we-know'@'localhost'" in log.read_text()
        assert log.read_text().count("\n") == 1
        assert host.clustercheck(*ACCOUNT, "0", "/run/reason").code == 0
        assert log.read_text() == ""

    @pytest.mark.parametrize("kind", ["directory", "missing", "fifo", "socket"])
    def test_that_cannot_be_opened_costs_one_line_in_syslog(
        self, host: Host, percona: Node, kind: str, tmp_path: Path
    ) -> None:
        path = "/run/no-such/log" if kind == "missing" else f"/run/{kind}"
        if kind == "directory":
            host.path(path).mkdir()
        elif kind == "fifo":
            os.mkfifo(host.path(path))
        elif kind == "socket":  # what /dev/stderr is in a systemd unit
            with socket.socket(socket.AF_UNIX) as journal:
                journal.bind(str(host.path(path)))
        with host.syslog() as log:
            for _ in range(5):
                good = host.run("clustercheck", *ACCOUNT, "0", path)
                if good.code == 0 or good.seconds < CLUSTERCHECK_SECONDS:
                    break  # or it said in syslog, too, that its time was up
                syslog_lines(log)
            bad = host.run("clustercheck", "nobody-we-know", "hunter2", "0", path)
            lines = syslog_lines(log)
        assert good[:3] == (0, SYNCED, "")
        assert bad[:3] == (1, NOT_SYNCED, "")
        assert good.seconds < 8
        assert len(lines) == 2
        assert f"{path}: " in lines[0]
        assert "clustercheck[" in lines[0]
        assert "Access denied for user 'nobody-we-know'" in lines[1]
        assert "hunter2" not in "".join(lines)

    def test_and_nothing_else_ever_holds_the_password(self, host: Host, percona: Node) -> None:
        with host.syslog() as log:
            result = host.clustercheck("nobody-we-know", "hunter2", "0", "/run/reason")
            assert "hunter2" not in "".join([result.said, *syslog_lines(log), host.path("/run/reason").read_text()])
