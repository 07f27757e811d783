"""xha-check --node: one node, the line and the why."""

from __future__ import annotations

import socket
import sys
import time
from typing import TYPE_CHECKING

from ...app.node.reader import ConfigFile, Reader, Snapshot
from ...core.node.report import node_document, render_nagios
from ...core.text.escape import clean

if TYPE_CHECKING:
    from ...core.config.xha_conf import Config
    from .command import Command


def node_reader(command: Command) -> Reader:
    """Return a reader of the command's node."""
    host = command.host

    def override(config: Config) -> Config:
        config = command.options.apply(config)
        return config.of_member(host.host, host.port) if host else config

    return Reader(ConfigFile(command.options.config, override))


def node_name(command: Command) -> str:
    """Return what to call the command's node."""
    return str(command.host or command.options.host or socket.gethostname())


def check_node(command: Command) -> int:
    """Read the node, print what came of it, and return the exit code."""
    began = time.monotonic()
    snapshot = node_reader(command).take()
    verdict, name = snapshot.verdict, node_name(command)
    if command.output == "json":
        import json

        print(json.dumps(node_document(snapshot.report(name, time.monotonic() - began)), indent=2))
    elif command.output == "nagios":
        print(render_nagios(verdict, snapshot.reading))
    else:
        _print_text(name, snapshot)
        if not (command.host or command.options.host):
            _print_keepers()
    return verdict.exit_code


def _print_text(name: str, snapshot: Snapshot) -> None:
    from ..terminal.table import colour

    verdict = snapshot.verdict
    service = "in service" if verdict.available else "out of service"
    colored = colour(f"{service}, {verdict.code.value}", verdict, sys.stdout)
    # What the server wrote must not move this terminal's cursor.
    print(f"{clean(name)}: {colored}: {clean(verdict.message, 1000)}")
    if verdict.remedy:
        print(f"  to do: {verdict.remedy}")
    disabled = snapshot.disabled
    if disabled:
        said = [f"by {disabled.by}" * bool(disabled.by), f"until {disabled.until}" * bool(disabled.until)]
        print("  disabled: " + ", ".join(filter(None, [*said, disabled.why])))
    for warning in snapshot.warnings:
        print(f"  warning: {warning}")


def _print_keepers() -> None:
    """Tell what the agent is doing on this host, wherever that is more than to look on."""
    from ...adapters.files.agent_rundir import read_bulletins
    from ...core.monitor.keeper_status import Phase

    for resource, bulletin in read_bulletins():
        if bulletin.phase is not Phase.RUNNING:
            progress = f" ({bulletin.progress})" if bulletin.progress else ""
            print(f"  {resource}: {bulletin.phase.value}: {clean(bulletin.reason, 1000)}{progress}")
