"""xha-check doctor: what is set up on this host and in its cluster so that it will hurt, and the line that mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ....app.doctor.gather import Wish, gather
from ....app.node.reader import ConfigFile
from ....core.doctor.report import doctor_document, exit_code, render_nagios, render_text
from ....core.doctor.table import examine
from ....core.text.values import parse_positive_duration
from ..options import Options, add_database_options, add_output_options, argument, one_database

if TYPE_CHECKING:
    import argparse

DESCRIPTION = """\
Examines how this host's server, HAProxy, Pacemaker and the cluster are set up,
and tells what will hurt one day: what was seen where, why it hurts, and the
exact line to write. It changes nothing, and uses no more privileges than it was
given: what it could not look at is told as that, with what it needs. Run it as
root on every member. docs/doctor.md has all rules.
"""
EXIT_CODES = {
    0: "every rule looked, and found nothing",
    1: "advice",
    2: "something will hurt",
    3: "something could not be looked at, and nothing else will hurt",
}
EXAMPLES = {
    "xha-check doctor": "this host, and what it sees of the others",
    "xha-check doctor --host-only --json": "ask no other host, and print JSON",
    "xha-check doctor --sample 60s": "count what is written for a minute",
}


class DoctorRequest(NamedTuple):
    """What to look at, and how to tell it."""

    wish: Wish = Wish()
    options: Options = Options()
    output: str = "text"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what to look at, the forms of an answer, and where the database of this host is."""
    looked = parser.add_argument_group("what to look at")
    looked.add_argument("--host-only", action="store_true", help="ask no other host")
    looked.add_argument("--haproxy", metavar="FILE", help="HAProxy's file (default: /etc/haproxy/haproxy.cfg)")
    looked.add_argument(
        "--sample",
        metavar="TIME",
        type=argument(parse_positive_duration),
        default=Wish().sample,
        help="for how long writes are counted (default: 2s)",
    )
    add_output_options(parser, "json", "nagios")
    add_database_options(parser)


def read(said: argparse.Namespace) -> DoctorRequest:
    """Return the request. :raises UsageError: where two databases are named."""
    return DoctorRequest(Wish(said.haproxy, said.host_only, said.sample), one_database(said), said.output)


def run(request: DoctorRequest) -> int:
    """Look, print what came of it, and return the exit code. :raises ConfigError: for an xha.conf that is wrong."""
    file = ConfigFile(request.options.config, request.options.apply)
    examination = examine(gather(file, request.wish), host_only=request.wish.host_only)
    if request.output == "json":
        import json

        print(json.dumps(doctor_document(examination), indent=2))
    elif request.output == "nagios":
        print(render_nagios(examination))
    else:
        print("\n".join(render_text(examination)))
    return exit_code(examination)
