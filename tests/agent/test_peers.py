"""What one keeper knows of the other hosts: a name or an address that is not there yet is looked up again."""

from __future__ import annotations

import pytest

from xha.adapters.network.port_probe import Endpoint
from xha.adapters.pacemaker.standalone import Standalone
from xha.app.cluster import member_ports
from xha.app.cluster.member_ports import probe_members
from xha.app.keeper import peers as module
from xha.app.keeper.peers import Peers
from xha.core.election.position_report import PositionReport, Unread
from xha.core.galera.cluster_address import Peer, parse_cluster_address
from xha.core.galera.server_options import Ports
from xha.core.ocf.galera_settings import Settings


class Names:
    """A resolver and a kernel that know nothing until they are told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.known: dict[str, tuple[str, ...]] = {}
        self.own: frozenset[str] = frozenset()
        self.asked: list[list[str]] = []
        self.now = 1000.0
        monkeypatch.setattr(module, "resolve_hosts", self.resolve)
        monkeypatch.setattr(module, "read_own_addresses", lambda: self.own)
        monkeypatch.setattr(module, "probe_members", lambda *said: ({}, dict.fromkeys(map(str, said[-1]))))
        monkeypatch.setattr(module.time, "monotonic", lambda: self.now)

    def resolve(self, hosts: list[str], _: float) -> dict[str, tuple[str, ...]]:
        self.asked.append(sorted(hosts))
        return {host: self.known.get(host, ()) for host in self.asked[-1]}


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    return Names(monkeypatch)


def test_names_and_addresses_that_come_late_are_found(names: Names) -> None:
    peers = Peers(Standalone(), "db", Settings(), "gcomm://db1.example,192.0.2.2")
    assert peers.me not in peers.see(0.0).members
    asked = len(names.asked)
    names.known["db1.example"], names.own = ("192.0.2.1",), frozenset({"192.0.2.1"})
    peers.see(0.0)
    assert len(names.asked) == asked  # not at each look: a resolver may be slow
    names.now += 11
    seen = peers.see(0.0)
    assert peers.me in seen.members
    assert seen.addresses == ("192.0.2.1",)
    assert "db1.example" in names.asked[-1]


def test_what_is_known_is_not_asked_again(names: Names) -> None:
    names.known.update({"db1.example": ("192.0.2.1",), "192.0.2.2": ("192.0.2.2",)})
    names.own = frozenset({"192.0.2.1"})
    peers = Peers(Standalone(), "db", Settings(), "gcomm://db1.example,192.0.2.2")
    asked = len(names.asked)
    for _ in range(3):
        names.now += 11
        peers.see(0.0)
    assert len(names.asked) == asked


def test_other_arbitrators_are_in_force_at_the_next_look(names: Names) -> None:
    names.own = frozenset({"192.0.2.1"})
    names.known["192.0.2.9"] = ("192.0.2.9",)
    peers = Peers(Standalone(), "db", Settings(), "gcomm://192.0.2.1,192.0.2.9")
    assert peers.see(0.0).arbitrators == {}
    peers.use(Settings(arbitrators=parse_cluster_address("gcomm://192.0.2.9").peers))
    assert [*peers.see(0.0).arbitrators] == ["192.0.2.9"]


@pytest.mark.parametrize(
    ("member", "report", "otherwise", "asked"),
    [
        pytest.param(Peer("db1"), None, None, (4567, 3306), id="nobody has said anything: the defaults"),
        pytest.param(Peer("db1"), None, Ports(4667, 3316), (4667, 3316), id="as this node's own server"),
        pytest.param(Peer("db1"), PositionReport("db2", ports=Ports(1, 2)), None, (1, 2), id="as another's"),
        pytest.param(
            Peer("db1"),
            PositionReport("db1", ports=Ports(1, 2)),
            Ports(4667, 3316),
            (1, 2),
            id="as it reports",
        ),
        pytest.param(Peer("db1", 5), PositionReport("db1", ports=Ports(1, 2)), None, (5, 2), id="as the list says"),
        pytest.param(Peer("db1"), PositionReport("db1"), None, (4567, 3306), id="an older version's report"),
        pytest.param(Peer("db1"), Unread(9), Ports(3, 4), (3, 4), id="a report that cannot be read"),
    ],
)
def test_a_member_is_asked_on_its_server_s_own_ports(
    monkeypatch: pytest.MonkeyPatch,
    member: Peer,
    report: PositionReport | Unread | None,
    otherwise: Ports | None,
    asked: tuple[int, int],
) -> None:
    """What answers on 3306 where the server has 3316, as a proxy does, is somebody else."""
    found: dict[str, list[Endpoint]] = {}
    monkeypatch.setattr(member_ports, "probe_ports", lambda each: found.update(each) or dict.fromkeys(each))
    reports = {"db1" if isinstance(report, Unread) else report.node: report} if report else {}
    members, arbitrators = probe_members({"db1": member}, reports, otherwise, [Peer("g", 7), Peer("h")])
    assert found["db1"] == [Endpoint("db1", port) for port in asked]
    assert ([*members], [*arbitrators]) == (["db1"], ["g:7", "h"])
    assert found["g:7"] == [Endpoint("g", 7)]


def test_an_arbitrator_without_a_port_is_asked_on_the_servers_port_and_on_its_own_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Garbd reads no option file of the servers: that nobody listens on 5567 does not prove that it does not run."""
    found: dict[str, list[Endpoint]] = {}
    monkeypatch.setattr(member_ports, "probe_ports", lambda each: found.update(each) or dict.fromkeys(each))
    probe_members({}, {}, Ports(5567, 3316), [Peer("g"), Peer("h", 7)])
    assert found == {"g": [Endpoint("g", 5567), Endpoint("g", 4567)], "h:7": [Endpoint("h", 7)]}
    found.clear()
    probe_members({}, {}, None, [Peer("g")])
    assert found == {"g": [Endpoint("g", 4567)]}
