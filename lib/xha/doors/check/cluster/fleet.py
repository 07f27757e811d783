"""xha-check fleet: many clusters, one line each, worst first."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from ....app.cluster.fleet import look_at_fleet, read_fleet
from ....core.cluster.fleet.report import HEADINGS, fleet_cells, fleet_document, render_nagios_fleet
from ....core.cluster.fleet.standing import fleet_exit_code
from ....core.node.verdict import NagiosCode
from ....core.text.durations import parse_duration
from ....core.text.values import ConfigError
from ...terminal.table import Row, lines, terminal_width
from ..options import UsageError, add_output_options, argument

if TYPE_CHECKING:
    import argparse

    from ....core.cluster.fleet.standing import ClusterStanding
    from ..watch import Look

DESCRIPTION = """\
Shows many clusters, one line each, worst first, by what the responder of each
member says at /node. All members are asked side by side, and what has not
answered by the deadline is unknown, with the cause. FILE lists the clusters:
    prod: 10.0.0.1 10.0.0.2 10.0.0.3
Members are responders, ADDRESS or ADDRESS:PORT; one that does not show /node to
this host (detail_from) is asked at /ready, which says less.
"""
EXIT_CODES = {
    0: "every member of every cluster is in service",
    1: "every cluster serves, and a member of one is out, drained or unknown",
    2: "no member of a cluster is in service, or two contradict each other",
    3: "it is unknown of a cluster whether it serves; FILE is wrong",
}
EXAMPLES = {
    "xha-check fleet /etc/xha/fleet": "all clusters of the file",
    "xha-check fleet /etc/xha/fleet --watch": "until Ctrl-C",
    "xha-check fleet /etc/xha/fleet --html /srv/www/xha": "a page for a browser",
}
_DEADLINE = "2s"
_WIDEST = 60.0


class FleetRequest(NamedTuple):
    """Which file, and how to tell what was found. deadline in seconds."""

    file: str
    deadline: float = 2.0
    output: str = "text"
    html: str | None = None


def _parse_deadline(text: str) -> float:
    seconds = parse_duration(text)
    if not 0 < seconds <= _WIDEST:
        raise ValueError(f"{text!r} is no deadline: write 100ms to {_WIDEST:g}s")
    return seconds


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the file, the deadline, and the forms of an answer."""
    parser.add_argument("file", metavar="FILE", help="the list of clusters")
    parser.add_argument(
        "--deadline",
        metavar="TIME",
        type=argument(_parse_deadline),
        default=_parse_deadline(_DEADLINE),
        help=f"what all members together may take (default {_DEADLINE})",
    )
    parser.add_argument(
        "--html",
        metavar="DIR",
        help="write DIR/index.html, print nothing, and exit 0 where that is done",
    )
    add_output_options(parser, "json", "nagios", "watch")


def read(said: argparse.Namespace) -> FleetRequest:
    """Return the request. :raises UsageError: for an empty name, or two forms of an answer."""
    if not said.file:
        raise UsageError("FILE is empty: name the list of clusters")
    if said.html is not None and said.output != "text":
        raise UsageError(f"--html and --{said.output} exclude each other")
    if said.html == "":
        raise UsageError("DIR is empty: name the directory of the page")
    return FleetRequest(said.file, said.deadline, said.output, said.html)


def run(request: FleetRequest) -> int:
    """Look at the fleet, print what came of it, and return the exit code."""
    if request.output == "watch":
        from ..watch import watch

        return watch(lambda: _look(request), "xha-check fleet FILE")
    clusters = look_at_fleet(read_fleet(request.file), request.deadline)
    if request.html is not None:
        from ....app.cluster.fleet_page import write_page

        write_page(request.html, clusters)
        return NagiosCode.OK
    if request.output == "json":
        import json
        from datetime import datetime, timezone

        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        print(json.dumps(fleet_document(now, clusters), indent=2))
    elif request.output == "nagios":
        print(render_nagios_fleet(clusters))
    else:
        print("\n".join(lines(_rows(clusters), sys.stdout, terminal_width())))
    return fleet_exit_code(clusters)


def _rows(clusters: tuple[ClusterStanding, ...]) -> list[Row]:
    return [Row(fleet_cells(one), one.exit_code, HEADINGS) for one in clusters]


def _look(request: FleetRequest) -> Look:
    from ..watch import Look

    try:
        clusters = look_at_fleet(read_fleet(request.file), request.deadline)
    except ConfigError as error:
        return Look([], [f"xha-check: {error}"], NagiosCode.UNKNOWN)
    return Look(_rows(clusters), [], fleet_exit_code(clusters))
