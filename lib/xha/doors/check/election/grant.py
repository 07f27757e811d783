"""xha-check --grant: an operator takes on himself what nobody can prove. He sees first what may be lost."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from ....adapters.host.login_name import own_account
from ....adapters.pacemaker.cluster import ClusterUnreachable, Pacemaker
from ....core.cluster.dry_run import describe, digests, foresee, object_to, tell_losses
from ....core.election.facts import GRANT_LIFE, Grant, GrantKind
from ....core.node.verdict import NagiosCode
from ....core.text.escape import clean
from .explain import NoAnswer, choose_resource, look, outlook_lines

if TYPE_CHECKING:
    from ....core.cluster.dry_run import Seen
    from ..command import Command

# How long reports may take until everybody has answered everybody.
SETTLE_SECONDS = 10.0

_EFFECT = {
    GrantKind.FORGET: "{node} is taken for down, and for holding nothing that the others lack",
    GrantKind.BOOTSTRAP: "{node} forms the cluster, whatever the others hold",
    GrantKind.DISCARD: "the data of {node} are given up: the cluster's replace them (no file is deleted before that)",
}


def grant(command: Command) -> int:
    """Show what is known, ask, and record the grant. Returns 0 if it stands, 2 if it cannot be given, 3 otherwise."""
    assert command.grant is not None
    word, node = command.grant
    kind = GrantKind(word)
    if os.geteuid():
        return _refuse("a grant is root's: run it as root")
    try:
        cluster = Pacemaker()
        resource = choose_resource(cluster, command.resource)
        seen, shown = _settle(cluster, resource, node)
        objection = object_to(seen, kind, node)
        if objection:
            print(f"xha-check: not granted: {clean(objection, 500)}", file=sys.stderr)
            return NagiosCode.CRITICAL
        print("\n".join(_show(seen, kind, node)))
        if not (command.yes or _confirms(node)):
            return _refuse("not granted: that is not the node's name")
        seen, now = _settle(cluster, resource, node)
        if now != shown or object_to(seen, kind, node):
            return _refuse("not granted: the reports have changed meanwhile; look again")
        who = clean(os.environ.get("SUDO_USER") or own_account())
        cluster.add_grant(resource, Grant(kind, node, shown, time.time(), who, clean(command.why or "")))
        print(f"granted: {word}={node}, for {GRANT_LIFE / 60:.0f} minutes, and for these reports alone")
        seen = look(cluster, resource)
    except (ClusterUnreachable, NoAnswer) as error:
        return _refuse(str(error))
    print("\n".join(outlook_lines(seen, foresee(seen))))
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
