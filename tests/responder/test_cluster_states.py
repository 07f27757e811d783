"""Three real nodes: a lost majority, a state transfer in progress, and which node is the last one."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
from collections.abc import Iterator

import psutil

from loopback import Cluster, Node, wait_until
from responder.conftest import MakeResponder
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
    with transfer_held_up(joiner, others):
        wait_until(lambda: (503, "donor-sst") in [one.verdict() for one in responders], 30, "one is donor-sst")
        assert sorted(one.verdict() for one in responders) == [(200, "synced"), (503, "donor-sst")]
        donor = next(one for one in responders if one.verdict()[1] == "donor-sst")
        assert "wsrep_sst_rsync" in json.loads(donor.ask("/node").body)["reading"]["donor_evidence"]
        assert donor.ask("/live").status == 200
        assert at_the_joiner.verdict()[0] == 503
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
