"""What Pacemaker knows of the members: who they are, and what each one's keeper published."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from ...adapters.network.addresses import resolve_hosts
from ...core.cluster.keeper_word import absent_keeper, judge_keeper
from ...core.cluster.members import Member
from ...core.election.position_report import PositionReport
from ...core.galera.cluster_address import BadAddress, Peer, name_members, normalise, parse_cluster_address
from ...core.ocf.galera_settings import settings_of_resource

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...adapters.pacemaker.published import Published
    from ...core.cluster.sources import SourceAnswer

_HOST_MAP = "name its host in the parameter cluster_host_map of the resource"


class Keepers(NamedTuple):
    """What was published, for each resource of the agent. cause: why nothing is known."""

    published: tuple[Published, ...] = ()
    cause: str = ""

    def members(self) -> tuple[Member, ...]:
        """Return the hosts of the only resource's list, () where it has none or there are several resources."""
        if len(self.published) != 1:
            return ()
        one = self.published[0]
        reports = [each.report for each in one.records.values() if isinstance(each.report, PositionReport)]
        # The servers of a cluster have one configuration.
        port = next((report.ports.sql for report in reports if report.ports), None)
        listed = tuple(Member(peer.host, port) for peer in _peers(one))
        reported = next((report.members for report in reports if report.members), ())
        return listed or tuple(Member(node, port) for node in reported)

    def answers(self, members: Iterable[Member], seconds: float) -> dict[Member, SourceAnswer]:
        """Return what each member's keeper says. seconds: what resolving names may take."""
        members = tuple(members)
        if self.cause or not self.published:
            cause = self.cause or "no resource of ocf:xha:galera is configured in Pacemaker"
            return dict.fromkeys(members, absent_keeper(cause))
        one = self._resource_of(members)
        if one is None:
            return dict.fromkeys(members, absent_keeper("several resources are configured, and none lists the members"))
        nodes = _name(one, members, seconds)
        now = time.time()
        return {
            member: judge_keeper(one.records[nodes[member]], now)
            if member in nodes
            else absent_keeper("no node of Pacemaker is known to be this member", _HOST_MAP)
            for member in members
        }

    def _resource_of(self, members: tuple[Member, ...]) -> Published | None:
        if len(self.published) == 1:
            return self.published[0]
        hosts = {normalise(member.host) for member in members}
        return next((one for one in self.published if hosts & {normalise(peer.host) for peer in _peers(one)}), None)


def read_keepers(seconds: float) -> Keepers:
    """Ask Pacemaker within `seconds`. A host without Pacemaker, or an account that may not ask, is a cause."""
    from ...adapters.pacemaker.published import read_published
    from ...adapters.pacemaker.tools import ClusterUnreachable, may_ask_the_cluster

    if not may_ask_the_cluster():
        return Keepers(cause="only root and the group haclient may ask Pacemaker")
    try:
        return Keepers(read_published(seconds))
    except ClusterUnreachable as error:
        return Keepers(cause=f"Pacemaker does not answer here ({error})")


def _peers(one: Published) -> tuple[Peer, ...]:
    address = settings_of_resource(one.cib.parameters).wsrep_cluster_address
    try:
        return parse_cluster_address(address).peers if address else ()
    except BadAddress:
        return ()


def _name(one: Published, members: tuple[Member, ...], seconds: float) -> dict[Member, str]:
    """Return the node of Pacemaker that each member is. Proofs that contradict each other name nobody."""
    found = resolve_hosts((*(member.host for member in members), *one.cib.nodes), seconds)
    reports = {node: record.report for node, record in one.records.items()}
    membership = name_members(
        [Peer(member.host) for member in members],
        nodes=one.cib.nodes,
        host_map=settings_of_resource(one.cib.parameters).cluster_host_map,
        resolved={host: [normalise(each) for each in addresses] for host, addresses in found.items()},
        reported={node: each.addresses for node, each in reports.items() if isinstance(each, PositionReport)},
    )
    hosts = {peer.host: node for node, peer in zip(membership.names, membership.peers)}
    doubtful = set(membership.unknown)
    return {
        member: hosts[member.host]
        for member in members
        if member.host in hosts and member.host not in doubtful and hosts[member.host] in one.records
    }
