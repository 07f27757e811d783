"""The role on three hosts that have Pacemaker and no xha: the first run makes a cluster, the second changes nothing.

Then a rolling update to a later version, while clients write through the VIP. The hosts run this machine's system, or
the one that XHA_ANSIBLE_OS names, as `debian13`.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab import client, cluster, document, needs, systems
from lab.document import SEED_PROPERTIES
from lab.host import Host
from lab.laboratory import Laboratory, guarded
from lab.measure import judge_attempts
from lab.place import (
    ADDRESSES,
    BALANCER_PORT,
    DATABASE_PASSWORD,
    DATABASE_USER,
    REPOSITORY,
    VIP,
    WRITER_PORT,
    Place,
)
from lab.standing import carry_out, wait_online, wait_synced
from loopback import Net
from packages.conftest import LATER, Built, built, later

__all__ = ["built", "later"]

pytestmark = pytest.mark.skipif("XHA_ANSIBLE" not in os.environ, reason="make test-ansible runs it")

PLAYBOOKS = REPOSITORY / "ansible"
PROGRAM = REPOSITORY / "build/ansible/bin/ansible-playbook"
SECONDS = 900
SAYS = "xha-check --version"


class Ansible:
    """ansible-playbook with an inventory of the laboratory's hosts."""

    def __init__(self, lab: Laboratory, directory: Path, debs: Path) -> None:
        self.lab, self.directory, self.debs = lab, directory, debs

    def inventory(self) -> Path:
        hosts = {
            host.name: {"xha_address": host.address, "lab_enter": " ".join(host.enter())}  # another pid after each boot
            for host in self.lab
        }
        common = {
            "ansible_connection": "lab",
            "ansible_python_interpreter": "/usr/bin/python3",
            "ansible_become": False,
            "xha_debs": self.debs.name,
            "xha_haproxy_bind": f"{VIP}:{BALANCER_PORT}",
            "xha_haproxy_writer_bind": f"{VIP}:{WRITER_PORT}",
            "xha_resource_parameters": {
                "hang_grace": "20s",
                "test_user": DATABASE_USER,
                "test_passwd": DATABASE_PASSWORD,
            },
        }
        path = self.directory / "inventory.json"
        path.write_text(json.dumps({"xha": {"hosts": hosts, "vars": common}}))
        return path

    def run(self, playbook: str, code: int = 0, *options: str, **variables: object) -> Mapping[str, Any]:
        """Run a playbook beside the packages. Return what it says of each host at its end, and its output as `text`."""
        argv = [str(PROGRAM), "-v", "-i", str(self.inventory()), str(PLAYBOOKS / playbook), *options]
        argv += ["-e", json.dumps(variables)]
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE")},
            "ANSIBLE_CONNECTION_PLUGINS": str(Path(__file__).with_name("connection")),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
            "ANSIBLE_LOCALHOST_WARNING": "False",
            "ANSIBLE_HOME": str(self.directory / "home"),
            "ANSIBLE_FORKS": "3",
            "ANSIBLE_NOCOLOR": "1",
            "PWD": str(self.debs.parent),
        }
        done = subprocess.run(
            argv,
            env=environment,
            cwd=self.debs.parent,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        text = done.stdout + done.stderr
        (self.directory / f"{playbook}-{time.monotonic_ns()}.log").write_text(text)
        assert done.returncode == code, text[-6000:]
        recap = done.stdout.partition("PLAY RECAP")[2]
        lines = [line.partition(":") for line in recap.splitlines() if ": ok=" in line.replace("  ", " ")]
        found = {name.strip(): dict(word.split("=") for word in rest.split()) for name, _, rest in lines}
        return {**found, "text": text}


@pytest.fixture(scope="module")
def ansible(net: Net, built: Built) -> Iterator[Ansible]:
    """Three hosts with Debian's packages, Galera's options and a Pacemaker without a resource."""
    system = systems.find_system(os.environ.get("XHA_ANSIBLE_OS", ""))
    lacking = [*needs.missing(), *systems.lacks(system)]
    if lacking:
        pytest.skip(f"the laboratory is left out: this machine lacks {', '.join(lacking)}")
    systems.build(system)
    lab = Laboratory(Place(f"ansible-{os.getpid()}"), system)
    with guarded(lab.place):
        lab.build(bare=True)
        accounts = [line for line in document.ACCOUNTS.today.splitlines() if "xha@" not in line]
        for step in (
            document.without_pcsd(tuple(lab.hosts)),
            document.FIRST_ELECTION,
            document.START,
            replace(document.ACCOUNTS, today="\n".join(accounts)),
            document.wsrep_cnf(tuple(lab.hosts)),
        ):
            carry_out(lab, step)
        wait_online(lab)
        carry_out(lab, SEED_PROPERTIES)
        (net.directory / "ansible").mkdir()
        yield Ansible(lab, net.directory / "ansible", built.directory)


def changed(recap: Mapping[str, Any]) -> dict[str, str]:
    return {name: recap[name]["changed"] for name in ADDRESSES if name in recap}


def keeper_of(host: Host) -> int:
    """The pid of the keeper that runs there."""
    return int(json.loads(host.sh("cat /run/xha/galera/p_mysql/keeper.json").out)["pid"])


def test_a_resource_of_another_agent_ends_the_play_before_any_change(ansible: Ansible) -> None:
    ansible.lab["h1"].sh("pcs resource create p_other ocf:heartbeat:Dummy --disabled", timeout=60)
    ended = ansible.run("site.yml", 2, xha_resource="p_other")
    assert "p_other is there, and of another agent, and nothing was changed" in ended["text"]
    assert set(changed(ended).values()) == {"0"}, ended["text"]
    ansible.lab["h1"].sh("pcs resource delete p_other", timeout=60)


def test_the_first_run_makes_a_cluster_and_the_second_changes_nothing(ansible: Ansible, built: Built) -> None:
    lab = ansible.lab
    lab["h2"].sh("systemctl enable mariadb.service mariadb.socket")
    lab["h3"].sh("rm -f /lib/systemd/system/mariadb.socket && systemctl daemon-reload")
    first = ansible.run("site.yml")
    assert set(changed(first)) == set(lab.hosts), first["text"]
    assert all(int(count) > 0 for count in changed(first).values()), first["text"]
    assert DATABASE_PASSWORD not in first["text"]
    wait_synced(lab)
    for host in lab:
        assert built.version in host.sh(SAYS, check=False).out
        assert json.loads(host.sh("xha-check node --json", timeout=60, check=False).out)["verdict"]["available"]
        assert host.sh("systemctl is-enabled xha-responder.socket").out.strip() == "enabled"
        assert "[haproxy" not in host.sh("xha-check doctor --host-only", check=False, timeout=120).out
    units = lab["h2"].sh("systemctl is-enabled mariadb.service mariadb.socket", check=False).out
    assert units.split() == ["disabled", "disabled"]
    lab["h2"].sh("mariadb -NBe 'SELECT COUNT(*) FROM xha.canary'")
    parameters = lab["h1"].sh("pcs resource config p_mysql", timeout=60).out
    assert "hang_grace=20s" in parameters
    assert f"test_passwd={DATABASE_PASSWORD}" in parameters
    second = ansible.run("site.yml")
    assert changed(second) == dict.fromkeys(lab.hosts, "0"), second["text"]
    assert DATABASE_PASSWORD not in second["text"]
    one = ansible.run("site.yml", 0, "--limit", "h2")
    assert changed(one) == {"h2": "0"}, one["text"]


def test_what_is_changed_is_one_change_and_what_is_wrong_is_none(ansible: Ansible) -> None:
    lab = ansible.lab
    once = ansible.run("site.yml", xha_resource_parameters={"hang_grace": "25s"})
    assert changed(once) == {"h1": "1", "h2": "0", "h3": "0"}, once["text"]
    assert "hang_grace=25s" in lab["h1"].sh("pcs resource config p_mysql", timeout=60).out
    lab["h1"].sh("mariadb -e 'REVOKE PROCESS ON *.* FROM xha@localhost'")
    again = ansible.run("site.yml", 0, "--tags", "xha_accounts")
    assert changed(again) == {"h1": "1"}, again["text"]
    assert "GRANT PROCESS ON *.*" in lab["h3"].sh("mariadb -NBe 'SHOW GRANTS FOR xha@localhost'").out
    before = lab["h1"].sh("cat /etc/xha/xha.conf").out
    wrong = ansible.run("site.yml", 2, xha_conf={"responder": {"max_aeg": "1s"}})
    assert "unknown key 'max_aeg' in [responder]" in wrong["text"]
    assert lab["h1"].sh("cat /etc/xha/xha.conf").out == before


def test_haproxy_is_reloaded_although_a_later_task_fails(ansible: Ansible) -> None:
    host = ansible.lab["h1"]
    host.sh("systemctl start haproxy")
    before = host.sh("systemctl show --property=ExecReload haproxy").out
    failed = ansible.run("site.yml", 2, xha_haproxy_inter="600ms", xha_resource_parameters={"no_such": "1"})
    assert "inter 600ms" in host.sh("cat /etc/haproxy/haproxy.cfg").out
    assert host.sh("systemctl show --property=ExecReload haproxy").out != before, failed["text"]
    ansible.run("site.yml", 0, "--tags", "xha_haproxy")
    host.sh("systemctl stop haproxy")


@pytest.mark.parametrize("act", ["disable", "drain"])
def test_no_member_goes_while_an_operator_has_taken_one_out(ansible: Ansible, act: str) -> None:
    lab = ansible.lab
    lab["h3"].sh(f"xha-check {act} --why 'a disk is swapped'")
    refused = ansible.run("rolling-update.yml", 2, xha_update="true")
    assert "h3 is not in service (" in refused["text"]
    assert "h1 stays as it is: mend h3, or xha-check enable there" in refused["text"]
    assert set(changed(refused).values()) == {"0"}, refused["text"]
    assert "enabled already" not in lab["h3"].sh("xha-check enable").out


def test_a_rolling_update_under_load_is_an_error_for_nobody(ansible: Ansible, later: Built, tell: Any) -> None:
    lab = ansible.lab
    carry_out(lab, document.BALANCER)
    servers = {host.name: host.sh("pidof mariadbd").out for host in lab}
    keepers = [keeper_of(host) for host in lab]
    with client.writing(lab) as writers:
        begin = time.monotonic()
        recap = ansible.run("rolling-update.yml", xha_debs="later")
        end = time.monotonic()
        attempts = writers.attempts()
    assert {recap[name]["failed"] for name in lab.hosts} == {"0"}
    felt = judge_attempts(attempts, begin, end)
    assert felt.errors == {}
    for host in lab:
        assert LATER in host.sh(SAYS, check=False).out
        assert client.missing(felt.acknowledged, host) == 0
    assert servers == {host.name: host.sh("pidof mariadbd").out for host in lab}
    assert all(was != keeper_of(host) for was, host in zip(keepers, lab))
    assert cluster.all_synced(lab)
    # HAProxy has asked the responders, and each has written its row: account and table are as they have to be.
    assert lab["h1"].sh("mariadb -NBe 'SELECT COUNT(*) FROM xha.canary'").out.strip() == "3"
    tell(
        f"{len(felt.acknowledged)} rows were acknowledged in {end - begin:.0f} s, and none failed; "
        f"the longest time without one: {felt.longest_gap:.1f} s"
    )


def test_a_member_that_an_operator_disables_meanwhile_stays_disabled(ansible: Ansible) -> None:
    host = ansible.lab["h1"]
    ended = ansible.run(
        "rolling-update.yml", 2, "--limit", "h1", xha_update="xha-check disable --why 'a disk is swapped'"
    )
    assert "h1 was updated, and" in ended["text"]
    assert "has taken it out of service meanwhile" in ended["text"]
    document = json.loads(host.sh("xha-check node --json", timeout=60, check=False).out)
    assert document["disabled"]["why"] == "a disk is swapped"
    host.sh("xha-check enable")
    wait_synced(ansible.lab)
