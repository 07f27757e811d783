"""Looks at every cluster of a fleet, all members side by side, under one deadline."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ...adapters.files.whole_file import read_whole
from ...adapters.http.ask_many import Missing, Question, ask_many
from ...core.cluster.fleet.fleet_file import parse_fleet
from ...core.cluster.fleet.standing import judge_cluster, judge_member, order_clusters
from ...core.config.xha_conf import RESPONDER_PORT
from ...core.text.values import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...core.cluster.fleet.fleet_file import FleetCluster
    from ...core.cluster.fleet.standing import ClusterStanding, FleetMember
    from ...core.cluster.members import Member
    from ...core.cluster.responder_word import HttpAnswer

_FORBIDDEN = 403
# The part of the deadline that the first round may take: who may not see `/node` is asked for `/ready` in the second.
_FIRST = 0.75


def read_fleet(path: str) -> tuple[FleetCluster, ...]:
    """Return the clusters in a file. :raises ConfigError: naming the file, and what is wrong with it."""
    try:
        return parse_fleet(read_whole(path).data.decode("utf-8", "replace"))
    except OSError as error:
        raise ConfigError(f"{path}: {(error.strerror or 'unreadable').lower()}") from None
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None


def look_at_fleet(clusters: Sequence[FleetCluster], seconds: float) -> tuple[ClusterStanding, ...]:
    """Return how each cluster is, worst first, after `seconds` at most for all of them."""
    until = time.monotonic() + seconds
    members = list(dict.fromkeys(member for cluster in clusters for member in cluster.members))
    nodes = ask_many([_question(member, "/node") for member in members], seconds * _FIRST)
    refused = [member for member in members if _is_refused(nodes[_question(member, "/node")])]
    left = max(0.0, until - time.monotonic())
    readies = ask_many([_question(member, "/ready") for member in refused], left) if refused else {}
    known: dict[Member, FleetMember] = {}
    for member in members:
        node, ready = nodes[_question(member, "/node")], readies.get(_question(member, "/ready"))
        missing = next((one for one in (node, ready) if isinstance(one, Missing)), None)
        known[member] = judge_member(member, _answer(node), _answer(ready), missing.cause if missing else "")
    return order_clusters(judge_cluster(one, [known[member] for member in one.members]) for one in clusters)


def _question(member: Member, path: str) -> Question:
    return Question(member.host, member.port or RESPONDER_PORT, path)


def _answer(said: HttpAnswer | Missing | None) -> HttpAnswer | None:
    return None if isinstance(said, Missing) else said


def _is_refused(said: HttpAnswer | Missing | None) -> bool:
    return said is not None and not isinstance(said, Missing) and said.status == _FORBIDDEN
