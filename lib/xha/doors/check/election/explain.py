"""xha-check explain: what each node of a resource would do next, and why. It changes nothing."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, NamedTuple

from ....adapters.network.addresses import read_own_addresses, resolve_hosts
from ....adapters.pacemaker.cluster import ClusterUnreachable, Pacemaker
from ....app.cluster.member_ports import probe_members
from ....core.cluster.dry_run import (
    Seen,
    describe,
    forecast,
    forecast_document,
    name_decision,
    why_unused,
)
from ....core.cluster.outlook import find_failure, needs_person, tell_waited
from ....core.election.decision import Refuse, Wait
from ....core.election.position_report import PositionReport, State, parse_position_report
from ....core.galera.cluster_address import BadAddress, Peer, name_members, normalise, parse_cluster_address
from ....core.node.report import SCHEMA
from ....core.node.verdict import NagiosCode
from ....core.ocf.galera_settings import settings_of_resource
from ....core.text.ages import render_age
from ....core.text.escape import clean
from ..options import add_output_options

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence
    from typing import Union

    from ....core.cluster.dry_run import Forecast
    from ....core.election.facts import Grant
    from ....core.election.position_report import Unread
    from ....core.galera.cluster_address import Membership
    from ....core.ocf.galera_settings import Settings
    from ....core.pacemaker.cib import Cib

    _Reports = Mapping[str, Union[PositionReport, Unread]]

DESCRIPTION = """\
Tells what each node of a resource of Pacemaker would do next, and why, and
whether a grant still counts. It changes nothing. Without --resource it tells of
every resource of ocf:xha:galera.
"""
EXIT_CODES = {
    0: "all members are in the cluster",
    1: "it goes on by itself, or has waited for less than 5 minutes",
    2: "a person is needed",
    3: "Pacemaker does not answer, or there is no such resource",
}
EXAMPLES = {
    "xha-check explain": "all resources of this cluster",
    "xha-check explain --resource p_mysql --json": "one, as JSON",
}
_RESOLVE_SECONDS = 2.0


class NoAnswer(Exception):
    """There is nothing to explain; the text says why, and what to do."""


class ExplainRequest(NamedTuple):
    """Which resource, None: every one of this agent; and how to tell it, text or json."""

    resource: str | None = None
    output: str = "text"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add which resource, and the forms of an answer."""
    add_resource_option(parser)
    add_output_options(parser, "json")


def add_resource_option(parser: argparse.ArgumentParser) -> None:
    """Add which resource of Pacemaker is meant."""
    parser.add_argument("--resource", metavar="NAME", help="which resource of Pacemaker, where there are several")


def read(said: argparse.Namespace) -> ExplainRequest:
    """Return the request."""
    return ExplainRequest(said.resource, said.output)


def run(request: ExplainRequest) -> int:
    """Print what each node would do, and return 0 (all are in the cluster), 1 (it goes on by itself), 2 or 3."""
    try:
        cluster = Pacemaker()
        seen = [look(cluster, resource) for resource in choose_resources(cluster, request.resource)]
    except (ClusterUnreachable, NoAnswer) as error:
        print(f"xha-check: {error}", file=sys.stderr)
        return NagiosCode.UNKNOWN
    forecasts = [forecast(one) for one in seen]
    if request.output == "json":
        import json

        parts = [forecast_document(one, told) for one, told in zip(seen, forecasts)]
        print(json.dumps({"schema": SCHEMA, "kind": "outlook", "resources": parts}, indent=2))
    else:
        print("\n\n".join("\n".join(forecast_lines(one, told)) for one, told in zip(seen, forecasts)))
    return max(exit_code(one, told) for one, told in zip(seen, forecasts))


def choose_resources(cluster: Pacemaker, named: str | None) -> tuple[str, ...]:
    """Return the resource that was named, or all of this agent. :raises NoAnswer: if there is none."""
    if named:
        if not cluster.read_cib(named).exists:
            raise NoAnswer(f"--resource {named}: the cluster knows no such resource; see pcs resource")
        return (named,)
    found = cluster.list_resources()
    if not found:
        raise NoAnswer("no resource of ocf:xha:galera is configured here; name another one by --resource NAME")
    return found


def choose_resource(cluster: Pacemaker, named: str | None) -> str:
    """Return the one resource that is meant. :raises NoAnswer: if there is none, or several are."""
    found = choose_resources(cluster, named)
    if len(found) > 1:
        raise NoAnswer(f"several resources are configured: name one by --resource, of {', '.join(found)}")
    return found[0]


