"""What a member's keeper published in Pacemaker (attributes xha-RSC-state, -ready, -at and -report).

A keeper tells each change at once, and every 30 s that it still speaks (app/keeper/announcer.py); while its server does
not answer, only when it last did. An attribute outlives a keeper that was killed, until its host leaves the cluster: a
word without a fresh time decides nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..election.facts import Host
from ..election.position_report import PositionReport, State
from ..galera.reading import Reading, WsrepStatus
from ..node.verdict import NagiosCode
from ..text.escape import clean
from ..text.numbers import parse_int
from .sources import Source, SourceAnswer

if TYPE_CHECKING:
    from ..election.position_report import Unread

# In seconds: three times the interval at which a keeper speaks. Ages are taken by two hosts' clocks.
STALE_SECONDS = 90.0
_CLOCKS_DIFFER = 5.0
_MOST_DIGITS = 12
_RUNS = {State.PRIMARY: "Primary", State.NON_PRIMARY: "non-Primary"}
_EXPLAIN = "xha-check explain says what it waits for"


class KeeperRecord(NamedTuple):
    """What one node's keeper published. "" stands where an attribute does not exist.

    at: from when what it says is, in seconds since 1970, as text.
    """

    node: str
    host: Host = Host.ONLINE
    report: PositionReport | Unread | None = None
    state: str = ""
    ready: str = ""
    at: str = ""


def judge_keeper(record: KeeperRecord, now: float) -> SourceAnswer:
    """Return what a keeper's record comes to. now: seconds since 1970."""
    report = record.report if isinstance(record.report, PositionReport) else None
    phase = clean(record.state.partition(":")[0], 40)
    said = clean(record.state, 300)
    available = {"1": True, "0": False}.get(record.ready)
    if available is None and report is not None and report.state is not State.PRIMARY:
        available = False
    running = _RUNS.get(report.state) if report else None
    answer = SourceAnswer(
        Source.KEEPER,
        report.state.value if report else phase,
        available,
        NagiosCode.OK if available and not (report and report.trouble) else NagiosCode.CRITICAL,
        _age(record.at, now),
        f"its keeper says: {said}" if said else "",
        _EXPLAIN,
        reading=_reading(report) if report and running else None,
        component=frozenset(report.component.members if report and report.component and running else ()),
    )
    return answer._replace(cause=_why_not(record, answer, report, now))


def absent_keeper(cause: str, remedy: str = "") -> SourceAnswer:
    """Return the answer of a keeper of which nothing is known."""
    return SourceAnswer(Source.KEEPER, cause=cause, remedy=remedy)


def _age(at: str, now: float) -> float | None:
    moment = parse_int(at, _MOST_DIGITS)
    if moment is None or moment - now > _CLOCKS_DIFFER:
        return None
    return max(0.0, now - moment)


def _why_not(record: KeeperRecord, answer: SourceAnswer, report: PositionReport | None, now: float) -> str:
    """Return why the record does not decide, "" if it does."""
    if record.host is not Host.ONLINE:
        return f"Pacemaker does not have its host in the cluster ({record.host.value})"
    if not record.state and not record.at:
        if report is not None and report.state is State.STOPPED:
            where = f" at {report.position}" if report.position.real else ""
            return f"no keeper speaks there; the last one left the server stopped{where}"
        return "no keeper speaks there: the resource is not started on that node"
    if answer.age is None:
        moment = parse_int(record.at, _MOST_DIGITS)
        return (
            "its keeper does not say when it spoke: it is of an older version of xha"
            if moment is None
            else f"its keeper's clock is {moment - now:.0f} s ahead of this host's"
        )
    if answer.age > STALE_SECONDS:
        who, last = "its keeper, or the server there,", answer.code or "none"
        return f"{who} has not spoken for more than {STALE_SECONDS:g} s; its last word was {last}"
    return "" if answer.available is not None else "its keeper does not say whether the server serves"


def _reading(report: PositionReport) -> Reading:
    """Return what a report tells of a running server, in the server's own names.

    The position of a Primary is as old as the last change of anything else, so that it is not told.
    """
    uuid = report.position.uuid if report.position.real else None
    return Reading(
        WsrepStatus(
            wsrep_cluster_status=_RUNS[report.state],
            wsrep_cluster_state_uuid=uuid,
            wsrep_cluster_size=len(report.component.members) if report.component else None,
        )
    )
