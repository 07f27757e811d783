"""Only a server that systemd started is stopped through systemd; xha's gets a control group if possible."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from server.machine import Server
from xha.adapters.host import systemd_units as units
from xha.adapters.lifecycle import terminate
from xha.adapters.process.control_groups import is_users, parse_unit

# Records its arguments, prints the pid in `main` as the unit's main process, and stops nothing.
SYSTEMCTL = """#!/bin/sh
echo "$*" >>"{directory}/asked"
case $1 in show) cat "{directory}/main" ;; stop) [ ! -e "{directory}/stop" ] || kill "$(cat "{directory}/main")" ;; esac
"""


@pytest.mark.parametrize(
    ("cgroups", "unit"),
    [
        pytest.param("0::/system.slice/mariadb.service\n", "mariadb.service", id="version 2"),
        pytest.param(
            "4:cpu:/x.service\n1:name=systemd:/system.slice/mysql.service\n0::/\n", "mysql.service", id="both"
        ),
        pytest.param("0::/system.slice/system-mariadb.slice/mariadb@a.service\n", "mariadb@a.service", id="template"),
        pytest.param("0::/system.slice/mysqld.service/nested\n", "mysqld.service", id="a cgroup below the unit's"),
        pytest.param("0::/system.slice/pacemaker.service\n", None, id="started by an agent"),
        pytest.param("0::/system.slice/pacemaker_remote.service\n", None, id="on a remote node"),
        pytest.param("0::/user.slice/user-0.slice/session-3.scope\n", None, id="by hand"),
        pytest.param("0::/user.slice/user-1.slice/user@1.service/app.slice/a.service\n", None, id="a user's service"),
        pytest.param("0::/\n", None, id="in a container"),
        pytest.param("4:memory:/mariadb.service\n", None, id="a controller that is not systemd's"),
        pytest.param("", None, id="gone"),
    ],
)
def test_the_service_that_a_process_is_in(cgroups: str, unit: str | None) -> None:
    assert parse_unit(cgroups) == unit


@pytest.mark.parametrize(
    ("cgroups", "users"),
    [
        pytest.param("0::/user.slice/user-1000.slice/session-3.scope\n", True, id="a login"),
        pytest.param("0::/user.slice/user-1.slice/user@1.service/app.slice/a.service\n", True, id="systemd --user"),
        pytest.param("0::/system.slice/cron.service\n", True, id="Debian's cron, without pam_systemd"),
        pytest.param("1:name=systemd:/system.slice/crond.service\n0::/\n", True, id="cronie, version 1"),
        pytest.param("0::/system.slice/atd.service\n", True, id="at"),
        pytest.param("0::/system.slice/ssh.service\n", True, id="sshd without PAM"),
        pytest.param("0::/system.slice/system-sshd.slice/sshd@3-10.0.0.1:22.service\n", True, id="sshd by a socket"),
        pytest.param("0::/system.slice/devstack@n-api.service\n", False, id="a unit with an account of its own"),
        pytest.param("0::/machine.slice/libpod-7.scope\n", False, id="a container"),
        pytest.param("0::/system.slice/cronjobs-api.service\n", False, id="another name"),
        pytest.param("0::/\n", False, id="inside a container"),
        pytest.param("", False, id="gone"),
    ],
)
def test_what_a_user_has_run(cgroups: str, users: bool) -> None:
    assert is_users(cgroups) is users


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every process is in mariadb.service.

    Returns the file of systemctl's arguments; `main` has the unit's main process.
    """
    program = tmp_path / "systemctl"
    program.write_text(SYSTEMCTL.format(directory=tmp_path))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(terminate, "unit_of", lambda pid: "mariadb.service")
    return tmp_path / "asked"


def test_a_unit_s_server_is_stopped_by_systemd(server: Server, asked: Path) -> None:
    process = server.form()
    asked.with_name("main").write_text(f"{process.pid}\n")
    asked.with_name("stop").touch()
    assert server.end() == ()
    assert "stop --no-block mariadb.service" in asked.read_text().split("\n")
    saved = server.files.read_grastate()
    assert saved is not None
    assert saved.seqno >= 0, "it was not killed"


def test_a_unit_that_does_not_stop_costs_no_more_than_the_budget(server: Server, asked: Path) -> None:
    process = server.form()
    asked.with_name("main").write_text(f"{process.pid}\n")
    assert server.end(4) == ()
    assert "stop --no-block mariadb.service" in asked.read_text().split("\n")


def test_a_server_that_a_job_of_some_unit_started_does_not_stop_the_unit(server: Server, asked: Path) -> None:
    server.form()
    asked.with_name("main").write_text("1\n")
    assert server.end() == ()
    assert "stop" not in asked.read_text()


@pytest.mark.skipif(os.path.isdir("/run/systemd/system"), reason="systemd runs here: tests/lab has it")
def test_where_systemd_does_not_run_a_server_stays_in_the_group_it_is_in() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        before = Path(f"/proc/{process.pid}/cgroup").read_text()
        assert units.give_scope(process.pid, "p_mysql") == ""
        assert Path(f"/proc/{process.pid}/cgroup").read_text() == before
        process.kill()
