"""xha-check cluster: all members side by side, and where they disagree."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from ....core.cluster.report import cluster_document, cluster_exit_code, render_nagios_cluster
from ....core.node.report import node_document
from ....core.node.verdict import NagiosCode
from ....core.text.escape import clean
from ....core.text.values import ConfigError
from ...terminal.table import Row, lines, row
from ..options import Options, add_database_options, add_output_options, one_database
from .members import ClusterView, read_cluster

if TYPE_CHECKING:
    import argparse
    from typing import Callable

    from ....core.cluster.comparison import Member
    from ..watch import Look

DESCRIPTION = """\
Looks at all members side by side, under one deadline, and tells where they
disagree. The members are those of [cluster] in xha.conf, or those that this
host's node names. The others are read over TCP: the account needs a password,
in the option file.
"""
EXIT_CODES = {
    0: "all members are in service, and agree",
    1: "a member is in service, or drained, for a reason that will pass",
    2: "a member is broken, or they disagree",
    3: "the check itself could not look at a member, or none is known",
}
EXAMPLES = {
    "xha-check cluster": "a line for each member, and one for each disagreement",
    "xha-check cluster --nagios": "one line for Nagios",
    "xha-check cluster --watch": "until Ctrl-C",
}
# In characters: a line names every member of a large cluster.
_WIDEST = 4000


class ClusterRequest(NamedTuple):
    """Which node to begin with, and how to tell what was found."""

    options: Options = Options()
    output: str = "text"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the forms of an answer, and where the database of this host is."""
    add_output_options(parser, "json", "nagios", "watch")
    add_database_options(parser)


def read(said: argparse.Namespace) -> ClusterRequest:
    """Return the request. :raises UsageError: where two databases are named."""
    return ClusterRequest(one_database(said), said.output)


def run(request: ClusterRequest) -> int:
    """Read the cluster, print what came of it, and return the exit code."""
    if request.output == "watch":
        from ..watch import watch

        return watch(_make_look(request.options))
    view = read_cluster(request.options)
    if request.output == "json":
        import json

        nodes = [node_document(one.report(str(member), view.age)) for member, one in view.members.items()]
        print(json.dumps(cluster_document(nodes, view.disagreements), indent=2))
    elif request.output == "nagios":
        print(render_nagios_cluster(view.answers, view.disagreements))
    else:
        print("\n".join([*lines(cluster_rows(view), sys.stdout), *disagreement_lines(view)]))
    return cluster_exit_code(view.answers, view.disagreements)


def cluster_rows(view: ClusterView) -> list[Row]:
    """Return a row for each member."""
    return [row(str(member), one.verdict, one.reading) for member, one in view.members.items()]


def disagreement_lines(view: ClusterView) -> list[str]:
    """Return a line for each disagreement."""
    return [f"DISAGREEMENT {one.code}: {clean(one.message, _WIDEST)}" for one in view.disagreements]


def _make_look(options: Options) -> Callable[[], Look]:
    from ..watch import Look

    known_servers: tuple[Member, ...] = ()

    def look() -> Look:
        nonlocal known_servers
        try:
            view = read_cluster(options, known_servers)
        except ConfigError as error:
            if not known_servers:
                raise
            return Look([], [f"xha-check: {error}"], NagiosCode.UNKNOWN)
        # Who was seen once is looked at again: a node that dies takes its knowledge of the others with it.
        known_servers = tuple(view.members)
        return Look(cluster_rows(view), disagreement_lines(view), cluster_exit_code(view.answers, view.disagreements))

    return look
