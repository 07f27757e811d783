"""Carries out every procedure of docs/operations.md: the state it starts from, and what must hold once it is done.

The page says what an operator types (lab.operations types it, word for word). This file has the rest. After each
procedure: every node is Synced in one Primary component, what was written before is on every node, Pacemaker lists no
failure, and no mysqld was started that the procedure did not mean to start.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Callable

from lab import client, cluster, document, evidence
from lab.contenders import DELETE, HEARTBEAT, XHA
from lab.faults import Scene
from lab.faults.orders import bootstrap_on, set_password
from lab.faults.outages import power_off, power_on
from lab.host import Host
from lab.laboratory import Laboratory
from lab.matrix import Bench
from lab.measure import judge_attempts
from lab.operations import carry_out, procedure
from lab.place import HOSTS, REPOSITORY
from lab.repair import settle
from lab.shell import CommandFailed, run
from lab.stage import staged
from lab.standing import carry_out as carry_out_step
from lab.standing import wait_synced
from lab.waiting import GaveUp, wait_until
from lab.watch import Watch
from lab.worlds import SEED

Act = Callable[[Laboratory], None]

EVIDENCE = REPOSITORY / "build" / "lab-evidence" / "operations"
# The wait after a procedure, and then the time for two monitors, in which a degraded result leaves the list.
WELL_SECONDS, LOOKS_SECONDS = 60, 25
START_SECONDS, DELETE_SECONDS = 120, 180
OPTIONS = document.OPTIONS
ASIDE = ("/var/tmp/mysql-aside", "/var/tmp/mysql-before-restore", "/var/tmp/galera-backup")
# mysql-wss started the server itself, without a service manager.
BY_HAND = "setsid --fork mysqld --user=mysql --pid-file=/run/mysqld/mysqld.pid {} >/dev/null 2>&1"
BY_SYSTEMD = "systemctl enable mariadb.service\nsystemctl set-environment _WSREP_NEW_CLUSTER={}\n" + (
    "systemctl start mariadb.service\nsystemctl set-environment _WSREP_NEW_CLUSTER="
)


def nothing(_: Laboratory) -> None:
    """For a procedure that starts from a healthy cluster, or after which nothing has to be undone."""


@dataclass(frozen=True)
class Rehearsal:
    """How one procedure is tried.

    `prepare`: makes the state that it starts from. `finish`: undoes what the next procedure must not find.
    `starts`: how often it starts mysqld on each host. On a host that is not named there, the same process runs to the
      end.
    `serves`: the database stays in service throughout, and clients check that.
    `keeps`: the rows are there afterwards.
    `back`: the hosts that are well then.
    """

    title: str
    prepare: Act = nothing
    starts: Mapping[str, int] = field(default_factory=dict)
    serves: bool = True
    keeps: bool = True
    back: tuple[str, ...] = HOSTS
    finish: Act = nothing


def rehearse(lab: Laboratory, one: Rehearsal) -> list[str]:
    """Carry `one` out and return what did not hold, in words. Raises CommandFailed if one of its commands fails."""
    typed = procedure(one.title)
    lab.on_all(lambda host: host.sh(f"rm -rf {' '.join(ASIDE)}"))
    write_note(lab["h1"], one.title)
    one.prepare(lab)
    settle(lab["h1"])
    with client.writing(lab) if one.serves else nullcontext() as writers, Watch(lab) as watch:
        before, begin = set(watch.incarnations), time.monotonic()
        carry_out(lab, typed)
        hosts = [lab[name] for name in one.back]
        wait_until("all nodes to be Synced", lambda: cluster.all_synced(hosts), timeout=WELL_SECONDS)
        time.sleep(LOOKS_SECONDS)
        broken = find_restless(lab, watch, before, one)
        end = time.monotonic()
    broken += [
        f"{host} lacks the row written before" for host in hosts if one.keeps and one.title not in read_notes(host)
    ]
    broken += [f"Pacemaker lists {failure}" for failure in read_failures(hosts[0])]
    if writers:
        felt = judge_attempts(writers.attempts(), begin, end)
        broken += [f"clients saw {count} times {error}" for error, count in felt.errors.items()]
        broken += [f"no write for {felt.silent:.1f} s"] if felt.silent and not one.starts else []
        broken += [f"{host} lacks acknowledged writes" for host in hosts if client.missing(felt.acknowledged, host)]
    return broken


def find_restless(lab: Laboratory, watch: Watch, before: set[tuple[str, int, str]], one: Rehearsal) -> list[str]:
    """The hosts where mysqld was not started as often as it should be, or what is not well after the quiet time."""
    counted = {name: watch.starts(name, before) for name in lab.hosts}
    found = [
        f"mysqld was started {count} times on {name}, not {one.starts.get(name, 0)}"
        for name, count in counted.items()
        if count != one.starts.get(name, 0)
    ]
    if not watch.looks[-1].synced(one.back):
        found.append(f"not well: {watch.looks[-1].nodes}")
    return found


def write_note(host: Host, title: str) -> None:
    """Write a row that has to outlive the procedure."""
    host.sh(
        "mariadb",
        text="CREATE DATABASE IF NOT EXISTS lab; CREATE TABLE IF NOT EXISTS lab.notes (title VARCHAR(80) PRIMARY KEY);"
        f"""REPLACE INTO lab.notes VALUES ("{title}")""",
    )


def read_notes(host: Host) -> list[str]:
    return host.sh("mariadb -NBe 'SET SESSION wsrep_sync_wait=1; SELECT title FROM lab.notes'").out.splitlines()


def read_failures(host: Host) -> list[str]:
    """The failed actions that Pacemaker lists, degraded ones included. 25 s after all was well there must be none."""
    found = cluster.read_crm(host).iterfind("failures/failure")
    return [f"{one.get('op_key')} on {one.get('node')}: {one.get('exitreason')}" for one in found]


# --- the states that procedures start from


def take_away(lab: Laboratory) -> None:
    """Stop the servers and delete the resource, which leaves a cluster without an agent."""
    lab["h1"].sh(DELETE, timeout=DELETE_SECONDS)


def start_servers(lab: Laboratory, command: str) -> None:
    """Start the cluster without an agent, with a command that takes one argument."""
    take_away(lab)
    first = max(lab, key=lambda host: "safe_to_bootstrap: 1" in (host.datadir / "grastate.dat").read_text())
    others = [host for host in lab if host is not first]
    first.sh("install -d -o mysql -g root /run/mysqld\n" + command.format("--wsrep-new-cluster"), timeout=START_SECONDS)
    wait_until("the first node", lambda: cluster.all_synced([first]), timeout=START_SECONDS)
    for host in others:
        host.sh("install -d -o mysql -g root /run/mysqld\n" + command.format(""), timeout=START_SECONDS)
    wait_synced(lab)


def start_under_wss(lab: Laboratory) -> None:
    """A running cluster under a plain clone. ocf:heartbeat:mysql stands for mysql-wss, which was made from it."""
    start_servers(lab, BY_HAND)
    lab["h1"].sh(
        "pcs resource create p_mysql ocf:heartbeat:mysql binary=/usr/sbin/mysqld test_user=wsrep_sst "
        "test_passwd=DJ1JAs8z pid=/run/mysqld/mysqld.pid socket=/run/mysqld/mysqld.sock "
        "op monitor interval=90 timeout=300 op stop interval=0 timeout=120 op start interval=0 timeout=300 clone",
        timeout=60,
    )
    settle(lab["h1"])


def start_under_heartbeat(lab: Laboratory) -> None:
    take_away(lab)
    carry_out_step(lab, HEARTBEAT.create)
    wait_synced(lab)


def start_under_systemd(lab: Laboratory) -> None:
    start_servers(lab, BY_SYSTEMD)


def begin_afresh(lab: Laboratory) -> None:
    """The state after the packages were installed: the data directories that Debian creates, and Galera's options."""
    take_away(lab)

    def empty(host: Host) -> None:
        host.sh("find /var/lib/mysql -mindepth 1 -delete")
        run(["cp", "-a", f"{lab.place.image / 'mysql'}/.", str(host.datadir)])
        host.sh(f"sed -i 's/^wsrep_sst_auth=.*/wsrep_sst_auth=mysql:/' {OPTIONS}")

    lab.on_all(empty)


