"""The command lines of xha-check that make no sense, and any other: exit 3, a sentence, never a traceback."""

from __future__ import annotations

import re
import subprocess

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import xha
from loopback import Node
from shell.host import Host
from xha.doors.check.subcommands import SUBCOMMANDS

WRONG = {
    "--node --cluster": "not allowed with",
    "--cluster --disable": "not allowed with",
    "--disable --enable": "not allowed with",
    "--enable --node": "not allowed with",
    "--json --nagios": "not allowed with",
    "--watch --json": "not allowed with",
    "--watch --nagios": "not allowed with",
    "--disable --json": "--json goes with node, cluster, doctor, fleet, history, explain, service, services or list",
    "--enable --watch": "--watch goes with node, cluster, fleet, service or services",
    "--node 127.0.0.1 --host 127.0.0.1": "leave out one",
    "--host 127.0.0.1 --socket /run/x": "exclude each other",
    "--node 127.0.0.1 --socket /run/x": "exclude each other",
    "--port 3306 --socket /run/x": "exclude each other",
    "--cluster 127.0.0.1": "unrecognized arguments: 127.0.0.1",
    "127.0.0.1": "'127.0.0.1' is no subcommand",
    "--why disk": "--why goes with disable, drain or grant",
    "--enable --until 2h": "--until goes with disable",
    "--cluster --why disk": "--why goes with disable, drain or grant",
    "--grant": "expected one argument",
    "--grant all=db1 --why x": "'all=db1' is none of forget=NODE, bootstrap=NODE, discard=NODE",
    "--grant forget --why x": "'forget' is none of",
    "--grant forget= --why x": "'forget=' is none of",
    "--grant forget=db1": "the following arguments are required: --why",
    "--grant forget=db1 --why ": "--why needs a text",
    "--grant forget=db1 --cluster": "the following arguments are required: --why",
    "--grant forget=db1 --node": "not allowed with",
    "--grant forget=db1 --why x --until 2h": "--until goes with disable",
    "--grant forget=db1 --why x --json": "--json goes with node, cluster, doctor, fleet, history, explain, service",
    "--report --disable": "not allowed with",
    "--report --why x": "--why goes with disable, drain or grant",
    "--report --yes": "--yes goes with grant",
    "--explain": "--explain goes with --cluster",
    "--report --explain": "--explain goes with --cluster",
    "--cluster --explain --report": "--explain goes with --cluster",
    "--cluster --explain --nagios": "--nagios goes with node, cluster, doctor, fleet, history, service or services",
    "--cluster --explain --watch": "--watch goes with node, cluster, fleet, service or services",
    "--cluster --explain --yes": "--yes goes with grant",
    "--cluster --resource db": "--resource goes with explain, grant, switchover, keeper or report",
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
    assert re.search(r"; see xha-check( [a-z]+)? --help\n\Z", result.err)
    assert result.err.count("\n") == 1


def test_help_is_3_and_names_every_subcommand(host: Host) -> None:
    result = host.run("xha-check", "--help")
    assert (result.code, result.err) == (3, "")
    for name in SUBCOMMANDS:
        assert re.search(rf"^  {name} +\S", result.out, re.M)
    assert "exit codes:\n" in result.out
    assert host.run("xha-check", "-h").out == result.out


# The subcommand, and the options that its help has to name: they are all that it takes.
OWN = {
    "node": "--help --json --nagios --watch --config --defaults-file --socket --host --port",
    "cluster": "--help --json --nagios --watch --config --defaults-file --socket --host --port",
    "doctor": "--help --host-only --haproxy --from --sample --json --nagios --config --defaults-file --socket --host "
    "--port",
    "fleet": "--help --deadline --html --json --nagios --watch",
    "history": "--help --since --config --json --nagios",
    "disable": "--help --until --why --config",
    "drain": "--help --until --why --config",
    "enable": "--help --config",
    "explain": "--help --resource --json",
    "grant": "--help --why --yes --resource",
    "switchover": "--help --dry-run --resource",
    "keeper": "--help --replace --resource",
    "report": "--help --resource",
    "service": "--help --level --grace --config --json --nagios --watch",
    "services": "--help --level --grace --config --json --nagios --watch",
    "list": "--help --json",
}


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_the_help_of_a_subcommand_is_3_and_names_its_own_options(host: Host, name: str) -> None:
    result = host.run("xha-check", name, "--help")
    assert (result.code, result.err) == (3, "")
    named = re.findall(r"^  (?:-h, )?(--[a-z-]+)", result.out, re.M)
    assert named == OWN[name].split()
    assert host.run("xha-check", name, "-h").out == result.out


# The spelling of before, and that of today.
PAIRS = {
    "--node": "node",
    "--json": "node --json",
    "--node --nagios": "node --nagios",
    "--node 127.0.0.1:1": "node 127.0.0.1:1",
    "--node --socket /run/no-such.sock": "node --socket /run/no-such.sock",
    "--cluster": "cluster",
    "--cluster --json": "cluster --json",
    "--nagios --cluster": "cluster --nagios",
    "--disable --why disk --until 2999-01-01T00:00:00Z": "disable --why disk --until 2999-01-01T00:00:00Z",
    "--enable": "enable",
    "--cluster --explain": "explain",
    "--cluster --explain --json": "explain --json",
    "--grant forget=db1 --why x --yes": "grant forget=db1 --why x --yes",
    "--cluster --grant forget=db1 --why x --yes": "grant forget=db1 --why x --yes",
    "--report": "report",
    "--cluster --report": "report",
    "--service nothing": "service nothing",
    "--service nothing --nagios": "service nothing --nagios",
    "--all --nagios --config /run/no-such.conf": "services --nagios --config /run/no-such.conf",
    "--list": "list",
    "--list --json": "list --json",
}
# What a server counts, and times, differ from one look to the next; so does the width of a column of times.
COUNTED = re.compile(r'"time": "[^"]+"|(?<=": )-?[0-9.]+|(?<==)-?[0-9.]+|[0-9]+ ms|  +')


@pytest.mark.parametrize("old", PAIRS)
def test_a_spelling_of_before_says_what_that_of_today_says(host: Host, galera: Node, old: str) -> None:
    for _ in range(5):  # another test's state transfer, of which a look at no server tells, may begin in between
        before, today = (host.run("xha-check", *line.split()) for line in (old, PAIRS[old]))
        if COUNTED.sub("", before.out) == COUNTED.sub("", today.out):
            break
    assert before.code == today.code
    assert COUNTED.sub("", before.out) == COUNTED.sub("", today.out)
    assert before.err == today.err
    assert "no subcommand" not in today.said


def test_version_is_3_in_nagios_s_sense(host: Host) -> None:
    result = host.run("xha-check", "--version")
    assert (result.code, result.out, result.err) == (3, f"xha-check {xha.__version__}\n", "")


OPTIONS = st.sampled_from(
    [
        *("--node", "--cluster", "--disable", "--enable", "--json", "--nagios", "--host", "--port", "--until", "--why"),
        *("--explain", "--grant", "--report", "--list", "--help", "--resource", "--yes"),
        *("node", "cluster", "disable", "drain", "enable", "explain", "grant", "report", "list", "forget=db1"),
    ]
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
            said, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode in {0, 1, 2, 3}, said
    assert b"Traceback" not in said
