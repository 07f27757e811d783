"""A second cluster in the same Pacemaker: two nodes and garbd, where Pacemaker runs nothing that no constraint allows.

The first cluster has five nodes, p_mysql. The second one is p_pair on h4 and h5, with other ports, another data
directory and an option file of its own; garbd runs on h1. Pacemaker is asymmetric (symmetric-cluster=false).
"""

from __future__ import annotations

from typing import Callable

from lab import cluster
from lab.arrangements.arrangement import EVERYBODY, Arrangement, is_synced, servers
from lab.contenders import XHA
from lab.faults import Scene
from lab.faults.outages import power_off, power_on
from lab.host import Host
from lab.laboratory import Laboratory
from lab.place import ADDRESSES
from lab.processes import kill
from lab.standing import SYNC_SECONDS
from lab.waiting import wait_until

RESOURCE, GROUP = "p_pair", "pair"
MEMBERS, REFEREE = ("h4", "h5"), "h1"
PORT, GROUP_PORT, COPY_PORT = 3316, 4667, 4454
OPTIONS, DATADIR, SOCKET = "/etc/mysql/pair.cnf", "/var/lib/pair", "/run/mysqld/pair.sock"
PEERS = ",".join(f"{ADDRESSES[name]}:{GROUP_PORT}" for name in MEMBERS)
CNF = f"""\
[mysqld]
datadir={DATADIR}
socket={SOCKET}
pid_file=/run/mysqld/pair.pid
port={PORT}
bind_address=0.0.0.0
binlog_format=row
wsrep_on=ON
wsrep_provider=/usr/lib/galera/libgalera_smm.so
wsrep_provider_options="base_port={GROUP_PORT};gcache.size=32M"
wsrep_cluster_name={GROUP}
wsrep_cluster_address=gcomm://{PEERS}
wsrep_node_address={{address}}
wsrep_sst_receive_address={{address}}:{COPY_PORT}
wsrep_sst_method=rsync
"""
# What may run where, and then nothing anywhere else.
ASYMMETRIC = "\n".join(
    (
        f"pcs constraint location {RESOURCE}-clone prefers {' '.join(f'{name}=0' for name in MEMBERS)}",
        *(
            f"pcs constraint location {each} prefers {' '.join(f'{name}=0' for name in EVERYBODY)}"
            for each in ("p_mysql-clone", "p_haproxy-clone", "p_vip")
        ),
        "pcs property set symmetric-cluster=false",
    )
)
CREATE = f"""
set -e
pcs resource create {RESOURCE} ocf:xha:galera config={OPTIONS} binary=/usr/sbin/mariadbd enable_creation=1 \
    arbitrators={ADDRESSES[REFEREE]}:{GROUP_PORT} op monitor interval=10s timeout=30s --disabled clone
{ASYMMETRIC}
pcs resource enable {RESOURCE}
"""
# It ends where it finds no group, so it is started again, as its service unit on Debian is told to.
REFEREE_ON = (
    f"systemd-run --quiet --unit=garbd-pair --property=Restart=always --property=RestartSec=1 "
    f"garbd --address=gcomm://{PEERS} --group={GROUP} --options='gmcast.listen_addr=tcp://0.0.0.0:{GROUP_PORT}'"
)
REFEREE_OFF = "systemctl stop garbd-pair.service"
NOTES = "CREATE DATABASE IF NOT EXISTS pair; CREATE TABLE IF NOT EXISTS pair.notes (text VARCHAR(80) PRIMARY KEY);"
STATE_SECONDS, CREATE_SECONDS = 60, 600


def ask(host: Host, sql: str) -> str:
    return host.sh(f"mariadb --socket={SOCKET} -NB", text=sql).out


def wait_pair(lab: Laboratory, members: tuple[str, ...] = MEMBERS, referees: int = 1) -> None:
    hosts = [lab[name] for name in members]
    wait_until(
        f"{' and '.join(members)} to be Synced with garbd",
        lambda: cluster.all_synced(hosts, socket=SOCKET, besides=referees),
        timeout=SYNC_SECONDS,
        every=0.5,
    )


def note(lab: Laboratory, on: str, text: str) -> None:
    ask(lab[on], f"{NOTES} INSERT INTO pair.notes VALUES ('{text}')")


def lacks(lab: Laboratory, text: str) -> list[str]:
    """The nodes that lack a note."""
    query = "SET SESSION wsrep_sync_wait=1; SELECT text FROM pair.notes"
    return [
        f"{name} lacks what was written {text}" for name in MEMBERS if text not in ask(lab[name], query).split("\n")
    ]


def undisturbed(act: Callable[[Laboratory], list[str]]) -> Callable[[Laboratory], list[str]]:
    """`act`, and then no server of the other cluster may have been started anew, and it has to be in service."""

    def both(lab: Laboratory) -> list[str]:
        before = servers(lab, "/var/lib/mysql")
        broken = act(lab)
        after = servers(lab, "/var/lib/mysql")
        broken += [f"p_mysql has {after}, not {before}"] if before != after else []
        return broken + ([] if is_synced(lab, EVERYBODY) else ["p_mysql is not Synced on all five"])

    return both