def give_accounts(lab: Laboratory) -> None:
    """Create the document's accounts, and the one that its options name."""
    grants = [line for line in document.ACCOUNTS.today.splitlines() if line.startswith("mariadb ")]
    lab["h1"].sh("\n".join(grants))
    lab.on_all(lambda host: host.sh(f"sed -i 's/^wsrep_sst_auth=.*/wsrep_sst_auth=wsrep_sst:DJ1JAs8z/' {OPTIONS}"))


def install_again(lab: Laboratory) -> None:
    """What `make install` of this checkout does on each host. The settings in /etc are left as they are."""
    with staged(lab.system) as tree:
        for host in lab:
            run(["cp", "-a", f"{tree}/usr/.", f"{host.root}/usr/"], timeout=60)


def lose_two(lab: Laboratory) -> None:
    power_off("h2", "h3")(Scene(lab, XHA))
    wait_until("h1 to notice", lambda: cluster.online(lab["h1"]) == {"h1"}, timeout=WELL_SECONDS)


def find_two(lab: Laboratory) -> None:
    """Hosts that were given up come back: they hold what the others hold, or less."""
    power_on("h2", "h3")(Scene(lab, XHA))
    wait_synced(lab)


def form_two(lab: Laboratory) -> None:
    """Two Primaries with one UUID, and a third node that waits for a person."""
    scene = Scene(lab, XHA)
    bootstrap_on("h1", "h3")(scene)
    lab["h1"].sh("pcs resource enable p_mysql")
    wait_until(
        "h2 to leave it to a person",
        lambda: "different histories" in cluster.read_state(lab["h2"]),
        timeout=WELL_SECONDS,
    )


