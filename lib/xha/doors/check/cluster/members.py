"""All members of a cluster, read in parallel under one deadline, and where they disagree."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from ....app.node.reader import ConfigFile, FixedConfig, Reader, Snapshot
from ....core.cluster.comparison import (
    Disagreement,
    Member,
    MemberAnswer,
    find_disagreements,
    merge_members,
    parse_cluster_address,
    parse_incoming_addresses,
    parse_incoming_member,
    parse_member,
)
from ....core.config.xha_conf import DEFAULT_PORT
from ....core.galera.reading import Reading
from ....core.node.verdict import Code, Unreadable, judge
from ....core.text.values import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ....core.config.xha_conf import Config
    from ..options import Options

# What a member's own host would have to look into; from another host it is all the same.
_UNREACHABLE = (Code.SERVER_DOWN, Code.HUNG)


class ClusterView(NamedTuple):
    """The members' snapshots side by side. age, in seconds, is of the oldest."""

    members: dict[Member, Snapshot]
    disagreements: tuple[Disagreement, ...]
    age: float

    @property
    def answers(self) -> list[MemberAnswer]:
        """What find_disagreements and the exit code are made of."""
        return [MemberAnswer(member, one.reading, one.verdict) for member, one in self.members.items()]


def read_cluster(options: Options, known_servers: tuple[Member, ...] = ()) -> ClusterView:
    """Read every member that is known: by the configuration, by this node, or remembered from before.

    :raises ConfigError: where none is.
    """
    file = ConfigFile(options.config, options.apply)
    config = file.refresh()
    began = time.monotonic()
    # Who is known from the start is asked beside this node: a frozen one must not cost the others their time.
    known = (*_configured(config), *known_servers)
    reader = Reader(file)
    reader.prepare()
    first = _Round(config)
    first.ask(None, reader.take)
    for member in merge_members(known, (), config.database.port or DEFAULT_PORT):
        first.ask(member, _member_reader(config, member))
    own = first.wait(None) or _hung(config)
    members = _members(config, known, own)
    if not members:
        raise ConfigError(
            f"no members are known: set members in [cluster] of xha.conf; this node says {own.verdict.code.value}, "
            f"{own.verdict.message}"
        )
    second = _Round(config)
    for member in members:
        if not _is_own(member, own) and not first.has(member):
            second.ask(member, _member_reader(config, member))
    snapshots = {
        member: own
        if _is_own(member, own)
        else first.wait(member) or second.wait(member) or _unreachable(config, "no answer in time")
        for member in members
    }
    view = ClusterView(_distinct(snapshots, own), (), time.monotonic() - began)
    return view._replace(disagreements=find_disagreements(view.answers))


def _distinct(snapshots: dict[Member, Snapshot], own: Snapshot) -> dict[Member, Snapshot]:
    """Return each node once, under the first of its names: `db1` of the configuration may be an incoming address."""
    names: dict[str, Member] = {}
    found: dict[Member, Snapshot] = {}
    for member, snapshot in snapshots.items():
        reading = snapshot.reading
        uuid = reading.status.wsrep_gcomm_uuid if isinstance(reading, Reading) else None
        name = names.setdefault(uuid, member) if uuid and uuid.strip("0-") else member
        if name == member or snapshot is own:
            found[name] = snapshot
    return found


class _Round:
    """Members that are read side by side, each in a thread of its own, under one deadline."""

    def __init__(self, config: Config) -> None:
        self._deadline = time.monotonic() + config.responder.deadline + 0.1  # a thread's own time-out comes first
        self._threads: dict[Member | None, threading.Thread] = {}
        self._found: dict[Member | None, Snapshot] = {}

    def ask(self, member: Member | None, read: Callable[[], Snapshot]) -> None:
        """Begin to read a member; None is this host's own node."""

        def run() -> None:
            self._found[member] = read()

        self._threads[member] = threading.Thread(target=run, daemon=True)
        self._threads[member].start()

    def has(self, member: Member) -> bool:
        """Whether the member was asked in this round."""
        return member in self._threads

    def wait(self, member: Member | None) -> Snapshot | None:
        """Return what the member came to, None if it was not asked or has not answered by the deadline."""
        if member in self._threads:
            self._threads[member].join(max(0.0, self._deadline - time.monotonic()))
        return self._found.get(member)


def _configured(config: Config) -> tuple[Member, ...]:
    try:
        return tuple(parse_member(text) for text in config.members)
    except ValueError as error:
        raise ConfigError(f"[cluster] members: {error}") from None


def _members(config: Config, known: tuple[Member, ...], own: Snapshot) -> tuple[Member, ...]:
    incoming: tuple[Member, ...] = ()
    port = config.database.port
    if isinstance(own.reading, Reading):
        known = known or parse_cluster_address(own.reading.variables.wsrep_cluster_address or "")
        incoming = parse_incoming_addresses(own.reading.status.wsrep_incoming_addresses or "")
        port = port or own.reading.variables.port
    return merge_members(known, incoming, port or DEFAULT_PORT)


def _is_own(member: Member, own: Snapshot) -> bool:
    """Whether the member is the node that was read already, by the account that only this host has."""
    if not isinstance(own.reading, Reading):
        return False
    status, variables = own.reading.status, own.reading.variables
    # The order of the incoming addresses is that of the members' index.
    incoming = dict(enumerate((status.wsrep_incoming_addresses or "").split(",")))
    address = incoming.get(-1 if status.wsrep_local_index is None else status.wsrep_local_index, "")
    hosts = {variables.hostname, variables.wsrep_node_name}
    for text, parse in ((variables.wsrep_node_address, parse_member), (address, parse_incoming_member)):
        with contextlib.suppress(ValueError):
            hosts.add(parse(text or "").host)
    return member.host in hosts and (member.port is None or member.port == variables.port)


def _member_reader(config: Config, member: Member) -> Callable[[], Snapshot]:
    return lambda: _read_one(config, member)


def _read_one(config: Config, member: Member) -> Snapshot:
    reader = Reader(FixedConfig(config.of_member(member.host, member.port)))
    snapshot = reader.take()
    reader.close()
    if isinstance(snapshot.reading, Unreadable) and snapshot.reading.code in _UNREACHABLE:
        return _unreachable(config, snapshot.reading.detail)
    return snapshot


def _unreachable(config: Config, detail: str) -> Snapshot:
    return _unreadable(config, Unreadable(Code.UNREACHABLE, detail))


def _hung(config: Config) -> Snapshot:
    return _unreadable(config, Unreadable(Code.HUNG, "no answer in time"))


def _unreadable(config: Config, reading: Unreadable) -> Snapshot:
    return Snapshot(reading, judge(reading, config.policy), config, time.time())
