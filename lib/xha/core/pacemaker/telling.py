"""Whether Pacemaker may be told at once that a server has ended, instead of at its next monitor.

`crm_resource --fail` has the controller of that node record a failed operation, `asyncmon`, and the scheduler recovers
the resource as after a failed monitor. But on-fail of the monitor does not hold for it, and it counts once or twice for
migration-threshold (measured: docs/decisions/0045-failures-are-told-to-pacemaker-at-once.md). Where on-fail is anything
but restart, and where there is a threshold, the monitor goes on telling.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..text.numbers import parse_float, parse_int

if TYPE_CHECKING:
    from .cib import Cib

_RECOVERS = ("", "restart")
# From here on, and at 0, migration-threshold bans no node (PCMK_SCORE_INFINITY).
_ENDLESS = 1_000_000
# For how long after it was told Pacemaker is not told once more: it orders the stop within a second (measured), but
# may have another host's operation to wait for. After that the monitor tells.
TOLD_SECONDS = 15.0


class Telling(NamedTuple):
    """What a keeper remembers of a server that has ended by itself, and that Pacemaker is to hear of.

    server: its pid and start time, zeros where there is nothing to tell. done: Pacemaker was told, or that was tried:
    there is no second time.
    """

    server: tuple[int, int] = (0, 0)
    done: bool = False

    @property
    def is_due(self) -> bool:
        """Whether Pacemaker is still to be told."""
        return self.server != (0, 0) and not self.done


class FailureClaim(NamedTuple):
    """Who was the first to tell Pacemaker of the end of a server: a keeper, or a monitor. at: monotonic seconds."""

    by_keeper: bool
    at: float

    def holds(self, now: float) -> bool:
        """Return whether Pacemaker acts on a keeper's word by now."""
        return self.by_keeper and 0 <= now - self.at < TOLD_SECONDS


def render_claim(claim: FailureClaim) -> str:
    """Return the claim as one line."""
    return f"{'keeper' if claim.by_keeper else 'monitor'} {claim.at!r}"


def parse_claim(text: str) -> FailureClaim | None:
    """Return the claim, None for a text that is none."""
    who, _, at = text.strip().partition(" ")
    moment = parse_float(at)
    return None if moment is None or who not in ("keeper", "monitor") else FailureClaim(who == "keeper", moment)


def find_objection(cib: Cib, node: str) -> str:
    """Return why Pacemaker is not told at once that the resource has failed on a node; "" where it is."""
    forbidden = cib.forbidden(node)
    if forbidden:
        return forbidden
    monitors = [one for one in cib.operations if one.name == "monitor" and one.interval and one.enabled]
    if not monitors:
        return "the resource has no recurring monitor"
    wanted = ((one.ident, value) for one in monitors for value in (one.on_fail, *one.on_fails))
    other = next(((ident, value) for ident, value in wanted if value not in _RECOVERS), None)
    if other is not None:
        return f"on-fail={other[1]} of {other[0]}"
    threshold = next((one for one in cib.thresholds if not _is_endless(one)), None)
    if threshold is not None:
        return f"migration-threshold={threshold}, for which it may count twice"
    busy = cib.in_flight.get(node, "")
    return f"a {busy} of it is under way on {node}" if busy else ""


def _is_endless(threshold: str) -> bool:
    if threshold.lstrip("+").upper() == "INFINITY":
        return True
    number = parse_int(threshold)
    return number is not None and (number == 0 or number >= _ENDLESS)
