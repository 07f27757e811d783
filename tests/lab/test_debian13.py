"""ocf:xha:galera on Debian 13: Pacemaker 3.0, pcs 0.12, MariaDB 11.8, HAProxy 3.0, Python 3.13.

A laboratory of its own, in the root that `make deps` builds. Here is what differs from Debian 12; the faults are
`make lab-report OS=debian13`.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import pytest

from lab import cluster
from lab.client import through_vip
from lab.conftest import keep, raised
from lab.contenders import XHA
from lab.faults import FAULTS, Scene
from lab.faults.orders import desynced
from lab.host import Host
from lab.laboratory import Laboratory
from lab.repair import restore
from lab.systems import OWN, find_system
from lab.trial import try_fault
from lab.waiting import wait_until
from xha.core.ocf.api import PROBE
from xha.core.pacemaker.past_results import (
    PastResult,
    choose_changes,
    find_monitors,
    find_pending_monitor,
    parse_monitors,
)

pytestmark = pytest.mark.lab
DEBIAN13 = find_system("debian13")
LIST_SECONDS, QUIET_SECONDS = 90, 3


@pytest.fixture(scope="module")
def trixie() -> Iterator[Laboratory]:
    if DEBIAN13 is OWN:
        pytest.skip("this machine runs Debian 13 itself: the other tests of the laboratory say it all")
    if not DEBIAN13.root.exists():
        pytest.skip(f"{DEBIAN13.root} is not there: make deps builds it, and says why it could not")
    with raised("debian13", XHA, DEBIAN13) as lab:
        yield lab


@pytest.fixture
def held(trixie: Laboratory, request: pytest.FixtureRequest) -> Iterator[Scene]:
    """The same cluster, restored for each test."""
    assert restore(trixie), keep(trixie, request.node.name)
    before = request.session.testsfailed
    yield Scene(trixie, XHA)
    if request.session.testsfailed > before:
        print(keep(trixie, request.node.name))


def read_log(host: Host, words: str) -> list[str]:
    """The lines of a host's journal since its boot that have these words."""
    lines = host.sh("journalctl --boot --no-pager --output=cat", timeout=60).out.splitlines()
    return [line for line in lines if words in line]


def servers(lab: Laboratory) -> dict[str, list[int]]:
    return {host.name: host.pids_of("mariadbd") for host in lab}


def test_what_it_is_made_of(held: Scene) -> None:
    host = held.lab["h1"]
    assert 'VERSION_ID="13"' in host.sh("cat /etc/os-release").out
    assert host.sh("crm_mon --version").out.startswith("Pacemaker 3.")
    assert through_vip(held.lab, "SELECT VERSION()").out.startswith("11.8.")
    assert read_log(host, "ModuleNotFoundError") == []


def test_the_controller_logs_no_failed_assertion_when_it_reads_the_meta_data(held: Scene) -> None:
    for host in held.lab:
        assert read_log(host, "assertion") == [], host


def test_what_was_degraded_leaves_the_list_once_and_costs_no_election(held: Scene) -> None:
    """While the nodes joined, each was degraded. Deleted from the history, a result came back every 12 s."""
    host = held.lab["h2"]
    await_clean_history(held.lab)
    before = cluster.read_forgotten(host)
    elections, running = count_elections(held.lab), servers(held.lab)
    with desynced(host):
        wait_until("h2 to be degraded", lambda: "wsrep_desync" in " ".join(list_failures(host)), timeout=LIST_SECONDS)
    wait_until("the list to be empty", lambda: not list_failures(host), timeout=LIST_SECONDS, every=0.5)
    degraded = cluster.read_forgotten(host)
    assert degraded == {**before, "h2": degraded["h2"]}
    assert degraded["h2"] != before.get("h2")
    # A probe that finds the server is unexpected, too. The result that takes its place is forgotten under a name of its
    # own. A cleanup makes a probe only while something has failed, which the keeper may have had forgotten by then.
    host.sh("crm_resource --refresh --resource p_mysql --node h2", timeout=60)

    def is_replaced() -> bool:
        stamp = cluster.read_forgotten(host)["h2"]
        return stamp != degraded["h2"] and not stamp.startswith(PROBE)

    wait_until("the probe to be replaced", is_replaced, timeout=LIST_SECONDS, every=0.5)
    await_clean_history(held.lab)
    assert servers(held.lab) == running
    probed = cluster.read_forgotten(host)
    assert probed == {**before, "h2": probed["h2"]}
    assert count_elections(held.lab) == elections


