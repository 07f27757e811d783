"""xha-check history: every outage of the cluster and of each node, and how available they were."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ....app.cluster.histories import gather_history
from ....app.node.reader import ConfigFile
from ....core.cluster.history.report import (
    history_document,
    history_exit_code,
    render_history_text,
    render_nagios_history,
)
from ....core.text.durations import parse_duration
from ...terminal.table import columns
from ..options import add_config_option, add_output_options, argument

if TYPE_CHECKING:
    import argparse

DESCRIPTION = """\
Shows every outage of the cluster and of each node: when, for how long, why, and
who was affected; and how available they were, planned downtime apart. It is
what the responders have recorded: this host's is read from its file, the others
are asked at their ports, where detail_from has to admit this host. Time in
which no responder ran, or nobody asked it, is not known, and no uptime.
"""
EXIT_CODES = {
    0: "no unplanned outage, and most of the time is known of each node",
    1: "an unplanned outage of a node",
    2: "an unplanned outage of the cluster: no member was in service",
    3: "of the cluster, or of a node, most of that time is not known",
}
EXAMPLES = {
    "xha-check history": "the last 30 days",
    "xha-check history --since 24h --json": "the last day, for a program",
}
_DEFAULT = "30d"


class HistoryRequest(NamedTuple):
    """How far back, in seconds, and how to tell it."""

    since: float
    config: str | None = None
    output: str = "text"


def _parse_since(text: str) -> float:
    seconds = parse_duration(text)
    if seconds <= 0:
        raise ValueError(f"{text!r} is no time that has passed: write a duration, as 24h or 30d")
    return min(seconds, _LONGEST)


# A hundred years: a date before the first one of the calendar has no form.
_LONGEST = 36500 * 86400.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add how far back, the forms of an answer, and where the configuration is."""
    parser.add_argument(
        "--since",
        metavar="TIME",
        type=argument(_parse_since),
        default=_parse_since(_DEFAULT),
        help=f"how far back, as 90m, 24h or 30d (default {_DEFAULT})",
    )
    add_output_options(parser, "json", "nagios")
    add_config_option(parser)


def read(said: argparse.Namespace) -> HistoryRequest:
    """Return the request."""
    return HistoryRequest(said.since, said.config, said.output)


def run(request: HistoryRequest) -> int:
    """Gather what was recorded, print it, and return the exit code."""
    view = gather_history(ConfigFile(request.config).refresh(), request.since)
    code = history_exit_code(view)
    if request.output == "json":
        import json

        print(json.dumps(history_document(view), indent=2))
    elif request.output == "nagios":
        print(render_nagios_history(view))
    else:
        text = render_history_text(view)
        tables = [columns(text.table), columns(text.outages) if text.outages else [text.no_outage], text.below]
        print("\n\n".join("\n".join(table) for table in tables if table))
    return code
