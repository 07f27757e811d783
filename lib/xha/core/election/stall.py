"""Decides whether the one member that stops all commits is to be evicted, and by whom: from what the keepers report.

While a stall lasts, each keeper publishes how it looks from there. A report carries no time of its own, because hosts'
clocks differ: it is as old as the moment at which it was seen to change, by the clock of whoever reads it. What was
heard once may be a dead keeper's. What is not known never evicts anybody.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from ..text.json_types import parse_flag, parse_text
from ..text.numbers import parse_json, parse_moment, parse_number
from .obstacles import name_nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..node.commits import Moment

SCHEMA = 1
# A report that has not changed for longer is unknown. Keepers repeat it every TELL_SECONDS.
REPORT_SECONDS, TELL_SECONDS = 5.0, 2.0
# At most one eviction in this time, whoever acts.
PERIOD_SECONDS = 600.0
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class StallReport(NamedTuple):
    """How a stall looks from one member.

    number: another one in each report. uuid: the server's in the group, as wsrep_gcomm_uuid. applied: the last write
      set that it has committed. synced: it is Synced, Primary and ready, and neither donor nor joiner. requested: it
      requests flow control. stalled: for how many seconds it has stopped the others by the rule of docs/commits.md, 0.0
      while it does not. weight: its own votes (pc.weight), None where nobody asked it.
    """

    number: int
    uuid: str
    applied: int
    synced: bool
    requested: bool = False
    stalled: float = 0.0
    weight: int | None = None


class HeardStall(NamedTuple):
    """A report as this node heard it. changed_at: by its own monotonic clock. alive: it was seen to change."""

    report: StallReport
    changed_at: float
    alive: bool = False

    def is_known(self, now: float) -> bool:
        """Return whether it is a living keeper's, and recent."""
        return self.alive and 0.0 <= now - self.changed_at <= REPORT_SECONDS


class Eviction(NamedTuple):
    """An eviction, as the cluster's configuration keeps the last one. at: seconds since 1970. by: who acted."""

    node: str
    uuid: str
    by: str
    at: float


class StallMemory(NamedTuple):
    """What a keeper remembers of stalls. Times are seconds of the monotonic clock. looks: the last readings.

    since: since when this node has stalled, 0.0 if it does not; weight: its votes. told: the report that was published,
    told_at: when. heard: all reports. evicting: who is to be evicted under the token that was taken for it, until when.
    words: what is said of the stall. shut_out: by its last answer this server has left its group. unproven: why its
    storage is not known to take writes; proven_at: when it took one, for the server proven. again_at: when to look.
    """

    looks: tuple[Moment, ...] = ()
    since: float = 0.0
    weight: int | None = None
    told: StallReport | None = None
    told_at: float = 0.0
    heard: Mapping[str, HeardStall] = {}
    evicting: Eviction | None = None
    until: float = 0.0
    words: str = ""
    shut_out: bool = False
    unproven: str = ""
    proven_at: float = 0.0
    proven: tuple[int, int] = (0, 0)
    again_at: float = 0.0

    def without_server(self) -> StallMemory:
        """Return it once the server has ended; that it is told to the others is to be taken back."""
        return StallMemory(told=self.told, told_at=self.told_at)


class StallFacts(NamedTuple):
    """What one node knows while a stall lasts.

    members: in the order of the list. heard: the reports, its own included. threshold: evict_stalled in seconds.
    view: the group UUIDs of this server's component, arbitrators included, () where that is not known; size: how many
      the server counts; data_members: how many of them have data; weight: the votes of the component.
    joining: members that come to it. forbidden: why nothing may be changed, by node. quorum: Pacemaker's. holder: who
      has the token, "" if nobody has. last: the last eviction. clock: seconds since 1970.
    """

    me: str
    members: tuple[str, ...]
    heard: Mapping[str, HeardStall]
    now: float
    threshold: float
    view: tuple[str, ...] = ()
    size: int | None = None
    data_members: int | None = None
    weight: int | None = None
    joining: tuple[str, ...] = ()
    forbidden: Mapping[str, str] = {}
    quorum: bool = True
    holder: str = ""
    last: Eviction | None = None
    clock: float = 0.0

    def known(self, node: str) -> StallReport | None:
        """Return a member's report, None where it is unknown."""
        heard = self.heard.get(node)
        return heard.report if heard is not None and heard.is_known(self.now) else None

    def stalled(self, node: str) -> float:
        """Return for how many seconds a member has stalled by now, 0.0 if it does not or that is unknown."""
        report = self.known(node)
        return report.stalled + self.now - self.heard[node].changed_at if report and report.stalled > 0 else 0.0

    @property
    def inside(self) -> tuple[str, ...]:
        """The members with known reports of servers that are in this node's component, in the order of the list."""
        reports = {node: self.known(node) for node in self.members}
        return tuple(node for node, one in reports.items() if one is not None and one.uuid in self.view)


class StallDecision(NamedTuple):
    """culprit: who stops all commits, "" for nobody. evict: this node evicts it now. reason: why, or why not."""

    culprit: str = ""
    reason: str = ""
    evict: bool = False


def judge_stall(facts: StallFacts) -> StallDecision:
    """Return who stalls, and whether this node is to evict it: only if not one of OBSTACLES stands in the way."""
    culprits = tuple(node for node in facts.members if facts.stalled(node) > 0)
    if not culprits:
        return StallDecision()
    if len(culprits) > 1:
        return StallDecision(culprits[0], f"{name_nodes(culprits)} stall at once: nobody is evicted")
    culprit = culprits[0]
    for obstacle in OBSTACLES:
        reason = obstacle(facts, culprit)
        if reason:
            return StallDecision(culprit, reason)
    return StallDecision(culprit, "it is evicted now", evict=True)


