"""xha-check cluster: all members side by side, by every source that this host can ask, and where they disagree."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from ....app.cluster.look import ClusterView, look_at_cluster
from ....app.node.reader import ConfigFile
from ....core.cluster.report import (
    cluster_document,
    cluster_exit_code,
    nagios_cluster_code,
    render_nagios_cluster,
)
from ....core.node.report import node_document
from ....core.node.verdict import NagiosCode
from ....core.text.escape import clean
from ....core.text.values import ConfigError
from ...terminal.table import lines, terminal_width
from ..options import Options, add_database_options, add_output_options, one_database
from .rows import cluster_rows, disagreement_lines, message_lines, note_lines, warning_lines

if TYPE_CHECKING:
    import argparse
    from typing import Callable

    from ....core.cluster.members import Member
    from ..watch import Look

DESCRIPTION = """\
Looks at all members side by side, all of them at once, and tells where they
disagree. The members are those of [cluster] in xha.conf, or those that this
host's node, its responder or Pacemaker names. Each is asked by SQL (over TCP:
the account needs a password, in the option file) and at its responder's port;
as root, Pacemaker is asked what its keeper published. SOURCE says who knows,
AGE how old that is. A member of which nobody knows anything is `unknown`, with
each source's cause.
"""
EXIT_CODES = {
    0: "all members are in service by a source that knows, and agree",
    1: "a member is in service, or drained, for a reason that will pass",
    2: "a member is broken or does not answer at all, or two disagree",
    3: "nobody knows of a member, because this host may not look; or none is known",
}
EXAMPLES = {
    "xha-check cluster": "a line for each member, one for each that is not well, and the disagreements",
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

        return watch(_make_look(request.options), "xha-check cluster")
    waiting = tell_waiting if sys.stderr.isatty() else None
    view = look_at_cluster(_file(request.options), waiting=waiting)
    if request.output == "json":
        import json

        pairs = zip(view.members, view.snapshots)
        nodes = [node_document(one.report(str(member), view.age)) for member, one in pairs]
        print(json.dumps(cluster_document(nodes, view.views, view.disagreements), indent=2))
    elif request.output == "nagios":
        print(render_nagios_cluster(view.views, view.disagreements))
        return nagios_cluster_code(view.views, view.disagreements)
    else:
        rows = cluster_rows(view)
        told = [*message_lines(rows), *_below(view)]
        print("\n".join([*lines(rows, sys.stdout, terminal_width()), *told]))
    return cluster_exit_code(view.views, view.disagreements)


def _file(options: Options) -> ConfigFile:
    return ConfigFile(options.config, options.apply)


def tell_waiting(titles: tuple[str, ...]) -> None:
    """Say on the terminal who has not answered yet; in a pipe or a log it would be noise."""
    print(f"xha-check: still waiting for {clean(', '.join(titles), _WIDEST)}", file=sys.stderr, flush=True)


def _make_look(options: Options) -> Callable[[], Look]:
    from ..watch import Look

    known_servers: tuple[Member, ...] = ()

    def look() -> Look:
        nonlocal known_servers
        try:
            view = look_at_cluster(_file(options), known_servers)
        except ConfigError as error:
            if not known_servers:
                raise
            return Look([], [f"xha-check: {error}"], NagiosCode.UNKNOWN)
        # Who was seen once is looked at again: a node that dies takes its knowledge of the others with it.
        known_servers = view.members
        return Look(cluster_rows(view), _below(view), cluster_exit_code(view.views, view.disagreements))

    return look


def _below(view: ClusterView) -> list[str]:
    return [*disagreement_lines(view), *warning_lines(view), *note_lines(view)]
