"""This host's own addresses, against what the kernel tells `ip`, and names that do not resolve."""

from __future__ import annotations

import json
import subprocess
import time

import pytest

from loopback import find_program
from xha.adapters import addresses
from xha.adapters.addresses import read_own_addresses, resolve_hosts


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


def test_a_resolver_that_does_not_answer_costs_no_more_than_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "_resolve", lambda host: time.sleep(30))
    began = time.monotonic()
    assert resolve_hosts(["a", "b"], 0.2) == {"a": (), "b": ()}
    assert time.monotonic() - began < 5
