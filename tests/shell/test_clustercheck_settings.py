"""clustercheck's settings: positional, environment, /etc/sysconfig, /etc/default, default; nothing is executed."""

from __future__ import annotations

import os

import pytest

from loopback import Node
from shell.conftest import PASSWORD, USER
from shell.host import Host, option_file
from shell.probes import NOT_SYNCED, SYNCED

SYSCONFIG, DEFAULT = "/etc/sysconfig/clustercheck", "/etc/default/clustercheck"
LOG = "/run/reason"


def who(host: Host, *arguments: str, **environment: str) -> str:
    """The user that a check with these settings logs in as."""
    host.clustercheck(*arguments, env={"ERR_FILE": LOG, **environment})
    return host.path(LOG).read_text().partition("Access denied for user '")[2].partition("'")[0]


def test_each_source_outranks_the_next(host: Host, percona: Node) -> None:
    assert who(host) == "clustercheckuser"
    host.write(DEFAULT, "MYSQL_USERNAME=by-default\n")
    assert who(host) == "by-default"
    host.write(SYSCONFIG, "MYSQL_USERNAME=by-sysconfig\n")
    assert who(host) == "by-sysconfig"
    assert who(host, MYSQL_USERNAME="by-environment") == "by-environment"
    assert who(host, "by-position", MYSQL_USERNAME="by-environment") == "by-position"


def test_every_setting_may_come_from_a_file(host: Host, percona: Node) -> None:
    lines = [
        "# as Red Hat ships it",
        f'MYSQL_USERNAME="{USER}"',
        f'export MYSQL_PASSWORD="{PASSWORD}"   # with a comment',
        f"MYSQL_HOST={percona.address}",
        "MYSQL_PORT='3306'",
        f"ERR_FILE={LOG}",
        "AVAILABLE_WHEN_DONOR=1",
        "AVAILABLE_WHEN_READONLY=0",
        "DEFAULTS_EXTRA_FILE=/run/extra.cnf",
    ]
    host.path("/run/mysqld/mysqld.sock").unlink()
    host.write(SYSCONFIG, "\n".join(lines))
    assert host.clustercheck()[:3] == (0, SYNCED, "")
    host.write(SYSCONFIG, "\r\n".join(lines))  # Percona once shipped its units with such line ends
    assert host.clustercheck()[:3] == (0, SYNCED, "")
    percona.sql("SET GLOBAL read_only = ON")
    try:
        assert "read-only" in host.clustercheck().out
        assert host.clustercheck(env={"AVAILABLE_WHEN_READONLY": "1"}).out == SYNCED
    finally:
        percona.sql("SET GLOBAL read_only = OFF")


def test_host_and_port_are_redhat_s(host: Host, percona: Node) -> None:
    host.path("/run/mysqld/mysqld.sock").unlink()
    account = {"MYSQL_USERNAME": USER, "MYSQL_PASSWORD": PASSWORD}
    assert host.clustercheck(env={**account, "MYSQL_HOST": percona.address}).out == SYNCED
    assert host.clustercheck(env={**account, "MYSQL_HOST": percona.address, "MYSQL_PORT": "1"}).out == NOT_SYNCED


def test_an_empty_value_is_the_default_as_in_the_script(host: Host, percona: Node) -> None:
    empty = "MYSQL_USERNAME=\nERR_FILE=\nDEFAULTS_EXTRA_FILE=\nAVAILABLE_WHEN_DONOR=\nMYSQL_HOST=\nMYSQL_PORT=\n"
    host.write(SYSCONFIG, empty)
    assert who(host) == "clustercheckuser"
    with host.syslog() as log:
        assert host.clustercheck(USER, PASSWORD)[:3] == (0, SYNCED, "")
        with pytest.raises(BlockingIOError):
            log.recv(1)


