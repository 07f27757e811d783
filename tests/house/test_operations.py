"""docs/operations.md: its table says what the code does, and its commands are valid."""

from __future__ import annotations

import subprocess
from typing import Any, cast

import pytest

from lab.operations import NOT_RUN, PAGE, Block, Procedure, carry_out, parse_page, procedure
from lab.rehearsal import REHEARSALS
from lab.shell import CommandFailed
from xha.core.monitor.health import RULES, MonitorRule
from xha.core.ocf.api import ExitCode

PROCEDURES = parse_page(PAGE.read_text(encoding="utf-8"))
BLOCKS = [pytest.param(one, id=f"{each.title}, {one.on}") for each in PROCEDURES for one in each.blocks]
HOSTS = {"every host", "one host", "h1", "h2", "h3"}


def row(rule: MonitorRule) -> str:
    return f"| `{rule.name}` | {int(rule.code)} | {rule.text} | {rule.remedy or 'nothing'} |"


def test_the_table_has_every_rule_of_the_code_in_its_order() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").split("\n") if line.startswith("| `")]
    assert rows == [row(rule) for rule in RULES]


def test_every_degraded_answer_names_a_next_step_or_ends_by_itself() -> None:
    passing = {"recovering", "preparing", "joining", "starting", "unknown"}
    silent = {rule.name for rule in RULES if rule.code is ExitCode.DEGRADED and not rule.remedy}
    assert silent == passing


@pytest.mark.parametrize("procedure", [pytest.param(one, id=one.title) for one in PROCEDURES])
def test_a_procedure_that_can_be_run_says_whether_it_was(procedure: Procedure) -> None:
    assert bool(procedure.blocks) == bool(procedure.run)
    assert procedure.run in ("", "yes", NOT_RUN) or procedure.run.startswith("yes, ")


def test_every_procedure_that_can_be_run_is_rehearsed() -> None:
    assert sorted(one.title for one in REHEARSALS) == sorted(one.title for one in PROCEDURES if one.blocks)


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_names_its_place_and_is_shell(block: Block) -> None:
    assert block.on in HOSTS
    done = subprocess.run(["bash", "-n"], input=block.text, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_page_has_procedures() -> None:
    assert len([one for one in PROCEDURES if one.blocks]) >= 12


def test_what_is_not_on_the_page_is_refused_with_what_is() -> None:
    with pytest.raises(CommandFailed, match="Over a running server"):
        procedure("What each answer of monitor means")


class Notebook:
    """A laboratory whose hosts record the commands."""

    def __init__(self) -> None:
        self.typed: list[tuple[str, str]] = []

    def __getitem__(self, name: str) -> NotedHost:
        return NotedHost(name, self.typed)

    def on_all(self, act: Any) -> None:
        for name in ("h1", "h2", "h3"):
            act(self[name])

    def say(self, what: str) -> None:
        assert what


class NotedHost:
    def __init__(self, name: str, typed: list[tuple[str, str]]) -> None:
        self.name, self.typed = name, typed

    def sh(self, text: str, timeout: float) -> None:
        assert timeout > 0
        self.typed.append((self.name, text))


def test_a_procedure_is_typed_word_for_word_where_it_says() -> None:
    blocks = (Block("every host", "a\n"), Block("one host", "b\n"), Block("h3", "c\n"))
    notebook = Notebook()
    carry_out(cast(Any, notebook), Procedure("p", NOT_RUN, blocks))
    assert notebook.typed == [
        ("h1", "set -e\na\n"),
        ("h2", "set -e\na\n"),
        ("h3", "set -e\na\n"),
        ("h1", "set -e\nb\n"),
        ("h3", "set -e\nc\n"),
    ]
