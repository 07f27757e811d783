"""The installed units under a real systemd, and the same protocol with systemd not as PID 1."""

from __future__ import annotations

import http.client
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from install.conftest import CHECKOUT
from install.machine import PROBE, Machine
from loopback import Daemon, Net, find_program, is_listening, wait_until

SERVICE = "xha-responder.service"
WATCHDOG_SECONDS = 4  # shortened by a drop-in, so that the test need not wait for the unit's ten seconds

GALERA = """[mysqld]
wsrep_on = ON
wsrep_provider = /usr/lib/galera/libgalera_smm.so
wsrep_cluster_address = gcomm://
wsrep_node_address = 127.0.0.1
binlog_format = ROW
innodb_autoinc_lock_mode = 2
innodb_flush_log_at_trx_commit = 0
"""


@pytest.fixture(scope="module")
def host(machine: Machine) -> Iterator[Machine]:
    """The machine with the socket unit enabled, and a shortened watchdog."""
    drop_in = f"/etc/systemd/system/{SERVICE}.d/watchdog.conf"
    machine.sh(f"mkdir -p $(dirname {drop_in})")
    machine.sh(f"printf '[Service]\\nWatchdogSec={WATCHDOG_SECONDS}s\\n' >{drop_in} && systemctl daemon-reload")
    machine.sh("systemctl enable --now xha-responder.socket")
    yield machine
    machine.sh(f"systemctl disable --now xha-responder.socket && systemctl stop {SERVICE}; systemctl stop mariadb")


def shown(host: Machine, name: str) -> str:
    """A property of the service, as systemd shows it."""
    return host.sh(f"systemctl show --property {name} --value {SERVICE}")


def test_the_service_starts_with_the_first_probe(host: Machine) -> None:
    assert shown(host, "User") == "xha"
    assert host.sh(PROBE) == "503"  # there is no database
    # Type=notify: active means that READY=1 arrived
    assert (shown(host, "ActiveState"), shown(host, "Type")) == ("active", "notify")
    assert host.sh(f"ps -o user= -p {shown(host, 'MainPID')}") == "xha"


def test_the_watchdog_is_fed(host: Machine) -> None:
    host.sh(PROBE)
    pid, begun = shown(host, "MainPID"), int(shown(host, "ActiveEnterTimestampMonotonic"))
    limit = begun + 2 * WATCHDOG_SECONDS * 1_000_000
    wait_until(lambda: int(shown(host, "WatchdogTimestampMonotonic")) > limit, 60, "WATCHDOG=1 still arrives")
    assert shown(host, "MainPID") == pid


@pytest.mark.parametrize(
    "blow",
    [
        pytest.param(signal.SIGKILL, id="killed: systemd restarts it"),
        pytest.param(signal.SIGSTOP, id="frozen: the watchdog ends it"),
    ],
)
def test_a_service_that_fails_comes_back(host: Machine, blow: signal.Signals) -> None:
    host.sh(PROBE)
    pid = shown(host, "MainPID")
    host.sh(f"kill -{blow.value} {pid}")
    wait_until(lambda: shown(host, "MainPID") not in (pid, "0"), 60, "another process serves")
    assert host.sh(PROBE) == "503"


def test_the_answer_follows_a_real_database(host: Machine) -> None:
    host.sh(f"cat >/etc/mysql/conf.d/galera.cnf <<'END'\n{GALERA}END")
    host.sh("mariadb-install-db --user=mysql --skip-test-db")
    host.sh("galera_new_cluster")
    host.sh('mariadb -e "CREATE USER xha@localhost IDENTIFIED VIA unix_socket"')
    host.wait_sh(PROBE, "200")
    names = "/run/xha /run/xha/responder /run/xha/responder/commit.json"
    assert host.sh(f"stat -c '%U %a' {names}") == "root 755\nxha 755\nxha 644"
    names = "/var/lib/xha /var/lib/xha/responder /var/lib/xha/responder/history"
    host.wait_sh(f"stat -c '%U %a' {names}", "root 755\nxha 755\nxha 644")
    told = f"{PROBE} >/dev/null; /usr/local/bin/xha-check node"
    wait_until(lambda: "commits: not known: no probe (docs/commits.md)" in host.sh(told), 30, lambda: host.sh(told))
    host.sh("systemctl stop mariadb")
    host.wait_sh(PROBE, "503")


def test_the_service_is_as_closed_as_it_can_be(host: Machine) -> None:
    """systemd's own score, from 0 (best) to 10 (worst); the unit names what is left open."""
    verdict = host.sh(f"systemd-analyze security --no-pager {SERVICE}").splitlines()[-1]
    assert float(verdict.split(":")[1].split()[0]) <= 1.6, verdict


@pytest.mark.parametrize(("unit", "most"), [("xha-responder.service", 1.7), ("xha-services.service", 2.3)])
def test_a_unit_is_as_closed_without_a_machine_to_boot(tmp_path: Path, unit: str, most: float) -> None:
    analyze = find_program("systemd-analyze", "systemd")
    version = subprocess.run([analyze, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    if not version.isdigit() or int(version) < 250:
        pytest.skip(f"systemd {version} judges only units that are loaded")
    # As the Makefile's `fill` does it.
    text = (CHECKOUT / "xinetd" / unit).read_text().replace("@libexecdir@", "/usr/libexec").replace("@docdir@", "/usr")
    (tmp_path / unit).write_text(text)
    words = [analyze, "security", "--offline=true", "--no-pager", str(tmp_path / unit)]
    verdict = subprocess.run(words, capture_output=True, text=True, check=False).stdout.splitlines()[-1]
    assert float(verdict.split(":")[1].split()[0]) <= most, verdict


def test_the_reserved_port_is_kept_from_outgoing_connections(host: Machine) -> None:
    host.sh("sysctl --load /usr/lib/sysctl.d/60-xha.conf")
    assert host.sh("sysctl -n net.ipv4.ip_local_reserved_ports") == "49000"


def test_socket_activation_without_systemd_as_pid_1(net: Net) -> None:
    """systemd-socket-activate passes the listening socket exactly as the socket unit does."""
    address = net.next_address()
    directory = net.directory / "socket-activate"
    directory.mkdir()
    activate = find_program("systemd-socket-activate", "systemd")
    responder = [str(CHECKOUT / ".venv/bin/xha-responder"), "--socket", str(directory / "absent.sock")]
    with Daemon(net, [activate, f"--listen={address}:49000", *responder], directory / "log") as daemon:
        daemon.wait_ready(lambda: is_listening(address, 49000), 20, "systemd-socket-activate listens")
        connection = http.client.HTTPConnection(address, 49000, timeout=30)
        connection.request("OPTIONS", "/")
        assert connection.getresponse().status == 503
