"""ocf:xha:galera in a laboratory of its own.

The whole matrix is `make lab-report AGENT=ocf:xha:galera`. Here are the faults that a release must survive.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab import cluster, processes
from lab.client import missing, writing
from lab.conftest import raised
from lab.contenders import DELETE, XHA
from lab.faults import FAULTS, Scene
from lab.faults.orders import bootstrap_on, desynced
from lab.faults.outages import power_off, power_on
from lab.host import Host
from lab.laboratory import Laboratory
from lab.measure import judge_attempts
from lab.repair import settle
from lab.standing import SYNC_SECONDS, wait_synced
from lab.trial import try_fault
from lab.waiting import wait_until

pytestmark = pytest.mark.lab

# Long enough for a monitor on every host: an agent that answers such a fault with a restart does so at once.
LOOKS_SECONDS = 13
# The matrix looks for restarts long after a fault. Here only the two faults that last as long are checked for that.
QUIET_SECONDS = 3
SWEEP_SECONDS = 30
# How long one write may take on a loaded machine. A restart of every node takes twice as long.
PAUSE_SECONDS = 8
# Until Pacemaker has noticed that hosts are gone, and until a person's grant is acted on.
NAMED_SECONDS, PROVEN_SECONDS = 90, 30
REBOOT_SECONDS = 90
WRITE = "mariadb -e 'REPLACE INTO lab.acknowledged VALUES (-1, 1)'"


@pytest.fixture(scope="module")
def standing() -> Iterator[Laboratory]:
    with raised("xha", XHA) as lab:
        yield lab


@pytest.fixture
def held(lab: Laboratory) -> Scene:
    """A cluster that the agent keeps, restored for each test."""
    return Scene(lab, XHA)


def await_state(host: Host, *words: str) -> None:
    """Wait until the state of the keeper of `host` has all these texts at once."""

    def says_so() -> bool:
        state = cluster.read_state(host)
        return all(each in state for each in words)

    wait_until(f"{host.name}: {' and '.join(words)}", says_so, timeout=NAMED_SECONDS, every=0.5)


def await_clean_history(host: Host) -> None:
    """Also for the time after a cleanup, which empties the history before it makes a probe."""
    wait_until(
        "a clean history",
        lambda: cluster.is_settled(host) and not cluster.has_past_failures(host, "p_mysql"),
        timeout=NAMED_SECONDS,
    )


def test_what_was_degraded_leaves_pacemaker_s_list_and_no_server_is_restarted(held: Scene) -> None:
    """A degraded result, and a probe that found the server, which a cleanup makes (docs/decisions/0015)."""
    host = held.lab["h2"]
    servers = {one.name: one.pids_of("mariadbd") for one in held.lab}
    # Where one keeper has a result forgotten, those of the other nodes go with it.
    await_clean_history(host)
    for then in ("true", "crm_resource --cleanup --resource p_mysql"):
        with desynced(host):
            wait_until(
                "h2 to be degraded",
                lambda: "wsrep_desync" in " ".join(cluster.read_reasons(host, "p_mysql")),
                timeout=NAMED_SECONDS,
            )
        host.sh(then, timeout=60)
        await_clean_history(host)
    assert {one.name: one.pids_of("mariadbd") for one in held.lab} == servers


def test_all_members_are_seen_by_every_source_that_a_host_can_ask(held: Scene) -> None:
    """No account of the check is on any other host: what responders say, and what real keepers publish."""
    host = held.lab["h1"]
    found: dict[str, Any] = {}

    def all_decide() -> bool:
        said = host.sh("xha-check cluster --json", check=False)
        found.update(json.loads(said.out))
        known = [one for member in found["members"] for one in member["sources"] if one["source"] != "sql"]
        return len(known) == 6 and all(one["available"] and one["cause"] is None for one in known)

    # A keeper speaks every 30 s; one that the restored hosts remember may have spoken long ago.
    wait_until("responders and keepers to say that all serve", all_decide, timeout=NAMED_SECONDS, every=1)
    assert [one["service"] for one in found["members"]] == ["in"] * 3, found
    assert found["disagreements"] == []
    ages = [one["age_ms"] for member in found["members"] for one in member["sources"] if one["source"] == "keeper"]
    assert max(ages) < 90_000
    shown = host.sh("xha-check cluster", check=False)
    assert shown.code == 0, shown
    assert shown.out.splitlines()[0].split()[:5] == ["NODE", "SERVICE", "REASON", "SOURCE", "AGE"]


@pytest.mark.parametrize("name", ["kill-all", "kill-two"])
def test_servers_that_are_killed_come_back_without_a_hand_and_no_acknowledged_write_is_lost(
    held: Scene, name: str
) -> None:
    outcome = try_fault(held, FAULTS[name], quiet=QUIET_SECONDS)
    assert outcome.recovered
    assert outcome.lost == {"h1": 0, "h2": 0, "h3": 0}
    assert sum(outcome.errors.values()) > 0
    assert outcome.longest_gap > 0
    assert outcome.synced_after


def count_failures(host: Host) -> int:
    """Return how often p_mysql has failed on this host, as migration-threshold counts it."""
    said = host.sh(f"crm_failcount --query --resource p_mysql --node {host.name}").out
    return int(said.rpartition("=")[2])


def test_the_end_of_a_server_is_one_failure_where_a_second_one_bans_the_node(held: Scene) -> None:
    """Told at once, it counts twice now and then; and told by the keeper and by a monitor, it would be two as well."""
    host = held.lab["h2"]
    # What earlier ends have cost; the probe that follows has to leave the history, too.
    host.sh(f"crm_failcount --delete --resource p_mysql --node {host.name}")
    await_clean_history(host)
    host.sh("pcs resource meta p_mysql-clone migration-threshold=2", timeout=60)
    settle(host)
    assert count_failures(host) == 0
    for pid in host.pids_of("mariadbd"):
        processes.kill([pid])
    wait_until(f"{host} to know of the failure", lambda: count_failures(host) > 0, timeout=NAMED_SECONDS, every=0.2)
    wait_synced(held.lab)  # a banned one never is
    assert count_failures(host) <= 1  # the count goes where a degraded result of any node is forgotten (decision 0015)
    journal = host.sh("journalctl --no-pager", timeout=60).out
    assert "mysqld has ended by itself" in journal


def test_a_server_that_is_frozen_is_replaced(held: Scene) -> None:
    outcome = try_fault(held, replace(FAULTS["freeze-active"], lasts=0), quiet=QUIET_SECONDS)
    assert outcome.recovered
    assert outcome.lost == {"h1": 0, "h2": 0, "h3": 0}


def test_a_lone_survivor_goes_on_living_until_a_person_gives_the_others_up_and_then_writes_at_once(held: Scene) -> None:
    survivor = held.lab["h3"]
    with writing(held.lab):
        power_off("h1", "h2")(held)
    servers = survivor.pids_of("mariadbd")
    await_state(survivor, *(f"grant forget={gone}" for gone in ("h1", "h2")))  # what it waits for, and the command
    assert cluster.read_galera(survivor).status == "non-Primary"
    for gone in ("h1", "h2"):
        survivor.sh(f"xha-check grant forget={gone} --why 'its power supply burnt' --yes")
    wait_until("h3 to write", lambda: survivor.sh(WRITE, check=False).ok, timeout=PROVEN_SECONDS, every=0.1)
    assert survivor.pids_of("mariadbd") == servers
    power_on("h1", "h2")(held)
    wait_synced(held.lab)
    assert survivor.pids_of("mariadbd") == servers


def test_every_server_has_a_control_group_of_its_own_and_pacemaker_stops_it_before_systemd_would(held: Scene) -> None:
    for host in held.lab:
        assert "pacemaker.service" in show_scope(host, "Before").split()
    leaver = held.lab["h3"]
    leaver.write("/etc/systemd/system/xha-p_mysql-.scope.d/limit.conf", "[Scope]\nTasksMax=4321\n")
    leaver.sh("systemctl reboot --no-block --no-wall", check=False)
    wait_until("h3 to shut down", lambda: not leaver.has_power(), timeout=REBOOT_SECONDS)
    # Only the agent's own stop leaves this record, so systemd did not end the server before it.
    assert "xha-p_mysql-stop-h3" in held.lab["h1"].sh("cibadmin --query --scope crm_config").out
    leaver.power_off()  # what is left of the host: its cable, its control groups
    leaver.power_on()
    leaver.wait_booted()
    wait_synced(held.lab)
    assert show_scope(leaver, "TasksMax") == "4321\n"


def show_scope(host: Host, name: str) -> str:
    """A property of the scope unit that the server of `host` is in."""
    (server,) = host.pids_of("mariadbd")
    cgroups = Path(f"/proc/{server}/cgroup").read_text()
    (scope,) = set(re.findall(r"/(xha-p_mysql-\d+\.scope)$", cgroups, re.MULTILINE))
    return host.sh(f"systemctl show --property={name} --value {scope}").out


def test_a_host_on_standby_tells_by_hand_where_its_data_end(held: Scene) -> None:
    idle = held.lab["h3"]
    idle.sh("pcs node standby h3 --wait=60", timeout=90)
    said = idle.sh("xha-check report").out
    assert re.search(r"^h3: /var/lib/mysql is intact at [0-9a-f-]{36}:\d+", said), said
    idle.sh("pcs node unstandby h3")
    wait_synced(held.lab)


@pytest.mark.parametrize("name", ["password-changed", "parameter-changed"])
def test_what_is_no_fault_of_the_database_restarts_no_server(held: Scene, name: str) -> None:
    outcome = try_fault(held, replace(FAULTS[name], lasts=LOOKS_SECONDS), quiet=QUIET_SECONDS)
    assert outcome.needless_starts == 0
    assert outcome.longest_gap < PAUSE_SECONDS
    assert outcome.recovered


def test_whoever_is_left_behind_by_two_bootstraps_keeps_its_commits_until_a_person_gives_them_up(held: Scene) -> None:
    """h1 stops last, with writes that no other node has. Then two people each bootstrap a node, and neither is h1."""
    newest, kept, other = (held.lab[name] for name in ("h1", "h2", "h3"))
    with writing(held.lab) as writers:
        bootstrap_on(kept.name, other.name)(held)
        acknowledged = judge_attempts(writers.attempts(), 0, math.inf).acknowledged
        newest.sh("pcs resource enable p_mysql")
        await_state(newest, "h2 and h3 are Primary with different histories")
        await_state(other, "h2 and h3 are Primary with different histories")
        other.sh("xha-check grant discard=h3 --why 'the clients wrote to h2' --yes")
        wait_until(
            "the grant to be used", lambda: "refusing: " not in cluster.read_state(other), timeout=PROVEN_SECONDS
        )
        wait_until("h3 to join h2", lambda: cluster.read_galera(other).size == 2, timeout=SYNC_SECONDS, every=0.5)
        await_state(other, "running: ")  # a grant holds for the reports that were shown, so none may be about to change
    await_state(newest, "would lose commits of h1, which went on by itself")
    assert newest.pids_of("mariadbd") == []
    lost = missing(acknowledged, kept)
    assert lost > 0
    newest.sh("xha-check grant discard=h1 --why 'its last writes were of no worth' --yes")
    wait_synced(held.lab)
    assert [missing(acknowledged, host) for host in (newest, other)] == [lost, lost]


def test_of_a_resource_that_is_deleted_nothing_remains_in_the_cluster(held: Scene) -> None:
    host = held.lab["h1"]
    assert "xha-p_mysql-line" in host.sh("cibadmin --query --scope crm_config").out
    host.sh(DELETE, timeout=180)
    wait_until("the records to go", lambda: "xha-p_mysql" not in host.sh("cibadmin --query").out, timeout=SWEEP_SECONDS)

    def has_value(word: str) -> bool:
        said = host.sh(f"attrd_updater --name xha-p_mysql-{word} --query --all", check=False).out
        return bool(re.findall(r'value="[^"]', said))

    for word in ("report", "state", "ready"):  # they go after the records
        wait_until(f"{word} to go", lambda word=word: not has_value(word), timeout=SWEEP_SECONDS)  # type: ignore[misc]
    assert not any(each.pids_of("mariadbd") for each in held.lab)