def hear_stalls(
    before: Mapping[str, HeardStall], reports: Mapping[str, StallReport], now: float
) -> dict[str, HeardStall]:
    """Return what was heard by now. A report that is the same as before is as old as it was."""
    heard = {}
    for node, report in reports.items():
        last = before.get(node)
        same = last is not None and last.report == report
        heard[node] = last if last is not None and same else HeardStall(report, now, alive=last is not None)
    return heard


# --- what stands in the way of an eviction, in words; "" if it does not


def _is_off(facts: StallFacts, culprit: str) -> str:
    return "" if facts.threshold > 0 else "a stall is only named (evict_stalled=0)"


def _is_early(facts: StallFacts, culprit: str) -> str:
    return "" if facts.stalled(culprit) >= facts.threshold else f"it is evicted after {facts.threshold:.0f} s"


def _is_me(facts: StallFacts, culprit: str) -> str:
    return "the others decide about this node" if culprit == facts.me else ""


def _is_unknown(facts: StallFacts, culprit: str) -> str:
    """Every member with data counts, and has to be heard: nobody else tells that it lives."""
    if not facts.view or facts.size != len(facts.view) or facts.data_members is None:
        return "nobody is evicted: this node does not know who is in its component"
    inside = facts.inside
    if culprit in inside and facts.me in inside and len(inside) == facts.data_members:
        return ""
    silent = tuple(node for node in facts.members if node not in inside)
    who = name_nodes(silent) if silent else "a member that is not in the list"
    return f"nobody is evicted: how {who} is, is not known"


def _is_unfit(facts: StallFacts, culprit: str) -> str:
    """Only a Synced member is evicted: a donor or a joiner waits for something else. It has to lack what others have.

    Who decides has to be well itself.
    """
    theirs, mine = facts.known(culprit), facts.known(facts.me)
    if theirs is None or not theirs.synced or not theirs.requested:
        return "nobody is evicted: it is not Synced, or does not request flow control"
    if mine is None or theirs.applied >= mine.applied:
        return f"nobody is evicted: {culprit} has applied as much as {facts.me}"
    return ""


def _is_needed(facts: StallFacts, culprit: str) -> str:
    joining = tuple(node for node in facts.joining if node != culprit)
    return f"nobody is evicted: {name_nodes(joining)} may need {culprit} as a donor" if joining else ""


def _is_outvoted(facts: StallFacts, culprit: str) -> str:
    """The rest stays Primary only with more than half of the votes of the component before, arbitrators' included.

    Galera counts the weights of that component (galera gcomm/src/pc_proto.cpp, have_quorum).
    """
    theirs = facts.known(culprit)
    if theirs is None or theirs.weight is None or facts.weight is None:
        return "nobody is evicted: how many votes would remain is not known"
    rest = facts.weight - theirs.weight
    if theirs.weight < 0 or 2 * rest <= facts.weight:
        return f"nobody is evicted: {rest} of {facts.weight} votes would remain, and they are no majority"
    return "" if facts.quorum else "nobody is evicted: Pacemaker has no quorum"


def _is_forbidden(facts: StallFacts, culprit: str) -> str:
    reasons = (facts.forbidden.get(node, "") for node in (facts.me, culprit))
    reason = next(filter(None, reasons), "")
    return f"nobody is evicted: {reason}" if reason else ""


def _is_recent(facts: StallFacts, culprit: str) -> str:
    """A record from the future is one of another clock: it counts as recent."""
    last = facts.last
    if last is None or facts.clock - last.at >= PERIOD_SECONDS:
        return ""
    return f"nobody is evicted: {last.node} was within {PERIOD_SECONDS / 60:.0f} minutes (by {last.by})"


def _is_anothers(facts: StallFacts, culprit: str) -> str:
    """The first member of the list that is well acts, so that all agree who does."""
    if facts.holder not in ("", facts.me):
        return f"{facts.holder} has the token"
    reports = {node: facts.known(node) for node in facts.inside if node != culprit}
    well = [node for node, one in reports.items() if one and one.synced and not one.requested and not one.stalled]
    if not well:
        return "nobody is evicted: no other member is Synced and well"
    return "" if well[0] == facts.me else f"{well[0]} evicts it"


OBSTACLES: tuple[Callable[[StallFacts, str], str], ...] = (
    _is_off,
    _is_early,
    _is_me,
    _is_unknown,
    _is_unfit,
    _is_needed,
    _is_outvoted,
    _is_forbidden,
    _is_recent,
    _is_anothers,
)


def render_stall_report(report: StallReport) -> str:
    """Return the text of the attribute, on one line. What nobody asked is not in it."""
    known = {name: value for name, value in report._asdict().items() if value is not None}
    return json.dumps({"schema": SCHEMA, **known}, separators=(",", ":"))


def parse_stall_report(text: str) -> StallReport | None:
    """Return the report, None for a text that is torn, of another schema, or has a value of another type.

    A server without a UUID is in no group. It becomes a part of a statement.
    """
    try:
        said = parse_json(text)
        if parse_number(said.pop("schema")) != SCHEMA or not _UUID.fullmatch(said["uuid"]):
            return None
        return StallReport(
            parse_number(said["number"]),
            parse_text(said["uuid"]),
            parse_number(said["applied"]),
            parse_flag(said["synced"]),
            parse_flag(said["requested"]),
            parse_moment(said["stalled"]),
            parse_number(said["weight"]) if "weight" in said else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
