"""The facts of an election: who answered, who is proven down, and who is proven to hold nothing newer."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from ..galera.lineage import Generation, History, Order, StopRecord, adopt, compare
from ..galera.position import Kind
from .position_report import PositionReport, State, Unread, digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GRANT_LIFE = 600.0
EVICTS = "evict "


class GrantKind(str, Enum):
    """What an operator can permit, for one node and one occasion."""

    FORGET = "forget"
    BOOTSTRAP = "bootstrap"
    DISCARD = "discard"


class Grant(NamedTuple):
    """An operator's permission. digest: of the reports that the operator saw. at: seconds since 1970."""

    kind: GrantKind
    node: str
    digest: str
    at: float
    by: str = ""
    why: str = ""


class Token(NamedTuple):
    """The right to form a Primary, or to evict a member: the node that took it, and the epoch that it opened with it.

    digest: of the reports that it was taken for, or EVICTS and the group UUID of who is to be evicted.
    """

    node: str
    epoch: str
    digest: str

    @property
    def evicts(self) -> bool:
        """Whether it was taken to evict a member: then it forms nothing."""
        return self.digest.startswith(EVICTS)


class Records(NamedTuple):
    """What the cluster's configuration keeps: clean stops, the line of the newest generation, and the token.

    cluster is the UUID of the history that was last seen Primary, "" if there never was one. A cluster that was formed
    before xha was installed has a UUID here too, although its line is empty.
    """

    stops: Mapping[str, StopRecord] = {}
    line: tuple[Generation, ...] = ()
    token: Token | None = None
    cluster: str = ""


class Host(Enum):
    """What Pacemaker knows about a host. CLEAN_DOWN: node_state expected=down. LOST proves nothing."""

    ONLINE = "online"
    CLEAN_DOWN = "clean-down"
    FENCED = "fenced"
    LOST = "lost"


class Probe(Enum):
    """The result of connecting to a member's ports. SILENT means unknown, never down."""

    REFUSED = "refused"
    ACCEPTED = "accepted"
    SILENT = "silent"


class Probed(NamedTuple):
    """What connecting to a member's ports came to. ports: those that accepted."""

    result: Probe
    ports: tuple[int, ...] = ()


class Around(NamedTuple):
    """What is true now, besides the reports.

    epoch: the id that this node opened. now: seconds since 1970. quorum: Pacemaker's have-quorum. two_node: whether
      corosync grants quorum to one node of two. overdue: the server that this node started has not become Primary in
      time.
    """

    epoch: str = ""
    now: float = 0.0
    quorum: bool = False
    two_node: bool = False
    hosts: Mapping[str, Host] = {}
    probes: Mapping[str, Probed] = {}
    arbitrators: Mapping[str, Probed] = {}
    overdue: bool = False


class ElectionFacts(NamedTuple):
    """The facts of an election as one node sees them.

    fresh: the reports that answer this node's epoch, and its own. troubles: the troubles of reports that do not count,
      because their nodes cannot say where their data end or because their keepers gave up.
    """

    me: str
    members: tuple[str, ...]
    fresh: Mapping[str, PositionReport]
    unread: Mapping[str, Unread]
    lines: tuple[tuple[Generation, ...], ...]
    records: Records
    grants: tuple[Grant, ...]
    around: Around
    troubles: Mapping[str, str] = {}

    @property
    def mine(self) -> PositionReport:
        """This node's own report."""
        return self.fresh[self.me]

    @property
    def missing(self) -> tuple[str, ...]:
        """The members that have not answered this node's epoch."""
        return tuple(node for node in self.members if node not in self.fresh)

    def nodes_in(self, *states: State) -> tuple[str, ...]:
        """Return the members whose report has one of the states, in list order."""
        return tuple(node for node in self.members if node in self.fresh and self.fresh[node].state in states)

    def granted(self, kind: GrantKind, node: str | None = None) -> Grant | None:
        """Return the grant of this kind for the node, or for any node if node is None."""
        return next((one for one in self.grants if one.kind is kind and node in (None, one.node)), None)


