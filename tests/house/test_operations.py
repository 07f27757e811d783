"""docs/operations.md: its table says what the code does, and its commands are commands."""

from __future__ import annotations

import subprocess

import pytest

from lab.operations import NOT_RUN, PAGE, Block, Procedure, parse_page
from xha.core.health import RULES, Rule
from xha.core.ocf import ExitCode

PROCEDURES = parse_page(PAGE.read_text(encoding="utf-8"))
BLOCKS = [pytest.param(one, id=f"{each.title}, {one.on}") for each in PROCEDURES for one in each.blocks]
HOSTS = {"every host", "one host", "h1", "h2", "h3"}


def row(rule: Rule) -> str:
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
    assert procedure.run in ("", "yes", NOT_RUN) or procedure.run.startswith("no, ")


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_names_its_place_and_is_shell(block: Block) -> None:
    assert block.on in HOSTS
    done = subprocess.run(["bash", "-n"], input=block.text, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_page_has_procedures() -> None:
    assert len([one for one in PROCEDURES if one.blocks]) >= 12
