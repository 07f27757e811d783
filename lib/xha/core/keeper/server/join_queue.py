"""Nodes join a Primary component one after the other.

Of two servers that join within 0.2 s of one another, one may get what it lacks from the other, and Galera gives up:
"IST didn't contain all write sets", "node restart required". Then it needs a full copy (measured:
docs/decisions/0039-a-world-as-xha-advises-it.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...election.obstacles import name_nodes
from ...election.position_report import State
from ...monitor.keeper_status import Phase

if TYPE_CHECKING:
    from ..turn import Turn

# How long a node waits for others that join. An incremental state transfer is over by then; a full copy may take hours.
JOIN_SECONDS = 15.0


def waits_to_join(turn: Turn, reason: str) -> bool:
    """Return whether this node, which has not said yet that it starts, waits for one that has; then that is said."""
    return _waits(turn, sorted(turn.others(State.STARTING)), Phase.WAITING, reason)


def waits_its_turn(turn: Turn, reason: str) -> bool:
    """Return whether this node, which has said that it starts, waits for one that said so at the same time.

    The first one by name goes on. Where no member reports a Primary any more, it is decided anew.
    """
    before = sorted(node for node in turn.others(State.STARTING) if node < turn.me)
    waits = _waits(turn, before, Phase.STARTING, reason)
    if waits and not turn.others(State.PRIMARY):
        turn.note(launching=None, queued_at=0.0)
    return waits


def _waits(turn: Turn, joining: list[str], phase: Phase, reason: str) -> bool:
    since = turn.memory.queued_at or turn.now
    waits = bool(joining) and turn.now - since < JOIN_SECONDS
    turn.note(queued_at=since if joining else 0.0)
    if waits:
        turn.say(phase, f"{reason}, behind {name_nodes(tuple(joining))}")
    return waits