def paired(act: Callable[[Laboratory], list[str]]) -> Callable[[Laboratory], list[str]]:
    """`act`, on a laboratory that has the second cluster: one that was built anew has not, and there it is formed."""

    def both(lab: Laboratory) -> list[str]:
        broken = [] if RESOURCE in cluster.read_resources(lab["h1"]) else form(lab)
        return broken or act(lab)

    return both


def form(lab: Laboratory) -> list[str]:
    lab[REFEREE].sh(REFEREE_ON)
    for name in MEMBERS:
        host = lab[name]
        host.sh(f"install -d -o mysql -g mysql {DATADIR}")
        host.write(OPTIONS, CNF.replace("{address}", host.address))
    lab["h1"].sh(CREATE, timeout=CREATE_SECONDS)
    wait_pair(lab)
    note(lab, MEMBERS[0], "at first")
    running = cluster.running_on(lab["h1"], RESOURCE)
    return lacks(lab, "at first") + ([] if running == set(MEMBERS) else [f"{RESOURCE} runs on {sorted(running)}"])


def kill_both(lab: Laboratory) -> list[str]:
    note(lab, MEMBERS[1], "before both were killed")
    kill_pair(lab, *MEMBERS)
    wait_pair(lab)
    return lacks(lab, "before both were killed")


def kill_pair(lab: Laboratory, *names: str) -> None:
    """SIGKILL the second cluster's servers there at once, and wait until they have ended."""
    pids = {name: found for name, found in servers(lab, OPTIONS).items() if name in names}
    kill([pid for found in pids.values() for pid in found])
    wait_until("them to end", lambda: all(servers(lab, OPTIONS).get(name) != pids[name] for name in pids), timeout=20)


def kill_one(lab: Laboratory) -> list[str]:
    """The other one and garbd are the majority: it goes on."""
    first, other = MEMBERS
    before = servers(lab, OPTIONS)[other]
    kill_pair(lab, first)
    note(lab, other, "while the first was down")
    wait_pair(lab)
    broken = lacks(lab, "while the first was down")
    return broken + ([] if servers(lab, OPTIONS)[other] == before else [f"{other} was started anew"])


def stop_both(lab: Laboratory) -> list[str]:
    """After a clean stop garbd is Primary alone. The agent says so and waits until a person has stopped it."""
    first, one = MEMBERS[0], lab["h1"]
    note(lab, MEMBERS[0], "before the stop")
    one.sh(f"pcs resource disable {RESOURCE} --wait=120", timeout=150)
    one.sh(f"pcs resource enable {RESOURCE}", timeout=60)
    wait_until(
        "the arbitrator to be named",
        lambda: "arbitrator" in cluster.read_state(lab[first], RESOURCE),
        timeout=STATE_SECONDS,
        every=0.5,
    )
    said = one.sh(f"xha-check explain --resource {RESOURCE}", check=False).out
    broken = [] if "stop garbd on" in said else [f"explain names no remedy: {said}"]
    lab[REFEREE].sh(REFEREE_OFF)
    wait_pair(lab, referees=0)
    lab[REFEREE].sh(REFEREE_ON)
    wait_pair(lab)
    return broken + lacks(lab, "before the stop")


def lose_host(lab: Laboratory) -> list[str]:
    """Not `undisturbed`: the host runs a node of each cluster."""
    lost, other = MEMBERS
    scene = Scene(lab, XHA)
    mine, theirs = servers(lab, OPTIONS)[other], servers(lab, "/var/lib/mysql")
    power_off(lost)(scene)
    wait_pair(lab, (other,))
    note(lab, other, "while a host was off")
    power_on(lost)(scene)
    wait_pair(lab)
    wait_until("all five to be Synced", lambda: is_synced(lab, EVERYBODY), timeout=SYNC_SECONDS, every=0.5)
    broken = lacks(lab, "while a host was off")
    broken += [] if servers(lab, OPTIONS)[other] == mine else [f"{other} was started anew in {RESOURCE}"]
    now = servers(lab, "/var/lib/mysql")
    return broken + [
        f"{name} was started anew in p_mysql" for name in theirs if name != lost and now[name] != theirs[name]
    ]


PAIR = tuple(
    Arrangement(f"pair-{name}", title, act, len(EVERYBODY))
    for name, title, act in (
        (
            "forms",
            "in an asymmetric Pacemaker a second cluster: two nodes, and garbd on a third host",
            undisturbed(form),
        ),
        ("kill-both", "both of its mysqld get SIGKILL; garbd alone is no Primary", paired(undisturbed(kill_both))),
        ("kill-one", "one of its mysqld gets SIGKILL; the other and garbd go on", paired(undisturbed(kill_one))),
        (
            "stop-both",
            "both are stopped by plan: garbd may be Primary alone; a person stops it",
            paired(undisturbed(stop_both)),
        ),
        ("power-one", "a host with a node of each cluster loses power, and comes back", paired(lose_host)),
    )
)
