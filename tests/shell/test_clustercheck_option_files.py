"""clustercheck reads what the `mysql` client reads whose place it takes: compared with MariaDB's own client."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import NamedTuple

import pytest

from loopback import Node, find_program, wait_until
from loopback.doors import CHECKOUT
from shell.conftest import PASSWORD, USER
from shell.host import Host, option_file
from shell.probes import NOT_SYNCED, SYNCED

HOME = "/run/home"
EXTRA = "/run/extra.cnf"
NOBODY = 65534
ASK_XHA = """
import json, os, sys
from xha.adapters.mysql.option_files import read_program_options
print(json.dumps(read_program_options(sys.argv[1] if len(sys.argv) > 1 else None, os.environ)))
"""


class Case(NamedTuple):
    """The files of a host, the environment, and the options that both clients take from them."""

    files: Mapping[str, str]
    options: Mapping[str, str]
    environment: Mapping[str, str] = {}
    modes: Mapping[str, int] = {}


GROUPS = "".join(
    f"[{group}]\n{option}={group}\n"
    for group, option in {
        "client": "user",
        "client-server": "port",
        "client-mariadb": "host",
        "mysql": "socket",
        "mariadb-client": "ssl-ca",
        "CLIENT": "ssl-cert",
        "mysqld": "user",
        "mysqldump": "port",
        "mariadb": "host",
        "server": "socket",
        "client-foo": "user",
        "clients": "port",
    }.items()
)
OWN = {"user": "client", "port": "client-server", "host": "client-mariadb", "socket": "mysql"}
CASES = {
    "no file": Case({}, {}),
    "each group of the client, and none of another program": Case(
        {"/etc/my.cnf": GROUPS}, {**OWN, "ssl-ca": "mariadb-client", "ssl-cert": "CLIENT"}
    ),
    "a group with the suffix of the environment": Case(
        {"/etc/my.cnf": GROUPS},
        {**OWN, "user": "client-foo", "ssl-ca": "mariadb-client", "ssl-cert": "CLIENT"},
        {"MYSQL_GROUP_SUFFIX": "-foo"},
    ),
    "MariaDB's name for the suffix counts more": Case(
        {"/etc/my.cnf": GROUPS},
        {**OWN, "user": "client-foo", "ssl-ca": "mariadb-client", "ssl-cert": "CLIENT"},
        {"MYSQL_GROUP_SUFFIX": "-bar", "MARIADB_GROUP_SUFFIX": "-foo"},
    ),
    "each file counts more than those before it": Case(
        {
            "/etc/my.cnf": "[client]\nuser=etc\nport=1\nhost=etc\nsocket=/etc\nssl-ca=/etc\n",
            "/etc/mysql/my.cnf": "[client]\nport=2\nhost=mysql\nsocket=/mysql\nssl-ca=/mysql\n",
            "/run/mysql-home/my.cnf": "[client]\nhost=own\nsocket=/own\nssl-ca=/own\n",
            EXTRA: "[client]\nsocket=/extra\nssl-ca=/extra\n",
            f"{HOME}/.my.cnf": "[mysql]\nssl-ca=/home\n",
        },
        {"user": "etc", "port": "2", "host": "own", "socket": "/extra", "ssl-ca": "/home"},
        {"MYSQL_HOME": "/run/mysql-home"},
    ),
    "the last value counts, whatever its group": Case(
        {"/etc/my.cnf": "[mysql]\nuser=a\n[client]\nuser=b\n[mysql]\nport=1\nport=2\n"}, {"user": "b", "port": "2"}
    ),
    "as Debian lays it out": Case(
        {
            "/etc/mysql/my.cnf": "[client-server]\nsocket=/run/a\n!includedir /etc/mysql/conf.d/\n",
            "/etc/mysql/conf.d/50-client.cnf": "[client]\nuser=fifty\n",
            "/etc/mysql/conf.d/60.cnf": "[mariadb-client]\nuser=sixty\n",
            "/etc/mysql/conf.d/70.txt": "[client]\nuser=seventy\n",
        },
        {"socket": "/run/a", "user": "sixty"},
    ),
    "an include in the middle": Case(
        {"/etc/my.cnf": "[client]\nuser=a\n!include /run/i.cnf\nport=2\n", "/run/i.cnf": "[client]\nuser=i\nport=1\n"},
        {"user": "i", "port": "2"},
    ),
    "files that everybody may write": Case(
        {
            "/etc/my.cnf": "[client]\nuser=a\n!include /run/i.cnf\n",
            "/etc/mysql/my.cnf": "[client]\nuser=b\n",
            "/run/i.cnf": "[client]\nport=1\n",
            EXTRA: "[client]\nport=3\n",
            f"{HOME}/.my.cnf": "[client]\nhost=h\n",
        },
        {"user": "a"},
        modes={"/etc/mysql/my.cnf": 0o666, "/run/i.cnf": 0o602, f"{HOME}/.my.cnf": 0o777, EXTRA: 0o646},
    ),
    "files that may not be read": Case(
        {
            "/etc/my.cnf": "[client]\nuser=a\n!include /run/i.cnf\n",
            "/etc/mysql/my.cnf": "[client]\nuser=b\n",
            "/run/i.cnf": "[client]\nport=1\n",
            f"{HOME}/.my.cnf": "[client]\nhost=h\n",
        },
        {"user": "a"},
        modes={"/etc/mysql/my.cnf": 0o600, "/run/i.cnf": 0o600, f"{HOME}/.my.cnf": 0o600},
    ),
    "no home": Case({f"{HOME}/.my.cnf": "[client]\nuser=h\n"}, {}, {"HOME": ""}),
    "MariaDB's own directory": Case(
        {"/run/m/my.cnf": "[client]\nuser=m\n", "/run/o/my.cnf": "[client]\nport=1\n"},
        {"user": "m"},
        {"MARIADB_HOME": "/run/m", "MYSQL_HOME": "/run/o"},
    ),
}


def wait_synced(host: Host, *arguments: str, **environment: str) -> None:
    """Wait until it answers 200: its deadline is a second, which a busy machine may not have."""
    wait_until(
        lambda: host.run("clustercheck", *arguments, env=environment)[:2] == (0, SYNCED), 60, "clustercheck answers 200"
    )


@pytest.mark.parametrize("name", CASES)
def test_the_same_files_say_the_same_to_mariadb_s_client(host: Host, name: str) -> None:
    case = CASES[name]
    for path, text in case.files.items():
        host.path(path).parent.mkdir(parents=True, exist_ok=True)
        host.write(path, text, case.modes.get(path, 0o644))
    environment = {"HOME": HOME, **case.environment}
    extra = [EXTRA] if EXTRA in case.files else []
    client = [find_program("mariadb", "mariadb-client"), *(f"--defaults-extra-file={path}" for path in extra)]
    printed = host.run(*client, "--print-defaults", env=environment, user=NOBODY)
    assert printed.code == 0, printed
    words = printed.out.partition("arguments:\n")[2].split()
    assert {word[2:].partition("=")[0]: word.partition("=")[2] for word in words} == case.options
    library = {"PYTHONPATH": str(CHECKOUT / "lib")}
    asked = host.run(sys.executable, "-c", ASK_XHA, *extra, env={**environment, **library}, user=NOBODY)
    assert asked.code == 0, asked
    values, warnings, _, _ = json.loads(asked.out)
    assert values == case.options
    assert sorted(warning.partition(":")[0] for warning in warnings) == sorted(case.modes)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/etc/my.cnf", "user=nobody\n"),
        ("/etc/mysql/my.cnf", "[client\n"),
        (f"{HOME}/.my.cnf", "[client]\n!includedir /no/such/directory\n"),
    ],
)
def test_where_mariadb_s_client_gives_up_the_node_is_503_and_the_reason_names_the_file(
    host: Host, percona: Node, path: str, text: str
) -> None:
    host.path(path).parent.mkdir(parents=True, exist_ok=True)
    host.write(path, text)
    assert host.run(find_program("mariadb", "mariadb-client"), "--print-defaults", env={"HOME": HOME}).code != 0
    result = host.run("clustercheck", USER, PASSWORD, "0", "/run/reason", env={"HOME": HOME})
    assert result[:2] == (1, NOT_SYNCED)
    named = "/no/such/directory" if "includedir" in text else path
    assert named in host.path("/run/reason").read_text()


@pytest.mark.parametrize(
    ("path", "group"),
    [
        ("/etc/my.cnf", "mysql"),
        ("/etc/mysql/my.cnf", "client-mariadb"),
        (f"{HOME}/.my.cnf", "mariadb-client"),
        (EXTRA, "client"),
    ],
)
def test_the_server_s_address_is_found_in_each_of_them(host: Host, percona: Node, path: str, group: str) -> None:
    host.path("/run/mysqld/mysqld.sock").unlink()
    environment = {"HOME": HOME, "DEFAULTS_EXTRA_FILE": EXTRA}
    assert host.run("clustercheck", USER, PASSWORD, env=environment)[:2] == (1, NOT_SYNCED)
    host.path(path).parent.mkdir(parents=True, exist_ok=True)
    host.write(path, f"[{group}]\nsocket = {percona.socket}\n")
    wait_synced(host, USER, PASSWORD, **environment)


def test_the_environment_gives_what_no_file_gives(host: Host, percona: Node) -> None:
    host.path("/run/mysqld/mysqld.sock").unlink()
    environment = {"MYSQL_UNIX_PORT": str(percona.socket)}
    wait_synced(host, USER, PASSWORD, **environment)
    wait_synced(host, USER, "", MYSQL_PWD=PASSWORD, **environment)
    host.write("/etc/my.cnf", option_file(socket="/no/such/socket"))
    assert host.run("clustercheck", USER, PASSWORD, env=environment)[:2] == (1, NOT_SYNCED)


@pytest.mark.parametrize("anothers", ["the file", "the directory"])
def test_root_does_not_follow_a_home_that_belongs_to_another_account(host: Host, percona: Node, anothers: str) -> None:
    """sudo may keep HOME. Whoever owns it would name the server that root's check believes."""
    path = host.path(f"{HOME}/.my.cnf")
    path.parent.mkdir()
    path.write_text(option_file(socket="/no/such/socket"))
    os.chown(path if anothers == "the file" else path.parent, NOBODY, NOBODY)
    environment = {"HOME": HOME, "ERR_FILE": "/run/reason"}
    wait_synced(host, USER, PASSWORD, **environment)
    assert host.run("clustercheck", USER, "wrong", env=environment)[:2] == (1, NOT_SYNCED)
    assert f"{HOME}/.my.cnf: it belongs to another account" in host.path("/run/reason").read_text()
    assert host.run("clustercheck", USER, PASSWORD, env=environment, user=NOBODY)[:2] == (1, NOT_SYNCED)


def test_what_is_no_file_holds_up_nothing(host: Host, percona: Node) -> None:
    host.path(HOME).mkdir()
    os.mkfifo(host.path(f"{HOME}/.my.cnf"))
    os.mkdir(host.path("/etc/my.cnf"))
    try:
        wait_synced(host, USER, PASSWORD, HOME=HOME)
    finally:
        host.path("/etc/my.cnf").rmdir()
