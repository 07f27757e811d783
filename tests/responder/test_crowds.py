"""Many clients at once, and no free descriptor: the responder continues to answer."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator

import pytest

from loopback import Node, find_program, wait_until
from responder.client import PROBE, connect, crowd, exchange, read_to_end
from responder.conftest import MakeResponder
from responder.flood import flood
from responder.process import Responder

pytestmark = pytest.mark.alone


@pytest.fixture(autouse=True)
def _room_for_a_crowd() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def limited(descriptors: int, hard: int) -> list[str]:
    return [find_program("prlimit", "util-linux"), f"--nofile={descriptors}:{hard}"]


def test_1000_connections_at_once_are_all_answered(shared: Responder) -> None:
    with crowd(shared.address, 1000) as clients:
        for sock in clients:
            sock.sendall(PROBE)
        answers = [read_to_end(sock) for sock in clients]
    assert {answer.partition(b"\r\n")[0] for answer in answers} == {b"HTTP/1.1 200 OK"}


def test_a_probe_gets_through_while_1000_clients_are_connected_and_silent(shared: Responder) -> None:
    with crowd(shared.address, 1000):
        assert exchange(shared.address, PROBE).seconds < 2


def test_1000_probes_a_second_are_answered_without_an_error(shared: Responder) -> None:
    probes = flood(shared.address, 1000, 2)
    assert {probe.answer.status for probe in probes} == {200}


def test_the_soft_limit_of_descriptors_is_raised_to_the_hard_one(database: Node, make_responder: MakeResponder) -> None:
    responder = make_responder(database, wrapper=limited(64, 4000))
    with open(f"/proc/{responder.pid}/limits") as limits:
        line = next(line for line in limits if line.startswith("Max open files"))
    assert line.split()[3:5] == ["4000", "4000"]


@pytest.mark.parametrize("descriptors", [64, 20])
def test_when_descriptors_run_out_the_oldest_silent_client_gives_way_to_the_probe(
    database: Node, make_responder: MakeResponder, descriptors: int
) -> None:
    responder = make_responder(database, wrapper=limited(descriptors, descriptors))
    assert responder.verdict() == (200, "synced")
    with responder.no_growth():
        with crowd(responder.address, 200) as clients:
            for _ in range(5):
                assert responder.next_verdict() == (200, "synced")
            assert clients[0].recv(1) == b""  # the oldest was closed
            assert responder.descriptors <= descriptors
        assert responder.next_verdict() == (200, "synced")
    gave_way = responder.lines("too many connections")
    assert 1 <= len(gave_way) <= 5  # logged, but not 200 times


def test_a_crowd_does_not_make_a_healthy_node_look_disabled_or_down(
    database: Node, make_responder: MakeResponder
) -> None:
    responder = make_responder(database, wrapper=limited(64, 64))
    with crowd(responder.address, 300):
        assert responder.verdict() == (200, "synced")  # the very first reading: login, files, everything
        assert responder.next_verdict() == (200, "synced")


def test_the_processor_is_idle_while_descriptors_are_exhausted(database: Node, make_responder: MakeResponder) -> None:
    responder = make_responder(database, wrapper=limited(64, 64))
    responder.verdict()
    with crowd(responder.address, 200):
        responder.verdict()
        before = processor_seconds(responder)
        with contextlib.suppress(AssertionError):
            wait_until(lambda: False, 1, "a second is over")
        assert processor_seconds(responder) - before < 0.3


def processor_seconds(responder: Responder) -> float:
    with open(f"/proc/{responder.pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_a_reader_that_never_reads_holds_up_nobody(shared: Responder) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(50):
            sock = stack.enter_context(connect(shared.address))
            sock.sendall(b"GET /node HTTP/1.0\r\n\r\n")
        assert exchange(shared.address, PROBE).seconds < 2
