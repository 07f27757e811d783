"""Proves that nothing is missed without an evicted server, whose data end nobody knows where as long as it waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..galera.lineage import Order, compare
from .facts import GrantKind
from .position_report import State

if TYPE_CHECKING:
    from ..galera.lineage import History
    from ..galera.position import View
    from .facts import ElectionFacts
    from .position_report import PositionReport


def find_doubt(facts: ElectionFacts, node: str, candidate: History) -> str:
    """Return why an evicted server's data may come to more than the candidate; "" where that is proven not to be.

    The proof:

    1. What the server has received and not applied was ordered by the group while it was a member. Galera delivers a
       write set only once all members of the view have it, and members that stay Primary deliver it before their next
       view.
    2. Another reporter's last Primary view is without this server, and later than its: it shares a member with it, and
       has a higher number, which grows with each view of that member. So it goes on from the last one of this server.
    3. The candidate has reached a position that was read after that view had begun. A live server outside of a Primary
       has applied all that it was delivered.

    What the server has applied for certain must be in the candidate in any case.
    """
    if facts.granted(GrantKind.FORGET, node):
        return ""
    evicted = facts.fresh[node]
    if evicted.position.real and compare(evicted.history, candidate) not in (Order.EQUAL, Order.BEHIND):
        return "it has applied more"
    others = (one for one in facts.fresh.values() if not one.evicted and one.position.uuid == candidate.position.uuid)
    later = [one for one in others if _follows(one.view, evicted)]
    if not later:
        return "no member that answers was in the view behind its own"
    reached = {one.node: _end_of_view(one) for one in later}
    known = {name: seqno for name, seqno in reached.items() if seqno >= 0}
    if not known:
        return f"where its last view ended is unknown: {' and '.join(reached)} read no position in the next one"
    # A server that has applied more than was delivered before a later view was no member of what came before that.
    if any(max(0, evicted.position.seqno) <= seqno <= candidate.position.seqno for seqno in known.values()):
        return ""
    lowest = min(known.values())
    said = f"{' and '.join(known)} read seqno {lowest} in the view behind its last"
    return said if lowest > candidate.position.seqno else f"{said}, and it has applied more than that"


def _end_of_view(report: PositionReport) -> int:
    """Return a position at or behind all that was delivered before a reporter's last Primary view; -1: unknown."""
    return report.position.seqno if report.state is State.NON_PRIMARY else report.view_seqno


def _follows(view: View | None, evicted: PositionReport) -> bool:
    """Return whether a Primary view is later than the last one of an evicted server, and without it."""
    if view is None or evicted.view is None or not evicted.own_uuid or evicted.own_uuid in view.members:
        return False
    earlier, later = _number(evicted.view), _number(view)
    if earlier is None or later is None or later <= earlier:
        return False
    return evicted.own_uuid in evicted.view.members and bool(set(view.members) & set(evicted.view.members))


def _number(view: View) -> int | None:
    """Return the number at the end of a view's id, None where it has none."""
    number = view.id.rpartition(" ")[2]
    return int(number) if number.isascii() and number.isdigit() else None
