"""docs/verdicts.md, the page that an operator reads in an emergency, says what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.node.test_verdict import LENIENT, STRICT, node
from xha.core.node.verdict import RULES, Code, LastNode, Policy, judge

PAGE = (Path(__file__).parents[2] / "docs/verdicts.md").read_text(encoding="utf-8")


def table() -> dict[str, list[str]]:
    rows = [line.strip("|").split(" | ") for line in PAGE.split("\n") if line.startswith("| `")]
    assert all(len(row) == 6 for row in rows)
    return {row[0].strip(" `"): [cell.strip() for cell in row[1:]] for row in rows}


def test_the_page_has_every_code_once_in_the_code_s_order() -> None:
    codes = [line.split("`")[1] for line in PAGE.split("\n") if line.startswith("| `")]
    assert codes == [code.value for code in RULES] == [code.value for code in Code]


@pytest.mark.parametrize("code", Code)
def test_the_page_says_what_the_code_does(code: Code) -> None:
    ready, live, exit_code, message, remedy = table()[code.value]
    rule = RULES[code]
    assert live == ("200" if rule.live else "503")
    assert exit_code == str(int(rule.exit_code))
    assert message == rule.message
    assert remedy == (rule.remedy or "nothing")
    strict, lenient = (
        judge(node(code.value)[0], policy, node(code.value)[1]).available for policy in (STRICT, LENIENT)
    )
    refusal = "404" if code is Code.DRAINING else "503"
    assert ready == {(True, True): "200", (False, True): "policy", (False, False): refusal}[strict, lenient]


def test_the_page_names_every_policy_switch() -> None:
    for name in Policy._fields:
        assert f"`{name}" in PAGE
    for rule in LastNode:
        assert f"`last_node = {rule.value}`" in PAGE
