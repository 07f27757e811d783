"""The subcommands of xha-check: what each row's file provides, its help, and every spelling of before."""

from __future__ import annotations

import inspect
import re
import shlex
from pathlib import Path

import pytest

from xha.app.doctor.gather import Wish
from xha.core.cluster.members import Member
from xha.core.election.facts import GrantKind
from xha.core.services.model.result import Level
from xha.doors.check.cluster.cluster import ClusterRequest
from xha.doors.check.command import Command, parse_command
from xha.doors.check.election.explain import ExplainRequest
from xha.doors.check.election.grant import GrantRequest
from xha.doors.check.election.record_position import ReportRequest
from xha.doors.check.node.doctor import DoctorRequest
from xha.doors.check.node.enable import EnableRequest
from xha.doors.check.node.node import NodeRequest
from xha.doors.check.node.withdrawing import WithdrawalRequest
from xha.doors.check.old_spellings import MODES
from xha.doors.check.options import Options
from xha.doors.check.services.list import ListRequest
from xha.doors.check.services.options import Wanted
from xha.doors.check.subcommands import GROUPS, SUBCOMMANDS

COMMANDS = (Path(__file__).parents[2] / "docs/commands.md").read_text(encoding="utf-8")
TODAY = "2999-12-31T22:00:00Z"
UNTIL = "2999-12-31T22:00:00+00:00"

