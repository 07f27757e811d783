"""Each command line is claimed by exactly the services that it belongs to, over a corpus of how they really run."""

from __future__ import annotations

import re

import pytest

from xha.core.services.catalogue import CATALOGUE

from .command_lines import COMMAND_LINES, WSGI_TITLES, CommandLine, watchers

PATTERNS = {name: re.compile(row.process) for name, row in CATALOGUE.items() if row.process}
# Other names of the programs, as they occur in files, units and titles.
NAMES = sorted({*PATTERNS, "mariadbd", "mysqld", "pacemakerd", "beam.smp", "nova_api_wsgi", "keystone-public", "uwsgi"})


def claimed(line: str) -> set[str]:
    """Whose main process this is, as find_daemons() asks it."""
    return {name for name, pattern in PATTERNS.items() if pattern.match(line.strip())}


@pytest.mark.parametrize("one", COMMAND_LINES, ids=lambda one: one.line[:60])
def test_a_command_line_is_claimed_by_exactly_its_services(one: CommandLine) -> None:
    assert claimed(one.line) == set(one.services.split()), one.source


@pytest.mark.parametrize(("whose", "title"), WSGI_TITLES)
def test_a_title_is_known_by_every_cut_that_is_nobody_else_s(whose: str, title: str) -> None:
    shortest = len("/usr/sbin/httpd")
    for room in range(shortest, 40):
        cut = title[:room]
        owners = {one for one, other in WSGI_TITLES for most in range(shortest, 40) if other[:most] == cut}
        assert claimed(f"{cut} -DFOREGROUND") == ({whose} - {""} if owners == {whose} else set()), cut


@pytest.mark.parametrize(
    "line",
    [
        "/usr/sbin/httpd -DFOREGROUND",
        "/usr/sbin/apache2 -k start",
        "/usr/sbin/httpd-prefork -DSYSCONFIG -C PidFile /run/httpd.pid",
        "/usr/sbin/httpd2-prefork -f /etc/apache2/httpd.conf",
        "/usr/sbin/httpd.worker",
        "/opt/rh/httpd24/root/usr/sbin/httpd -DFOREGROUND",
    ],
)
def test_an_apache_may_have_keystone_and_placement_in_it(line: str) -> None:
    for name in ("keystone", "placement-api"):
        shared = re.compile(CATALOGUE[name].defaults["shared_process"])
        assert shared.match(line)
        assert not shared.match("/usr/bin/apache2-exporter --port 9117")


@pytest.mark.parametrize("name", NAMES)
def test_what_only_names_a_service_is_nobody_s(name: str) -> None:
    for line in watchers(name):
        assert claimed(line) == set(), line


def test_every_service_has_a_line_and_every_line_a_source() -> None:
    """vip has no process; the others are in the corpus more than once, where they run in more than one way."""
    found = {name for one in COMMAND_LINES for name in one.services.split()}
    assert found == set(PATTERNS)
    assert [one.line for one in COMMAND_LINES if not (one.source.partition(": ")[2] or "/" in one.source)] == []
