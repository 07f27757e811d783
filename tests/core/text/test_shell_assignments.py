"""/etc/sysconfig/clustercheck: shell assignments, read without a shell (tests/edges/test_sysconfig.py uses one)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xha.core.text.shell_assignments import parse_sysconfig


@pytest.mark.parametrize(
    ("line", "value"),
    [
        pytest.param("A=plain", "plain", id="plain"),
        pytest.param("A=", "", id="empty"),
        pytest.param("A=''", "", id="empty in quotes"),
        pytest.param("  A=x", "x", id="indented"),
        pytest.param("export A=x", "x", id="exported"),
        pytest.param("A='a b'", "a b", id="single quotes"),
        pytest.param('A="a \\"b\\" \\$c \\`d \\\\"', 'a "b" $c `d \\', id="escapes in double quotes"),
        pytest.param('A="a\\nb"', "a\\nb", id="a backslash in double quotes before anything else stays"),
        pytest.param("A='a\\'", "a\\", id="single quotes know no escape"),
        pytest.param("A=a\\ b", "a b", id="an escaped blank"),
        pytest.param("A=a'b c'\"d e\"", "ab cd e", id="quotes in a word"),
        pytest.param("A=pass#word", "pass#word", id="a hash in a word is no comment"),
        pytest.param("A=#word", "#word", id="nor one right behind the equals sign"),
        pytest.param("A=x # don't", "x", id="a comment with an apostrophe"),
        pytest.param("A=x\t# note", "x", id="a comment behind a tab"),
        pytest.param("A= # nothing", "", id="nothing but a comment"),
        pytest.param('A="x"; export A', "x", id="the old way to export"),
        pytest.param("A=x;B=y", "x", id="a second assignment on the line is not read"),
        pytest.param("A=$(touch /tmp/x)", "$", id="nothing is executed"),
        pytest.param("A=$HOME", "$HOME", id="nothing is expanded"),
        pytest.param('A="`id`"', "`id`", id="not even in quotes"),
        pytest.param("A='open", "open", id="an open quote ends with its line"),
        pytest.param("A=x\r", "x", id="line ends of another system"),
        pytest.param("A=p\u00e4ss\u00a0word", "p\u00e4ss\u00a0word", id="other scripts"),
        pytest.param("A=a=b", "a=b", id="the first equals sign counts"),
    ],
)
def test_an_assignment_is_read_as_a_shell_reads_it(line: str, value: str) -> None:
    assert parse_sysconfig(f"# head\n{line}\nZ=1\n") == {"A": value, "Z": "1"}


@pytest.mark.parametrize("line", ["", "#A=x", "A", "A x", "1A=x", "A-B=x", "A =x", "readonly A=x", "if A=x", "=x"])
def test_a_line_that_is_no_assignment_is_passed_over(line: str) -> None:
    assert parse_sysconfig(f"{line}\nZ=1") == {"Z": "1"}


def test_the_last_assignment_wins() -> None:
    assert parse_sysconfig("A=1\nA=2\n") == {"A": "2"}


@given(st.text() | st.text("A=B\"'\\#$; \n\t`(x)", max_size=60))
def test_no_text_makes_it_fail(text: str) -> None:
    for name, value in parse_sysconfig(text).items():
        assert name.isascii()
        assert name.isidentifier()
        assert "\n" not in value
