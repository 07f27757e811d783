"""The facts of an election, counted: who answered, who is proven down, and who is proven to hold nothing newer."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from ..galera.lineage import Generation, History, Order, StopRecord, adopt, compare
from ..galera.position import Kind
from .position_report import Ballot, State, Unread, digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GRANT_LIFE = 600.0


class GrantKind(str, Enum):
    """What an operator can take on himself, for one node and one occasion."""

    FORGET = "forget"
    BOOTSTRAP = "bootstrap"
    DISCARD = "discard"


class Grant(NamedTuple):
    """An operator's word. digest is that of the reports shown to him, at in seconds since the epoch."""

    kind: GrantKind
    node: str
    digest: str
    at: float
    by: str = ""
    why: str = ""


class Token(NamedTuple):
    """The right to form a Primary: who took it, and the epoch that he opened with it."""

    node: str
    epoch: str
    digest: str


class Records(NamedTuple):
    """What the cluster's configuration keeps: clean stops, the newest generation's line, the token.

    cluster is the UUID of the history that was last seen Primary, empty if none ever was: a cluster that was formed
    before xha has one, too, although its line is empty.
    """

    stops: Mapping[str, StopRecord] = {}
    line: tuple[Generation, ...] = ()
    token: Token | None = None
    cluster: str = ""


class Host(Enum):
    """What Pacemaker knows of a host. CLEAN_DOWN: node_state expected=down. LOST proves nothing."""

    ONLINE = "online"
    CLEAN_DOWN = "clean-down"
    FENCED = "fenced"
    LOST = "lost"


class Probe(Enum):
    """What a connection to a member's ports met. SILENT is unknown, never down."""

    REFUSED = "refused"
    ACCEPTED = "accepted"
    SILENT = "silent"


class Around(NamedTuple):
    """What is true now, besides the reports.

    epoch is the id that this starter opened, now in seconds since the epoch; quorum is have-quorum, two_node whether
    corosync counts one of two as such. overdue: what this node started has not become Primary in its time.
    """

    epoch: str = ""
    now: float = 0.0
    quorum: bool = False
    two_node: bool = False
    hosts: Mapping[str, Host] = {}
    probes: Mapping[str, Probe] = {}
    arbitrators: Mapping[str, Probe] = {}
    overdue: bool = False


class Poll(NamedTuple):
    """The facts as one node counts them.

    fresh holds the reports that answer its epoch, its own included. troubles: what those say, in words, that do not
    count because their nodes cannot say where their data end, or their keepers gave up.
    """

    me: str
    members: tuple[str, ...]
    fresh: Mapping[str, Ballot]
    unread: Mapping[str, Unread]
    lines: tuple[tuple[Generation, ...], ...]
    records: Records
    grants: tuple[Grant, ...]
    around: Around
    troubles: Mapping[str, str] = {}

    @property
    def mine(self) -> Ballot:
        """This node's own report."""
        return self.fresh[self.me]

    @property
    def missing(self) -> tuple[str, ...]:
        """The members that have not answered this epoch."""
        return tuple(node for node in self.members if node not in self.fresh)

    def among(self, *states: State) -> tuple[str, ...]:
        """Return the members that report one of the states, in list order."""
        return tuple(node for node in self.members if node in self.fresh and self.fresh[node].state in states)

    def granted(self, kind: GrantKind, node: str | None = None) -> Grant | None:
        """Return the grant of that kind for the node, or for any."""
        return next((one for one in self.grants if one.kind is kind and node in (None, one.node)), None)


def count(  # noqa: PLR0913, PLR0917 - the six kinds of facts of the contract
    me: str,
    reports: Mapping[str, Ballot | Unread],
    members: Sequence[str],
    records: Records,
    grants: Sequence[Grant],
    around: Around,
) -> Poll:
    """Return the facts counted: what is stale is left out, and each line of generations brought up to date."""
    read = {node: one for node, one in reports.items() if isinstance(one, Ballot) and node in members}
    lines = (
        records.line,
        *(one.line for one in read.values()),
        *(stop.history.line for stop in records.stops.values()),
    )
    fresh = {
        node: one._replace(line=adopt(node, one.line, lines))
        for node, one in read.items()
        if node == me or (around.epoch in one.epochs and one.kind is not Kind.UNKNOWN)
    }
    troubles = {node: one.trouble for node, one in read.items() if one.trouble and node not in fresh}
    unread = {node: one for node, one in reports.items() if isinstance(one, Unread) and node in members}
    # Every node must come to the same order, or two of them wait for each other.
    agreed = all(one.members == tuple(members) for one in fresh.values())
    order = tuple(members) if agreed else tuple(sorted(members))
    living = tuple(one for one in grants if not why_void(one, fresh, around.now))
    return Poll(me, order, fresh, unread, lines, records, living, around, troubles)


def why_void(grant: Grant, fresh: Mapping[str, Ballot], now: float) -> str:
    """Return why a grant does not hold at `now`, "" if it does.

    It holds while it is young, for the reports it was given for, and but for discard only with no Primary.
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


def is_down(poll: Poll, node: str) -> bool:
    """Return whether a member that does not answer is proven to run no server. OFFLINE alone is no proof.

    A clean-stop record counts where its removal would have been seen: the host is in our membership, or left it
    cleanly.
    """
    host = poll.around.hosts.get(node, Host.LOST)
    if host is Host.FENCED or poll.granted(GrantKind.FORGET, node):
        return True
    return node in poll.records.stops and host in (Host.ONLINE, Host.CLEAN_DOWN)


def is_not_newer(poll: Poll, node: str, candidate: History) -> bool:
    """Return whether a member whose data cannot be asked is proven to hold nothing that the candidate lacks."""
    if poll.granted(GrantKind.FORGET, node):
        return True
    stop = poll.records.stops.get(node)
    if stop is not None and compare(stop.history, candidate) in (Order.EQUAL, Order.BEHIND):
        return True
    return views_are_complete(poll, candidate)


def views_are_complete(poll: Poll, candidate: History) -> bool:
    """Return whether every member of every reporter's last Primary view has reported, and nothing was lost since.

    Then whoever has not was in none of them, and so in no Primary since: a later Primary has a member of the one
    before it. What he acknowledged before was delivered to that view, but a killed server loses what it had not yet
    applied: so the candidate must have what was read after the view had begun. A reporter that knows no view, or of
    no such reading, leaves the question open; and so does a Primary that a person formed with none of those members.
    """
    holders = [one for one in poll.fresh.values() if one.position.real]
    if any(one.line and one.line[0].by_hand for one in holders):
        return False
    known = {one.own_uuid for one in holders}
    return bool(holders) and all(
        one.view is not None and set(one.view.members) <= known and 0 <= one.view_seqno <= candidate.position.seqno
        for one in holders
    )


def has_newest_generation(poll: Poll, candidate: History) -> bool:
    """Return whether the candidate stands in every generation that anybody knows of, and has reached its own."""
    ids = {generation.id for generation in candidate.line}
    reached = not candidate.line or candidate.line[0].position <= candidate.position.seqno
    return reached and all(line[0].id in ids for line in poll.lines if line)