def gather_facts(  # noqa: PLR0913, PLR0917 - the six kinds of facts of the contract
    me: str,
    reports: Mapping[str, PositionReport | Unread],
    members: Sequence[str],
    records: Records,
    grants: Sequence[Grant],
    around: Around,
) -> ElectionFacts:
    """Return the facts of the election. Stale reports are left out, each line of generations is brought up to date."""
    read = {node: one for node, one in reports.items() if isinstance(one, PositionReport) and node in members}
    lines = (
        records.line,
        *(one.line for one in read.values()),
        *(stop.history.line for stop in records.stops.values()),
    )
    fresh = {
        node: one._replace(line=adopt(node, _line_of(one, records.stops.get(node)), lines))
        for node, one in read.items()
        if node == me or (around.epoch in one.epochs and one.kind is not Kind.UNKNOWN)
    }
    troubles = {node: one.trouble for node, one in read.items() if one.trouble and node not in fresh}
    unread = {node: one for node, one in reports.items() if isinstance(one, Unread) and node in members}
    # Every node must use the same order. Otherwise two nodes could wait for each other.
    agreed = all(one.members == tuple(members) for one in fresh.values())
    order = tuple(members) if agreed else tuple(sorted(members))
    living = tuple(one for one in grants if not why_void(one, fresh, around.now))
    return ElectionFacts(me, order, fresh, unread, lines, records, living, around, troubles)


def _line_of(report: PositionReport, stop: StopRecord | None) -> tuple[Generation, ...]:
    """Return the generations that lead to a node's data: those of its record, or without one those of its clean stop.

    Data without a record (its file was not moved with Galera's) that end where the node's own clean stop left them are
    what it left. Without this they would count as data of before the first generation, at odds with everybody's.
    """
    if report.line or stop is None or report.kind is not Kind.INTACT or report.position != stop.history.position:
        return report.line
    return stop.history.line


def why_void(grant: Grant, fresh: Mapping[str, PositionReport], now: float) -> str:
    """Return why a grant does not hold at the time `now`, "" if it holds.

    A grant holds while it is younger than GRANT_LIFE and while the reports have the digest that it was given for. A
    grant that is not a discard also requires that no Primary answers.
    """
    age = now - grant.at
    if age < 0:
        return f"it was given {-age:.0f} s from now: the hosts' clocks differ"
    if age > GRANT_LIFE:
        return f"it is older than {GRANT_LIFE / 60:.0f} minutes"
    if grant.digest != digest(fresh.values()):
        return "what the members report has changed since"
    if grant.kind is not GrantKind.DISCARD and any(one.state is State.PRIMARY for one in fresh.values()):
        return "a Primary answers"
    return ""


def is_down(facts: ElectionFacts, node: str) -> bool:
    """Return whether a member that does not answer is proven to run no server. OFFLINE alone is no proof.

    A clean-stop record counts only if this node would have seen its removal: the host is in our membership, or it left
    the membership cleanly.
    """
    host = facts.around.hosts.get(node, Host.LOST)
    if host is Host.FENCED or facts.granted(GrantKind.FORGET, node):
        return True
    return node in facts.records.stops and host in (Host.ONLINE, Host.CLEAN_DOWN)


def is_not_newer(facts: ElectionFacts, node: str, candidate: History) -> bool:
    """Return whether a member whose data cannot be read is proven to hold nothing that the candidate lacks."""
    if facts.granted(GrantKind.FORGET, node):
        return True
    stop = facts.records.stops.get(node)
    if stop is not None and compare(stop.history, candidate) in (Order.EQUAL, Order.BEHIND):
        return True
    return views_are_complete(facts, candidate)


def views_are_complete(facts: ElectionFacts, candidate: History) -> bool:
    """Return whether the reporters' last Primary views prove that no missing member holds anything newer.

    The proof:

    1. Every member of every reporter's last Primary view has reported. So a member that has not reported was in none of
       these views.
    2. A later Primary always contains a member of the one before it. So the missing member was in no Primary since, and
       acknowledged nothing since.
    3. What the missing member acknowledged before was delivered to those views. But a killed server loses what it had
       not yet applied. So the candidate must have reached view_seqno of every report: a position that was read after
       the view had begun.

    The answer is False if a reporter knows no view or no such position. It is also False if a person formed the newest
    generation by hand, because that Primary may have had none of those members.
    """
    holders = [one for one in facts.fresh.values() if one.position.real]
    if any(one.line and one.line[0].by_hand for one in holders):
        return False
    known = {one.own_uuid for one in holders}
    return bool(holders) and all(
        one.view is not None and set(one.view.members) <= known and 0 <= one.view_seqno <= candidate.position.seqno
        for one in holders
    )


def has_newest_generation(facts: ElectionFacts, candidate: History) -> bool:
    """Return whether the candidate's line has every known newest generation, and its data have reached its own."""
    ids = {generation.id for generation in candidate.line}
    reached = not candidate.line or candidate.line[0].position <= candidate.position.seqno
    return reached and all(line[0].id in ids for line in facts.lines if line)
