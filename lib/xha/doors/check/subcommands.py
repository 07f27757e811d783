"""The subcommands of xha-check: one row each, and what the file behind a row provides."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from typing import Any


class SubcommandModule(Protocol):
    """What the file of a subcommand provides. It is imported only when its subcommand is called, or explained."""

    DESCRIPTION: str
    """What it does, as --help says it."""
    EXIT_CODES: Mapping[int, str]
    """What each exit code of it means. 3 includes wrong usage without saying so."""
    EXAMPLES: Mapping[str, str]
    """Command lines, and what each is for."""

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add its own operands and options."""

    def read(self, said: argparse.Namespace) -> Any:
        """Return its request, a named tuple. :raises UsageError: where the options contradict each other."""

    def run(self, request: Any) -> int:
        """Do it, print what came of it, and return the exit code. :raises ConfigError: where xha.conf is wrong."""


class Subcommand(NamedTuple):
    """A row of the table. module is below this package; nagios is the word that begins a line of --nagios."""

    name: str
    summary: str
    module: str
    nagios: str = "GALERA"

    def load(self) -> SubcommandModule:
        """Import its file."""
        from importlib import import_module

        return cast("SubcommandModule", import_module(f"{__package__}.{self.module}"))


# By the heading of --help. The first subcommand is what xha-check does without one.
GROUPS = {
    "the database": (
        Subcommand("node", "one node (this host's): whether it is in service, and why", "node.node"),
        Subcommand("cluster", "all members side by side, and where they disagree", "cluster.cluster"),
        Subcommand("doctor", "what is set up so that it will hurt, and what to write", "node.doctor", "DOCTOR"),
        Subcommand("fleet", "many clusters, one line each, worst first", "cluster.fleet", "FLEET"),
        Subcommand("history", "every outage, and how available the cluster was", "cluster.history", "HISTORY"),
        Subcommand("disable", "take this host's node out of service", "node.disable"),
        Subcommand("drain", "send new connections to the other nodes; open ones live on", "node.drain"),
        Subcommand("enable", "put it back into service", "node.enable"),
    ),
    "the resource of Pacemaker": (
        Subcommand("explain", "what each node would do next, and why; changes nothing", "election.explain"),
        Subcommand("grant", "let the cluster be formed although something cannot be proven", "election.grant"),
        Subcommand("switchover", "hand the one writer over to another node", "election.switchover"),
        Subcommand("keeper", "the process that looks after this host's node; --replace it", "election.keeper"),
        Subcommand("report", "tell the others where this host's stopped data end", "election.record_position"),
    ),
    "the services of this host": (
        Subcommand("service", "the named services, as keystone or rabbitmq", "services.service", "SERVICE"),
        Subcommand("services", "every service that is configured, or found here", "services.services", "SERVICE"),
        Subcommand("list", "which services there are, and what each level proves", "services.list"),
    ),
}
SUBCOMMANDS = {row.name: row for rows in GROUPS.values() for row in rows}
DEFAULT = next(iter(SUBCOMMANDS))
