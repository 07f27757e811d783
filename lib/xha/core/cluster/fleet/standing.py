"""How a cluster of the fleet is, by what its members' responders say, and in which order clusters are shown.

Each member speaks about itself. Of one that does not answer, or could not look, nothing is known, with a cause.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from ...node.verdict import Code, NagiosCode
from ...text.escape import clean
from ...text.numbers import parse_json
from ..comparison import find_disagreements
from ..member_view import MemberView
from ..members import Member
from ..responder_word import HttpAnswer, absent_responder, judge_responder, parse_node_claim
from ..sources import SourceAnswer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .fleet_file import FleetCluster

_OK, _FORBIDDEN = 200, 403
_LONGEST, _MOST_CODE = 500, 40
# Contradictions in which data or writes are at stake; the others pass, as while a node joins.
_GRAVE = ("uuid", "two-primaries", "stall")
_START = "start xha-responder there, or let this host reach its port"


class FleetStanding(str, Enum):
    """How a cluster is, the worst first."""

    OUT = "out"
    SPLIT = "split"
    UNKNOWN = "unknown"
    DEGRADED = "degraded"
    OK = "ok"


_EXIT_CODES = {
    FleetStanding.OUT: NagiosCode.CRITICAL,
    FleetStanding.SPLIT: NagiosCode.CRITICAL,
    FleetStanding.UNKNOWN: NagiosCode.UNKNOWN,
    FleetStanding.DEGRADED: NagiosCode.WARNING,
    FleetStanding.OK: NagiosCode.OK,
}
_TO_DO = {
    FleetStanding.OUT: "xha-check explain on one of its hosts says what the cluster waits for",
    FleetStanding.SPLIT: "stop writes, and compare the members: xha-check cluster on one of its hosts",
    FleetStanding.UNKNOWN: "find out why its members do not answer from here",
    FleetStanding.DEGRADED: "look at the members that are named",
    FleetStanding.OK: "",
}


class FleetMember(NamedTuple):
    """One member. since: since when it is so, RFC 3339, None where it does not say."""

    view: MemberView
    since: str | None = None

    @property
    def name(self) -> str:
        """Its address."""
        return str(self.view.member)

    @property
    def service(self) -> str:
        """`in`, `out` or `unknown`."""
        return self.view.service

    @property
    def answer(self) -> SourceAnswer:
        """What its responder came to."""
        return self.view.answers[0]

    @property
    def code(self) -> str:
        """Its reason code, `unknown` where it is not known."""
        return self.answer.code if self.answer.decides else "unknown"

    @property
    def why(self) -> str:
        """Why it is so, in a sentence."""
        return clean(self.answer.message if self.answer.decides else self.answer.cause, _LONGEST)

    @property
    def exit_code(self) -> NagiosCode:
        """Its own exit code."""
        return self.answer.exit_code if self.answer.decides else NagiosCode.UNKNOWN


class ClusterStanding(NamedTuple):
    """A cluster of the fleet. why, to_do: sentences, "" where all is well."""

    name: str
    standing: FleetStanding
    members: tuple[FleetMember, ...]
    why: str
    to_do: str

    @property
    def serving(self) -> int:
        """How many members are known to be in service."""
        return sum(1 for one in self.members if one.service == "in")

    @property
    def exit_code(self) -> NagiosCode:
        """The exit code that follows."""
        return _EXIT_CODES[self.standing]


def judge_member(
    member: Member, node: HttpAnswer | None, ready: HttpAnswer | None = None, cause: str = ""
) -> FleetMember:
    """Return what is known of a member. node, ready: what it answered there. cause: why there is no answer."""
    if cause:
        return FleetMember(MemberView(member, (absent_responder(clean(cause, _LONGEST), _START),)))
    port = member.port or 0
    if node is None or node.status != _OK:
        asked = ready if node is not None and node.status == _FORBIDDEN else node
        return FleetMember(MemberView(member, (judge_responder(asked, port),)))
    said = parse_node_verdict(node.body)
    claim = parse_node_claim(node.body)
    if said is None or claim is None:
        unfit = f"port {port} answers 200, and not as xha-responder does"
        return FleetMember(MemberView(member, (absent_responder(unfit, "find out what listens there"),)))
    status = 200 if said.available else 404 if said.code == Code.DRAINING.value else 503
    line = HttpAnswer(status, f"{said.code} {min(999_999_999, round(claim.age * 1000))} ms\n")
    return FleetMember(MemberView(member, (judge_responder(line, port, claim),)), said.since)


class NodeVerdict(NamedTuple):
    """The verdict in a document of `/node`."""

    available: bool
    code: str
    since: str | None = None


def parse_node_verdict(text: str) -> NodeVerdict | None:
    """Return the verdict in a document of kind node, None for any other text."""
    try:
        verdict = parse_json(text)["verdict"]
        available, code, since = verdict["available"], verdict["code"], verdict.get("since")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if not isinstance(available, bool) or not isinstance(code, str):
        return None
    return NodeVerdict(available, clean(code, _MOST_CODE), clean(since, _MOST_CODE) if isinstance(since, str) else None)


def judge_cluster(cluster: FleetCluster, members: Sequence[FleetMember]) -> ClusterStanding:
    """Return how a cluster is."""
    found = find_disagreements(one.view for one in members)
    grave = [one.message for one in found if one.code in _GRAVE]
    serving = [one for one in members if one.service == "in"]
    unknown = [one for one in members if one.service == "unknown"]
    ill = [one for one in members if one.exit_code]
    if not serving:
        standing = FleetStanding.UNKNOWN if unknown else FleetStanding.OUT
    elif grave:
        standing = FleetStanding.SPLIT
    else:
        standing = FleetStanding.DEGRADED if ill or found else FleetStanding.OK
    told = [*grave, *(_tell(one) for one in ill), *(one.message for one in found if one.code not in _GRAVE)]
    remedies = dict.fromkeys(one.answer.remedy for one in ill if one.answer.remedy)
    to_do = "; ".join(remedies) if len(remedies) == 1 and standing is not FleetStanding.SPLIT else _TO_DO[standing]
    return ClusterStanding(cluster.name, standing, tuple(members), "; ".join(told), to_do)


def _tell(one: FleetMember) -> str:
    if one.answer.decides:
        return f"{one.name} {one.code}"
    return f"{one.name} unknown: {one.why}"


def order_clusters(clusters: Iterable[ClusterStanding]) -> tuple[ClusterStanding, ...]:
    """Return them worst first; of the same standing, first those with the fewest members in service, then by name."""
    order = list(FleetStanding)
    return tuple(sorted(clusters, key=lambda one: (order.index(one.standing), one.serving, one.name)))


def fleet_exit_code(clusters: Iterable[ClusterStanding]) -> NagiosCode:
    """Return the exit code of the worst cluster; UNKNOWN where there is none."""
    ordered = order_clusters(clusters)
    return ordered[0].exit_code if ordered else NagiosCode.UNKNOWN
