"""Whether the writer may be handed over to another node, and to which: what `xha-check switchover` goes by. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .position_report import PositionReport
from .writer import NO_CLAIM, Claim, WriterWord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..galera.position import Position
    from .position_report import Unread

# Under load a queue is never quite empty. A node with more than this would make its first clients wait.
LONGEST_QUEUE = 10


class SwitchoverFacts(NamedTuple):
    """What is known once everybody was asked.

    named: the node that is to be the writer, "" for the first of the list that can. members: in the list's order.
    words: of the keepers that have answered. reports: the last ones of all members. stopped: where the data of cleanly
    stopped members end. resource: its name, for what is told.
    """

    named: str
    members: tuple[str, ...]
    claim: Claim = NO_CLAIM
    words: Mapping[str, WriterWord] = {}
    reports: Mapping[str, PositionReport | Unread] = {}
    stopped: Mapping[str, Position] = {}
    quorum: bool = False
    resource: str = "RSC"


class SwitchoverPlan(NamedTuple):
    """target: the next writer, "" where nothing is handed over. objection: why not. notes: what is not known."""

    target: str
    objection: str = ""
    notes: tuple[str, ...] = ()


def plan_switchover(facts: SwitchoverFacts) -> SwitchoverPlan:
    """Return to whom the writer is handed over, or why to nobody."""
    writer = facts.claim.node
    if not writer:
        return SwitchoverPlan("", "there is no writer yet: no keeper has made a claim")
    if not facts.quorum:
        return SwitchoverPlan("", "Pacemaker has no quorum here: the present claim stands")
    if facts.named and facts.named not in facts.members:
        return SwitchoverPlan("", f"{facts.named} is none of the members, which are {', '.join(facts.members)}")
    if facts.named == writer:
        return SwitchoverPlan("", f"{writer} is the writer already")
    if writer not in facts.words and writer in facts.reports:
        return SwitchoverPlan("", _tell_unanswered(facts, writer))
    others = [facts.named] if facts.named else [node for node in facts.members if node != writer]
    objections = {node: _object_to(facts, node) for node in others}
    target = next((node for node in others if not objections[node]), "")
    if not target:
        return SwitchoverPlan("", f"no candidate: {'; '.join(objections.values()) or 'there is no other member'}")
    uncovered, notes = _look_at_absent(facts)
    return SwitchoverPlan("", uncovered) if uncovered else SwitchoverPlan(target, notes=notes)


def _tell_unanswered(facts: SwitchoverFacts, writer: str) -> str:
    """Return why nothing is handed over from a writer that has not answered, and the way out."""
    report = facts.reports[writer]
    if not isinstance(report, PositionReport) or report.keeper:
        return f"the keeper of {writer} has not answered: its node would go on as the writer"
    commands = " and ".join(
        f"attrd_updater --name xha-{facts.resource}-{word} --node {writer} --delete" for word in ("claim", "writer")
    )
    return (
        f"the keeper of {writer} has not answered, and may be of a version that knows no /writer, as after a "
        f"downgrade: upgrade it, or run {commands}, and another node claims to be the writer"
    )


def _object_to(facts: SwitchoverFacts, node: str) -> str:
    word = facts.words.get(node)
    if word is None:
        return f"the keeper of {node} has not answered"
    if word.drains:
        return f"{node} drains (xha-check enable)"
    if not word.fit:
        return f"{node} is out of service (xha-check cluster says why)"
    here, there = (_component(facts, one) for one in (facts.claim.node, node))
    if here is not None and there is not None and here != there:
        return f"{node} is in another component than {facts.claim.node}"
    if word.queue < 0:
        return f"{node} does not say how many write sets it has still to apply"
    if word.queue > LONGEST_QUEUE:
        return f"{node} has a queue of {word.queue} write sets still to apply: wait until it has caught up"
    return ""


def _component(facts: SwitchoverFacts, node: str) -> object:
    report = facts.reports.get(node)
    return report.component if isinstance(report, PositionReport) else None


def _look_at_absent(facts: SwitchoverFacts) -> tuple[str, tuple[str, ...]]:
    """Return which absent member would need a full copy when it comes back, and of which that is not known.

    Its donor would be one of the nodes that are left, and the writer would move again or be slowed down.
    """
    lowest = [word.lowest for word in facts.words.values() if word.fit and word.lowest > 0]
    notes = []
    for node in facts.members:
        if node in facts.words:
            continue
        report = facts.reports.get(node)
        position = facts.stopped.get(node) or (report.position if isinstance(report, PositionReport) else None)
        if position is None or not position.real or not lowest:
            notes.append(f"whether a gcache covers the absence of {node} is not known")
        elif min(lowest) > position.seqno + 1:
            return (
                f"no gcache covers the absence of {node}: it ends at {position.seqno}, and the first write set that is "
                f"kept is {min(lowest)}: it needs a full copy, so bring it back first"
            ), ()
    return "", tuple(notes)