def look(cluster: Pacemaker, resource: str) -> Seen:
    """Look at everything that decides. :raises NoAnswer: where nobody says who the members are."""
    cib = cluster.read_cib(resource)
    said = cluster.read_attribute(f"xha-{resource}-report")
    reports = {node: parse_position_report(text) for node, text in said.items()}
    settings = read_settings(cib)
    membership = _members(cluster, cib, reports, settings)
    members = _agreed(reports) or membership.names
    if not members:
        raise NoAnswer(
            f"{resource}: nobody says who the members are: set wsrep_cluster_address on it, or start it on a host"
        )
    peers = dict(zip(membership.names, membership.peers))
    probes, arbitrators = probe_members(
        {node: peers.get(node) or Peer(node) for node in members}, reports, None, settings.arbitrators
    )
    return Seen(
        resource,
        cib,
        reports,
        members,
        probes,
        arbitrators,
        cluster.read_attribute(f"xha-{resource}-state"),
        time.time(),
        cluster.read_attribute(f"xha-{resource}-since"),
        cluster.read_attribute(f"xha-{resource}-at"),
    )


def read_settings(cib: Cib) -> Settings:
    """Return the resource's parameters, as far as they can be read."""
    return settings_of_resource(cib.parameters)


def _agreed(reports: _Reports) -> tuple[str, ...]:
    """Return the members by the first report: its keeper knows the server's own configuration."""
    return next(
        (one.members for _, one in sorted(reports.items()) if isinstance(one, PositionReport) and one.members), ()
    )


def _members(cluster: Pacemaker, cib: Cib, reports: _Reports, settings: Settings) -> Membership:
    try:
        peers = parse_cluster_address(settings.wsrep_cluster_address).peers if settings.wsrep_cluster_address else ()
    except BadAddress as error:
        raise NoAnswer(f"wsrep_cluster_address: {error}") from None
    found = resolve_hosts((*(peer.host for peer in peers), *cib.nodes), _RESOLVE_SECONDS)
    reported = {node: one.addresses for node, one in reports.items() if isinstance(one, PositionReport)}
    return name_members(
        peers,
        nodes=cib.nodes,
        host_map=settings.cluster_host_map,
        resolved={host: [normalise(one) for one in addresses] for host, addresses in found.items()},
        reported={cluster.node_name(): read_own_addresses(), **reported},
        arbitrators=settings.arbitrators,
    )


def forecast_lines(seen: Seen, forecasts: Sequence[Forecast]) -> list[str]:
    """Return the text for one resource."""
    cib, book = seen.cib, seen.cib.book
    fencing = "fencing is on" if cib.stonith_enabled else "fencing is off: a host that says nothing is not proven down"
    quorum = "quorum" if cib.quorum else "NO QUORUM"
    told = [f"{seen.resource}: {quorum}, no-quorum-policy={cib.no_quorum_policy}, {fencing}"]
    for one in forecasts:
        told.append(f"  {one.node} ({one.host.value}): {describe(seen, one.node)}")
        told += [f"    {line}" for line in _tell(one)]
        if seen.states.get(one.node):
            waited = tell_waited(seen, one.node)
            since = "" if waited is None else f" (for {render_age(waited)})"
            told.append(f"    its keeper says{since}: {clean(seen.states[one.node], 300)}")
        failure = find_failure(seen, one.node)
        if failure:
            told.append(f"    Pacemaker says: {clean(str(failure), 400)}")
            told.append(f"    to do: mend that, then pcs resource cleanup {seen.resource} node={one.node}")
    if book.records.token:
        told.append(f"  token: {book.records.token.node} is forming the cluster, or ended while it did")
    for grant in book.grants:
        void = why_unused(seen, grant)
        told.append(f"  grant: {_tell_grant(grant, seen.now)}" + (f" - VOID: {void}; give it again" if void else ""))
    if book.last_grant:
        told.append(f"  last grant used: {_tell_grant(book.last_grant, seen.now)}")
    told += [
        f"  left behind: records of {name}, which is gone: cibadmin --delete --xpath "
        f"\"//cluster_property_set[@id='xha-{name}']\""
        for name in cib.leftovers
    ]
    return told


def _tell(one: Forecast) -> list[str]:
    if one.held:
        return [f"does nothing: {one.held}"]
    if one.decision is None:
        if one.host.value == "online":
            return ["does nothing: the resource is not started there; where it shall not be: xha-check report on it"]
        return ["does nothing"]
    lines = [f"{name_decision(one.decision)}: {clean(one.decision.reason, 1000)}"]
    if isinstance(one.decision, (Wait, Refuse)):
        if one.decision.first:
            lines.append(f"first: {one.decision.first.value}")
        if one.decision.remedy:
            lines.append(f"to do: {clean(one.decision.remedy, 1000)}")
    return lines


def _tell_grant(grant: Grant, now: float) -> str:
    return f"{grant.kind.value}={grant.node} by {clean(grant.by)}, {render_age(now - grant.at)} ago: {clean(grant.why)}"


def exit_code(seen: Seen, forecasts: Sequence[Forecast]) -> NagiosCode:
    """Return OK where all members are in the cluster, WARNING where it goes on by itself, CRITICAL otherwise."""
    if needs_person(seen, forecasts):
        return NagiosCode.CRITICAL
    reports = (seen.reports.get(node) for node in seen.members)
    whole = all(isinstance(one, PositionReport) and one.state is State.PRIMARY for one in reports)
    return NagiosCode.OK if whole else NagiosCode.WARNING
