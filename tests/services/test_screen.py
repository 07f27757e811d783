"""What a terminal of 80 columns and 24 lines shows of services: what is not well comes first, and is told in full."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopback.doors import door as door_of
from xha.core.services.catalogue import CATALOGUE
from xha.core.services.model.result import Level, Result, Status, dependency, failed, passed, unknown
from xha.doors.check.services import results as door
from xha.doors.check.services.options import Wanted
from xha.doors.check.services.screen import screen_lines
from xha.doors.terminal.frame import fit_lines

WIDTH, HEIGHT = 80, 24
NO_ANSWER = failed("glance-api", Level.DEEP, "no token to ask with; the database: no answer", blame=dependency("mysql"))
SPLIT = failed("rabbitmq", Level.DEEP, "split brain: it is partitioned from rabbit@controller-2, rabbit@controller-3, "
               "with 1 of 3 nodes here; memory alarm on rabbit@controller-1: publishers are blocked",
               proved="a message went through a queue of its own: confirmed, read back, acknowledged")  # fmt: skip
BLIND = unknown(
    "keystone", Level.DEEP, "needs url: /v3: connection refused; its process 7 listens on 10.0.0.6 port 5000"
)
EVERYTHING = [passed(name, Level.DEEP, "what it proved is rather long, and of no interest now") for name in CATALOGUE]


def told(*sick: Result) -> list[str]:
    names = {one.name: one for one in sick}
    return screen_lines([names.get(one.name, one) for one in EVERYTHING], WIDTH, HEIGHT)


def words(lines: list[str]) -> list[str]:
    return " ".join(lines).split()


def test_what_is_not_well_comes_first_with_its_whole_message() -> None:
    lines = told(SPLIT, BLIND, NO_ANSWER)
    heads = [line for line in lines if "(deep, " in line]
    assert lines[0] == heads[0]
    assert [line.partition("(")[0].strip() for line in heads] == [
        "rabbitmq  critical, self",
        "glance-api  warning, dependency:mysql",
        "keystone  unknown",
    ]
    assert " ".join(words(lines)).count(" ".join(SPLIT.message.split())) == 1
    assert max(map(len, lines)) <= WIDTH
    assert len(lines) <= HEIGHT
    assert [line for line in lines if line.startswith("well: glance-registry, nova-api, ")], lines


def test_the_culprit_is_seen_where_more_is_not_well_than_a_screen_can_show() -> None:
    dead = failed("mysql", Level.DEEP, "server-down: no process of the server runs on this host")
    others = [failed(name, Level.DEEP, f"{NO_ANSWER.message}, and so on, and so on", blame=dependency("mysql"))
              for name in CATALOGUE if name != "mysql"]  # fmt: skip
    lines = fit_lines(told(dead, *others), HEIGHT, "xha-check services")
    assert len(lines) == HEIGHT
    assert lines[0].startswith("mysql  critical, self")
    assert re.fullmatch(r"... and \d+ more lines: xha-check services shows all", lines[-1])
    assert fit_lines(lines, HEIGHT, "xha-check services") == lines


def test_all_is_well() -> None:
    lines = told()
    assert len(lines) == len(CATALOGUE)
    assert lines[0].startswith("keystone")
    assert max(map(len, lines)) <= WIDTH


SICK = st.builds(
    Result,
    st.sampled_from(list(CATALOGUE)),
    st.sampled_from(Level),
    st.sampled_from(Status),
    st.none() | st.just("self"),
    st.text(max_size=200),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=200),
)


@given(st.lists(SICK, max_size=20), st.integers(40, 200), st.integers(10, 60))
def test_nothing_is_cut(results: list[Result], width: int, height: int) -> None:
    lines = screen_lines(results, width, height)
    assert all(len(line) <= width for line in lines)
    shown = "".join("".join(lines).split())
    for one in results:
        assert one.name in shown
        if one.status not in (Status.OK, Status.NOT_APPLICABLE):
            assert "".join(one.message.split()) in shown


def test_a_service_that_has_died_stays_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "xha.conf"
    config.write_text("")
    monkeypatch.setattr(door, "is_there", lambda process: process == CATALOGUE["haproxy"].process)
    wanted = Wanted(config=str(config))
    assert [one.name for one in door.choose_services(wanted)] == ["haproxy"]
    assert [one.name for one in door.choose_services(wanted, {"memcached"})] == ["haproxy", "memcached"]
    config.write_text("[service memcached]\nprocess = ^x\n")
    assert [one.name for one in door.choose_services(wanted, {"memcached"})] == ["haproxy", "memcached"]


@pytest.mark.parametrize("named", [True, False])
def test_a_host_without_a_database_says_what_can_be_done_there(tmp_path: Path, named: bool) -> None:
    """In a namespace without processes, and without the sockets of this machine's servers."""
    if os.geteuid() != 0:
        pytest.skip("not root: this machine's processes cannot be hidden")
    config = tmp_path / "xha.conf"
    config.write_text("[service keystone]\n[service cache-1]\nkind = memcached\n" if named else "")
    hidden = 'mount -t tmpfs none /run && exec "$@"'
    within = ["unshare", "--pid", "--fork", "--mount", "--mount-proc", "sh", "-c", hidden, "sh"]
    argv = [*within, door_of("xha-check"), "--config", str(config)]
    said = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    lines = said.stdout.splitlines()
    assert (said.returncode, lines[0].startswith(f"{socket.gethostname()}: out of service, server-down: ")) == (2, True)
    assert lines[2:] == [
        "  no mariadbd or mysqld runs here. What xha-check can do on such a host:",
        "    xha-check cluster    asks the members that [cluster] members in xha.conf names",
        "    xha-check node HOST  asks one of them",
        "    xha-check services   checks the services of this host"
        + (": keystone, cache-1" if named else " (xha.conf names none, and none was found)"),
    ]
