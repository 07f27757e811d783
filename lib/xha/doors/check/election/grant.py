"""xha-check grant: an operator answers for what nobody can prove, and is shown first what may be lost."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

from ....adapters.host.login_name import own_account
from ....adapters.pacemaker.cluster import ClusterUnreachable, Pacemaker
from ....core.cluster.dry_run import describe, digests, forecast, object_to, tell_losses
from ....core.election.facts import GRANT_LIFE, Grant, GrantKind
from ....core.node.verdict import NagiosCode
from ....core.text.escape import clean
from ..options import UsageError, argument
from .explain import NoAnswer, add_resource_option, choose_resource, forecast_lines, look

if TYPE_CHECKING:
    import argparse

    from ....core.cluster.dry_run import Seen

DESCRIPTION = """\
Lets the cluster be formed although something cannot be proven. It shows what
the members report and what may be lost, and asks. The grant counts for ten
minutes, and for those reports alone.

  forget=NODE     NODE is taken for down, and to hold nothing that others lack
  bootstrap=NODE  NODE forms the cluster, whatever the others hold that
                  report; one that is silent needs its own forget=NODE
  discard=NODE    the data of NODE are given up: the cluster's replace them
"""
EXIT_CODES = {
    0: "the grant stands",
    2: "it cannot be given, for the reason that is told",
    3: "it was not given: Pacemaker does not answer, not root, not confirmed, or the reports have changed",
}
EXAMPLES = {
    'xha-check grant forget=h2 --why "its disk is broken"': "h2 will not come back",
    'xha-check grant bootstrap=h1 --why "restored" --yes': "in a script",
}
# How long reports may take until everybody has answered everybody.
SETTLE_SECONDS = 10.0

_EFFECT = {
    GrantKind.FORGET: "{node} is taken for down, and for holding nothing that the others lack",
    GrantKind.BOOTSTRAP: "{node} forms the cluster, whatever the others hold that report; a silent one needs forget=",
    GrantKind.DISCARD: "the data of {node} are given up: the cluster's replace them (no file is deleted before that)",
}


class GrantRequest(NamedTuple):
    """What is granted for which node, and why. yes: nobody is asked. resource None: the only one of this agent."""

    kind: GrantKind
    node: str
    why: str
    yes: bool = False
    resource: str | None = None


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what is granted, why, and which resource."""
    parser.add_argument(
        "grant", metavar="WHAT=NODE", type=argument(_parse_grant), help="forget=NODE, bootstrap=NODE or discard=NODE"
    )
    parser.add_argument("--why", metavar="TEXT", required=True, help="what the next person on duty should know")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    add_resource_option(parser)


def _parse_grant(text: str) -> tuple[GrantKind, str]:
    """Return kind and node. :raises ValueError: for another word."""
    kind, _, node = text.partition("=")
    if kind not in [one.value for one in GrantKind] or not node:
        raise ValueError(f"{text!r} is none of forget=NODE, bootstrap=NODE, discard=NODE")
    return GrantKind(kind), node


def read(said: argparse.Namespace) -> GrantRequest:
    """Return the request. :raises UsageError: without a reason."""
    if not said.why.strip():
        raise UsageError("--why needs a text: whoever is on duty next will ask")
    kind, node = said.grant
    return GrantRequest(kind, node, said.why, said.yes, said.resource)


def run(request: GrantRequest) -> int:
    """Show what is known, ask, and record the grant. Returns 0 if it stands, 2 if it cannot be given, 3 otherwise."""
    kind, node = request.kind, request.node
    if os.geteuid():
        return _refuse("a grant is root's: run it as root")
    try:
        cluster = Pacemaker()
        resource = choose_resource(cluster, request.resource)
        seen, shown = _settle(cluster, resource, node)
        objection = object_to(seen, kind, node)
        if objection:
            print(f"xha-check: not granted: {clean(objection, 500)}", file=sys.stderr)
            return NagiosCode.CRITICAL
        print("\n".join(_show(seen, kind, node)))
        if not (request.yes or _confirms(node)):
            return _refuse("not granted: that is not the node's name")
        seen, now = _settle(cluster, resource, node)
        if now != shown or object_to(seen, kind, node):
            return _refuse("not granted: the reports have changed meanwhile; look again")
        who = clean(os.environ.get("SUDO_USER") or own_account())
        cluster.add_grant(resource, Grant(kind, node, shown, time.time(), who, clean(request.why)))
        print(f"granted: {kind.value}={node}, for {GRANT_LIFE / 60:.0f} minutes, and for these reports alone")
        seen = look(cluster, resource)
    except (ClusterUnreachable, NoAnswer) as error:
        return _refuse(str(error))
    print("\n".join(forecast_lines(seen, forecast(seen))))
    return NagiosCode.OK


def _settle(cluster: Pacemaker, resource: str, node: str) -> tuple[Seen, str]:
    """Wait until all that report have answered each other, and return what they count, and its digest."""
    until = time.monotonic() + SETTLE_SECONDS
    while True:
        seen = look(cluster, resource)
        found = digests(seen)
        if len(set(found.values())) == 1:
            return seen, next(iter(found.values()))
        if not found:
            return seen, ""
        if time.monotonic() > until:
            said = ", ".join(f"{name}: {describe(seen, name)}" for name in found)
            raise NoAnswer(f"the nodes do not see the same reports yet ({said}): try again")
        time.sleep(0.5)


def _show(seen: Seen, kind: GrantKind, node: str) -> list[str]:
    told = [f"{seen.resource}: what the members report"]
    for name in seen.members:
        host = seen.cib.hosts.get(name)
        told.append(f"  {name} ({host.value if host else 'unknown'}): {describe(seen, name)}")
    told.append(f"to be granted: {_EFFECT[kind].format(node=node)}")
    losses = [one for one in tell_losses(seen, kind, node) if one]
    told += [f"MAY BE LOST: {one}" for one in losses] or ["may be lost: nothing that anybody reports"]
    return told


def _confirms(node: str) -> bool:
    print(f"Type the node's name, {node}, to grant this: ", end="", flush=True)
    return sys.stdin.readline().strip() == node


def _refuse(text: str) -> int:
    print(f"xha-check: {text}", file=sys.stderr)
    return NagiosCode.UNKNOWN
