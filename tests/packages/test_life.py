"""The packages' life on a host: installed, used on a real node, upgraded while it serves, removed, purged.

`make test` does it in the root of the laboratory, `make test-packages` in bare roots of Debian 12 and 13, in which apt
installs what the packages depend on.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Callable

import pytest

from install.place import NOT_RUNNING, PROBE
from install.test_units import GALERA
from loopback import Net, wait_until
from loopback.doors import CHECKOUT
from packages.conftest import LATER, Built
from packages.guest import Guest, names

ROOTS = os.environ.get("XHA_PACKAGE_ROOTS", "debian13").split()
AGENT = "/usr/lib/ocf/resource.d/xha/galera"
HOME = "/usr/lib/xha"
DATA = "/srv/database"
PACKAGES = "xha xha-clustercheck resource-agents-xha xha-services"
NODE = {
    **PROBE,
    "OCF_RESKEY_CRM_meta_timeout": "120000",
    "OCF_RESKEY_config": "/run/my.cnf",
    "OCF_RESKEY_datadir": DATA,
    "OCF_RESKEY_enable_creation": "1",
    "OCF_RESKEY_wsrep_cluster_address": "gcomm://127.0.0.1",
}
OFTEN = {**NODE, "OCF_RESKEY_CRM_meta_interval": "10000"}


@pytest.fixture(scope="module", params=ROOTS)
def guest(net: Net, request: pytest.FixtureRequest, built: Built, later: Built) -> Iterator[Guest]:
    """A host on which nothing of xha was installed; it sees this version and the later one."""
    if os.geteuid() != 0:
        pytest.skip("not root: nothing was installed")
    if not (CHECKOUT / "build/roots" / request.param).exists():
        pytest.skip(f"build/roots/{request.param} is not there: tools/root {request.param}")
    packages = net.directory / f"packages/{request.param}"
    packages.mkdir()
    for deb in (*built.debs, *later.debs):
        shutil.copy(deb, packages)
    with Guest(net, net.directory / f"guest-{request.param}", request.param, packages) as running:
        if not running.sh("command -v mariadbd || true"):
            running.apt("install", "mariadb-server", "galera-4")
        yield running


@pytest.fixture(scope="module")
def before(guest: Guest, built: Built) -> set[str]:
    """The files of the host before: those that xha's packages depend on, and nothing of xha."""
    needed = re.findall(r"^Inst (\S+)", guest.apt("--simulate", "install", names(built.debs)), re.M)
    missing = [name for name in needed if name not in PACKAGES.split()]
    if missing:
        guest.apt("install", *missing)
    return guest.files("/run", DATA)


@pytest.fixture(scope="module")
def installed(guest: Guest, before: set[str], built: Built) -> Guest:
    guest.apt("install", names(built.debs))
    return guest


@pytest.fixture(scope="module")
def serving(installed: Guest) -> Guest:
    """The host with a real node, which the agent has started."""
    installed.sh(f"printf '%s' '{GALERA}user = mysql\n' >/run/my.cnf")
    installed.sh(f"install -d -o mysql {DATA}")
    installed.sh(f"{AGENT} start", **NODE)
    wait_until(lambda: installed.sh(f"{AGENT} monitor 2>/dev/null; echo $?", **OFTEN) == "0", 60, "the node serves")
    return installed


@contextmanager
def monitors(guest: Guest) -> Iterator[list[str]]:
    """Run monitor in a loop during the block; afterwards the list has the code of each, and what was said to one."""
    codes: list[str] = []
    loop = f"rm -f /run/end; while ! [ -e /run/end ]; do {AGENT} monitor >>/run/monitors.log 2>&1; echo $?; done"
    with guest.popen("/bin/sh", "-c", loop, **OFTEN) as process:
        try:
            yield codes
        finally:
            guest.sh("touch /run/end")
            codes += process.communicate(timeout=60)[0].split()


def keeper_of(guest: Guest) -> int:
    """The process of the node's keeper, which still runs."""
    pid = json.loads(guest.sh("cat /run/xha/galera/p_mysql/keeper.json"))["pid"]
    guest.sh(f"kill -0 {pid}")
    return int(pid)