def test_a_node_that_stops_before_its_monitor_s_second_result_is_not_waited_for(held: Scene) -> None:
    """A first result that is degraded leaves the monitor pending until the next one, and 3.0 waits for what is pending.

    Without an end of it, `pcs --wait` came to its time limit while everything had stopped.
    """
    host = held.lab["h2"]
    await_clean_history(held.lab)
    host.sh("mariadb -e 'SET GLOBAL wsrep_desync = ON'")  # until this server ends
    wait_until("h2 to be degraded", lambda: "wsrep_desync" in " ".join(list_failures(host)), timeout=LIST_SECONDS)
    monitors = parse_monitors(host.sh(f"cibadmin --query --xpath {shlex.quote(find_monitors('p_mysql'))}").out)
    for anew in choose_changes(PastResult("anew", is_probe=False), "h2", monitors):
        host.sh(f"cibadmin --modify --allow-create --scope resources --xml-text {shlex.quote(anew)}")
    wait_until("a monitor to be pending", lambda: is_found(host, find_pending_monitor("p_mysql", "h2")), timeout=30)
    host.sh("pcs node standby h2 --wait=90", timeout=120)
    assert not is_found(host, find_pending_monitor("p_mysql", "h2"))
    assert "h2" not in cluster.running_on(host, "p_mysql")
    host.sh("pcs node unstandby h2 --wait=90", timeout=120)
    wait_until("all to be Synced", lambda: cluster.all_synced(held.lab), timeout=LIST_SECONDS, every=0.5)


def is_found(host: Host, xpath: str) -> bool:
    return host.sh(f"cibadmin --query --xpath {shlex.quote(xpath)}", check=False).ok


def await_clean_history(lab: Laboratory) -> None:
    wait_until(
        "a clean history",
        lambda: not cluster.has_past_failures(lab["h1"], "p_mysql"),
        timeout=LIST_SECONDS,
        every=0.5,
    )


def count_elections(lab: Laboratory) -> int:
    """How often a change of the status by somebody else's tool has cost an election. pcs causes some, too."""
    return sum(len(read_log(host, "starting an election after cib_diff_notify")) for host in lab)


def list_failures(host: Host) -> tuple[str, ...]:
    return cluster.read_reasons(host, "p_mysql")


def test_a_changed_parameter_of_the_check_restarts_no_server(held: Scene) -> None:
    """Where the last action was a start it is a reload. After a probe Pacemaker only schedules the monitors anew."""
    await_clean_history(held.lab)
    running, host = servers(held.lab), held.lab["h1"]
    host.sh(XHA.another_check, timeout=60)
    wait_until("Pacemaker to have nothing under way", lambda: cluster.is_settled(host), timeout=LIST_SECONDS)
    assert servers(held.lab) == running


def test_a_survivor_of_two_killed_servers_goes_on_and_no_acknowledged_write_is_lost(held: Scene) -> None:
    """MariaDB 11.8 takes provider options as system variables: pc.bootstrap, by which a survivor goes on, is one."""
    outcome = try_fault(held, FAULTS["kill-two"], quiet=QUIET_SECONDS)
    assert outcome.recovered
    assert outcome.lost == {"h1": 0, "h2": 0, "h3": 0}
    assert outcome.needless_starts == 0
