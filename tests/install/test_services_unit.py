"""The installed xha-services.service under a real systemd, and the responder that reports its results."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from install.machine import Machine
from loopback import wait_until

SERVICE = "xha-services.service"
ASK = """/usr/bin/python3 -c '
import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", 49000, timeout=30)
connection.request("GET", "/service/" + sys.argv[1])
answer = connection.getresponse()
print(answer.status, answer.read().decode().split(" ")[0].strip())' """
SECTIONS = "[service memcached]\\ninterval = 5s\\ndeadline = 4s\\nfall = 2\\n[service mysql]\\nlevel = process\\n"


@pytest.fixture(scope="module")
def host(machine: Machine) -> Iterator[Machine]:
    """The machine with a memcached, the responder's socket and xha-services."""
    machine.sh("cp /etc/xha/xha.conf /etc/xha/xha.conf.before")
    machine.sh(f"printf '{SECTIONS}' >>/etc/xha/xha.conf")
    machine.sh(f"systemctl start memcached xha-responder.socket && systemctl enable --now {SERVICE}")
    yield machine
    machine.sh(
        f"systemctl disable --now {SERVICE}; systemctl stop memcached xha-responder.socket xha-responder.service"
    )
    machine.sh("mv /etc/xha/xha.conf.before /etc/xha/xha.conf")


def shown(host: Machine, name: str) -> str:
    """A property of the service, as systemd shows it."""
    return host.sh(f"systemctl show --property {name} --value {SERVICE}")


def test_the_answer_follows_a_real_memcached(host: Machine) -> None:
    assert (shown(host, "ActiveState"), shown(host, "Type")) == ("active", "notify")
    host.wait_sh(f"{ASK} memcached", "200 ok")
    assert host.sh(f"{ASK} keystone") == "503 not-configured:"
    host.sh("systemctl stop memcached")
    host.wait_sh(f"{ASK} memcached", "503 critical")
    host.sh("systemctl start memcached")
    host.wait_sh(f"{ASK} memcached", "200 ok")


def test_it_has_a_user_of_its_own_and_the_responder_only_reads(host: Machine) -> None:
    host.wait_sh(f"{ASK} memcached", "200 ok")
    assert host.sh(f"stat -c %U $(printf /proc/%s {shown(host, 'MainPID')})") == "xha-services"
    assert host.sh("stat -c '%U %a' /run/xha/services /run/xha/services/memcached.json") == (
        "xha-services 755\nxha-services 644"
    )
    assert host.sh("stat -c '%U %a' /run/xha/services/.tokens") == "xha-services 700"


def test_a_restart_takes_nothing_out_of_service(host: Machine) -> None:
    host.wait_sh(f"{ASK} memcached", "200 ok")
    pid = shown(host, "MainPID")
    host.sh(f"kill -9 {pid}; {ASK} memcached | grep -qx '200 ok'")
    wait_until(lambda: shown(host, "MainPID") not in (pid, "0"), 60, "another one runs")
    host.sh(f"systemctl stop {SERVICE}; {ASK} memcached | grep -qx '200 ok'")
    host.wait_sh(f"{ASK} memcached", "503 stale")  # three intervals later
    host.sh(f"systemctl start {SERVICE}")
    host.wait_sh(f"{ASK} memcached", "200 ok")


def test_the_unit_is_closed(host: Machine) -> None:
    """systemd's own score, from 0 (best) to 10 (worst); the unit names what is left open."""
    verdict = host.sh(f"systemd-analyze security --no-pager {SERVICE}").splitlines()[-1]
    assert float(verdict.split(":")[1].split()[0]) <= 2.3, verdict
