"""What one keeper knows of the other hosts: a name or an address that is not there yet is looked up again."""

from __future__ import annotations

import pytest
from xha.doors.galera.council import Council

from xha.adapters.pacemaker.standalone import Standalone
from xha.core.ocf.galera_settings import Settings
from xha.doors.galera import council as module


class Names:
    """A resolver and a kernel that know nothing until they are told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.known: dict[str, tuple[str, ...]] = {}
        self.own: frozenset[str] = frozenset()
        self.asked: list[list[str]] = []
        self.now = 1000.0
        monkeypatch.setattr(module, "resolve_hosts", self.resolve)
        monkeypatch.setattr(module, "read_own_addresses", lambda: self.own)
        monkeypatch.setattr(module, "probe_ports", dict.fromkeys)
        monkeypatch.setattr(module.time, "monotonic", lambda: self.now)

    def resolve(self, hosts: list[str], _: float) -> dict[str, tuple[str, ...]]:
        self.asked.append(sorted(hosts))
        return {host: self.known.get(host, ()) for host in self.asked[-1]}


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    return Names(monkeypatch)


def test_names_and_addresses_that_come_late_are_found(names: Names) -> None:
    council = Council(Standalone(), "db", Settings(), "gcomm://db1.example,192.0.2.2")
    council.listen(electing=True)
    assert council.me not in council.members
    asked = len(names.asked)
    names.known["db1.example"], names.own = ("192.0.2.1",), frozenset({"192.0.2.1"})
    council.listen(electing=True)
    assert len(names.asked) == asked  # not at each look: a resolver may be slow
    names.now += 11
    council.listen(electing=True)
    assert council.me in council.members
    assert council.addresses == ("192.0.2.1",)
    assert "db1.example" in names.asked[-1]


def test_what_is_known_is_not_asked_again(names: Names) -> None:
    names.known.update({"db1.example": ("192.0.2.1",), "192.0.2.2": ("192.0.2.2",)})
    names.own = frozenset({"192.0.2.1"})
    council = Council(Standalone(), "db", Settings(), "gcomm://db1.example,192.0.2.2")
    asked = len(names.asked)
    for _ in range(3):
        names.now += 11
        council.listen(electing=True)
    assert len(names.asked) == asked


def test_other_arbitrators_are_in_force_at_the_next_look(names: Names) -> None:
    names.own = frozenset({"192.0.2.1"})
    names.known["192.0.2.9"] = ("192.0.2.9",)
    council = Council(Standalone(), "db", Settings(), "gcomm://192.0.2.1,192.0.2.9")
    council.listen(electing=True)
    assert council.voters == {}
    council.settings = council.settings._replace(arbitrators=council.address.peers[1:])
    council.listen(electing=True)
    assert [*council.voters] == ["192.0.2.9"]
