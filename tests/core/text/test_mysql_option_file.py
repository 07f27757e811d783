"""MySQL option files, by the rules of the servers' own clients (tests/edges/test_option_file.py compares them)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xha.core.text.mysql_option_file import Include, Option, OptionFileError, client_options, parse_option_file


def options(text: str) -> dict[str, str]:
    return client_options(line for line in parse_option_file(text) if isinstance(line, Option))


@pytest.mark.parametrize(
    ("line", "value"),
    [
        pytest.param("password=plain", "plain", id="plain"),
        pytest.param("  password \t = \t spaced out \t ", "spaced out", id="blanks around do not count"),
        pytest.param("password='single # hash'", "single # hash", id="a hash in quotes is no comment"),
        pytest.param('password="double"', "double", id="double quotes"),
        pytest.param("password=a#b", "a", id="a hash outside of quotes begins a comment, even in a word"),
        pytest.param("password=a;b", "a;b", id="a semicolon does not"),
        pytest.param("password='a' # note", "a", id="a comment behind quotes"),
        pytest.param("password='a\"", "'a\"", id="quotes that do not match stay"),
        pytest.param("password='", "'", id="one quote stays"),
        pytest.param("password=''", "", id="two quotes are nothing"),
        pytest.param("password=a=b", "a=b", id="the first equals sign counts"),
        pytest.param(r"password=a\sb\\c\n", "a b\\c\n", id="escapes"),
        pytest.param(r"password=\q", r"\q", id="an escape that is none stays"),
        pytest.param("password=a\\", "a\\", id="a backslash at the end stays"),
        pytest.param("password=", "", id="an empty value"),
        pytest.param("loose-password=a", "a", id="loose-"),
        pytest.param("password=\u00e9\udcff", "\u00e9\udcff", id="any bytes"),
    ],
)
def test_a_value_is_read_as_mysql_reads_it(line: str, value: str) -> None:
    assert options(f"[client]\n{line}\n") == {"password": value}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("[client]\nport=1\nport=2\n", {"port": "2"}, id="the last value wins"),
        pytest.param("[client-mariadb]\nport=1\n[client]\nport=2\n", {"port": "2"}, id="in the order of the file"),
        pytest.param("[client-server]\nport=1\n[mysql]\nport=2\n", {"port": "1"}, id="other groups are not ours"),
        pytest.param("[CLIENT]\nport=1\n", {"port": "1"}, id="a group's case does not count"),
        pytest.param("[client ]x\nport=1\n", {"port": "1"}, id="blanks in the brackets and text behind them"),
        pytest.param("[ client]\nport=1\n", {}, id="a blank before the name makes another name"),
        pytest.param("[client]\nssl_ca=/x\nskip-ssl\n", {"ssl-ca": "/x", "skip-ssl": ""}, id="dashes, and no value"),
        pytest.param("[client]\npassword\n", {"password": ""}, id="a password that would be asked for is none"),
        pytest.param("[client]\r\nport=1\r\n", {"port": "1"}, id="line ends of another system"),
        pytest.param("# a\n; b\n\n[client]\n  # c\nport=1", {"port": "1"}, id="comments, and no newline at the end"),
        pytest.param("[client]\n!unknown x\nport=1\n", {"port": "1"}, id="an unknown directive is passed over"),
    ],
)
def test_the_options_of_a_client_are_gathered(text: str, expected: dict[str, str]) -> None:
    assert options(text) == expected


def test_includes_stand_where_they_were_written() -> None:
    text = "!include /a.cnf \n[client]\nport=1\n! includedir\t/etc/my.cnf.d\nport=2\n"
    assert list(parse_option_file(text)) == [
        Include("/a.cnf", directory=False),
        Option("client", "port", "1"),
        Include("/etc/my.cnf.d", directory=True),
        Option("client", "port", "2"),
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("port=1\n", 1, id="an option before the first group"),
        pytest.param("[client]\nport=1\n[mysql\n", 3, id="a group without its bracket"),
        pytest.param("[client]\n!include \n", 2, id="an include of nothing"),
        pytest.param("!includedir\n", 1, id="an includedir of nothing"),
    ],
)
def test_what_mysql_refuses_is_refused_by_line_and_without_its_text(text: str, line: int) -> None:
    with pytest.raises(OptionFileError, match=f"^line {line}: ") as refusal:
        list(parse_option_file(text))
    assert "port" not in str(refusal.value)


@given(st.text() | st.text("[]client=#'\"\\!ude \n\tport", max_size=80))
def test_any_text_has_options_or_is_refused(text: str) -> None:
    try:
        found = options(text)
    except OptionFileError:
        return
    assert all(isinstance(value, str) for value in found.values())


PLAIN = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)


@given(PLAIN)
def test_a_quoted_password_survives(password: str) -> None:
    quoted = password.replace("\\", "\\\\").replace('"', '\\"')
    assert options(f'[client]\npassword = "{quoted}"\n') == {"password": password}
