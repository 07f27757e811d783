"""xha-check doctor: what is set up on this host and in its cluster so that it will hurt, and the line that mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ....app.doctor.gather import Wish, gather
from ....app.doctor.handover import gather_handover
from ....app.node.reader import ConfigFile
from ....core.doctor.report import doctor_document, exit_code, render_nagios, render_text
from ....core.doctor.table import examine
from ....core.doctor.unseen import Unseen
from ....core.node.verdict import NagiosCode
from ....core.pacemaker.handover import FormerAgent, find_obstacles, list_commands
from ....core.text.escape import clean
from ....core.text.values import parse_positive_duration
from ..options import Options, UsageError, add_database_options, add_output_options, argument, one_database

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
    "xha-check doctor --from heartbeat": "how to come from ocf:heartbeat:galera",
}


class DoctorRequest(NamedTuple):
    """What to look at, and how to tell it. former: the agent from which the database is to be handed over."""

    wish: Wish = Wish()
    former: FormerAgent | None = None
    options: Options = Options()
    output: str = "text"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what to look at, the forms of an answer, and where the database of this host is."""
    looked = parser.add_argument_group("what to look at")
    looked.add_argument("--host-only", action="store_true", help="ask no other host")
    looked.add_argument(
        "--haproxy",
        metavar="FILE",
        action="append",
        default=[],
        help="HAProxy's file, or a directory of them; again for each -f of its own (default: /etc/haproxy/haproxy.cfg)",
    )
    looked.add_argument(
        "--from",
        dest="former",
        choices=[one.value for one in FormerAgent],
        help="print the commands that hand the database over from that agent; does nothing itself",
    )
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
    """Return the request. :raises UsageError: where options contradict each other."""
    former = FormerAgent(said.former) if said.former else None
    if former and said.output != "text":
        raise UsageError(f"--from prints commands for a person, and no --{said.output}")
    return DoctorRequest(
        Wish(tuple(said.haproxy), said.host_only, said.sample), former, one_database(said), said.output
    )


def run(request: DoctorRequest) -> int:
    """Look, print what came of it, and return the exit code. :raises ConfigError: for an xha.conf that is wrong."""
    file = ConfigFile(request.options.config, request.options.apply)
    if request.former:
        return _tell_handover(file, request.former)
    examination = examine(gather(file, request.wish), host_only=request.wish.host_only)
    if request.output == "json":
        import json

        print(json.dumps(doctor_document(examination), indent=2))
    elif request.output == "nagios":
        print(render_nagios(examination))
    else:
        print("\n".join(render_text(examination)))
    return exit_code(examination)


def _tell_handover(file: ConfigFile, former: FormerAgent) -> int:
    facts = gather_handover(file, former)
    if isinstance(facts, Unseen):
        print(f"not looked at: {clean(facts.what, 1000)}\n  needs: {clean(facts.needs, 1000)}")
        return NagiosCode.UNKNOWN
    obstacles = list(find_obstacles(facts))
    if obstacles:
        print("refused, because it is unsafe now:")
        print("\n".join(f"- {clean(one, 1000)}" for one in obstacles))
        return NagiosCode.CRITICAL
    print("\n".join(list_commands(facts)))
    return NagiosCode.OK
