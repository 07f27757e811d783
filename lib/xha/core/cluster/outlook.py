"""Whether a cluster goes on by itself: the exit code of `xha-check explain`, and its words for waits and failures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..election.decision import Decision, Refuse, Wait
from ..election.position_report import PositionReport, State, is_looking
from ..text.numbers import parse_int
from .keeper_word import STALE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..pacemaker.failed_actions import FailedAction
    from .dry_run import Forecast, Seen

# How long a cluster is given to come up by itself: hosts that were switched on together boot within some minutes.
WAIT_SECONDS = 300.0


def tell_waited(seen: Seen, node: str) -> float | None:
    """Return for how many seconds a node's keeper has been in its phase; None if it does not say, or no longer speaks.

    Both times are by one clock, that of its host.
    """
    since, spoke = (parse_int(said.get(node, "")) for said in (seen.since, seen.spoke))
    if since is None or spoke is None or not -STALE_SECONDS <= seen.now - spoke <= STALE_SECONDS:
        return None
    return max(0.0, float(spoke - since))


def needs_person(seen: Seen, forecasts: Sequence[Forecast]) -> bool:
    """Return whether the cluster cannot continue without a person.

    That is so if a node refuses or reports a trouble, if an action of Pacemaker failed there and no server runs, or if
    no node is Primary and all of them wait, one of them for WAIT_SECONDS. A recovery that is under way is no trouble.
    Where nobody says how long it has waited, nothing promises that the wait ends by itself.
    """
    reports = seen.reports
    if any(find_failure(seen, node) for node in seen.members):
        return True
    troubles = [one.trouble for one in reports.values() if isinstance(one, PositionReport) and one.trouble]
    troubled = not all(map(is_looking, troubles))
    decisions = [one.decision for one in forecasts if one.decision is not None]
    primary = any(isinstance(one, PositionReport) and one.state is State.PRIMARY for one in reports.values())
    acts = [one for one in forecasts if one.decision is not None and not one.held and not _waits(one.decision)]
    return (
        troubled
        or any(isinstance(one, Refuse) for one in decisions)
        or not (primary or acts or _waits_briefly(seen, forecasts))
    )


def _waits_briefly(seen: Seen, forecasts: Sequence[Forecast]) -> bool:
    waiting = [one for one in forecasts if one.decision is not None]
    if not waiting or any(one.held for one in waiting):
        return False
    waited = [tell_waited(seen, one.node) for one in waiting]
    return all(seconds is not None and seconds < WAIT_SECONDS for seconds in waited)


def find_failure(seen: Seen, node: str) -> FailedAction | None:
    """Return what Pacemaker says that failed on a node on which no server runs now, None for nothing."""
    report = seen.reports.get(node)
    runs = isinstance(report, PositionReport) and report.state is not State.STOPPED
    return None if runs else seen.cib.failed.get(node)


def _waits(decision: Decision) -> bool:
    return isinstance(decision, (Wait, Refuse)) and decision.first is None