def take_password_back(lab: Laboratory) -> None:
    set_password(XHA.account.password)(Scene(lab, XHA))


ONCE = dict.fromkeys(HOSTS, 1)

REHEARSALS = (
    Rehearsal("From mysql-wss", start_under_wss),
    Rehearsal("From ocf:heartbeat:galera", start_under_heartbeat),
    Rehearsal("Over a running server", start_under_systemd),
    Rehearsal("One host down for work", starts={"h3": 1}),
    Rehearsal("Full shutdown, and start", starts=ONCE, serves=False),
    Rehearsal("Pacemaker's own upgrade"),
    Rehearsal("Replacing a node's disk, or its host", starts={"h3": 1}),
    Rehearsal("Removing or adding a member", starts={"h1": 2, "h2": 2, "h3": 1}, serves=False),
    Rehearsal("Upgrading the server", starts={"h3": 1}),
    Rehearsal("Upgrading xha", install_again),
    Rehearsal("Changing the account of the agent's checks", finish=take_password_back),
    Rehearsal("Restoring a backup", starts=ONCE, serves=False),
    Rehearsal("When a host is gone", lose_two, serves=False, back=("h1",), finish=find_two),
    Rehearsal("When two clusters were formed", form_two, starts={"h2": 1, "h3": 1}, serves=False),
    # It leaves an empty database, so it runs last.
    Rehearsal("First installation", begin_afresh, starts=ONCE, serves=False, keeps=False, finish=give_accounts),
)


def run_rehearsals(lab: Laboratory, titles: Sequence[str], *, stands: bool = False) -> bool:
    """Rehearse these procedures, or all. True if all held. Keeps evidence of others. stands: `lab` is ready."""
    bench = Bench(lab, XHA, SEED)
    bench.stands = stands
    failed = []
    for one in REHEARSALS:
        if titles and one.title not in titles:
            continue
        try:
            bench.make_well()
            broken = rehearse(lab, one)
            one.finish(lab)
        except (CommandFailed, GaveUp, ConnectionError) as error:
            broken = [str(error)]
        for what in broken:
            lab.say(f"{one.title}: {what}")
        lab.say(f"{one.title}: {'DID NOT HOLD' if broken else 'held'}")
        if broken:
            failed.append(one.title)
            evidence.keep(lab, EVIDENCE / one.title.replace(" ", "-"))
    return not failed
