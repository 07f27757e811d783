"""xha-check --cluster: all members, read in parallel under one deadline, and where they disagree."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from ..adapters.reader import ConfigFile, Reader, Snapshot
from ..core.cluster import (
    Answer,
    Disagreement,
    Member,
    find_disagreements,
    merge_members,
    parse_cluster_address,
    parse_incoming_addresses,
    parse_member,
)
from ..core.config import ConfigError
from ..core.reading import Reading
from ..core.report import cluster_document, cluster_exit_code, node_document, render_nagios_cluster
from ..core.verdict import Code, Unreadable, judge
from .table import colour, lines, row

if TYPE_CHECKING:
    from ..core.config import Config
    from .check import Command

# What a member's own host would have to look into; from another host it is all the same.
_UNREACHABLE = (Code.SERVER_DOWN, Code.HUNG)


class ClusterView(NamedTuple):
    """The members' snapshots side by side. age, in seconds, is of the oldest."""

    members: dict[Member, Snapshot]
    disagreements: tuple[Disagreement, ...]
    age: float

    @property
    def answers(self) -> list[Answer]:
        """What find_disagreements and the exit code are made of."""
        return [Answer(member, one.reading, one.verdict) for member, one in self.members.items()]


def check_cluster(command: Command) -> int:
    """Read the cluster, print what came of it, and return the exit code."""
    view = read_cluster(command)
    if command.output == "json":
        import json

        nodes = [node_document(one.report(str(member), view.age)) for member, one in view.members.items()]
        print(json.dumps(cluster_document(nodes, view.disagreements), indent=2))
    elif command.output == "nagios":
        print(render_nagios_cluster(view.answers, view.disagreements))
    else:
        print("\n".join(cluster_lines(view)))
    return cluster_exit_code(view.answers, view.disagreements)


def cluster_lines(view: ClusterView) -> list[str]:
    """Return the table, in colour on a terminal, and the disagreements below it."""
    snapshots = list(view.members.values())
    text = lines([row(str(member), one.verdict, one.reading) for member, one in view.members.items()])
    colored = [colour(line, one.verdict, sys.stdout) for line, one in zip(text[1:], snapshots)]
    return [text[0], *colored, *(f"DISAGREEMENT {one.code}: {one.message}" for one in view.disagreements)]


def read_cluster(command: Command) -> ClusterView:
    """Read every member that is known. :raises ConfigError: where none is."""
    file = ConfigFile(command.options.config, command.options.apply)
    config = file.refresh()
    began = time.monotonic()
    own = Reader(file).take()
    members = _members(config, own)
    if not members:
        raise ConfigError(
            f"no members are known: set members in [cluster] of xha.conf; this node says {own.verdict.code.value}, "
            f"{own.verdict.message}"
        )
    snapshots = {member: own for member in members if _is_own(member, own)}
    snapshots.update(_read_all(config, [member for member in members if member not in snapshots]))
    view = ClusterView({member: snapshots[member] for member in members}, (), time.monotonic() - began)
    return view._replace(disagreements=find_disagreements(view.answers))


def _members(config: Config, own: Snapshot) -> tuple[Member, ...]:
    from ..adapters.database import DEFAULT_PORT

    try:
        known = tuple(parse_member(text) for text in config.members)
    except ValueError as error:
        raise ConfigError(f"[cluster] members: {error}") from None
    incoming: tuple[Member, ...] = ()
    if isinstance(own.reading, Reading):
        known = known or parse_cluster_address(own.reading.variables.wsrep_cluster_address or "")
        incoming = parse_incoming_addresses(own.reading.status.wsrep_incoming_addresses or "")
    return merge_members(known, incoming, config.database.port or DEFAULT_PORT)


def _is_own(member: Member, own: Snapshot) -> bool:
    """Whether the member is the node that was read already, by the account that only this host has."""
    if not isinstance(own.reading, Reading):
        return False
    variables = own.reading.variables
    names = {(variables.wsrep_node_address or "").partition(":")[0], variables.hostname, variables.wsrep_node_name}
    return member.host in names and (member.port is None or member.port == variables.port)


def _read_all(config: Config, members: list[Member]) -> dict[Member, Snapshot]:
    """Read members side by side; one that has not answered by the deadline is unreachable."""
    found: dict[Member, Snapshot] = {}
    threads = [
        threading.Thread(target=lambda member=member: found.update({member: _read_one(config, member)}), daemon=True)
        for member in members
    ]
    deadline = time.monotonic() + config.responder.deadline + 0.1  # the last thread's own time-out comes first
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return {member: found.get(member) or _unreachable(config, "no answer in time") for member in members}


def _read_one(config: Config, member: Member) -> Snapshot:
    reader = Reader(_FixedConfig(config.of_member(member.host, member.port)))
    snapshot = reader.take()
    reader.close()
    if isinstance(snapshot.reading, Unreadable) and snapshot.reading.code in _UNREACHABLE:
        return _unreachable(config, snapshot.reading.detail)
    return snapshot


def _unreachable(config: Config, detail: str) -> Snapshot:
    reading = Unreadable(Code.UNREACHABLE, detail)
    return Snapshot(reading, judge(reading, config.policy), config, time.time())


class _FixedConfig(NamedTuple):
    config: Config

    def refresh(self) -> Config:
        """Return the configuration, which does not change."""
        return self.config