# The spelling of before, that of today, and what both ask.
SPELLINGS = [
    ("", "node", NodeRequest()),
    ("--node", "node", NodeRequest()),
    ("--json", "node --json", NodeRequest(output="json")),
    ("--node --nagios", "node --nagios", NodeRequest(output="nagios")),
    ("--watch", "node --watch", NodeRequest(output="watch")),
    ("--node db1", "node db1", NodeRequest(Member("db1", None))),
    ("--node=db1", "node db1", NodeRequest(Member("db1", None))),
    ("--node [::1]:3307", "node [::1]:3307", NodeRequest(Member("::1", 3307))),
    ("--json --node db1", "node --json db1", NodeRequest(Member("db1", None), output="json")),
    ("--node db1 --port 3307", "node db1 --port 3307", NodeRequest(Member("db1", None), Options(port=3307))),
    ("--host h --port 1", "node --host h --port 1", NodeRequest(options=Options(host="h", port=1))),
    ("--node --socket /s", "node --socket /s", NodeRequest(options=Options(socket="/s"))),
    ("--socket=/s --node", "node --socket=/s", NodeRequest(options=Options(socket="/s"))),
    ("--config c", "node --config c", NodeRequest(options=Options(config="c"))),
    ("--defaults-file f", "node --defaults-file f", NodeRequest(options=Options(defaults_file="f"))),
    ("--cluster", "cluster", ClusterRequest()),
    ("--json --cluster", "cluster --json", ClusterRequest(output="json")),
    ("--cluster --nagios", "cluster --nagios", ClusterRequest(output="nagios")),
    ("--cluster --watch", "cluster --watch", ClusterRequest(output="watch")),
    ("--host h --cluster --port 1", "cluster --host h --port 1", ClusterRequest(Options(host="h", port=1))),
    ("--cluster --config c", "cluster --config c", ClusterRequest(Options(config="c"))),
    ("doctor", "doctor", DoctorRequest()),
    ("doctor --host-only --json", "doctor --json --host-only", DoctorRequest(Wish(host_only=True), output="json")),
    ("--disable", "disable", WithdrawalRequest()),
    (
        f"--disable --until {TODAY} --why 'a disk'",
        f"disable --why 'a disk' --until {TODAY}",
        WithdrawalRequest(UNTIL, "a disk"),
    ),
    ("--disable --config c", "disable --config c", WithdrawalRequest(config="c")),
    ("--disable --host h --port 1 --defaults-file f", "disable", WithdrawalRequest()),
    ("--enable", "enable", EnableRequest()),
    ("--enable --config=-c", "enable --config=-c", EnableRequest("-c")),
    ("--enable --socket /s", "enable", EnableRequest()),
    ("--cluster --explain", "explain", ExplainRequest()),
    ("--explain --cluster --json", "explain --json", ExplainRequest(output="json")),
    ("--cluster --explain --resource p", "explain --resource p", ExplainRequest("p")),
    ("--cluster --explain --config c --host h", "explain", ExplainRequest()),
    ("--grant forget=h2 --why x", "grant forget=h2 --why x", GrantRequest(GrantKind.FORGET, "h2", "x")),
    ("--why x --grant=discard=h2", "grant --why x discard=h2", GrantRequest(GrantKind.DISCARD, "h2", "x")),
    (
        "--grant bootstrap=h1 --why 'x y' --yes --resource p",
        "grant --yes --resource p bootstrap=h1 --why 'x y'",
        GrantRequest(GrantKind.BOOTSTRAP, "h1", "x y", True, "p"),
    ),
    ("--cluster --grant forget=h2 --why x", "grant forget=h2 --why x", GrantRequest(GrantKind.FORGET, "h2", "x")),
    ("--grant forget=h2 --why x --cluster", "grant forget=h2 --why x", GrantRequest(GrantKind.FORGET, "h2", "x")),
    (
        "--grant forget=h2 --why x --config c --socket /s",
        "grant forget=h2 --why x",
        GrantRequest(GrantKind.FORGET, "h2", "x"),
    ),
    ("--report", "report", ReportRequest()),
    ("--report --resource p", "report --resource p", ReportRequest("p")),
    ("--cluster --report", "report", ReportRequest()),
    ("--report --config c", "report", ReportRequest()),
    ("--service a", "service a", Wanted(("a",))),
    ("--service a b --json", "service a b --json", Wanted(("a", "b"), output="json")),
    ("--json --service a b", "service --json a b", Wanted(("a", "b"), output="json")),
    ("--service a --nagios", "service a --nagios", Wanted(("a",), output="nagios")),
    ("--level deep --service a", "service a --level deep", Wanted(("a",), Level.DEEP)),
    ("--service a --grace 3s", "service a --grace 3s", Wanted(("a",), grace=3.0)),
    ("--service a --config c", "service a --config c", Wanted(("a",), config="c")),
    ("--all", "services", Wanted()),
    ("--all --watch", "services --watch", Wanted(output="watch")),
    ("--all --nagios --level process", "services --level process --nagios", Wanted((), Level.PROCESS, output="nagios")),
    ("--all --config c --grace 0s", "services --config c --grace 0s", Wanted(grace=0.0, config="c")),
    ("--list", "list", ListRequest()),
    ("--list --json", "list --json", ListRequest("json")),
    ("--list mysql", "list mysql", ListRequest(names=("mysql",))),
    ("--list --config c", "list", ListRequest()),
]
VALID = [pytest.param(*one, id=one[0] or "nothing") for one in SPELLINGS]


@pytest.mark.parametrize(("old", "new", "request_"), VALID)
def test_a_spelling_of_before_asks_what_that_of_today_asks(old: str, new: str, request_: object) -> None:
    said = parse_command(shlex.split(new))
    assert said == Command(SUBCOMMANDS[new.partition(" ")[0]], request_)
    assert type(said.request) is type(request_)
    assert parse_command(shlex.split(old)) == said
    assert type(parse_command(shlex.split(old)).request) is type(request_)


def test_every_subcommand_and_every_old_option_is_in_the_table_of_spellings() -> None:
    assert {new.split()[0] for _, new, _ in SPELLINGS} >= set(MODES.values())
    assert {word[2:].partition("=")[0] for old, *_ in SPELLINGS for word in old.split()} >= set(MODES)


