"""xha-check: the truth about a node or a cluster, for an operator, Nagios and cron."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from ...core.cluster.comparison import Member, parse_member
from ...core.node.disabled import parse_instant
from ...core.node.verdict import NagiosCode
from ...core.text.durations import parse_duration
from ..terminal.streams import abandon_stdout, mend_streams
from .command import Command
from .options import Parser, add_database_options, argument, database_options
from .services.options import add_service_modes, add_service_options, wanted_services

if TYPE_CHECKING:
    from collections.abc import Sequence

_EPILOG = """\
exit codes: 0 in service; 1 in service or drained for a reason that will pass; 2 broken; 3 the check itself could not
look (configuration, account, connections), and --help, --version and wrong usage. docs/verdicts.md explains each code.
With --explain: 0 all members are in the cluster; 1 it goes on by itself; 2 a person is needed. --grant: 2 not granted.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run xha-check and return its exit code."""
    mend_streams()
    try:
        try:
            return _main(sys.argv[1:] if argv is None else argv)
        finally:
            sys.stdout.flush()  # here, where a full disk or a reader that has left can still be answered for
    except BrokenPipeError:  # `xha-check --cluster | head`
        abandon_stdout()
    except OSError as error:
        abandon_stdout()
        print(f"xha-check: standard output: {(error.strerror or str(error)).lower()}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # a user gets a sentence, syslog the traceback
        from ...adapters.host.faults import Faults
        from ...adapters.host.log import Log

        said = Faults(Log("xha-check", use_syslog=True)).note("xha-check", error)
        print(f"xha-check: a fault of its own: {said}; syslog has where", file=sys.stderr)
    return NagiosCode.UNKNOWN


def _main(arguments: Sequence[str]) -> int:
    from ...core.text.values import ConfigError

    command = parse_command(arguments)
    try:
        return _run(command)
    except ConfigError as error:
        return _complain(command, f"{error}")


def _run(command: Command) -> int:
    if command.services:
        from .services.services import check_services

        return check_services(command.services)
    if command.mode in ("disable", "enable"):
        from . import disable as switch

        run = switch.disable if command.mode == "disable" else switch.enable
        return run(command)
    if command.mode in ("explain", "grant", "report"):
        return _ask_pacemaker(command)
    if command.output == "watch":
        from .watch import watch

        return watch(command)
    if command.mode == "cluster":
        from .cluster import check_cluster

        return check_cluster(command)
    from .node import check_node

    return check_node(command)


def _ask_pacemaker(command: Command) -> int:
    if command.mode == "explain":
        from .election.explain import explain

        return explain(command)
    if command.mode == "grant":
        from .election.grant import grant

        return grant(command)
    from .election.record_position import report

    return report(command)


def _complain(command: Command, message: str) -> int:
    """Say on the stream and in the form that the caller reads why there is no answer."""
    from ...core.node.report import nagios_text

    if command.output == "nagios":
        print(nagios_text(f"{'SERVICE' if command.services else 'GALERA'} UNKNOWN: {message}"))
    else:
        print(f"xha-check: {message}", file=sys.stderr)
    return NagiosCode.UNKNOWN


def parse_command(arguments: Sequence[str]) -> Command:
    """Parse the command line. Exits 3 where it is wrong."""
    parser = _parser()
    said = parser.parse_args(list(arguments))
    modes = ("cluster", "disable", "enable", "grant", "report")
    mode = next((name for name in modes if getattr(said, name)), "node")
    host = said.node if isinstance(said.node, Member) else None
    output = "json" if said.json else "nagios" if said.nagios else "watch" if said.watch else "text"
    services = wanted_services(said, output, parser)
    if services:
        return Command("services", database_options(said), output=output, services=services)
    if host and said.host:
        parser.error("--node HOST and --host name a host each: leave out one")
    if (host or said.host or said.port) and said.socket:
        parser.error("a host or port and --socket exclude each other: the socket is always this host's")
    if mode not in ("node", "cluster") and output != "text":
        parser.error(f"--{output} goes with --node or --cluster")
    if mode != "disable" and (said.until is not None or (said.why is not None and mode != "grant")):
        parser.error("--until and --why go with --disable, and --why with --grant")
    mode = _check_pacemaker_options(parser, said, mode, output)
    options = database_options(said)
    grant = said.grant and tuple(said.grant)
    return Command(mode, options, host, output, said.until, said.why, resource=said.resource, grant=grant, yes=said.yes)


def _check_pacemaker_options(parser: argparse.ArgumentParser, said: argparse.Namespace, mode: str, output: str) -> str:
    """Return the mode, explain being one of its own. Exits 3 where the options do not fit it."""
    if said.explain and mode != "cluster":
        parser.error("--explain goes with --cluster")
    if said.explain and output not in ("text", "json"):
        parser.error(f"--{output} does not go with --explain")
    mode = "explain" if said.explain else mode
    if said.resource is not None and mode not in ("explain", "grant", "report"):
        parser.error("--resource goes with --explain, --grant or --report")
    if said.yes and mode != "grant":
        parser.error("--yes goes with --grant")
    if mode == "grant" and not (said.why or "").strip():
        parser.error("--grant needs --why TEXT: whoever is on duty next will ask")
    return mode


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="xha-check",
        description="Tells whether HAProxy may send traffic to a Galera node, and why. Without HOST it reads the "
        "database of this host itself.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    modes = parser.add_argument_group("what to do, exactly one").add_mutually_exclusive_group()
    modes.add_argument(
        "--node", metavar="HOST", nargs="?", const=True, type=_host, help="look at one node (the default: this host's)"
    )
    modes.add_argument("--cluster", action="store_true", help="look at all members side by side, and compare them")
    add_service_modes(modes)
    modes.add_argument("--disable", action="store_true", help="take this host's node out of service")
    modes.add_argument("--enable", action="store_true", help="put it back into service")
    modes.add_argument(
        "--grant",
        metavar="WHAT=NODE",
        type=argument(_grant),
        help="let the cluster be formed although something cannot be proven: forget=NODE, bootstrap=NODE, discard=NODE",
    )
    modes.add_argument("--report", action="store_true", help="tell the others where this host's stopped data end")
    group = parser.add_argument_group("the resource of Pacemaker's, with --cluster --explain, --grant and --report")
    group.add_argument("--explain", action="store_true", help="what each node would do next, and why; changes nothing")
    group.add_argument("--resource", metavar="NAME", help="which one, where there are several")
    group.add_argument("--yes", action="store_true", help="with --grant: do not ask")
    group = parser.add_argument_group("with --disable and --grant")
    group.add_argument("--until", metavar="TIME", type=argument(_until), help="2h, or 2026-01-31T22:00:00+01:00")
    group.add_argument("--why", metavar="TEXT", help="what the next person on duty should know")
    add_service_options(parser)
    outputs = parser.add_argument_group("how to tell it").add_mutually_exclusive_group()
    outputs.add_argument("--json", action="store_true", help="one JSON object (docs/schema-1.json)")
    outputs.add_argument("--nagios", action="store_true", help="one line with performance data")
    outputs.add_argument("--watch", action="store_true", help="look again every second, until Ctrl-C")
    add_database_options(parser)
    return parser


@argument
def _host(text: str) -> Member:
    return parse_member(text)


def _grant(text: str) -> tuple[str, str]:
    """Return kind and node. :raises ValueError: for another word."""
    kind, _, node = text.partition("=")
    if kind not in ("forget", "bootstrap", "discard") or not node:
        raise ValueError(f"{text!r} is none of forget=NODE, bootstrap=NODE, discard=NODE")
    return kind, node


def _until(text: str) -> str:
    """Return the RFC 3339 time in UTC of a duration from now, or of an ISO 8601 time with a zone."""
    import time
    from datetime import datetime, timezone

    try:
        seconds = time.time() + parse_duration(text)
    except ValueError:
        try:
            seconds = parse_instant(text)
        except ValueError:
            raise ValueError(f"{text!r} is neither a duration, as 2h, nor an ISO 8601 time with a zone") from None
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{text!r} is beyond the year 9999") from None
