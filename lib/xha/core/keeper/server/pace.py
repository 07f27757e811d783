"""How long a keeper rests between two looks, and by how old a configuration of the cluster it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..outcomes import EffectFailed, FailureCause

if TYPE_CHECKING:
    from ..memory import Memory
    from ..observation import Observation

# How long between two looks, in seconds: while a report is to come back, while others wait for what this keeper says of
# the writer or another node joins first, while something is to be decided, while a server serves, and while one serves
# that also writes down by itself what it is: a change of that, and its end, break off the rest (GLANCE_SECONDS).
QUICK, HURRY, BUSY, CALM, WATCHED = 0.05, 0.25, 0.5, 1.0, 1.5
# How often the file that a server writes of itself, and its process, are looked at while the keeper rests: 0.05 ms.
GLANCE_SECONDS = 0.5
# How long nothing is tried again that broke off for a reason nobody knows.
FAULT_SECONDS = 5.0
# How old the cluster's configuration may be, in seconds, while a handover of the writer is under way and while all is
# well. To read it takes two forks, 20 ms of CPU; who decides reads it anew, and so does each guard.
HURRIED_AGE, CALM_AGE = 10.0, 60.0


def rest(memory: Memory, seen: Observation) -> float:
    """Return how many seconds to wait after the step that made this memory of what was seen.

    seen.results are those of this step. A child that ends in this time is heard at once, whoever waits.
    """
    outcomes = (*(one.outcome for one in seen.results), seen.child.outcome if seen.child else None)
    causes = {one.cause for one in outcomes if isinstance(one, EffectFailed)}
    if FailureCause.UNFORESEEN in causes or (seen.trouble and seen.trouble.cause is FailureCause.UNFORESEEN):
        return FAULT_SECONDS
    if memory.launching is not None and seen.trouble is None:
        return HURRY if memory.queued_at else QUICK
    if memory.writer.hurries:
        return HURRY
    if memory.is_calm:
        return WATCHED if seen.trouble is None and seen.server is not None and seen.server.told else CALM
    return CALM if memory.child is not None else BUSY


def configuration_age(memory: Memory) -> float:
    """Return how old the cluster's configuration may be, in seconds, by which the next step goes; 0.0: read it now.

    Whoever acts reads it anew: each guard does.
    """
    if not memory.is_calm:
        return 0.0
    return HURRIED_AGE if memory.writer.hurries else CALM_AGE
