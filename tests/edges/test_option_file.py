"""Option files mean the same as for MySQL's own clients: my_print_defaults reads the same file."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from loopback import find_program
from xha.adapters.mysql.option_files import read_client_options
from xha.core.text.values import ConfigError

GROUPS = ("client", "client-server", "client-mariadb")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    return tmp_path_factory.mktemp("option-files")


def ask_mysql(path: Path) -> dict[str, str] | None:
    """Return the options that my_print_defaults reads from a file; None if it refuses it.

    A value may contain newlines.
    """
    command = [find_program("my_print_defaults", "mariadb-server-core"), f"--defaults-file={path}", *GROUPS]
    done = subprocess.run(command, capture_output=True, check=False, timeout=10)
    if done.returncode:
        return None
    found: dict[str, str] = {}
    text = done.stdout.decode("utf-8", "surrogateescape")
    for line in ("\n" + text.rstrip("\n")).split("\n--")[1:]:
        name, _, value = line.partition("=")
        found[name.replace("_", "-").removeprefix("loose-")] = value
    return found


def ask_xha(path: Path) -> dict[str, str] | None:
    try:
        return read_client_options(str(path)).values
    except ConfigError:
        return None


NAMES = st.sampled_from(["user", "password", "port", "ssl-ca", "ssl_ca", "skip-ssl", "loose-user", "host"])
BLANKS = st.sampled_from(["", " ", "\t", "  "])
# In the output of my_print_defaults, \n in a value looks like the end of the line if -- follows it.
PIECES = st.sampled_from(
    [
        "a",
        "Z",
        "9",
        " ",
        "\t",
        "#",
        ";",
        "'",
        '"',
        "\\\\",
        "\\s",
        "\\t",
        "\\'",
        '\\"',
        "\\q",
        "\\",
        "=",
        "!",
        "[",
        "\u00e9",
    ]
)
VALUES = st.lists(PIECES, max_size=10).map("".join)
OPTIONS = st.builds("{}{}{}={}{}".format, BLANKS, NAMES, BLANKS, BLANKS, VALUES) | st.builds(
    "{}{}".format, BLANKS, NAMES
)
HEADS = st.sampled_from(
    ["[client]", " [client-server]", "[client-mariadb ]", "[mysqld]", "[CLIENT]", "[client]x", "[ client]", "[mysql]"]
)
OTHERS = st.sampled_from(["", "# a=b", "; a=b", "  # x", "!unknown /x", "   "])
LINES = st.lists(OPTIONS | HEADS | OTHERS, max_size=8)
FILES = st.builds(lambda head, lines: "\n".join([head, *lines]) + "\n", HEADS, LINES)
# A line that MySQL refuses, at any place.
BROKEN = st.builds(
    lambda lines, bad, more: "\n".join([*lines, bad, *more]) + "\n",
    LINES,
    st.sampled_from(["[client", "port=1", "!include", "!includedir ", "!includedir /nowhere/at/all"]),
    LINES,
)


@settings(max_examples=200)
@given(content=FILES | BROKEN)
@example(content="[client]\npassword='a # b' # c\n")
@example(content="[client]\npassword=a'#'b\n")
def test_a_file_means_what_it_means_to_mysql(directory: Path, content: str) -> None:
    path = directory / "my.cnf"
    path.write_text(content)
    assert ask_xha(path) == ask_mysql(path)


@settings(max_examples=60)
@given(outer=LINES, first=FILES, second=FILES, names=st.permutations(["a.cnf", "B.cnf", "c.txt", "10.cnf"]))
def test_includes_mean_what_they_mean_to_mysql(
    directory: Path, outer: list[str], first: str, second: str, names: list[str]
) -> None:
    included, listed, path = directory / "included.cnf", directory / "conf.d", directory / "outer.cnf"
    listed.mkdir(exist_ok=True)
    (listed / "directory.cnf").mkdir(exist_ok=True)
    included.write_text(first)
    for number, name in enumerate(names):
        (listed / name).write_text(f"{second}[client]\nport={number}\n")
    lines = ["[client]", "user=outer", f"!include {included}", "user=between", *outer]
    path.write_text("\n".join([*lines, f"!includedir {listed} ", "host=last", f"!include {directory}/missing.cnf", ""]))
    assert ask_xha(path) == ask_mysql(path)


def test_a_file_that_includes_itself_ends_where_mysql_s_own_clients_end(directory: Path) -> None:
    path = directory / "itself.cnf"
    path.write_text(f"[client]\nuser=one\n!include {path}\nport=2\n")
    assert ask_xha(path) == ask_mysql(path) == {"user": "one", "port": "2"}


@pytest.mark.parametrize("depth", [9, 10, 11])
def test_a_chain_of_includes_is_followed_as_far_as_mysql_follows_it(directory: Path, depth: int) -> None:
    for level in range(depth + 1):
        text = f"[client]\nuser=level{level}\n"
        if level < depth:
            text += f"!include {directory}/level{level + 1}.cnf\n"
        (directory / f"level{level}.cnf").write_text(text)
    path = directory / "level0.cnf"
    assert ask_xha(path) == ask_mysql(path)


def test_an_included_file_that_is_missing_does_not_hide_the_others(directory: Path) -> None:
    path = directory / "missing-include.cnf"
    path.write_text("[client]\nuser=check\n!include /nowhere/at/all.cnf\npassword=secret\n")
    assert ask_xha(path) == {"user": "check", "password": "secret"}


def test_a_device_is_an_empty_file() -> None:
    assert ask_xha(Path("/dev/null")) == ask_mysql(Path("/dev/null")) == {}


def test_where_mysql_ignores_a_file_that_everybody_may_write_xha_says_so(directory: Path) -> None:
    path = directory / "open.cnf"
    path.write_text("[client]\nuser=somebody\n")
    path.chmod(0o666)
    assert ask_mysql(path) == {}
    with pytest.raises(ConfigError, match="everybody on this host can write it"):
        read_client_options(str(path))


def test_a_file_that_is_named_and_not_there_is_an_error(directory: Path) -> None:
    """As for MySQL's clients: a misspelt name must not become another account."""
    path = directory / "nowhere.cnf"
    assert ask_mysql(path) is None
    with pytest.raises(ConfigError, match=f"{path}: no such file or directory"):
        read_client_options(str(path))


def test_each_file_and_directory_that_was_looked_at_is_told(tmp_path: Path) -> None:
    """A resident compares them with what the program sees that asks it: absent ones and directories, too."""
    first, more = tmp_path / "first.cnf", tmp_path / "more"
    more.mkdir()
    (more / "b.cnf").write_text("[client]\nuser=b\n")
    (more / "a.cnf").symlink_to(tmp_path / "nowhere")
    (more / "c.other").write_text("[client]\nuser=c\n")
    first.write_text(f"!include {tmp_path}/absent.cnf\n!includedir {more}\n")
    read = read_client_options(str(first))
    assert read.values == {"user": "b"}
    absent = str(tmp_path / "absent.cnf")
    assert read.looked_at == (str(first), absent, str(more), str(more / "a.cnf"), str(more / "b.cnf"))
