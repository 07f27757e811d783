"""Generations: they tell apart histories with the same UUID, and tell which of two histories contains the other.

Galera compares only UUID and seqno. If two components of one cluster both continued, their histories share both values.
A node of one component then joins the other by IST, and keeps rows that no other node has, or lacks rows that all
others have (measured: U:15 and U:12 with different rows). So whenever xha forms a Primary, it records a new generation
and the position where that generation began.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from .position import Position, View

if TYPE_CHECKING:
    from collections.abc import Sequence

# The generation of a cluster that was formed before xha was installed, or without it.
ROOT = ""
# A report drops the older generations of a line. A node that returns from a dropped generation is refused.
MAX_LINE = 16


class Generation(NamedTuple):
    """One forming of a Primary: a random id, the generation and seqno that it continues, and the nodes that formed it.

    by_hand: a person formed it without asking the other nodes. It becomes False once all members have been in one
      component with it.
    """

    id: str
    parent: str
    position: int
    founders: tuple[str, ...] = ()
    by_hand: bool = False


class History(NamedTuple):
    """A position, and the generations that lead to it, newest first."""

    position: Position
    line: tuple[Generation, ...] = ()

    @property
    def generation(self) -> str:
        """The id of the newest generation."""
        return self.line[0].id if self.line else ROOT

    def __str__(self) -> str:
        return f"{self.position}, generation {self.generation[:8]}" if self.line else str(self.position)


class StopRecord(NamedTuple):
    """The record of a stop in the cluster's configuration. A start removes it before anything else.

    view: the Primary view that the node left, None if it was in none. boot_id: that of its host. clean: False for a
      server that had ended by itself, where a recovery found out where its data end: it has not left its group cleanly.
    """

    history: History
    boot_id: str
    view: View | None = None
    clean: bool = True


class Order(Enum):
    """How one history relates to another."""

    EQUAL = "equal"
    BEHIND = "behind"
    AHEAD = "ahead"
    DIVERGED = "diverged"
    OTHER = "other"


def extend(line: tuple[Generation, ...], generation: Generation) -> tuple[Generation, ...]:
    """Return the line with a new generation at its front."""
    return (generation, *line)[:MAX_LINE]


def begin_by_hand(node: str, line: tuple[Generation, ...], origin: int, generation_id: str) -> tuple[Generation, ...]:
    """Return the line of data that a person bootstrapped on a node from seqno `origin` on: a generation of its own.

    generation_id must be the same for the same server, whoever computes it: then a line that already has it stays
    unchanged.
    """
    is_older = len(line) == MAX_LINE and line[-1].position >= origin
    if is_older or any(one.id == generation_id for one in line):
        return line
    # A generation that was recorded for a join that never got that far is not part of these data.
    reached = tuple(one for one in line if one.position <= origin)
    parent = reached[0].id if reached else _parent_of(line)
    return extend(reached, Generation(generation_id, parent, origin, (node,), by_hand=True))


def goes_on(line: tuple[Generation, ...], from_line: tuple[Generation, ...]) -> bool:
    """Return whether `line` equals `from_line` or continues it."""
    return History(Position(), from_line).generation in _ids(line)


def compare(one: History, other: History) -> Order:
    """Return how `one` relates to `other`.

    BEHIND: other contains all of one, and more. OTHER: the UUIDs differ. DIVERGED: each contains something that the
    other lacks.
    """
    if one.position.uuid != other.position.uuid:
        return Order.OTHER
    mine, theirs = _ids(one.line), _ids(other.line)
    common = [generation for generation in mine if generation in theirs]
    if not common:
        return Order.DIVERGED
    # Both contain the same up to the point where the first of them left the newest shared generation.
    shared = min(_left_at(one, common[0]), _left_at(other, common[0]))
    seqno, others = one.position.seqno, other.position.seqno
    if seqno > shared and others > shared:
        return Order.DIVERGED
    if seqno == others:
        # The rows are the same. The one in the newer generation knows more about what followed.
        return _by_generation(one.generation == common[0], other.generation == common[0])
    return Order.BEHIND if seqno < others else Order.AHEAD


def _by_generation(mine_is_shared: bool, theirs_is_shared: bool) -> Order:
    if mine_is_shared == theirs_is_shared:
        return Order.EQUAL
    return Order.BEHIND if mine_is_shared else Order.AHEAD


def _ids(line: tuple[Generation, ...]) -> list[str]:
    """Return the ids of the generations, newest first, down to the parent of the oldest known one."""
    return [*(generation.id for generation in line), _parent_of(line)]


def _parent_of(line: tuple[Generation, ...]) -> str:
    return line[-1].parent if line else ROOT


def _left_at(history: History, generation: str) -> int:
    """Return the last seqno of the history that belongs to this generation of its line."""
    return next((one.position for one in history.line if one.parent == generation), history.position.seqno)


def find_line(line: tuple[Generation, ...], beside: Sequence[tuple[Generation, ...]]) -> tuple[Generation, ...] | None:
    """Return the line of a node in a Primary component whose other members have the lines `beside`.

    If another member's line continues the node's line, the result is the longer one. None means that all other members
    have a different line: the node came into another component than it intended to join.
    """
    if beside and not any(goes_on(line, other) or goes_on(other, line) for other in beside):
        return None
    for other in beside:
        line = other if goes_on(other, line) and not goes_on(line, other) else line
    return line


def agree(line: tuple[Generation, ...]) -> tuple[Generation, ...]:
    """Return the line of a component that contains all members: by_hand is cleared.

    No node outside of the component can hold anything else then, whoever formed it.
    """
    return (line[0]._replace(by_hand=False), *line[1:]) if line else line


def adopt(node: str, line: tuple[Generation, ...], known: tuple[tuple[Generation, ...], ...]) -> tuple[Generation, ...]:
    """Return the line of a node that was killed before it had recorded a generation that it helped to form.

    A founder was in the component from the generation's first write set on. So what it holds belongs to that
    generation.
    """
    for other in known:
        for index, generation in enumerate(other):
            head = line[0].id if line else ROOT
            if generation.parent == head and node in generation.founders and generation.id != head:
                return adopt(node, other[index:], known)
    return line
