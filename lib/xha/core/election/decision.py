"""What an election can come to. Every decision carries the sentence that goes to the log and the operator."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Union

from ..galera.lineage import Generation, History, extend
from ..galera.position import Position, View

if TYPE_CHECKING:
    from .facts import Grant


class Step(Enum):
    """What the node does before it goes on waiting, or is refused; then it reports again."""

    STOP = "stop"
    SET_VIEW_ASIDE = "set-view-aside"
    DISCARD = "discard"


class Founding(NamedTuple):
    """The generation that forming a Primary begins; the node that forms it chooses the id."""

    origin: History
    founders: tuple[str, ...]

    def line(self, generation_id: str) -> tuple[Generation, ...]:
        """Return the line that is written down before the Primary is formed."""
        begun = Generation(generation_id, self.origin.generation, self.origin.position.seqno, self.founders)
        return extend(self.origin.line, begun)


class Join(NamedTuple):
    """Start and join the Primary that primary is in, or go on joining it.

    gvwstate.dat is set aside and line written down first, so that a crash on the way leaves no false divergence.
    """

    reason: str
    primary: str
    line: tuple[Generation, ...] = ()


class RestoreView(NamedTuple):
    """Start plainly: with gvwstate.dat in place on every member of view, Galera forms it again (pc.recovery)."""

    reason: str
    view: View


class Revive(NamedTuple):
    """Set pc.bootstrap here, once, under the token. may_miss are nodes whose disks could not be asked."""

    reason: str
    founding: Founding
    may_miss: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()


class Bootstrap(NamedTuple):
    """Form a new Primary here, under the token, with position written to grastate.dat together with the flag.

    The line is recorded on the disk and in the cluster's configuration first. Only with a position that is not real,
    which begins a new history, the configuration learns of it when it is Primary: a start that fails leaves no record
    that a cluster ever existed. grants are used up by acting on this.
    """

    reason: str
    position: Position
    founding: Founding
    grants: tuple[Grant, ...] = ()


class Wait(NamedTuple):
    """Nothing yet: missing are the nodes that something is awaited of, remedy is what would end the wait."""

    reason: str
    missing: tuple[str, ...] = ()
    remedy: str = ""
    first: Step | None = None


class Refuse(NamedTuple):
    """Not without a person: nodes are those at odds, remedy the commands that decide between them."""

    reason: str
    nodes: tuple[str, ...] = ()
    remedy: str = ""
    first: Step | None = None


Decision = Union[Join, RestoreView, Revive, Bootstrap, Wait, Refuse]
