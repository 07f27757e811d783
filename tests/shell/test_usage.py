"""The command lines of xha-check that make no sense, and any other: exit 3, a sentence, never a traceback."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import xha
from shell.host import Host

WRONG = {
    "--node --cluster": "not allowed with",
    "--cluster --disable": "not allowed with",
    "--disable --enable": "not allowed with",
    "--enable --node": "not allowed with",
    "--json --nagios": "not allowed with",
    "--watch --json": "not allowed with",
    "--watch --nagios": "not allowed with",
    "--disable --json": "--json goes with --node or --cluster",
    "--enable --watch": "--watch goes with --node or --cluster",
    "--node 127.0.0.1 --host 127.0.0.1": "leave out one",
    "--host 127.0.0.1 --socket /run/x": "exclude each other",
    "--node 127.0.0.1 --socket /run/x": "exclude each other",
    "--port 3306 --socket /run/x": "exclude each other",
    "--cluster 127.0.0.1": "unrecognized arguments: 127.0.0.1",
    "127.0.0.1": "unrecognized arguments: 127.0.0.1",
    "--why disk": "go with --disable",
    "--enable --until 2h": "go with --disable",
    "--cluster --why disk": "go with --disable",
    "--grant": "expected one argument",
    "--grant all=db1 --why x": "'all=db1' is none of forget=NODE, bootstrap=NODE, discard=NODE",
    "--grant forget --why x": "'forget' is none of",
    "--grant forget= --why x": "'forget=' is none of",
    "--grant forget=db1": "--grant needs --why TEXT",
    "--grant forget=db1 --why ": "--grant needs --why TEXT",
    "--grant forget=db1 --cluster": "not allowed with",
    "--grant forget=db1 --why x --json": "--json goes with --node or --cluster",
    "--report --disable": "not allowed with",
    "--report --why x": "--why with --grant",
    "--report --yes": "--yes goes with --grant",
    "--explain": "--explain goes with --cluster",
    "--report --explain": "--explain goes with --cluster",
    "--cluster --explain --nagios": "--nagios does not go with --explain",
    "--cluster --explain --watch": "--watch does not go with --explain",
    "--cluster --explain --yes": "--yes goes with --grant",
    "--cluster --resource db": "--resource goes with --explain, --grant or --report",
    "--clus": "unrecognized arguments: --clus",
    "--dis": "unrecognized arguments: --dis",
    "--js": "unrecognized arguments: --js",
    "--port 0": "'0' is not a port",
    "--port 65536": "'65536' is not a port",
    "--port ": "is not a port",
    "--node ": "is not a member's address",
    "--node db1:": "is not a member's address",
    "--node [::1": "is not a member's address",
    "--node db1:99999": "is not a member's address",
    "--host ": "a value is missing",
    "--socket ": "a value is missing",
    "--config ": "a value is missing",
    "--defaults-file ": "a value is missing",
    "--host": "expected one argument",
}


@pytest.mark.parametrize("line", WRONG)
def test_a_wrong_command_line_is_3_and_one_sentence(host: Host, line: str) -> None:
    result = host.run("xha-check", *line.split(" "))
    assert (result.code, result.out) == (3, "")
    assert result.err.startswith("xha-check: ")
    assert WRONG[line] in result.err
    assert result.err.endswith("; see xha-check --help\n")
    assert result.err.count("\n") == 1


def test_help_is_3_and_names_every_option(host: Host) -> None:
    result = host.run("xha-check", "--help")
    assert (result.code, result.err) == (3, "")
    for option in ("--node", "--cluster", "--disable", "--enable", "--until", "--why", "--json", "--nagios", "--watch"):
        assert option in result.out
    assert "exit codes: " in result.out
    assert host.run("xha-check", "-h").out == result.out


def test_version_is_3_in_nagios_s_sense(host: Host) -> None:
    result = host.run("xha-check", "--version")
    assert (result.code, result.out, result.err) == (3, f"xha-check {xha.__version__}\n", "")


OPTIONS = st.sampled_from(
    ["--node", "--cluster", "--disable", "--enable", "--json", "--nagios", "--host", "--port", "--until", "--why"]
)
VALUES = st.sampled_from(
    ["127.0.0.1:1", "[::1]:1", "1", "2h", "", "-", "--", "x" * 300, "\udcff", "\x1b[2J", "\u202e", "ä", "1:2:3"]
)
# What may follow anything: hosts that nobody has to ask a name server for.
ANY = st.lists(st.one_of(OPTIONS, VALUES, st.from_regex(r"\A-[-=a-z0-9]{0,6}\Z")), max_size=5)


@settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(arguments=ANY)
def test_whatever_the_arguments_it_ends_with_0_to_3_and_no_traceback(host: Host, arguments: list[str]) -> None:
    host.write("/etc/xha/xha.conf", "[database]\nsocket = /run/no-such.sock\n")
    argv = [argument.encode("utf-8", "surrogateescape") for argument in arguments]
    with host.popen("xha-check", *argv, stderr=subprocess.STDOUT) as process:
        try:
            said, _ = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode in {0, 1, 2, 3}, said
    assert b"Traceback" not in said
