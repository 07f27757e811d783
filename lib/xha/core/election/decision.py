"""The possible decisions of an election. Each carries its reason, as a sentence for the log and the operator."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Union

from ..galera.lineage import Generation, History, extend
from ..galera.position import Position, View

if TYPE_CHECKING:
    from .facts import Grant


class Step(Enum):
    """What a node does before it waits or while it is refused. Afterwards it reports again."""

    STOP = "stop"
    SET_VIEW_ASIDE = "set-view-aside"
    DISCARD = "discard"


class Founding(NamedTuple):
    """The generation that forming a Primary begins. The node that forms the Primary chooses the id."""

    origin: History
    founders: tuple[str, ...]

    def line(self, generation_id: str) -> tuple[Generation, ...]:
        """Return the line of generations. It is recorded before the Primary is formed."""
        begun = Generation(generation_id, self.origin.generation, self.origin.position.seqno, self.founders)
        return extend(self.origin.line, begun)


class Join(NamedTuple):
    """Start the server and join the Primary that the node `primary` is in, or continue to join it.

    Before the start, gvwstate.dat is set aside and `line` is recorded. Otherwise a crash during the join would look
    like a divergence.
    """

    reason: str
    primary: str
    line: tuple[Generation, ...] = ()


class RestoreView(NamedTuple):
    """Start the server without bootstrapping, so that Galera forms `view` again (pc.recovery).

    Every member of the view must have its gvwstate.dat in place.
    """

    reason: str
    view: View


class Revive(NamedTuple):
    """Set pc.bootstrap on this node, once, under the token. may_miss: nodes whose data could not be checked."""

    reason: str
    founding: Founding
    may_miss: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()


class Bootstrap(NamedTuple):
    """Form a new Primary on this node, under the token. grastate.dat gets `position` and safe_to_bootstrap together.

    The line is first recorded on the disk and in the cluster's configuration. There is one exception: a position that
    is not real begins a new history, and the configuration gets that line only once the node is Primary. So a start
    that fails leaves no record that a cluster ever existed. Acting on this decision uses up `grants`.
    """

    reason: str
    position: Position
    founding: Founding
    grants: tuple[Grant, ...] = ()


class Wait(NamedTuple):
    """Do nothing yet. missing: the nodes that something is awaited from. remedy: what would end the wait."""

    reason: str
    missing: tuple[str, ...] = ()
    remedy: str = ""
    first: Step | None = None


class Refuse(NamedTuple):
    """Do nothing until a person decides. nodes: those in conflict. remedy: the commands that resolve the conflict."""

    reason: str
    nodes: tuple[str, ...] = ()
    remedy: str = ""
    first: Step | None = None


Decision = Union[Join, RestoreView, Revive, Bootstrap, Wait, Refuse]
