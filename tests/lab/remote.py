"""h3 as a node of pacemaker-remote: a database host outside of corosync, and its faults.

Debian's pacemaker-remote cannot be installed beside pacemaker, which the hosts have from the machine. So the package is
fetched, and the two files that matter are copied to h3.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from lab import cluster
from lab.contenders import XHA
from lab.faults import FAULTS, Fault, Scene
from lab.faults.crashes import kill
from lab.faults.orders import on_one
from lab.faults.outages import power_off, power_on
from lab.host import Host
from lab.laboratory import Laboratory
from lab.place import ADDRESSES, HOSTS, POWER, REPOSITORY
from lab.shell import run
from lab.soak import broken_by, read_nodes
from lab.standing import stand_up, wait_synced
from lab.trial import try_fault
from lab.waiting import wait_until
from lab.worlds import SOUND

NODE, HOST = "r3", "h3"
MEMBERS = tuple(name for name in HOSTS if name != HOST)
PACKAGE = "pacemaker-remote"
FILES = ("usr/sbin/pacemaker-remoted", "lib/systemd/system/pacemaker_remote.service")
BUILD = REPOSITORY / "build" / "lab-remote"
KEY = "/etc/pacemaker/authkey"
# Two members of corosync are left. The third is removed from its configuration.
LEAVE = f"sed -i '/^ *node {{/{{N;N;N;N;/name: {HOST}/d}}' /etc/corosync/corosync.conf"
CREATE = f"""
pcs stonith delete fence_{HOST}
pcs stonith create fence_{NODE} fence_lab pcmk_host_map={NODE}:{HOST} plug={HOST} ip={POWER}
pcs resource create --force {NODE} ocf:pacemaker:remote server={ADDRESSES[HOST]} reconnect_interval=5s \
    op monitor interval=10s
"""

REMOTE_FAULTS = (
    Fault("kill-remote", "mysqld of the remote node gets SIGKILL", kill(HOST), ends=(HOST,)),
    FAULTS["kill-all"],
    Fault(
        "power-remote",
        "the remote node loses power, and is fenced",
        power_off(HOST),
        relieve=power_on(HOST),
        lasts=60,
        ends=(HOST,),
    ),
    Fault(
        "disable",
        "the resource is disabled, and enabled again",
        on_one("pcs resource disable p_mysql --wait=100"),
        relieve=on_one("pcs resource enable p_mysql"),
        ends=HOSTS,
    ),
)


def run_remote(lab: Laboratory) -> bool:
    """Try the faults on a cluster with a remote node. True if every one was recovered and nothing was lost."""
    files = fetch()
    lab.build()
    stand_up(lab, XHA, SOUND)
    move_out(lab, files)
    lab.say(f"{HOST} is {NODE}, a remote node")
    held = [_held(lab, fault) for fault in REMOTE_FAULTS]
    return all(held)


def _held(lab: Laboratory, fault: Fault) -> bool:
    outcome = try_fault(Scene(lab, XHA), fault)
    broken = broken_by(outcome, read_nodes(lab))
    if not outcome.recovered:
        broken.append(f"not recovered: {'; '.join(outcome.said)}")
    if outcome.needless_starts:
        broken.append(f"{outcome.needless_starts} starts of mysqld that were not needed")
    lab.say(f"{fault.name}: {'; '.join(broken) or f'all Synced after {outcome.synced_after} s, nothing lost'}")
    return not broken


def fetch() -> Path:
    """Fetch and unpack the package, and return the directory. Raises `CommandFailed` if apt cannot fetch it."""
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir(parents=True)
    run(["sh", "-c", f"cd '{BUILD}' && apt-get -qq download {PACKAGE}"], timeout=120)
    (package,) = BUILD.glob("*.deb")
    run(["dpkg-deb", "--extract", str(package), str(BUILD)])
    return BUILD


def move_out(lab: Laboratory, files: Path) -> None:
    """Take h3 out of corosync and back in as a remote node. Returns once all are Synced again."""
    first, leaver = lab[MEMBERS[0]], lab[HOST]
    leaver.sh("systemctl disable --now pacemaker corosync", timeout=120)
    for name in MEMBERS:
        lab[name].sh(LEAVE)
    first.sh("corosync-cfgtool -R")
    wait_until(
        f"corosync to forget {HOST}",
        lambda: f" {HOST}" not in first.sh("corosync-quorumtool -l", check=False).out,
        timeout=20,
    )
    first.sh(f"crm_node --force --remove {HOST}")
    lab.on_all(_share_key)
    for file in FILES:
        shutil.copy2(files / file, leaver.root / file)
    leaver.sh("systemctl daemon-reload; systemctl enable --now pacemaker_remote")
    first.sh(f"set -e\n{CREATE}", timeout=120)
    everybody = {*MEMBERS, NODE}
    wait_until(f"{NODE} to run it", lambda: cluster.running_on(first, "p_mysql") == everybody, timeout=90, every=0.5)
    wait_synced(lab)


def _share_key(host: Host) -> None:
    host.write(KEY, "k" * 64, mode=0o640)
    host.sh(f"chown root:haclient {Path(KEY).parent} {KEY}")
