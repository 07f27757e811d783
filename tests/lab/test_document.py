"""The document, executed: from bare hosts to a client that writes through the VIP."""

from __future__ import annotations

import pytest

from lab import client, cluster
from lab.contenders import XHA
from lab.host import Host
from lab.laboratory import Laboratory
from lab.page import render_document
from lab.place import ADDRESSES, BALANCER_PORT, HOSTS, MORE, REPOSITORY, VIP
from lab.standing import plan
from lab.waiting import wait_until
from lab.worlds import SOUND

PROBE = "printf 'OPTIONS / HTTP/1.0\\r\\n\\r\\n' | timeout 5 socat -t 5 - TCP:{address}:49000"
RISE_SECONDS = 40


def test_the_page_in_docs_is_what_the_laboratory_executes() -> None:
    assert (REPOSITORY / "docs" / "lab" / "document.md").read_text() == render_document()


def test_with_more_hosts_every_file_and_every_command_that_names_hosts_names_all_of_them() -> None:
    hosts = (*HOSTS, *MORE)
    steps = {step.title: step.today for step, _ in plan(XHA, SOUND, in_full=False, hosts=hosts)}
    assert [
        name for name in hosts if f" {name} addr={name} " not in steps["the cluster's configuration, without pcsd"]
    ] == []
    assert [name for name in hosts if f"plug={name} " not in steps["the cluster's properties, sound"]] == []
    for title in ("haproxy.cfg", "Galera's options"):
        assert [ADDRESSES[name] for name in hosts if ADDRESSES[name] not in steps[title]] == [], title


@pytest.mark.lab
def test_every_step_of_the_document_ends_in_a_cluster_whose_three_nodes_are_synced(lab: Laboratory) -> None:
    assert cluster.all_synced(lab)
    assert cluster.online(lab["h1"]) == {"h1", "h2", "h3"}
    assert cluster.running_on(lab["h1"], "p_haproxy") == {"h1", "h2", "h3"}
    assert len(cluster.running_on(lab["h1"], "p_vip")) == 1


@pytest.mark.lab
def test_our_responder_under_xinetd_answers_every_host_on_port_49000(lab: Laboratory) -> None:
    for host in lab:
        answer = lab["h1"].sh(PROBE.format(address=host.address)).out
        assert answer.startswith("HTTP/1.1 200 OK\n"), f"{host}: {answer}"


@pytest.mark.lab
def test_a_client_writes_through_the_vip_and_every_node_has_what_it_wrote(lab: Laboratory) -> None:
    with client.writing(lab) as writers:
        begun = len(writers.attempts())
        wait_until("a hundred writes", lambda: len(writers.attempts()) > begun + 100, timeout=60)
    acknowledged = frozenset(attempt.row for attempt in writers.attempts() if attempt.error is None)
    assert len(acknowledged) > 100
    assert {host.name: client.missing(acknowledged, host) for host in lab} == {"h1": 0, "h2": 0, "h3": 0}


@pytest.mark.lab
def test_haproxy_on_every_host_has_all_three_servers_up_and_sends_the_client_to_the_active_one(lab: Laboratory) -> None:
    for host in lab:
        wait_until(
            f"HAProxy on {host} to have all servers up", lambda host=host: servers_up(host) == 3, timeout=RISE_SECONDS
        )
    assert client.through_vip(lab, "SELECT @@hostname").out == "h1\n", f"through {VIP}:{BALANCER_PORT}"


def servers_up(host: Host) -> int:
    rows = host.sh("echo 'show stat' | socat -t 2 - /run/haproxy/admin.sock").out.splitlines()
    return sum(1 for row in rows if row.startswith("mysql,mysql-") and row.split(",")[17] == "UP")
