"""What the ports of the members and of the arbitrators answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...adapters.network.port_probe import Endpoint, probe_ports
from ...core.election.position_report import PositionReport
from ...core.galera.server_options import Ports

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ...core.election.facts import Probed
    from ...core.election.position_report import Unread
    from ...core.galera.cluster_address import Peer


def probe_members(
    members: Mapping[str, Peer],
    reports: Mapping[str, PositionReport | Unread],
    otherwise: Ports | None,
    arbitrators: Iterable[Peer],
) -> tuple[Mapping[str, Probed], Mapping[str, Probed]]:
    """Return what the ports of the members answered, by node, and those of the arbitrators, by their own names.

    A port of the list goes before the one that the member's server has by its report. otherwise: the ports of a member
    without a report; None: those of any report, because the servers of a cluster have one configuration, or else the
    defaults.
    """
    reported = {node: one.ports for node, one in reports.items() if isinstance(one, PositionReport) and one.ports}
    usual = otherwise or next((ports for _, ports in sorted(reported.items())), Ports())
    doors = {node: _doors(peer, reported.get(node, usual)) for node, peer in members.items()}
    voters = {str(peer): _doors_of_arbitrator(peer, usual) for peer in arbitrators}
    found = probe_ports({**doors, **voters})
    return {node: found[node] for node in doors}, {name: found[name] for name in voters}


def _doors(peer: Peer, ports: Ports) -> list[Endpoint]:
    return [Endpoint(peer.host, peer.port or ports.group), Endpoint(peer.host, ports.sql)]


def _doors_of_arbitrator(peer: Peer, ports: Ports) -> list[Endpoint]:
    """Return where an arbitrator may listen. It reads no option of the servers: without one it has Galera's default."""
    named = [peer.port] if peer.port else [ports.group, Ports().group]
    return [Endpoint(peer.host, port) for port in dict.fromkeys(named)]
