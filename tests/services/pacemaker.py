"""One real node of corosync and Pacemaker, in namespaces of its own: the machine's own cluster does not see it.

With SERVER_ROOT (tools/in-root) they are those of another root, whose tools cover the machine's own of the same names:
so xha-check, which is the machine's, asks them.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
from pathlib import Path

import psutil

from loopback import Daemon, Net, find_program, wait_until
from loopback.files import put
from loopback.server_root import ROOT, service_command

NODE = "xha-1"
CLI = "pacemaker-cli-utils"
SETUP = """
set -e
BEGIN=(env)
[ -z "$SERVER_ROOT" ] || BEGIN=(chroot "$SERVER_ROOT")
mount --make-rprivate /
mount -t proc proc /proc
# A mount of its own, as a container's layers are unpacked only where `/` is one.
[ -z "$SERVER_ROOT" ] || mount --rbind "$SERVER_ROOT" "$SERVER_ROOT"
[ -z "$SERVER_ROOT" ] || mount --bind /proc "$SERVER_ROOT/proc"
for path in /run /dev/shm /var/lib/pacemaker /var/lib/corosync /etc/corosync /var/log; do
    mount -t tmpfs -o mode=755 xha-test "$SERVER_ROOT$path"
done
chmod 1777 "$SERVER_ROOT/dev/shm"
for tool in "$TOOLS"/*; do
    [ ! -e "$tool" ] || mount --bind "$tool" "$(command -v "${tool##*/}")"
done
hostname xha-1
ip link set lo up
"${BEGIN[@]}" sh -ec '
mkdir -p /var/lib/pacemaker/cib /var/lib/pacemaker/pengine /var/lib/pacemaker/cores /var/lib/pacemaker/blackbox
mkdir -p /var/log/pacemaker /var/log/corosync
chown -R hacluster:haclient /var/lib/pacemaker /var/log/pacemaker
chmod 750 /var/lib/pacemaker /var/lib/pacemaker/*
'
cat >"$SERVER_ROOT/etc/corosync/corosync.conf" <<'END'
totem {
  version: 2
  cluster_name: xha
  transport: knet
}
nodelist {
  node {
    ring0_addr: 127.0.0.1
    name: xha-1
    nodeid: 1
  }
}
quorum {
  provider: corosync_votequorum
}
logging {
  to_syslog: no
  to_stderr: yes
}
END
eval "$PREPARE"
corosync -f &
until corosync-cfgtool -s >/dev/null 2>&1; do sleep 0.1; done
pacemakerd
"""
RESOURCES = """<resources>
<primitive id="vip" class="ocf" provider="pacemaker" type="Dummy">
  <operations><op id="vip-monitor" name="monitor" interval="1s"/></operations></primitive>
<clone id="lb-clone"><primitive id="lb" class="ocf" provider="pacemaker" type="Dummy"/></clone>
<clone id="state-clone"><meta_attributes id="state-meta">
  <nvpair id="state-promotable" name="promotable" value="true"/></meta_attributes>
  <primitive id="state" class="ocf" provider="pacemaker" type="Stateful"><operations>
  <op id="state-monitor" name="monitor" interval="2s" role="Promoted"/></operations></primitive></clone>
<primitive id="off" class="ocf" provider="pacemaker" type="Dummy"><meta_attributes id="off-meta">
  <nvpair id="off-role" name="target-role" value="Stopped"/></meta_attributes></primitive>
</resources>"""


PROGRAMS = {
    **dict.fromkeys(("corosync", "corosync-cfgtool", "corosync-quorumtool"), "corosync"),
    "pacemakerd": "pacemaker",
    **dict.fromkeys(("cibadmin", "crm_attribute", "crm_mon", "crm_node", "crm_resource", "crmadmin"), CLI),
}


class PacemakerNode(Daemon):
    """A cluster of one node: `run` runs commands in it, the wrapper `enter` xha-check."""

    def __init__(self, net: Net, directory: Path, prepare: str = "") -> None:
        """prepare: commands of a shell before the first daemon, with $SERVER_ROOT, and "${BEGIN[@]}" to be in it."""
        directory.mkdir(parents=True, exist_ok=True)
        tools = directory / "tools"
        tools.mkdir()
        for name, package in PROGRAMS.items():
            find_program(name, package)
            if ROOT:
                put(tools / name, f'#!/bin/sh\nexec {shlex.join(service_command(name, package))} "$@"\n', 0o755)
        environment = {**os.environ, "SERVER_ROOT": ROOT, "TOOLS": str(tools), "PREPARE": prepare}
        argv = ["unshare", "-m", "-n", "-i", "-u", "-p", "-f", "--kill-child", "bash", "-c", SETUP]
        super().__init__(net, argv, directory / "log", env=environment)

    def start(self) -> None:
        super().start()
        self.wait_ready(lambda: "with quorum" in self.run("crm_mon", "-1"), 90, "the cluster has a DC and quorum")

    @property
    def enter(self) -> list[str]:
        [init] = wait_until(lambda: psutil.Process(self.pid).children(), 10, "the namespaces are there")
        return ["nsenter", f"--target={init.pid}", "--mount", "--net", "--ipc", "--uts", "--pid", "--"]

    def run(self, *command: str) -> str:
        """Return the command's output, also if it fails."""
        done = subprocess.run([*self.enter, *command], capture_output=True, text=True, timeout=30, check=False)
        return done.stdout + done.stderr

    def process(self, name: str) -> psutil.Process:
        """A daemon of the node, as a process of this machine."""
        for one in psutil.Process(self.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):  # Pacemaker's agents come and go
                if one.name() == name:
                    return one
        raise LookupError(f"the node has no {name}")

    def configure(self) -> None:
        """Set the properties correctly, and resources that run."""
        self.run("crm_attribute", "--name", "stonith-enabled", "--update", "false")
        self.run("cibadmin", "--replace", "--scope", "resources", "--xml-text", RESOURCES)
        wait_until(self._runs_all, 120, lambda: f"the resources run: {self.run('crm_mon', '-1r')}")

    def _runs_all(self) -> bool:
        active = self.active()
        return 'id="lb"' in active and 'id="vip"' in active and 'role="Promoted"' in active

    def active(self) -> str:
        text = self.run("crm_mon", "-1", "-r", "--output-as=xml")
        return "\n".join(line for line in text.splitlines() if 'active="true"' in line)