class TestInstalled:
    def test_it_asks_the_distribution_for_everything(self, installed: Guest) -> None:
        assert installed.sh(f"dpkg-query -W -f '${{db:Status-Status}}\n' {PACKAGES} | sort -u") == "installed"
        assert installed.sh(f"ls {HOME}/current/python") == "xha"
        assert (
            installed.sh(f"grep -c 'sys.path.append(\"/usr/lib/python3/dist-packages\")' {HOME}/current/bin/xha-check")
            == "1"
        )

    def test_every_command_leads_into_the_version(self, installed: Guest, built: Built) -> None:
        assert installed.sh("xha-check --version", 3) == f"xha-check {built.version}"
        assert installed.sh("/usr/libexec/xha/xha-responder --version", 3) == f"xha-responder {built.version}"
        assert installed.sh("/usr/libexec/xha/xha-services --version", 3) == f"xha-services {built.version}"
        assert "HTTP/1.1 503" in installed.sh("clustercheck", 1)
        assert f'version="{built.version}"' in installed.sh(f"{AGENT} meta-data")
        assert installed.sh(f"{AGENT} monitor", NOT_RUNNING, **PROBE) == ""

    def test_the_services_are_checked_with_debian_s_packages(self, installed: Guest) -> None:
        told = json.loads(installed.sh("xha-check service rabbitmq memcached --json || true"))
        assert "No module" not in json.dumps(told)

    def test_the_accounts_are_there_and_may_read_what_they_need(self, installed: Guest) -> None:
        assert installed.sh("getent passwd xha xha-services | cut -d: -f7 | sort -u") == "/usr/sbin/nologin"
        assert installed.sh("stat -c '%a %U:%G' /etc/xha/client.cnf /etc/xha/xha.conf").splitlines() == [
            "640 root:xha",
            "644 root:root",
        ]
        conffiles = installed.sh("dpkg-query -W -f '${Conffiles}' xha")
        assert re.findall(r"(/\S+)", conffiles) == ["/etc/xha/client.cnf", "/etc/xha/xha.conf", "/etc/xinetd.d/xha"]

    def test_nothing_is_enabled(self, installed: Guest) -> None:
        assert installed.sh("find /etc/systemd /etc/rc?.d -name '*xha*'") == ""
        assert "disable         = yes" in installed.sh("cat /etc/xinetd.d/xha")

    def test_what_is_installed_can_be_verified(self, installed: Guest) -> None:
        assert installed.sh(f"dpkg --verify {PACKAGES} | grep -v ' /usr/share/' || true") == ""
        installed.sh(f"cd {HOME}/current && sha256sum --quiet --check SHA256SUMS")


class TestUsed:
    def test_the_node_is_in_service(self, serving: Guest) -> None:
        told = serving.sh("xha-check --node")
        assert "synced" in told
        assert "200 OK" in serving.sh("clustercheck root '' 0 /dev/null 1 /dev/null")

    def test_the_responder_answers_from_its_own_account(self, serving: Guest) -> None:
        serving.sh("mariadb -e 'CREATE USER xha@localhost IDENTIFIED VIA unix_socket'")
        script = """
            runuser -u xha -- /usr/libexec/xha/xha-responder --listen 127.0.0.1:49000 >/run/responder.log 2>&1 &
            /usr/bin/python3 - <<'END'
import http.client, time
for left in reversed(range(200)):
    try:
        connection = http.client.HTTPConnection("127.0.0.1", 49000, timeout=30)
        connection.request("OPTIONS", "/")
        print(connection.getresponse().status)
        break
    except ConnectionRefusedError:
        time.sleep(0.05)
END
            kill $!"""
        assert serving.sh(script) == "200", serving.sh("cat /run/responder.log")

    def test_no_monitor_fails_while_it_is_upgraded_and_brought_back(
        self, serving: Guest, built: Built, later: Built, tell: Callable[[str], None]
    ) -> None:
        keeper = keeper_of(serving)
        (first,) = serving.sh(f"ls {HOME}/versions").split()
        serving.sh("echo '# of the operator' >>/etc/xha/xha.conf; chmod 600 /etc/xha/client.cnf")
        with monitors(serving) as codes:
            said = serving.sh(f"dpkg -i {names(later.debs)}")
            assert f"{HOME}/current is {LATER}-" in said
            assert serving.sh("xha-check --version", 3) == f"xha-check {LATER}"
            # The keeper holds its version open, and goes on with it.
            assert re.search(rf"versions/{first} stays: process \d+ runs from it", said)
            serving.sh(f"dpkg -i {names(built.debs)}")
            serving.sh(f"dpkg -i {names(later.debs)}")
        tell(f"{serving.name}: {len(codes)} monitors in three upgrades, {len(codes) - codes.count('0')} of them not 0")
        assert set(codes) == {"0"}, serving.sh("tail -n 20 /run/monitors.log")
        assert len(codes) > 10
        assert keeper_of(serving) == keeper
        assert first in serving.sh(f"ls {HOME}/versions").split()
        assert "# of the operator" in serving.sh("cat /etc/xha/xha.conf")
        assert serving.sh("stat -c '%a %G' /etc/xha/client.cnf") == "600 xha"

    def test_a_version_is_removed_once_nobody_uses_it(self, serving: Guest, later: Built) -> None:
        serving.sh(f"{AGENT} stop", **NODE)
        serving.sh(f"dpkg -i {names(later.debs)}")
        assert len(serving.sh(f"ls -A {HOME}/versions").split()) == 1


class TestRemoved:
    def test_removed_the_configuration_is_left_and_nothing_runs(self, serving: Guest) -> None:
        serving.sh(f"dpkg --remove {PACKAGES}")
        assert serving.sh("ls /etc/xha") == "client.cnf\nxha.conf"
        assert serving.sh(f"ls -d {HOME} /usr/bin/xha-check /usr/share/xha 2>/dev/null || true") == ""

    def test_purged_nothing_is_left_but_the_accounts_and_what_is_beside_the_data(
        self, serving: Guest, before: set[str]
    ) -> None:
        beside = serving.sh(f"ls -A {DATA}")
        serving.sh(f"dpkg --purge {PACKAGES}")
        left = serving.files("/run", DATA) - before
        assert {
            path for path in left if not re.fullmatch(r"/etc/(passwd|group|shadow|gshadow|subuid|subgid)-?", path)
        } == set()
        assert serving.sh("getent passwd xha | cut -d: -f1") == "xha"
        assert serving.sh(f"ls -A {DATA}") == beside
