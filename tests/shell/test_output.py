"""xha-check node: text, JSON and Nagios's line, on a terminal, in a pipe, and where nobody listens."""

from __future__ import annotations

import json
import os
import re
import socket
from datetime import datetime, timedelta, timezone
from typing import Any

import jsonschema
import pytest

from loopback import Node
from loopback.doors import CHECKOUT
from shell.conftest import PATIENT
from shell.host import Host, closed
from shell.terminal import Terminal

ESCAPE = "\x1b"
SCHEMA = CHECKOUT / "docs" / "schema-1.json"
NAGIOS = re.compile(
    r"GALERA (OK|WARNING|CRITICAL|UNKNOWN): [a-z-]+, [^|\n]+"
    r"( \|( [a-z_]+=-?[0-9.]+)+)?\n"  # Monitoring Plugins guidelines, 2.6
)


def validate(document: Any) -> None:
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))


class TestText:
    def test_in_a_pipe_it_holds_no_escape_code(self, host: Host, galera: Node) -> None:
        assert ESCAPE not in host.run("xha-check", env={"TERM": "xterm-256color", "FORCE_COLOR": "1"}).said

    @pytest.mark.parametrize(("why", "colour"), [(None, "32"), ("gone", "33")])
    def test_on_a_terminal_the_verdict_has_a_colour(
        self, host: Host, galera: Node, why: str | None, colour: str
    ) -> None:
        if why:
            host.write("/etc/xha/disabled", json.dumps({"by": None, "why": why, "until": None}))
        with Terminal(host.enter(host.door("xha-check"))) as terminal:
            terminal.wait_end()
        assert f"{ESCAPE}[{colour}m" in terminal.text
        assert terminal.text.count(ESCAPE) == 2

    def test_what_a_server_wrote_does_not_move_the_cursor(self, host: Host, galera: Node) -> None:
        database = f"{PATIENT}[database]\nsocket = {galera.socket}\n"
        host.write("/etc/xha/xha.conf", f"{database}probe_query = SELECT 1 FROM \x1b[2J nowhere\n")
        result = host.run("xha-check")
        assert result.code == 3
        assert "probe_query: You have an error" in result.out
        assert "[2J nowhere" in result.out
        assert ESCAPE not in result.out


class TestJSON:
    def test_is_valid_and_says_what_the_server_says(self, host: Host, galera: Node) -> None:
        before = datetime.now(timezone.utc)
        result = host.run("xha-check", "--json")
        document = json.loads(result.out)
        validate(document)
        assert (document["schema"], document["kind"], document["host"]) == (1, "node", socket.gethostname())
        assert document["verdict"] == {
            "available": True,
            "live": True,
            "code": "synced",
            "message": "the node is synced and answers queries",
            "remedy": "",
            "since": None,
        }
        assert document["disabled"] is None
        assert document["policy"]["available_when_donor"] is False
        reading = document["reading"]
        assert reading["wsrep_local_state"] == 4
        assert reading["wsrep_ready"] is True
        assert reading["read_only"] is False
        assert reading["pxc_maint_mode"] is None
        assert (
            reading["wsrep_cluster_state_uuid"] == galera.status("wsrep_cluster_state_uuid")["wsrep_cluster_state_uuid"]
        )
        assert 0 <= document["age_ms"] < 5000
        taken = datetime.fromisoformat(document["time"].replace("Z", "+00:00"))
        assert taken.utcoffset() == timedelta(0)
        assert before - timedelta(seconds=1) < taken < datetime.now(timezone.utc)

    def test_is_valid_where_there_is_no_reading(self, host: Host, galera: Node) -> None:
        result = host.run("xha-check", "--json", "--socket", "/run/no-such.sock")
        document = json.loads(result.out)
        validate(document)
        assert document["verdict"]["code"] == "server-down"
        assert set(document["reading"].values()) == {None}
        assert result.code == 2

    def test_is_valid_where_the_configuration_is_wrong(self, host: Host, galera: Node) -> None:
        result = host.run("xha-check", "--json", "--config", "/run/no-such.conf")
        validate(json.loads(result.out))
        assert result.code == 3

    def test_is_plain_ascii_whatever_a_person_wrote(self, host: Host, galera: Node) -> None:
        host.run("xha-check", "disable", "--why", "Wartung für die Größe 🐘")
        result = host.run("xha-check", "--json", env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"})
        assert result.out.isascii()
        assert json.loads(result.out)["disabled"]["why"] == "Wartung für die Größe 🐘"
        text = host.run("xha-check", env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"})
        assert (text.code, text.err) == (1, "")


class TestNagios:
    def test_is_one_line_with_performance_data_by_the_names_of_the_json(self, host: Host, galera: Node) -> None:
        result = host.run("xha-check", "--nagios")
        assert NAGIOS.fullmatch(result.out), result.out
        assert result.out.startswith("GALERA OK: synced, ")
        data = dict(item.split("=") for item in result.out.partition(" | ")[2].split())
        assert data["wsrep_local_state"] == "4"
        assert data["wsrep_ready"] == "1"
        assert set(data) <= set(json.loads(host.run("xha-check", "--json").out)["reading"])

    def test_stays_one_line_whatever_stands_in_the_reason(self, host: Host, galera: Node) -> None:
        host.write("/etc/xha/disabled", json.dumps({"by": "a|b", "why": "x|y=1\nsecond\tline", "until": None}))
        result = host.run("xha-check", "--nagios")
        assert NAGIOS.fullmatch(result.out), result.out
        assert result.code == 1

    @pytest.mark.parametrize(
        ("arguments", "code", "word"),
        [
            (["--socket", "/run/no-such.sock"], 2, "CRITICAL: server-down"),
            (["--config", "/run/no-such.conf"], 3, "UNKNOWN: config-error"),
        ],
    )
    def test_a_failure_is_on_standard_output(
        self, host: Host, galera: Node, arguments: list[str], code: int, word: str
    ) -> None:
        result = host.run("xha-check", "--nagios", *arguments)
        assert (result.code, result.err) == (code, "")
        assert NAGIOS.fullmatch(result.out), result.out
        assert word in result.out


@pytest.mark.parametrize(
    "arguments", [[], ["--json"], ["--nagios"], ["cluster"], ["--help"], ["grant", "--help"]], ids=" ".join
)
class TestNobodyListens:
    def test_a_reader_that_has_left_is_no_error(self, host: Host, galera: Node, arguments: list[str]) -> None:
        read, write = os.pipe()
        os.close(read)
        with open(write, "w") as gone:
            result = host.run("xha-check", *arguments, stdout=gone)
        assert (result.code, result.err) == (3, "")

    def test_a_full_disk_is_named(self, host: Host, galera: Node, arguments: list[str]) -> None:
        with open("/dev/full", "w") as full:
            result = host.run("xha-check", *arguments, stdout=full)
        assert (result.code, result.err) == (3, "xha-check: standard output: no space left on device\n")

    def test_closed_streams_leave_the_exit_code(self, host: Host, galera: Node, arguments: list[str]) -> None:
        expected = host.run("xha-check", *arguments).code
        for streams in ((0,), (1,), (0, 1, 2)):
            result = host.run(*closed(*streams), host.door("xha-check"), *arguments)
            assert result.code == expected
            assert "Traceback" not in result.err
