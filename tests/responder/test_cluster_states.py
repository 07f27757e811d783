"""Three real nodes: a lost majority, a state transfer in progress, and which node is the last one."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from typing import Callable

import psutil
import pytest

from loopback import Arbitrator, Cluster, Net, Node, door, wait_until
from responder.conftest import MakeResponder
from security.doors import run
from xha.adapters.host.login_name import server_uids
from xha.adapters.mysql.login_target import Target
from xha.adapters.mysql.provider_options import make_primary


@contextlib.contextmanager
def transfer_held_up(joiner: Node, donors: list[Node]) -> Iterator[None]:
    """The joiner has requested a full state transfer, and the donor's script is frozen in the middle of it."""
    joiner.stop()
    shutil.rmtree(joiner.datadir)
    joiner.start()
    script = wait_until(lambda: donor_script(donors), 30, "a donor runs wsrep_sst_rsync")
    script.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):  # its joiner may be gone
            script.send_signal(signal.SIGCONT)
    joiner.wait_synced()


def donor_script(donors: list[Node]) -> psutil.Process | None:
    for donor in donors:
        for child in psutil.Process(donor.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                words = child.cmdline()
                if "donor" in words and any(word.endswith("wsrep_sst_rsync") for word in words):
                    return child
    return None


def test_a_donor_of_a_state_transfer_is_named_with_its_script_and_one_of_three_is_out_of_service(
    three: Cluster, make_responder: MakeResponder
) -> None:
    *others, joiner = three.nodes
    responders = [make_responder(node, policy="available_when_donor = 0") for node in others]
    assert [responder.verdict() for responder in responders] == [(200, "synced")] * 2
    at_the_joiner = make_responder(joiner)
    assert at_the_joiner.verdict() == (200, "synced")
    with transfer_held_up(joiner, others):
        wait_until(lambda: (503, "donor-sst") in [one.verdict() for one in responders], 30, "one is donor-sst")
        assert sorted(one.verdict() for one in responders) == [(200, "synced"), (503, "donor-sst")]
        donor = next(one for one in responders if one.verdict()[1] == "donor-sst")
        assert "wsrep_sst_rsync" in json.loads(donor.ask("/node").body)["reading"]["donor_evidence"]
        assert donor.ask("/live").status == 200
        # A joiner has neither socket nor port: its script tells. One responder saw it before, the other is new.
        for responder in (at_the_joiner, make_responder(joiner)):
            assert responder.verdict() == (503, "joining")
            assert responder.ask("/live").status == 200
            verdict = json.loads(responder.ask("/node").body)["verdict"]
            assert "wsrep_sst_rsync, pid " in verdict["message"]
            assert verdict["remedy"].startswith("nothing")
    for responder in (*responders, at_the_joiner):
        responder.wait_verdict(200, "synced")


def test_a_donor_of_two_stays_in_service_because_the_other_is_its_joiner(
    three: Cluster, make_responder: MakeResponder
) -> None:
    donor, joiner, third = three.nodes
    third.stop()
    with_rule = make_responder(donor)
    without = make_responder(donor, policy="last_node = 0")
    with transfer_held_up(joiner, [donor]):
        with_rule.wait_verdict(200, "donor-sst")
        without.wait_verdict(503, "donor-sst")
        assert "joiner" in json.loads(with_rule.ask("/node").body)["verdict"]["message"]


def test_a_joiner_that_died_is_down_whatever_file_it_left(three: Cluster, make_responder: MakeResponder) -> None:
    *others, joiner = three.nodes
    resident = make_responder(joiner)
    assert resident.verdict() == (200, "synced")
    with transfer_held_up(joiner, others):
        resident.wait_verdict(503, "joining")
        joiner.kill()
        assert (joiner.datadir / "sst_in_progress").exists()
        # The evidence is looked for once a second.
        resident.wait_verdict(503, "server-down")
        assert resident.ask("/live").status == 503
        assert make_responder(joiner).verdict() == (503, "server-down")
        assert (joiner.datadir / "sst_in_progress").exists()
        joiner.start()


def test_an_arbitrator_is_not_the_third_server(three: Cluster, net: Net, make_responder: MakeResponder) -> None:
    donor, joiner, third = three.nodes
    third.stop()
    address = net.next_address()
    with Arbitrator(net, net.directory / f"garbd-{address}", address, [donor.address, joiner.address]) as garbd:
        three.wait_size(3)
        with_rule, strict = make_responder(donor), make_responder(donor, policy="last_node = 0")
        assert with_rule.verdict() == strict.verdict() == (200, "synced")
        with transfer_held_up(joiner, [donor]):
            with_rule.wait_verdict(200, "donor-sst")
            strict.wait_verdict(503, "donor-sst")
            document = json.loads(with_rule.ask("/node").body)
            assert "the only other member that has data is its joiner" in document["verdict"]["message"]
            assert document["reading"]["wsrep_cluster_size"] == 3
        with_rule.wait_verdict(200, "synced")
        joiner.stop()
        alone = make_responder(donor, policy="available_when_readonly = 0")
        donor.sql("SET GLOBAL read_only = ON")
        try:
            alone.wait_verdict(200, "read-only")
            assert json.loads(alone.ask("/node").body)["reading"]["wsrep_cluster_size"] == 2
        finally:
            donor.sql("SET GLOBAL read_only = OFF")
        garbd.stop()  # it says that it leaves: the node keeps its majority
        three.wait_size(1)


@pytest.mark.parametrize("status_file", [True, False])
def test_an_evicted_node_is_out_of_service_and_whoever_may_read_its_files_says_why(
    three: Cluster, make_responder: MakeResponder, tell: Callable[[str], None], status_file: bool
) -> None:
    *others, node = three.nodes
    node.stop()
    log = f"--log-error={node.datadir}/own.log"
    node.start("--wsrep-status-file=status.json" if status_file else log)
    node.wait_synced()
    responder = make_responder(node)
    assert responder.verdict() == (200, "synced")
    uuid = node.status("wsrep_gcomm_uuid")["wsrep_gcomm_uuid"]
    ordered = time.monotonic()
    others[0].set_provider_option("evs.evict", str(uuid))
    wait_until(lambda: responder.verdict()[0] == 503, 60, "it is out of service")
    out = time.monotonic() - ordered
    wait_until(lambda: responder.verdict()[1] != "non-primary", 60, "it has left the group")
    tell(f"out of service {out:.1f} s after the order, without a group after {time.monotonic() - ordered:.1f} s")
    # This responder is root without its rights: it may not read the files.
    responder.wait_verdict(503, "disconnected")
    assert responder.ask("/live").status == 503
    if os.geteuid() == 0:
        said = run([door("xha-check"), "node", "--json", f"--socket={node.socket}", "--config=/dev/null"])
        verdict = said.document["verdict"]
        assert (said.code, verdict["code"], verdict["live"]) == (2, "evicted", True)
    node.stop()
    node.start()
    node.wait_synced()
    responder.wait_verdict(200, "synced")


def test_a_node_that_lost_the_majority_is_non_primary_for_an_open_door_and_for_a_new_one(
    three: Cluster, make_responder: MakeResponder
) -> None:
    survivor, *peers = three.nodes
    resident = make_responder(survivor)
    assert resident.verdict() == (200, "synced")
    for node in peers:
        node.kill()
    resident.wait_verdict(503, "non-primary")
    assert resident.ask("/live").status == 503
    assert make_responder(survivor).verdict() == (503, "non-primary")
    # As the agent's keeper does it; how depends on the server's version.
    make_primary(Target("root", socket=str(survivor.socket), server_uids=server_uids(survivor.datadir.owner())), 20)
    resident.wait_verdict(200, "synced")
