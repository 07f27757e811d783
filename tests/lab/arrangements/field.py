"""Settings from public reports, on three hosts: another port, another home of Galera's files, what is left over."""

from __future__ import annotations

from lab import cluster
from lab.arrangements.arrangement import Arrangement, same_rows, servers, suffer
from lab.contenders import XHA
from lab.document import OPTIONS
from lab.faults import FAULTS
from lab.host import Host
from lab.laboratory import Laboratory
from lab.rehearsal import begin_afresh, give_accounts
from lab.standing import SYNC_SECONDS, carry_out, wait_synced
from lab.waiting import wait_until

STOP, START = "pcs resource disable p_mysql --wait=120", "pcs resource enable p_mysql"
ORDER_SECONDS = 150
OTHER_PORT = 3316
HOME = "/var/lib/galera"
GALERA_FILES = "grastate.dat gvwstate.dat galera.cache"
# What stands for a proxy or another cluster on 3306, and passes on what HAProxy sends there.
FORWARD = (
    "systemd-run --quiet --unit=forward-3306 "
    f"socat TCP-LISTEN:3306,fork,reuseaddr,bind={{address}} TCP:{{address}}:{OTHER_PORT}"
)


def change_stopped(lab: Laboratory, change: str) -> None:
    """Stop the resource everywhere, carry out a command on every host, and start it again."""
    lab["h1"].sh(STOP, timeout=ORDER_SECONDS)
    lab.on_all(lambda host: host.sh(f"set -e\n{change.replace('{address}', host.address)}"))
    lab["h1"].sh(START, timeout=ORDER_SECONDS)
    wait_synced(lab)


def give_port_away(lab: Laboratory) -> list[str]:
    """The server has another port, and on 3306 is something else, also while the server is down."""
    change_stopped(lab, f"sed -i '/^bind_address/a port={OTHER_PORT}' {OPTIONS}\n{FORWARD}")
    broken = suffer(lab, FAULTS["kill-all"])
    change_stopped(lab, f"sed -i '/^port=/d' {OPTIONS}\nsystemctl stop forward-3306.service")
    return broken


def begin_with_leftovers(lab: Laboratory) -> list[str]:
    """The schema `test` as mysql_install_db makes it, and a file in DATADIR/tmp, on every host: nobody's data."""
    begin_afresh(lab)
    for host in lab:
        host.sh(
            "cd /var/lib/mysql && install -d -o mysql -g mysql test tmp && "
            "install -o mysql -g mysql -m 660 /dev/null test/db.opt && "
            "install -o mysql -g mysql -m 600 /dev/stdin tmp/ibXYZ123",
            text="left over",
        )
    carry_out(lab, XHA.create)
    wait_synced(lab)
    give_accounts(lab)
    return []


def move_home(lab: Laboratory) -> list[str]:
    """Galera's own files are in another directory: planned stops, and then all are killed."""
    option = f"sed -i '/^bind_address/a wsrep_data_home_dir={HOME}' {OPTIONS}"
    take = f"install -d -o mysql -g mysql {HOME}\ncd /var/lib/mysql\nmv {{}} {HOME} 2>/dev/null || true\n{option}"
    change_stopped(lab, take.replace("{}", GALERA_FILES))
    broken = [f"{host.name} has no grastate.dat there" for host in lab if not has_home(host)]
    change_stopped(lab, "true")
    broken += suffer(lab, FAULTS["kill-all"]) + same_rows(lab, tuple(lab.hosts))
    change_stopped(
        lab, f"cd {HOME}\nmv {GALERA_FILES} /var/lib/mysql 2>/dev/null || true\nsed -i '/^wsrep_data_home/d' {OPTIONS}"
    )
    return broken


def has_home(host: Host) -> bool:
    return (host.root / HOME.lstrip("/") / "grastate.dat").exists()


def start_without_galera(lab: Laboratory) -> list[str]:
    """`wsrep_on=OFF` on one host: no server is started there, and its data are not touched."""
    odd = lab["h3"]
    odd.sh(f"sed -i 's/^wsrep_on=ON/wsrep_on=OFF/' {OPTIONS}")
    lab["h1"].sh("pcs node standby h3 --wait=60", timeout=90)
    lab["h1"].sh("pcs node unstandby h3")
    wait_until(
        "a reason that names it",
        lambda: any("wsrep_on" in said for said in cluster.read_reasons(lab["h1"], "p_mysql")),
        timeout=90,
        every=0.5,
    )
    broken = [f"a server runs without Galera: {servers(lab)['h3']}"] if "h3" in servers(lab) else []
    odd.sh(f"sed -i 's/^wsrep_on=OFF/wsrep_on=ON/' {OPTIONS}")
    lab["h1"].sh("pcs resource cleanup p_mysql", timeout=60)
    wait_until("all to be Synced", lambda: cluster.all_synced(lab), timeout=SYNC_SECONDS, every=0.5)
    return broken


FIELD = (
    Arrangement(
        "port", f"MariaDB on {OTHER_PORT}, something else on 3306, all three mysqld get SIGKILL", give_port_away
    ),
    Arrangement("data-home", "wsrep_data_home_dir elsewhere: two planned stops, then SIGKILL for all", move_home),
    Arrangement("wsrep-off", "wsrep_on=OFF on one host", start_without_galera),
    Arrangement("left-overs", "the first start with the schema test and a file in DATADIR/tmp", begin_with_leftovers),
)
