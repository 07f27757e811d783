"""ocf:xha:service under a real Pacemaker of one node: its attribute moves a VIP, and Pacemaker does not thrash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from loopback import Net, find_program, wait_until
from loopback.doors import CHECKOUT
from services.pacemaker import NODE, PacemakerNode

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a cluster in namespaces takes root")

ATTRIBUTE = "xha-service-memcached"
CONFIG = "[service memcached]\ndeadline = 2s\nfall = 2\nprocess = ^\\S*memcached -l 127.0.0.1 \n"
RESOURCES = """<resources>
<clone id="w-clone"><primitive id="w" class="ocf" provider="xha" type="service">
  <instance_attributes id="w-parameters">
    <nvpair id="w-name" name="name" value="memcached"/><nvpair id="w-config" name="config" value="{config}"/>
  </instance_attributes>
  <operations>
    <op id="w-0" name="monitor" interval="5s" timeout="20s"/>
    <op id="w-10" name="monitor" interval="7s" timeout="20s">
      <instance_attributes id="w-10-level"><nvpair id="w-10-depth" name="OCF_CHECK_LEVEL" value="10"/>
      </instance_attributes></op>
  </operations></primitive></clone>
<primitive id="vip" class="ocf" provider="pacemaker" type="Dummy"/>
</resources>"""
RULE = f"""<constraints><rsc_location id="vip-place" rsc="vip"><rule id="vip-rule" score="-INFINITY">
<expression id="vip-expression" attribute="{ATTRIBUTE}" operation="ne" value="1"/></rule></rsc_location>
</constraints>"""

# Pacemaker's controller requests the meta-data as hacluster, who may be unable to read root's Python and this checkout.
# Without them it requests them again with every result, and may then never notice that another resource's have arrived
# (Pacemaker 2.1.5).
AGENT = """#!/bin/sh
[ "$1" = meta-data ] && exec cat "${{0%/*}}/.service.xml"
exec {python} -I {program} "$@"
"""


class Watched:
    """A memcached on the node, and the resource that watches it."""

    def __init__(self, node: PacemakerNode, directory: Path) -> None:
        self.node = node
        agent = directory / "ocf/resource.d/xha/service"
        agent.parent.mkdir(parents=True)
        launcher = [
            CHECKOUT / "tools/install/launcher",
            CHECKOUT / "agents/service",
            f"{sys.executable} -IS",
            CHECKOUT / "lib",
            sysconfig.get_path("purelib"),
        ]
        program = directory / "service"
        program.write_text(subprocess.run(launcher, capture_output=True, text=True, check=True).stdout)
        described = [sys.executable, "-I", program, "meta-data"]
        (agent.parent / ".service.xml").write_bytes(subprocess.run(described, capture_output=True, check=True).stdout)
        agent.write_text(AGENT.format(python=sys.executable, program=program))
        agent.chmod(0o755)
        self.config = directory / "xha.conf"
        self.config.write_text(CONFIG)
        overlay = f"lowerdir={directory}/ocf:/usr/lib/ocf"
        assert node.run("mount", "-t", "overlay", "overlay", "-o", overlay, "/usr/lib/ocf") == ""

    def start(self) -> None:
        """Start the daemon, as systemd would."""
        memcached = find_program("memcached", "memcached")
        self.node.run(memcached, "-l", "127.0.0.1", "-u", "nobody", "-d", "-t", "1")

    @property
    def daemon(self) -> psutil.Process:
        return self.node.process("memcached")

    def attribute(self, name: str = ATTRIBUTE) -> str:
        """The attribute's value; "" if there is none."""
        said = self.node.run("attrd_updater", "--name", name, "--query")
        return said.partition('value="')[2].partition('"')[0]

    def place(self) -> tuple[str, bool]:
        """The attribute, and whether the VIP is here."""
        return self.attribute(), 'id="vip"' in self.node.active()

    def failures(self) -> int:
        said = self.node.run("crm_failcount", "--query", "--resource", "w", "--node", NODE)
        return int(said.rpartition("value=")[2].split()[0])

    def settles(self, value: str, vip: bool) -> None:
        wait_until(
            lambda: self.place() == (value, vip),
            120,
            lambda: f"{ATTRIBUTE}={value}, VIP {vip}: {self.place()}\n{self.node.run('crm_mon', '-1frA')}",
        )


@pytest.fixture(scope="module")
def watched(net: Net, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    directory = tmp_path_factory.mktemp("watched")
    with PacemakerNode(net, directory / "node") as node:
        made = Watched(node, directory)
        node.run("crm_attribute", "--name", "stonith-enabled", "--update", "false")
        made.start()
        # The resources first: a constraint can only name an existing resource.
        for scope, xml in (("resources", RESOURCES.format(config=made.config)), ("constraints", RULE)):
            assert node.run("cibadmin", "--replace", "--scope", scope, "--xml-text", xml) == ""
        made.settles("1", True)
        yield made


def test_what_runs_is_watched_from_the_probe_on_and_the_vip_comes(watched: Watched) -> None:
    assert watched.failures() == 0
    assert 'id="w"' in watched.node.active()


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL])
def test_a_fault_moves_the_vip_and_is_one_failure(watched: Watched, number: signal.Signals) -> None:
    before = watched.failures()
    frozen = watched.daemon
    frozen.send_signal(number)
    watched.settles("0", False)
    wait_until(lambda: watched.failures() == before + 1, 60, "the failure is counted")
    # some more monitors; the attribute goes and comes as Pacemaker recovers the watching resource
    until = time.monotonic() + 8
    while time.monotonic() < until:
        assert not watched.place()[1]
        time.sleep(0.2)
    watched.settles("0", False)
    assert watched.failures() == before + 1
    assert "see xha-check service memcached" in watched.node.run("crm_mon", "-1", "-r")
    if number is signal.SIGSTOP:
        frozen.resume()
    else:
        watched.start()
    watched.settles("1", True)
    assert watched.failures() == before + 1


def test_a_stop_takes_the_attribute_and_leaves_the_daemon(watched: Watched) -> None:
    disabled = ("crm_resource", "--resource", "w-clone", "--meta", "--set-parameter", "target-role")
    watched.node.run(*disabled, "--parameter-value", "Stopped")
    watched.settles("", False)
    # A probe finds the process; Pacemaker then stops what it has found, and nothing else happens.
    watched.node.run("crm_resource", "--refresh", "--resource", "w")
    time.sleep(5)
    watched.settles("", False)
    assert watched.daemon.is_running()
    watched.node.run(*disabled, "--parameter-value", "Started")
    watched.settles("1", True)
