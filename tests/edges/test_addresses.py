"""This host's own addresses, compared with the output of `ip`, and names that do not resolve."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
from collections.abc import Iterator

import pytest

from loopback import Net, find_program, wait_until
from xha.adapters.network import addresses
from xha.adapters.network.addresses import read_own_addresses, require_address, resolve_hosts
from xha.adapters.network.port_probe import Endpoint, probe_ports
from xha.core.election.facts import Probe, Probed


def test_own_addresses_are_those_of_ip() -> None:
    listing = subprocess.run([find_program("ip", "iproute2"), "-json", "address"], capture_output=True, check=True)
    told = {info["local"] for link in json.loads(listing.stdout) for info in link["addr_info"]}
    assert told <= read_own_addresses()
    assert "127.0.0.1" in read_own_addresses()
    assert "192.0.2.254" not in read_own_addresses()


def test_names_and_addresses_resolve_and_what_does_not_is_empty() -> None:
    found = resolve_hosts(["127.0.0.1", "::1", "localhost", "nowhere.invalid", "a" * 300, ""], 5)
    assert found["127.0.0.1"] == ("127.0.0.1",)
    assert found["::1"] == ("::1",)
    assert {"127.0.0.1", "::1"} & set(found["localhost"])
    assert found["nowhere.invalid"] == found["a" * 300] == ()


@pytest.fixture
def hung(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A resolver that does not answer until the test is over; yields the names that it was asked for."""
    asked: list[str] = []
    over = threading.Event()

    def resolve(host: str) -> tuple[str, ...]:
        asked.append(host)
        over.wait(60)
        return ()

    monkeypatch.setattr(addresses, "_resolve", resolve)
    monkeypatch.setattr(addresses, "_asked", {})
    yield asked
    over.set()


def test_a_resolver_that_does_not_answer_costs_no_more_than_the_time(hung: list[str]) -> None:
    began = time.monotonic()
    assert resolve_hosts(["a", "b", "127.0.0.1"], 0.2) == {"a": (), "b": (), "127.0.0.1": ("127.0.0.1",)}
    with pytest.raises(socket.gaierror, match="its name is unknown, or no resolver answers"):
        require_address("a", 0.2)
    assert time.monotonic() - began < 20


def test_a_question_that_is_still_out_is_not_asked_again(hung: list[str]) -> None:
    resolve_hosts(["a", "b"], 0.05)
    wait_until(lambda: sorted(hung) == ["a", "b"], 20, "both questions are out")
    for _ in range(5):
        resolve_hosts(["a", "b"], 0.05)
    assert sorted(hung) == ["a", "b"]


def test_a_name_that_does_not_resolve_makes_no_other_member_silent(hung: list[str], net: Net) -> None:
    with socket.create_server((net.next_address(), 0)) as listener:
        host, port = listener.getsockname()
        began = time.monotonic()
        doors = {
            "gone": [Endpoint("gone.example.org", 4567)],
            "here": [Endpoint(host, port)],
            "off": [Endpoint(host, 1)],
        }
        found = probe_ports(doors, 5.0)
        assert found == {
            "gone": Probed(Probe.SILENT),
            "here": Probed(Probe.ACCEPTED, (port,)),
            "off": Probed(Probe.REFUSED),
        }
        assert time.monotonic() - began < 20
