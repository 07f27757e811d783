"""The other members, as one keeper hears them: their reports, the cluster's records, and what it tells them itself."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from ...adapters.network.addresses import read_own_addresses, resolve_hosts
from ...core.election.position_report import PositionReport, parse_position_report, render_position_report
from ...core.election.stall import parse_stall_report, render_stall_report
from ...core.galera.cluster_address import name_members, parse_cluster_address
from ...core.galera.server_options import Ports
from ...core.keeper.observation import ClusterSeen
from ..cluster.member_ports import probe_members

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...adapters.pacemaker.cluster import Pacemaker
    from ...adapters.pacemaker.standalone import Standalone
    from ...core.election.position_report import Unread
    from ...core.election.stall import StallReport
    from ...core.galera.cluster_address import Membership
    from ...core.galera.lineage import Generation
    from ...core.ocf.galera_settings import Settings
    from ...core.pacemaker.cib import Cib

RESOLVE_SECONDS = 5.0
# How long a name that has no address yet is looked up again, and how often, in seconds.
RESOLVE_AGAIN_SECONDS, RESOLVE_PAUSE = 1.0, 10.0


class Peers:
    """What one node hears of the others, and the cluster's configuration by its last reading."""

    def __init__(
        self,
        cluster: Pacemaker | Standalone,
        resource: str,
        settings: Settings,
        address: str,
        ports: Ports = Ports(),  # noqa: B008 - a named tuple cannot change
    ) -> None:
        self.cluster, self.resource = cluster, resource
        self._settings, self._address, self._ports = settings, parse_cluster_address(address), ports
        self.me = cluster.node_name()
        self._cib: Cib = cluster.read_cib(resource)
        self._members: tuple[str, ...] = (self.me,)
        self._named: tuple[object, Membership] | None = None
        self._addresses: tuple[str, ...] = ()
        self._resolved: Mapping[str, tuple[str, ...]] = {}
        self._find_addresses(RESOLVE_SECONDS)
        self._read_at = time.monotonic()

    def use(self, settings: Settings) -> None:
        """Go by other settings from now on."""
        self._settings = settings

    def _find_addresses(self, seconds: float) -> None:
        """Find out the addresses of this host, and those of names that have none yet."""
        self._addresses = tuple(sorted(read_own_addresses()))
        names = {*(peer.host for peer in self._address.peers), *self._cib.nodes}
        unknown = (name for name in names if not self._resolved.get(name))
        self._resolved = {**self._resolved, **resolve_hosts(unknown, seconds)}
        self._found_at = time.monotonic()

    def _lacks_addresses(self) -> bool:
        """Whether a member's name, or this host, had no address when it was looked up: as while a host boots."""
        unknown = any(not self._resolved.get(peer.host) for peer in self._address.peers)
        return unknown or self.me not in self._members

    @property
    def attribute(self) -> str:
        """The name of the private attribute that holds a report."""
        return f"xha-{self.resource}-report"

    @property
    def stall_attribute(self) -> str:
        """The name of the private attribute that says how a stall looks from a member."""
        return f"xha-{self.resource}-stall"

    # --- looking

    def see(self, age: float, *, stalls: bool = False) -> ClusterSeen:
        """Read what the others said. age: how old the configuration may be, in seconds; 0.0: also their ports are read.

        stalls: also what they say of a stall.
        """
        electing = not age
        said = self.cluster.read_attribute(self.attribute)
        reports = {node: parse_position_report(text) for node, text in said.items()}
        if electing or time.monotonic() - self._read_at > age:
            self.read_cib()
        if electing and self._lacks_addresses() and time.monotonic() - self._found_at > RESOLVE_PAUSE:
            self._find_addresses(RESOLVE_AGAIN_SECONDS)
        membership = self._name_members(reports)
        self._members = membership.names
        others = {node: peer for node, peer in zip(membership.names, membership.peers) if node != self.me}
        probes, arbitrators = (
            probe_members(others, reports, self._ports, self._settings.arbitrators) if electing else ({}, {})
        )
        return ClusterSeen(
            self.me,
            reports,
            self._cib,
            membership.names,
            membership.ambiguous,
            probes,
            arbitrators,
            self._addresses,
            time.time(),
            self._ports,
            self._read_stalls() if stalls else {},
        )

    def _read_stalls(self) -> dict[str, StallReport]:
        said = self.cluster.read_attribute(self.stall_attribute).items()
        reports = ((node, parse_stall_report(text)) for node, text in said)
        return {node: report for node, report in reports if report is not None}

    def _name_members(self, reports: Mapping[str, PositionReport | Unread]) -> Membership:
        """Return who the members are; worked out anew only where something of it has changed."""
        reported = {node: one.addresses for node, one in reports.items() if isinstance(one, PositionReport)}
        reported[self.me] = self._addresses
        asked = (self._cib.nodes, self._settings, self._resolved, reported)
        if self._named is None or self._named[0] != asked:
            membership = name_members(
                self._address.peers,
                nodes=self._cib.nodes,
                host_map=self._settings.cluster_host_map,
                resolved=self._resolved,
                reported=reported,
                arbitrators=self._settings.arbitrators,
            )
            self._named = (asked, membership)
        return self._named[1]

    def read_cib(self) -> Cib:
        """Read the cluster's configuration anew, and return it."""
        self._cib, self._read_at = self.cluster.read_cib(self.resource), time.monotonic()
        return self._cib

    # --- telling

    def publish(self, report: PositionReport) -> None:
        """Publish this node's report."""
        self.cluster.set_private(self.attribute, render_position_report(report))

    def is_confirmed(self, report: PositionReport) -> bool:
        """Return whether all others see the report before whatever follows: attributes reach all in one order."""
        return self.cluster.read_attribute(self.attribute).get(self.me) == render_position_report(report)

    def retract(self) -> None:
        """Take this node's report away."""
        self.cluster.delete_attribute(self.attribute)

    def publish_stall(self, report: StallReport | None) -> None:
        """Tell how a stall looks from here, None: that there is none any more."""
        if report is None:
            self.cluster.delete_attribute(self.stall_attribute)
        else:
            self.cluster.set_private(self.stall_attribute, render_stall_report(report))

    # --- the cluster's records

    def record_line(self, line: tuple[Generation, ...] | None, cluster: str) -> None:
        """Record the generations of the cluster's line; what is read of them from now on is not from before."""
        self._read_at = float("-inf")
        self.cluster.write_records(self.resource, line=line, cluster=cluster)

    def delete_stop(self) -> None:
        """Remove the record of this node's last clean stop, and read none from before."""
        self._read_at = float("-inf")
        self.cluster.delete_stop(self.resource, self.me)

    def consume_grants(self, kinds: tuple[str, ...]) -> bool:
        """Use up the grants of these kinds; False if there is none any more."""
        used = [grant for grant in self.read_cib().book.grants if grant.kind.value in kinds]
        return self.cluster.consume_grants(self.resource, used)

    def release_token(self) -> bool:
        """Give the token back, if it is this node's by a fresh look; return whether it was."""
        return release_token(self.cluster, self.resource, self.read_cib())


def release_token(cluster: Pacemaker | Standalone, resource: str, cib: Cib) -> bool:
    """Give the token back, if it is this node's by this configuration; return whether it was."""
    token = cib.book.records.token
    mine = token is not None and token.node == cluster.node_name()
    if mine:
        cluster.release_token(resource)
    return mine


def new_id() -> str:
    """Return a random id for an epoch or a generation."""
    return os.urandom(8).hex()
