"""The facts of an election, assembled: the one way in which the keeper, explain, grant and the tests do it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..election.facts import Around, ElectionFacts, gather_facts
from ..election.position_report import PositionReport, digest
from ..election.rules import elect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..election.decision import Decision
    from ..election.facts import Grant, Probed, Records
    from ..election.position_report import Unread
    from ..pacemaker.cib import Cib


class ElectionInputs(NamedTuple):
    """What one node's decision follows from."""

    me: str
    reports: Mapping[str, PositionReport | Unread]
    members: tuple[str, ...]
    records: Records
    grants: tuple[Grant, ...]
    around: Around

    def elect(self) -> Decision:
        """Return what the node does next."""
        return elect(*self)

    def counted(self) -> ElectionFacts:
        """Return the facts as the node counts them."""
        return gather_facts(*self)

    def digest(self) -> str:
        """Return the digest of the reports that count: what a token or a grant is given for."""
        return digest(self.counted().fresh.values())

    def has_answered(self, node: str) -> bool:
        """Return whether a member's report answers this node's epoch."""
        one = self.reports.get(node)
        return isinstance(one, PositionReport) and self.around.epoch in one.epochs

    @property
    def unanswered(self) -> tuple[str, ...]:
        """The other members that Pacemaker hears and that have not answered this node's epoch."""
        others = (node for node in self.members if node != self.me and node in self.reports)
        return tuple(node for node in others if not self.has_answered(node))


def gather(  # noqa: PLR0913 - what one node sees
    me: str,
    epoch: str,
    cib: Cib,
    reports: Mapping[str, PositionReport | Unread],
    members: tuple[str, ...],
    *,
    probes: Mapping[str, Probed],
    arbitrators: Mapping[str, Probed],
    clock: float,
    overdue: bool = False,
) -> ElectionInputs:
    """Return the facts of a node that opened the epoch. clock: seconds since 1970."""
    around = Around(epoch, clock, cib.quorum, cib.two_node, cib.hosts, probes, arbitrators, overdue)
    return ElectionInputs(me, reports, members, cib.book.records, cib.book.grants, around)
