"""The man pages and the completion, made of the tables of the code: mandoc, man and the shells themselves judge."""

from __future__ import annotations

import functools
import os
import pty
import re
import select
import sys
import time
from pathlib import Path

import pytest

from loopback import find_program
from packages.conftest import run
from xha.core.config import xha_conf
from xha.core.services.catalogue import CATALOGUE
from xha.doors.check import command
from xha.doors.check.subcommands import SUBCOMMANDS
from xha.doors.clustercheck import DEFAULTS

PAGES = {
    "xha-check": 8,
    "xha-responder": 8,
    "xha-services": 8,
    "clustercheck": 8,
    "xha.conf": 5,
    "galera": 7,
    "service": 7,
}
LIBRARY = next(path for path in sys.path if path.endswith("site-packages"))


@functools.cache
def words(kind: str, name: str) -> str:
    return run("tools/install/words", "/usr/bin/python3", kind, name, LIBRARY)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    directory = tmp_path_factory.mktemp("pages")
    made = {}
    for name, section in PAGES.items():
        made[name] = directory / f"{name}.{section}"
        made[name].write_text(words("man", name))
    return made


def shown(page: Path) -> str:
    """What a page reads like, on one line."""
    said = run(find_program("mandoc", "mandoc"), "-Tutf8", "-O", "width=200", str(page))
    return " ".join(re.sub(r".\x08", "", said).split())


@pytest.mark.parametrize("name", PAGES)
def test_mandoc_and_groff_find_no_fault(name: str, pages: dict[str, Path]) -> None:
    assert run(find_program("mandoc", "mandoc"), "-Tlint", str(pages[name])) == ""
    assert run(find_program("groff", "groff-base"), "-man", "-Tutf8", "-ww", "-z", str(pages[name])) == ""
    assert " - " in run(find_program("lexgrog", "man-db"), str(pages[name]))


def test_the_page_of_xha_check_has_each_subcommand_with_all_that_its_help_has(pages: dict[str, Path]) -> None:
    page = shown(pages["xha-check"])
    for row in SUBCOMMANDS.values():
        assert row.summary in page
        assert " ".join(row.load().DESCRIPTION.split()) in page
        for action in command.subcommand_parser(row)._actions:
            assert action.dest == "help" or f"{' '.join((action.help or '').split())}" in page
        for meaning in row.load().EXIT_CODES.values():
            assert meaning in page


def test_the_page_of_xha_conf_has_every_key_but_the_one_that_tests_set(pages: dict[str, Path]) -> None:
    page = shown(pages["xha.conf"])
    keys = {key for section in xha_conf._KEYS.values() for key in section}
    assert {key for key in keys if not re.search(rf"\b{key}\b", page)} == {"services_directory"}


def test_the_page_of_clustercheck_has_every_variable(pages: dict[str, Path]) -> None:
    page = shown(pages["clustercheck"])
    assert [name for name in DEFAULTS if name not in page] == []
    assert DEFAULTS["MYSQL_PASSWORD"] not in page


COMPLETED = {
    "no": ["node"],
    "node --js": ["--json"],
    "service keyst": ["keystone"],
    "service --level de": ["deep"],
    "service --level = pro": ["process", "protocol"],
    "grant fo": ["forget="],
    "cluster --why x --ho": ["--host"],
    "enable --config /etc/pas": None,
    "enable --res": [],
}


class TestBash:
    @pytest.mark.parametrize("line", COMPLETED)
    def test_a_line_is_completed(self, line: str, tmp_path: Path) -> None:
        (tmp_path / "file").write_text(words("completion", "bash"))
        script = (
            'source "$1"; shift; COMP_WORDS=(xha-check "$@"); COMP_CWORD=$#; '
            '_xha_check; printf "%s\\n" "${COMPREPLY[@]}"'
        )
        done = run("bash", "-uc", script, "bash", str(tmp_path / "file"), *line.split()).split()
        expected = COMPLETED[line]
        assert done == expected if expected is not None else "/etc/passwd" in done

    def test_every_service_and_subcommand_is_offered(self) -> None:
        offered = set(re.findall(r"[\w-]+", words("completion", "bash")))
        assert {*CATALOGUE, *SUBCOMMANDS} <= offered


@pytest.mark.parametrize(
    ("typed", "completed"), [("xha-check expl", "explain"), ("xha-check service --level d", "deep")]
)
def test_zsh_completes_at_a_terminal(typed: str, completed: str, tmp_path: Path) -> None:
    (tmp_path / "_xha-check").write_text(words("completion", "zsh"))
    pid, terminal = pty.fork()
    if pid == 0:  # pragma: no cover - the shell
        os.environ.update(TERM="dumb", ZDOTDIR=str(tmp_path), PS1="ready> ")
        os.execv(find_program("zsh", "zsh"), ["zsh", "-f", "-i"])
    try:
        os.write(terminal, f"fpath=({tmp_path} $fpath); autoload -U compinit; compinit -u -D; PS1='now> '\n".encode())
        read_until(terminal, r"\nnow> |\rnow> ")
        os.write(terminal, f"{typed}\t".encode())
        read_until(terminal, re.escape(completed))
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(terminal)


def read_until(terminal: int, pattern: str, seconds: float = 60) -> None:
    said, deadline = "", time.monotonic() + seconds
    while not re.search(pattern, said):
        assert time.monotonic() < deadline, said
        if select.select([terminal], [], [], 1)[0]:
            said += os.read(terminal, 4096).decode("utf-8", "replace")