def test_an_empty_user_or_password_is_left_to_the_option_file(host: Host, percona: Node) -> None:
    host.write("/etc/my.cnf", option_file(user=USER, password=PASSWORD), 0o640)
    assert host.clustercheck("", "")[:2] == (0, SYNCED)
    assert host.clustercheck(USER, "")[:2] == (0, SYNCED)
    assert host.clustercheck(USER, env={"MYSQL_PASSWORD": ""})[:2] == (0, SYNCED)
    assert host.clustercheck("", "wrong")[:2] == (1, NOT_SYNCED)
    assert host.clustercheck()[:2] == (1, NOT_SYNCED)  # the default account outranks the file's, as in the script


def test_percona_s_form_takes_the_account_from_the_sixth_file(host: Host, percona: Node) -> None:
    host.write("/run/extra.cnf", option_file(user=USER, password=PASSWORD), 0o640)
    assert host.clustercheck("-", "1", LOG, "1", "/run/extra.cnf")[:3] == (0, SYNCED, "")
    host.write("/run/extra.cnf", option_file(user="from-the-file", password="x"), 0o640)
    assert who(host, "-", "1", LOG, "1", "/run/extra.cnf") == "from-the-file"
    host.write("/etc/my.cnf", option_file(user="from-my-cnf"), 0o640)
    assert who(host, "-") == "from-my-cnf"


def test_the_extra_file_may_be_absent_or_unreadable(host: Host, percona: Node) -> None:
    assert host.clustercheck(USER, PASSWORD, "0", LOG, "1", "/run/no-such.cnf")[:2] == (0, SYNCED)
    host.write("/run/secret.cnf", option_file(user="x"), 0o600)
    assert host.clustercheck(USER, PASSWORD, "0", "/dev/null", "1", "/run/secret.cnf", user=65534).code == 0


@pytest.mark.parametrize("path", [SYSCONFIG, DEFAULT])
def test_a_file_that_would_execute_something_executes_nothing(host: Host, percona: Node, path: str) -> None:
    lines = [
        "touch /run/pwned",
        "MYSQL_USERNAME=$(touch /run/pwned)",
        "MYSQL_PASSWORD=`touch /run/pwned`",
        "ERR_FILE=/dev/null; touch /run/pwned",
        'DEFAULTS_EXTRA_FILE="$(touch /run/pwned)"',
        "AVAILABLE_WHEN_DONOR=1 touch /run/pwned",
        "PATH=/run IFS=x touch /run/pwned",
        "eval 'touch /run/pwned'",
        ". /run/more",
        'MYSQL_USERNAME="open quote',
        "LD_PRELOAD=/run/evil.so",
    ]
    host.write(path, "\n".join(lines))
    host.write("/run/more", "touch /run/pwned\n", 0o755)
    assert host.clustercheck()[:3] == (1, NOT_SYNCED, "")
    assert host.clustercheck(USER, PASSWORD, "0", "/dev/null")[:3] == (0, SYNCED, "")
    assert not host.path("/run/pwned").exists()


@pytest.mark.parametrize(
    "text", ["ERR_FILE=/run/a\0b\nDEFAULTS_EXTRA_FILE=\0\n", "MYSQL_PORT=x\n", "=\n'\n\\", "\udcff=1"]
)
def test_rubbish_in_a_file_is_no_traceback(host: Host, percona: Node, text: str) -> None:
    host.path(SYSCONFIG).write_bytes(text.encode("utf-8", "surrogateescape"))
    result = host.clustercheck(USER, PASSWORD)
    assert result[:3] in ((0, SYNCED, ""), (1, NOT_SYNCED, ""))


def test_an_unreadable_settings_file_has_no_settings(host: Host, percona: Node) -> None:
    host.write(SYSCONFIG, "MYSQL_USERNAME=secret\n", 0o600)
    assert host.clustercheck(USER, PASSWORD, user=65534).out == SYNCED
    host.path(SYSCONFIG).unlink()
    os.mkdir(host.path(SYSCONFIG))
    assert host.clustercheck(USER, PASSWORD).out == SYNCED
