"""xha-check node: one node, the line and the why."""

from __future__ import annotations

import socket
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

from ....app.node.reader import ConfigFile, Reader, Snapshot
from ....core.cluster.members import Member, parse_member
from ....core.config.xha_conf import DEFAULT_PORT
from ....core.node.codes import Code
from ....core.node.report import nagios_code, node_document, render_nagios
from ....core.text.escape import clean
from ..options import Options, UsageError, add_database_options, add_output_options, argument, one_database

if TYPE_CHECKING:
    import argparse
    from typing import Callable

    from ....app.cluster.ask_responder import Believed
    from ....core.config.xha_conf import Config
    from ..watch import Look

DESCRIPTION = """\
Tells whether HAProxy may send traffic to a node, and why. Without HOST it reads
the database of this host, and tells what the resource agent is doing here.
Where HOST refuses this host's account, its own responder is asked.
"""
EXIT_CODES = {
    0: "in service",
    1: "in service, or drained, for a reason that will pass",
    2: "broken",
    3: "the check itself could not look (configuration, account, connections)",
}
EXAMPLES = {
    "xha-check node": "this host's node",
    "xha-check node db2:3307 --json": "another one, as JSON",
    "xha-check node --watch": "a line for each change, or a table on a terminal",
}


class NodeRequest(NamedTuple):
    """Which node to look at, and how to tell it. Without a member it is this host's, or that of the options."""

    member: Member | None = None
    options: Options = Options()
    output: str = "text"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the host, the forms of an answer, and where the database is."""
    parser.add_argument(
        "member",
        metavar="HOST",
        nargs="?",
        type=argument(parse_member),
        help="another host: db2, db2:3307 or [::1]:3306",
    )
    add_output_options(parser, "json", "nagios", "watch")
    add_database_options(parser)


def read(said: argparse.Namespace) -> NodeRequest:
    """Return the request. :raises UsageError: where two hosts are named."""
    if said.member and said.host:
        raise UsageError("HOST and --host name a host each: leave out one")
    if said.member and said.socket:
        raise UsageError("HOST and --socket exclude each other: the socket is always this host's")
    return NodeRequest(said.member, one_database(said), said.output)


def run(request: NodeRequest) -> int:
    """Read the node, print what came of it, and return the exit code."""
    source = _source(request)
    reader, name = Reader(source), str(request.member or request.options.host or socket.gethostname())
    if request.output == "watch":
        from ..watch import watch

        return watch(_make_look(reader, name, request), "xha-check node")
    began = time.monotonic()
    snapshot, answer = _believe(reader.take_once(), request)
    verdict = snapshot.verdict
    age = time.monotonic() - began + ((answer.age or 0.0) if answer else 0.0)
    if request.output == "json":
        import json

        report = snapshot.report(name, age)._replace(source="responder" if answer else "sql")
        print(json.dumps(node_document(report), indent=2))
    elif request.output == "nagios":
        print(render_nagios(verdict, snapshot.reading, snapshot.warnings))
        return nagios_code(verdict, snapshot.warnings)
    else:
        _print_text(name, snapshot)
        if not (request.member or request.options.host):
            _print_keepers()
            if verdict.code is Code.SERVER_DOWN:
                _print_what_else(source.config)
    return verdict.exit_code


def _source(request: NodeRequest) -> ConfigFile:
    member = request.member

    def override(config: Config) -> Config:
        config = request.options.apply(config)
        return config.of_member(member.host, member.port) if member else config

    return ConfigFile(request.options.config, override)


def _believe(snapshot: Snapshot, request: NodeRequest) -> Believed:
    """Return what is known of the node: of another host, its responder is asked where SQL could not look.

    A responder speaks for the server of its host's configuration, and for no other one beside it.
    """
    from ....app.cluster.ask_responder import Believed, believe_where_denied

    host = request.member.host if request.member else request.options.host
    port = request.member.port if request.member else request.options.port
    one_of_many = port not in (None, DEFAULT_PORT)
    if not host or one_of_many or snapshot.fault:
        return Believed(snapshot)
    return believe_where_denied(snapshot, host)


def _make_look(reader: Reader, name: str, request: NodeRequest) -> Callable[[], Look]:
    from ...terminal.table import row
    from ..watch import Look

    def look() -> Look:
        snapshot = _believe(reader.take(), request).snapshot
        return Look([row(name, snapshot.verdict, snapshot.reading)], [], snapshot.verdict.exit_code)

    return look


def _print_text(name: str, snapshot: Snapshot) -> None:
    from ...terminal.table import colour

    verdict = snapshot.verdict
    service = "in service" if verdict.available else "out of service"
    colored = colour(f"{service}, {verdict.code.value}", verdict, sys.stdout)
    # What the server wrote must not move this terminal's cursor.
    print(f"{clean(name)}: {colored}: {clean(verdict.message, 1000)}")
    if verdict.remedy:
        print(f"  to do: {verdict.remedy}")
    off = snapshot.withdrawal
    if off:
        said = [f"by {off.by}" * bool(off.by), f"until {off.until}" * bool(off.until)]
        print(f"  {'drained' if off.drains else 'disabled'}: " + ", ".join(filter(None, [*said, off.why])))
    for warning in snapshot.warnings:
        print(f"  warning: {clean(warning, 1000)}")
    if verdict.available and snapshot.commits.unknown:
        print(f"  commits: not known: {clean(snapshot.commits.unknown, 1000)}")


def _print_what_else(config: Config) -> None:
    """On a host without a process of the database, tell what can be asked there: a load balancer or API may be all."""
    from ....adapters.process.daemons import is_there
    from ....core.services.catalogue import CATALOGUE
    from ....core.services.settings import parse_services

    if is_there(CATALOGUE["mysql"].process):
        return
    services, faults = parse_services(config)
    named = [*(one.name for one in services), *(one.name for one in faults)]
    here = [*named, *(name for name, row in CATALOGUE.items() if name not in named and is_there(row.process))]
    found = f": {', '.join(here)}" if here else " (xha.conf names none, and none was found)"
    print("  no mariadbd or mysqld runs here. What xha-check can do on such a host:")
    print("    xha-check cluster    asks the members that [cluster] members in xha.conf names")
    print("    xha-check node HOST  asks one of them")
    print(f"    xha-check services   checks the services of this host{found}")


def _print_keepers() -> None:
    """Tell what the agent is doing on this host, wherever that is more than to look on."""
    from ....app.node.keepers import read_keeper_statuses
    from ....core.monitor.keeper_status import Phase

    for resource, keeper_status in read_keeper_statuses():
        if keeper_status.phase is not Phase.RUNNING:
            progress = f" ({keeper_status.progress})" if keeper_status.progress else ""
            print(f"  {resource}: {keeper_status.phase.value}: {clean(keeper_status.reason, 1000)}{progress}")
