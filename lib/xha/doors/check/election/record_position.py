"""xha-check report: where the data of this host's stopped server end, told to the others in its name.

For hosts on which the resource is not started, as on standby or banned ones: no keeper reports for them. What is left
is the record of a clean stop: it tells the others that no server runs here, and what the data hold.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

from ....adapters.datadir.hold import InUse
from ....adapters.files.agent_rundir import RunDir
from ....adapters.mysqld.program import Unusable, find_program, read_options
from ....adapters.pacemaker.cluster import ClusterUnreachable, Pacemaker
from ....adapters.process.procfs import read_boot_id
from ....app.keeper.known_servers import find_moved
from ....app.keeper.local_data import LocalData
from ....app.keeper.process import Locked
from ....core.galera.lineage import History, StopRecord
from ....core.galera.node_record import NodeRecord
from ....core.galera.position import Kind
from ....core.keeper.children import RECOVERY_SECONDS
from ....core.node.verdict import NagiosCode
from .explain import NoAnswer, add_resource_option, choose_resource, read_settings

if TYPE_CHECKING:
    import argparse

DESCRIPTION = """\
Recovers where the data of this host's stopped server end, and tells the others.
It is for hosts on which the resource is not started, as standby or banned ones:
no keeper reports for them.
"""
EXIT_CODES = {
    0: "the position is recorded",
    1: "there is none that could be compared: the data are empty, or not of Galera",
    3: "nothing is recorded: Pacemaker does not answer, not root, a server or keeper runs, or the data cannot be read",
}
EXAMPLES = {"xha-check report": "on the host itself, as root"}


class ReportRequest(NamedTuple):
    """Which resource, None: the only one of this agent."""

    resource: str | None = None


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add which resource."""
    add_resource_option(parser)


def read(said: argparse.Namespace) -> ReportRequest:
    """Return the request."""
    return ReportRequest(said.resource)


def run(request: ReportRequest) -> int:
    """Recover the position, print it and record it. Returns 0 if it is recorded, 1 if there is none, 3 otherwise."""
    if os.geteuid():
        return _refuse("the data are the server's: run it as root")
    try:
        cluster = Pacemaker()
        resource = choose_resource(cluster, request.resource)
        return _report(cluster, resource)
    except (ClusterUnreachable, NoAnswer, Unusable, InUse, OSError) as error:
        return _refuse(str(error))


def _report(cluster: Pacemaker, resource: str) -> int:
    run, node = RunDir(resource), cluster.node_name()
    program, _ = read_options(find_program(run.read_settings() or read_settings(cluster.read_cib(resource))))
    run.make()
    # No keeper can begin meanwhile: it would start the server that the record says is stopped.
    with Locked(run) as free:
        if not free:
            return _refuse(f"a keeper of {resource} runs on {node} and reports by itself: xha-check explain")
        moved = find_moved(run, program)
        if moved is not None:
            return _refuse(
                f"mysqld, pid {moved.pid}, runs on {moved.datadir}, and the configuration now names {program.datadir}: "
                f"pcs resource restart {resource}"
            )
        found = LocalData(program, run).recover(RECOVERY_SECONDS)
        standing, record = found.standing, found.record or NodeRecord()
        if standing.kind is Kind.UNKNOWN:
            raise NoAnswer(f"nobody knows where the data of {node} end: {standing.cause}; mend that, and try again")
        history = History(standing.position, record.line)
        where = f" at {history}" if standing.position.real else ""
        print(f"{node}: {program.datadir} is {standing.kind.value}{where}")
        if standing.kind in (Kind.EMPTY, Kind.FOREIGN):
            print(
                f"xha-check: nothing that could be compared: xha-check grant forget={node} tells the others",
                file=sys.stderr,
            )
            return NagiosCode.WARNING
        cluster.write_stop(resource, node, StopRecord(history, read_boot_id(), record.view))
    print(f"recorded: {resource} on {node} is stopped there; it holds until the resource is started on it")
    return NagiosCode.OK


def _refuse(text: str) -> int:
    print(f"xha-check: {text}", file=sys.stderr)
    return NagiosCode.UNKNOWN
