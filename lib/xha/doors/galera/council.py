"""The other members, as one keeper hears them: their reports, the cluster's records, and what it tells them itself."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from ...adapters.network.addresses import read_own_addresses, resolve_hosts
from ...adapters.network.port_probe import Endpoint, probe_ports
from ...core.election.decision import Refuse
from ...core.election.facts import Around, Probe, Token, count
from ...core.election.position_report import Ballot, State, Unread, digest, parse_ballot, render_ballot
from ...core.election.rules import elect
from ...core.galera.cluster_address import name_members, parse_cluster_address
from ...core.galera.position import NO_UUID

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Union

    from ...adapters.pacemaker.cluster import Pacemaker
    from ...adapters.pacemaker.standalone import Standalone
    from ...core.election.decision import Decision
    from ...core.election.facts import Grant, Records
    from ...core.galera.cluster_address import Peer
    from ...core.galera.lineage import Generation
    from ...core.galera.position import View
    from ...core.ocf.galera_settings import Settings
    from ...core.pacemaker.cib import Cib

    _Reports = Mapping[str, Union[Ballot, Unread]]
    _Facts = tuple[str, _Reports, tuple[str, ...], Records, tuple[Grant, ...], Around]

GROUP_PORT, SQL_PORT = 4567, 3306
# The cluster's configuration is read at each look of an election, and this often (seconds) while a server runs.
CONFIGURATION_AGE = 10.0
CONFIRM_SECONDS = RESOLVE_SECONDS = 5.0
RESOLVE_AGAIN_SECONDS = 1.0


class Council:
    """What one node knows of the others. epoch is the id that it opened: reports count that answer it."""

    def __init__(self, cluster: Pacemaker | Standalone, resource: str, settings: Settings, address: str) -> None:
        self.cluster, self.resource = cluster, resource
        self.settings, self.address = settings, parse_cluster_address(address)
        self.me = cluster.node_name()
        self.ask()
        self.cib: Cib = cluster.read_cib(resource)
        self.reports: dict[str, Ballot | Unread] = {}
        self.members: tuple[str, ...] = (self.me,)
        self.ambiguous: tuple[str, ...] = ()
        self.probes: Mapping[str, Probe] = {}
        self.voters: Mapping[str, Probe] = {}
        self._peers: dict[str, Peer] = {}
        self._resolved: Mapping[str, tuple[str, ...]] = {}
        self._find_addresses(RESOLVE_SECONDS)
        self._read_at, self._told = time.monotonic(), ""

    def _find_addresses(self, seconds: float) -> None:
        """Find out the addresses of this host, and those of names that have none yet."""
        self.addresses = tuple(sorted(read_own_addresses()))
        names = {*(peer.host for peer in self.address.peers), *self.cib.nodes}
        unknown = (name for name in names if not self._resolved.get(name))
        self._resolved = {**self._resolved, **resolve_hosts(unknown, seconds)}
        self._found_at = time.monotonic()

    def _lacks_addresses(self) -> bool:
        """Whether a member's name, or this host, had no address when it was looked up: as while a host boots."""
        unknown = any(not self._resolved.get(peer.host) for peer in self.address.peers)
        return unknown or self.me not in self.members

    @property
    def attribute(self) -> str:
        """The name of the private attribute that holds a report."""
        return f"xha-{self.resource}-report"

    def listen(self, *, electing: bool) -> None:
        """Read what the others said. electing: also the configuration and the members' ports, and not at leisure."""
        said = self.cluster.read_attribute(self.attribute)
        mine = self.reports.get(self.me)
        self.reports = {node: parse_ballot(text) for node, text in said.items()}
        if mine is not None:
            self.reports[self.me] = mine
        if electing or time.monotonic() - self._read_at > CONFIGURATION_AGE:
            self._read_cib()
        if electing and self._lacks_addresses() and time.monotonic() - self._found_at > CONFIGURATION_AGE:
            self._find_addresses(RESOLVE_AGAIN_SECONDS)
        self.members = self._name_members()
        self.probes = self._probe() if electing else {}

    def _name_members(self) -> tuple[str, ...]:
        reported = {node: one.addresses for node, one in self.reports.items() if isinstance(one, Ballot)}
        membership = name_members(
            self.address.peers,
            nodes=self.cib.nodes,
            host_map=self.settings.cluster_host_map,
            resolved=self._resolved,
            reported={**reported, self.me: self.addresses},
            arbitrators=self.settings.arbitrators,
        )
        self.ambiguous = membership.ambiguous
        self._peers = dict(zip(membership.names, membership.peers))
        return membership.names

    def _probe(self) -> Mapping[str, Probe]:
        doors = {node: self._doors(peer) for node, peer in self._peers.items() if node != self.me}
        voters = {str(peer): [Endpoint(peer.host, peer.port or GROUP_PORT)] for peer in self.settings.arbitrators}
        found = probe_ports({**doors, **voters})
        self.voters = {name: found[name] for name in voters}
        return {node: found[node] for node in doors}

    @staticmethod
    def _doors(peer: Peer) -> list[Endpoint]:
        return [Endpoint(peer.host, peer.port or GROUP_PORT), Endpoint(peer.host, SQL_PORT)]

    def tell(self, ballot: Ballot) -> None:
        """Publish this node's report where it differs from the last one in more than a Primary's seqno."""
        self.reports[self.me] = ballot
        lasting = ballot
        if ballot.state is State.PRIMARY:
            lasting = ballot._replace(position=ballot.position._replace(seqno=0))
        if render_ballot(lasting) != self._told:
            self.cluster.set_private(self.attribute, render_ballot(ballot))
            self._told = render_ballot(lasting)

    def confirm(self, ballot: Ballot) -> bool:
        """Publish, and return whether all others see it now: attributes reach every host in one order."""
        self.tell(ballot)
        until = time.monotonic() + CONFIRM_SECONDS
        while time.monotonic() < until:
            if self.cluster.read_attribute(self.attribute).get(self.me) == render_ballot(ballot):
                return True
            time.sleep(0.05)
        return False

    def retract(self) -> None:
        """Take this node's report away."""
        self._told = ""
        self.reports.pop(self.me, None)
        self.cluster.delete_attribute(self.attribute)

    def ask(self) -> None:
        """Open an epoch: from now on only what answers it counts."""
        self.epoch, self._asked_at = new_id(), time.monotonic()

    @property
    def age(self) -> float:
        """Seconds since this epoch was opened."""
        return time.monotonic() - self._asked_at

    def asked(self) -> tuple[str, ...]:
        """Return the epochs that are open, this node's own among them: a report answers all of them."""
        opened = {one.opens for one in self.reports.values() if isinstance(one, Ballot) and one.opens}
        return tuple(sorted({*opened, self.epoch}))

    def decide(self, *, overdue: bool = False) -> Decision:
        """Return what this node does next, and why."""
        if self.ambiguous:
            return Refuse(self.ambiguous[0], (self.me,), "name each host once: cluster_host_map=NODE:HOST;...")
        return elect(*self._facts(overdue))

    def shown(self) -> str:
        """Return the digest of the reports that count: what a token or a grant was taken for."""
        return digest(count(*self._facts(overdue=False)).fresh.values())

    def unanswered(self) -> tuple[str, ...]:
        """Return the members that Pacemaker sees online and that have not answered this epoch."""
        return tuple(node for node in self.members if node in self.reports and not self._heard(node))

    def _facts(self, overdue: bool) -> _Facts:
        # A member that has not said how far its server is, and one outside of the cluster's control, are two things.
        around = Around(
            self.epoch,
            time.time(),
            self.cib.quorum,
            self.cib.two_node,
            self.cib.hosts,
            self.probes,
            self.voters,
            overdue,
        )
        book = self.cib.book
        return self.me, self.reports, self.members, book.records, book.grants, around

    # --- the cluster's records

    def forbidden(self) -> str:
        """Look anew, and return what forbids to act here; "" for nothing."""
        self._read_cib()
        return self.cib.forbidden(self.me)

    def _read_cib(self) -> None:
        self.cib, self._read_at = self.cluster.read_cib(self.resource), time.monotonic()

    @property
    def token(self) -> Token | None:
        """The token, by the last reading of the configuration."""
        return self.cib.book.records.token

    def take_token(self, shown: str) -> bool:
        """Take the token for this epoch and what was shown; False if another node has it."""
        return self.cluster.take_token(self.resource, Token(self.me, self.epoch, shown))

    def hears_primary(self, uuid: str) -> bool:
        """Return whether another member says that it is in a Primary component of this history."""
        others = (one for node, one in self.reports.items() if node != self.me and isinstance(one, Ballot))
        return any(one.state is State.PRIMARY and uuid in (one.position.uuid, NO_UUID) for one in others)

    def holds_token(self) -> bool:
        """Look anew, and return whether the token is this node's, for this epoch."""
        self._read_cib()
        return self.token is not None and (self.token.node, self.token.epoch) == (self.me, self.epoch)

    def is_token_elsewhere(self) -> bool:
        """Look anew, and return whether another node has the token."""
        self._read_cib()
        return self.token is not None and self.token.node != self.me

    @property
    def has_token(self) -> bool:
        """Whether the token is this node's, by the last reading of the configuration."""
        return self.token is not None and self.token.node == self.me

    def release_token(self) -> bool:
        """Give the token back, if it is this node's; return whether it was."""
        self._read_cib()
        return release_token(self.cluster, self.resource, self.cib)

    def record(self, *, line: tuple[Generation, ...] | None, cluster: str) -> None:
        """Record the generations, and the history that the cluster stands in."""
        self.cluster.write_records(self.resource, line=line, cluster=cluster)

    def record_kept(self) -> None:
        """Record the history that the others are Primary with, if they are: this node's was given up for it."""
        kept = next((one for one in self._other_primaries() if one.position.real), None)
        if kept is not None:
            self.record(line=kept.line, cluster=kept.position.uuid)

    def delete_stop(self) -> None:
        """Remove the record of this node's last clean stop: nobody may rely on it once the server starts."""
        if self.me in self.cib.book.records.stops:
            self.cluster.delete_stop(self.resource, self.me)

    def consume_grants(self, *kinds: str) -> bool:
        """Use up the grants of these kinds before acting on them; False if there is none any more."""
        self._read_cib()
        used = [grant for grant in self.cib.book.grants if grant.kind.value in kinds]
        return self.cluster.consume_grants(self.resource, used)

    def forget_degraded(self) -> bool:
        """Have Pacemaker forget that this node was not at its best, now that it is again."""
        return self.cluster.forget_degraded(self.resource, self.me)

    def lines_beside(self, component: View | None) -> tuple[tuple[Generation, ...], ...]:
        """Return the lines of the other members of the Primary component that this node is in."""
        return tuple(one.line for one in self._other_primaries() if one.component == component)

    def _other_primaries(self) -> Iterator[Ballot]:
        for node, one in self.reports.items():
            if node != self.me and isinstance(one, Ballot) and one.state is State.PRIMARY:
                yield one

    def unheard(self) -> tuple[str, ...]:
        """Return the members on whose ports a server answers, and that have not answered this epoch."""
        return tuple(node for node, probe in self.probes.items() if probe is Probe.ACCEPTED and not self._heard(node))

    def _heard(self, node: str) -> bool:
        one = self.reports.get(node)
        return isinstance(one, Ballot) and self.epoch in one.epochs


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
