"""`make install SYSTEM_PACKAGES=1`: the distribution's packages instead of wheels, unpacked at their own paths."""

from __future__ import annotations

import re

import pytest

from install.place import HOME, Place
from loopback.doors import CHECKOUT

DIRECTORY = "/usr/lib/python3/dist-packages"
# What xha imports from each, through the launcher's own path, as its entry points do.
IMPORTS = (
    "import pymysql, pika, psutil, requests, rich.table, xha.adapters.mysql.session, xha.adapters.rabbitmq.amqp, "
    "xha.adapters.http.client"
)


def test_without_them_it_says_which_are_missing(place: Place) -> None:
    for name in ("pymysql", "pika", "psutil", "requests", "rich"):
        place.sh(f"rm -rf {DIRECTORY}/{name} {DIRECTORY}/{name}-* {DIRECTORY}/PyMySQL-*")
    said = place.make("install", "SYSTEM_PACKAGES=1", code=2)
    assert "PyMySQL 1.0.2 or newer (not there)" in said
    assert "apt-get install python3-pymysql" in said
    assert place.sh(f"ls {HOME}/versions 2>/dev/null || true") == ""


@pytest.fixture(scope="module")
def debian(place: Place) -> Place:
    """The place with Debian's own packages and their dependencies: downloaded by apt and unpacked, not installed."""
    place.make("build/debs")  # `make deps` has done it, where there was a network
    place.sh(f"for deb in {CHECKOUT}/build/debs/*.deb; do dpkg --extract $deb / || exit 1; done")
    return place


def test_the_programs_run_with_debian_s_packages(debian: Place) -> None:
    said = debian.make("install", "SYSTEM_PACKAGES=1")
    for name in ("PyMySQL", "pika", "psutil", "requests", "rich"):
        assert re.search(rf"install: {name} \S+: the distribution's, in {DIRECTORY} \(at least \S+\)", said)
    assert "wheel" not in said
    assert debian.sh(f"ls {HOME}/current/python") == "xha"
    assert "server-down" in debian.run("/usr/local/bin/xha-check", "--node", code=2)
    assert "503" in debian.run("/usr/local/bin/clustercheck", code=1)
    assert debian.sh("/usr/local/libexec/xha/xha-services --version; true").startswith("xha-services ")
    launcher = debian.sh("sed '/^from xha/,$d' /usr/local/bin/xha-check")
    where = debian.run("/usr/bin/python3", "-IBS", "-c", f"{launcher}\n{IMPORTS}\nprint(pymysql.__file__)")
    assert where.startswith(DIRECTORY)
    # It is last, so that no package of the distribution hides a module of xha's.
    assert f'sys.path.append("{DIRECTORY}")' in launcher


def test_one_that_is_too_old_is_refused(debian: Place) -> None:
    debian.sh(
        f"sed -i 's/^Version: .*/Version: 1.0.1/' {DIRECTORY}/PyMySQL-*/PKG-INFO {DIRECTORY}/PyMySQL-*/METADATA || true"
    )
    before = debian.versions()
    assert "PyMySQL 1.0.2 or newer (1.0.1 is there)" in debian.make("install", "SYSTEM_PACKAGES=1", code=2)
    assert debian.versions() == before


def test_wheels_come_back_with_the_next_installation(debian: Place) -> None:
    debian.make("install")
    assert DIRECTORY not in debian.sh("cat /usr/local/bin/xha-check")
    assert "pymysql" in debian.sh(f"ls {HOME}/current/python").split()
