"""What the keepers of every resource of this agent published, read within a time limit (xha-check cluster)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from ...core.cluster.keeper_word import KeeperRecord
from ...core.election.facts import Host
from ...core.election.position_report import parse_position_report
from ...core.ocf.api import AGENT
from ...core.pacemaker.cib import BadCib, Cib, list_resources, parse_cib
from ...core.pacemaker.cib_records import BadRecord
from .attributes import query_attribute
from .tools import ClusterUnreachable, run_tool

if TYPE_CHECKING:
    from collections.abc import Mapping

_WORDS = ("report", "state", "ready", "at")


class Published(NamedTuple):
    """One resource: its configuration, and each node's record."""

    resource: str
    cib: Cib
    records: Mapping[str, KeeperRecord]


def read_published(seconds: float) -> tuple[Published, ...]:
    """Return what was published for each resource, () if no resource of this agent is configured.

    :raises ClusterUnreachable: if Pacemaker does not answer within `seconds`, or not this account.
    """
    until = time.monotonic() + seconds
    try:
        text = run_tool("cibadmin", "--query", "--local", seconds=seconds)
        cibs = {resource: parse_cib(text, resource) for resource in list_resources(text, AGENT)}
    except (BadCib, BadRecord) as error:
        raise ClusterUnreachable(str(error)) from None
    return tuple(Published(resource, cib, _read_records(resource, cib, until)) for resource, cib in cibs.items())


def _read_records(resource: str, cib: Cib, until: float) -> dict[str, KeeperRecord]:
    told = {word: _read_attribute(f"xha-{resource}-{word}", until) for word in _WORDS}
    return {
        node: KeeperRecord(
            node,
            cib.hosts.get(node, Host.LOST),
            parse_position_report(told["report"][node]) if node in told["report"] else None,
            told["state"].get(node, ""),
            told["ready"].get(node, ""),
            told["at"].get(node, ""),
        )
        for node in cib.nodes
    }


def _read_attribute(name: str, until: float) -> dict[str, str]:
    left = until - time.monotonic()
    if left <= 0:
        raise ClusterUnreachable("attrd_updater did not answer in time")
    return query_attribute(name, left)
