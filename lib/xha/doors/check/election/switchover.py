"""xha-check switchover: hands the one writer over to another node."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

from ....adapters.files.agent_rundir import RunDir
from ....adapters.pacemaker.cluster import ClusterUnreachable, Pacemaker
from ....app.cluster.switchover import Switchover
from ....app.keeper.process import find_keeper
from ....core.node.verdict import NagiosCode
from ....core.text.escape import clean
from .explain import NoAnswer, add_resource_option, choose_resource, look, read_settings

if TYPE_CHECKING:
    import argparse

DESCRIPTION = """\
Hands the writer, which port 49000 answers with 200 at /writer, over to NODE, or
to the first of the list that can. The next writer is in service before the
present one is taken out. It tells each step with its time, and ends once load
balancers have moved.
"""
EXIT_CODES = {
    0: "handed over; with --dry-run: it would be",
    1: "handed over, but load balancers have not moved in time",
    2: "refused, for the reason that is told: nothing has changed",
    3: "Pacemaker does not answer, not root, or no keeper runs on this host: nothing has changed",
}
EXAMPLES = {
    "xha-check switchover": "to the first of the other nodes that can",
    "xha-check switchover h2 --dry-run": "whether h2 can take over",
}


class SwitchoverRequest(NamedTuple):
    """Which node, "" for any; resource None: the only one of this agent."""

    node: str = ""
    dry_run: bool = False
    resource: str | None = None


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add which node, and which resource."""
    parser.add_argument("node", metavar="NODE", nargs="?", default="", help="Pacemaker's name of the next writer")
    parser.add_argument("--dry-run", action="store_true", help="only tell whether it would be handed over")
    add_resource_option(parser)


def read(said: argparse.Namespace) -> SwitchoverRequest:
    """Return the request."""
    return SwitchoverRequest(said.node, said.dry_run, said.resource)


def run(request: SwitchoverRequest) -> int:
    """Hand over, and print each step. Returns 0, 1 (not finished in time), 2 (refused) or 3."""
    if os.geteuid():
        return _refuse("the keeper hears root only: run it as root")
    try:
        cluster = Pacemaker()
        resource = choose_resource(cluster, request.resource)
        directory = RunDir(resource)
        if find_keeper(directory) is None:
            return _refuse(f"no keeper of {resource} runs on this host: run it where the resource is started")
        seen = look(cluster, resource)
        leave = read_settings(seen.cib).drain_timeout
        switchover = Switchover(cluster, resource, directory, seen.members, _tell)
        came = switchover.run(request.node, leave_seconds=leave, dry_run=request.dry_run)
    except (ClusterUnreachable, NoAnswer, OSError) as error:
        return _refuse(str(error))
    for note in came.plan.notes:
        print(f"xha-check: {clean(note, 300)}", file=sys.stderr)
    if came.objection:
        print(f"xha-check: not handed over: {clean(came.objection, 500)}", file=sys.stderr)
        return NagiosCode.CRITICAL
    if came.unfinished:
        print(f"xha-check: handed over to {came.plan.target}, but {clean(came.unfinished, 300)}", file=sys.stderr)
        return NagiosCode.WARNING
    print(f"{came.plan.target} would be the writer" if request.dry_run else f"{came.plan.target} is the writer")
    return NagiosCode.OK


def _tell(text: str, seconds: float) -> None:
    print(f"{seconds:5.1f} s  {clean(text, 300)}", flush=True)


def _refuse(text: str) -> int:
    print(f"xha-check: {clean(text, 500)}", file=sys.stderr)
    return NagiosCode.UNKNOWN