@pytest.mark.parametrize("name", SUBCOMMANDS)
class TestEachSubcommand:
    def test_its_file_provides_what_the_table_promises(self, name: str) -> None:
        module = SUBCOMMANDS[name].load()
        assert set(module.EXIT_CODES) <= {0, 1, 2, 3}
        assert module.EXIT_CODES[0]
        for function, parameters in (("add_options", 1), ("read", 1), ("run", 1)):
            assert len(inspect.signature(getattr(module, function)).parameters) == parameters

    def test_its_help_fits_a_terminal_and_exits_3(
        self, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("COLUMNS", "80")
        with pytest.raises(SystemExit) as end:
            parse_command([name, "--help"])
        assert end.value.code == 3
        told = capsys.readouterr().out
        assert told.startswith(f"usage: xha-check {name} ")
        assert "\nexit codes:\n  0  " in told
        assert "wrong usage, and --help" in " ".join(told.split())
        assert [line for line in told.splitlines() if len(line) > 80] == []

    def test_its_examples_are_command_lines_of_its_own(self, name: str) -> None:
        for line in SUBCOMMANDS[name].load().EXAMPLES:
            program, *arguments = shlex.split(line)
            assert program == "xha-check"
            assert parse_command(arguments).subcommand.name == name

    def test_it_has_a_line_in_the_help_of_all(self, name: str, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            parse_command(["--help"])
        assert re.search(rf"^  {name} +{re.escape(SUBCOMMANDS[name].summary)}$", capsys.readouterr().out, re.M)

    def test_docs_commands_has_its_line(self, name: str) -> None:
        assert re.search(rf"^xha-check {name}\b", COMMANDS, re.M)

    def test_a_misspelt_name_is_told_what_was_meant(self, name: str, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as end:
            parse_command([f"{name}x"])
        assert end.value.code == 3
        assert capsys.readouterr().err == (
            f"xha-check: '{name}x' is no subcommand: did you mean {name}?; see xha-check --help\n"
        )


def test_the_help_of_all_fits_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for spelling in ("--help", "-h"):
        with pytest.raises(SystemExit) as end:
            parse_command([spelling])
        assert end.value.code == 3
        told = capsys.readouterr().out
        assert [line for line in told.splitlines() if len(line) > 80] == []
        assert all(f"\n{title}:\n" in told for title in GROUPS)


WRONG = {
    "nod": "'nod' is no subcommand: did you mean node?",
    "db1": f"'db1' is no subcommand: there are {', '.join(SUBCOMMANDS)}; another host is xha-check node HOST",
    "'\x1b[2J'": r"'\x1b[2J' is no subcommand",
    "''": "'' is no subcommand",
    "--json cluster": "'cluster': a subcommand comes first",
    "--node --json db1": "'db1': a subcommand comes first",
    "-- db1": "a subcommand comes first",
    "node a b": "unrecognized arguments: b",
    "node --cluster": "--cluster is a subcommand: xha-check cluster",
    "cluster --explain": "--explain is a subcommand: xha-check explain",
    "service a --all": "--all is a subcommand: xha-check services",
    "cluster --why x": "--why goes with disable, drain or grant",
    "cluster --grace 3s": "--grace goes with service or services",
    "explain --watch": "--watch goes with node, cluster, fleet, service or services",
    "report --jsno": "unrecognized arguments: --jsno",
    "list --jsno": "unrecognized arguments: --jsno: did you mean --json?",
    "cluster -- x --config c": "unrecognized arguments: ",
    "grant": "the following arguments are required: WHAT=NODE, --why",
    "grant forget=h2": "the following arguments are required: --why",
    "grant forget=h2 --why ' '": "--why needs a text",
    "grant drop=h2 --why x": "'drop=h2' is none of forget=NODE, bootstrap=NODE, discard=NODE",
    "service": "the following arguments are required: NAME",
    "node db1 --host db2": "leave out one",
    "node db1 --socket /s": "exclude each other",
    "disable --host h": "--host goes with node, cluster or doctor",
}


@pytest.mark.parametrize("line", WRONG)
def test_wrong_usage_is_3_and_one_sentence_that_says_what_to_do(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parse_command(shlex.split(line))
    assert end.value.code == 3
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("xha-check: ")
    assert WRONG[line] in told.err
    assert re.search(r"; see xha-check( [a-z]+)? --help\n\Z", told.err)
    assert told.err.count("\n") == 1
