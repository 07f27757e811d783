"""Looks at all members of a cluster side by side: who they are, what each source knows of each, where they disagree."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, NamedTuple

from ...adapters.network.addresses import read_own_addresses, resolve_hosts
from ...core.cluster.comparison import Disagreement, find_disagreements
from ...core.cluster.keeper_word import absent_keeper
from ...core.cluster.member_view import MemberView
from ...core.cluster.members import (
    Member,
    merge_members,
    parse_cluster_address,
    parse_incoming_addresses,
    parse_incoming_member,
    parse_member,
)
from ...core.cluster.responder_word import absent_responder
from ...core.cluster.sources import Source, SourceAnswer, judge_sql
from ...core.config.xha_conf import DEFAULT_PORT
from ...core.galera.reading import Reading
from ...core.node.verdict import Code, Policy, Unreadable, judge
from ...core.text.values import ConfigError
from ..node.reader import FixedConfig, Reader, Snapshot
from .ask_responder import ask_responder, responder_port
from .errands import Errands
from .keepers import Keepers, read_keepers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...core.config.xha_conf import Config
    from ..node.reader import ConfigFile
    from .errands import Waiting

# What a member's own host would have to look into; from another host it is all the same.
_UNREACHABLE = (Code.SERVER_DOWN, Code.HUNG)
_LOOPBACK = "127.0.0.1"
# The part of the deadline that resolving the members' names may take between the two rounds.
_RESOLVE_SHARE = 0.25
# More than any cluster has. The list may come from a server or a responder, which could name the whole network.
_MOST_MEMBERS = 100
_OWN, _LOCAL, _KEEPERS = "own", "local", "keepers"


class ClusterView(NamedTuple):
    """All members side by side. snapshots: what SQL from this host came to. age, in seconds, is of the oldest."""

    views: tuple[MemberView, ...]
    disagreements: tuple[Disagreement, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()
    age: float = 0.0

    @property
    def members(self) -> tuple[Member, ...]:
        """Who was looked at."""
        return tuple(view.member for view in self.views)


def look_at_cluster(
    file: ConfigFile, known_servers: tuple[Member, ...] = (), waiting: Waiting | None = None
) -> ClusterView:
    """Look at every member that is known: by the configuration, this host, Pacemaker, or remembered from before.

    Each question has [responder] deadline. There are two rounds, the second for members that the first one named, so
    that a look takes two and a quarter deadlines at most, however many members are silent.

    :raises ConfigError: where no member is known.
    """
    return _Look(file, known_servers, waiting).run()


class _Look:
    def __init__(self, file: ConfigFile, known_servers: tuple[Member, ...], waiting: Waiting | None) -> None:
        self._config = file.refresh()
        self._seconds = self._config.responder.deadline
        self._port = responder_port(self._config)
        self._known = (*_configured(self._config), *known_servers)
        self._errands = Errands(self._seconds, waiting)
        self._reader = Reader(file)

    def run(self) -> ClusterView:
        self._reader.prepare()
        began = time.monotonic()
        self._errands.begin(_OWN, "the server of this host", self._reader.take_once)
        self._errands.begin(_KEEPERS, "Pacemaker", lambda: read_keepers(self._seconds))
        if self._is_here:
            self._errands.begin(_LOCAL, "the responder of this host", lambda: self._ask_responder(_LOOPBACK))
        # Who is known from the start is asked beside this node: a frozen one must not cost the others their time.
        default = self._config.database.port or DEFAULT_PORT
        for member in merge_members(self._known, (), default):
            self._begin(member)
        own = self._errands.wait(_OWN) or _unreadable(self._config, Unreadable(Code.HUNG, "no answer in time"))
        reading = self._own_reading(own)
        members, resolved = self._members(reading, default)
        if not members:
            raise ConfigError(
                "no members are known: set members in [cluster] of xha.conf; "
                f"this node says {own.verdict.code.value}, {own.verdict.message}"
            )
        ours = frozenset(member for member in members if _is_own(member, reading))
        if reading is not own.reading:
            # By a responder's word: any user of this host may have that port, and could speak for another member.
            ours = frozenset(member for member in ours if _are_own(resolved.get(member.host, (member.host,))))
        for member in members:
            self._begin(member, sql=member not in ours)
        return self._gather(members, own, ours, began)

    @property
    def _is_here(self) -> bool:
        """Whether the database that was asked for is this host's, so that its responder speaks for it."""
        host = self._config.database.host
        return host is None or host == "localhost" or host.startswith("127.") or host == "::1"

    def _begin(self, member: Member, *, sql: bool = True) -> None:
        if sql:
            self._errands.begin((Source.SQL, member), f"{member}", lambda: _read_sql(self._config, member))
        self._errands.begin((Source.RESPONDER, member.host), f"{member}", lambda: self._ask_responder(member.host))

    def _ask_responder(self, host: str) -> SourceAnswer:
        return ask_responder(host, self._port, self._seconds)

    def _own_reading(self, own: Snapshot) -> Reading | None:
        """Return what is known of this host's server: to this host, its responder tells the members' addresses, too."""
        if isinstance(own.reading, Reading):
            return own.reading
        local = self._errands.wait(_LOCAL)
        return local.reading if local is not None else None

    def _members(
        self, reading: Reading | None, default_port: int
    ) -> tuple[tuple[Member, ...], dict[str, tuple[str, ...]]]:
        """Return the members, and the addresses of the names that were known before."""
        known, port = self._known, self._config.database.port
        incoming: tuple[Member, ...] = ()
        if reading is not None:
            known = known or parse_cluster_address(reading.variables.wsrep_cluster_address or "")
            incoming = parse_incoming_addresses(reading.status.wsrep_incoming_addresses or "")
            port = port or reading.variables.port
        if not known and not incoming:
            known = self._keepers.members()
        resolved = resolve_hosts((one.host for one in known), _RESOLVE_SHARE * self._seconds)
        return merge_members(known, incoming, port or default_port, resolved)[:_MOST_MEMBERS], resolved

    @property
    def _keepers(self) -> Keepers:
        return self._errands.wait(_KEEPERS) or Keepers(cause="Pacemaker does not answer here in time")

    def _gather(self, members: tuple[Member, ...], own: Snapshot, ours: frozenset[Member], began: float) -> ClusterView:
        snapshots: dict[Member, Snapshot] = {}
        ages: dict[Member, float] = {}
        for member in members:
            key = _OWN if member in ours else (Source.SQL, member)
            found = own if key == _OWN else self._errands.wait(key)
            snapshots[member] = found or _unreachable(self._config, "no answer in time")
            ages[member] = self._errands.age(key) if self._errands.has(key) else self._seconds
        snapshots = _distinct(snapshots, own)
        hosts = [member.host for member in snapshots]
        keepers = self._keepers.answers(snapshots, _RESOLVE_SHARE * self._seconds)
        views = []
        for member, snapshot in snapshots.items():
            responder, keeper = self._responder(member, member in ours), keepers[member]
            if hosts.count(member.host) > 1:  # several servers of one host
                responder = absent_responder("several members are on its host, and a responder speaks for one", "")
                keeper = absent_keeper("several members are on its host, and its keeper speaks for one")
            sql = judge_sql(snapshot.reading, snapshot.verdict, ages[member], snapshot.warnings)
            views.append(MemberView(member, (sql, responder, keeper)))
        return ClusterView(tuple(views), find_disagreements(views), tuple(snapshots.values()), time.monotonic() - began)

    def _responder(self, member: Member, own: bool) -> SourceAnswer:
        """Return what a member's responder says. That of this host may listen on its loopback address only."""
        keys = [(Source.RESPONDER, member.host), *([_LOCAL] if own else [])]
        answer = absent_responder(f"no answer on port {self._port} in time", "")
        for key in keys:
            found = self._errands.wait(key)
            if found is not None:
                answer = found._replace(age=None if found.age is None else found.age + self._errands.age(key))
                if answer.code:
                    break
        return answer


def _distinct(snapshots: dict[Member, Snapshot], own: Snapshot) -> dict[Member, Snapshot]:
    """Return each node once, under the first of its names: `db1` of the configuration may be an incoming address.

    Only SQL tells: by the word of a responder, one member could hide another.
    """
    names: dict[tuple[str, Code], Member] = {}
    found: dict[Member, Snapshot] = {}
    for member, snapshot in snapshots.items():
        said = _identity(snapshot.reading)
        name = member if said is None else names.setdefault(said, member)
        if name == member or snapshot is own:
            found[name] = snapshot
    return found


def _identity(reading: Reading | Unreadable) -> tuple[str, Code] | None:
    """Return what two names of one server have in common, None where nothing tells.

    A server can claim a neighbour's UUID, too. So it hides nobody who says something else, by what every host sees.
    """
    uuid = reading.status.wsrep_gcomm_uuid if isinstance(reading, Reading) else None
    if not isinstance(reading, Reading) or not uuid or not uuid.strip("0-"):
        return None
    return uuid, judge(Reading(reading.status, reading.variables, reading.probe_errno), Policy()).code


def _configured(config: Config) -> tuple[Member, ...]:
    try:
        return tuple(parse_member(text) for text in config.members)
    except ValueError as error:
        raise ConfigError(f"[cluster] members: {error}") from None


def _is_own(member: Member, reading: Reading | None) -> bool:
    """Whether the member is the node that was read already, by the account that only this host has."""
    if reading is None:
        return False
    status, variables = reading.status, reading.variables
    # The order of the incoming addresses is that of the members' index.
    incoming = dict(enumerate((status.wsrep_incoming_addresses or "").split(",")))
    address = incoming.get(-1 if status.wsrep_local_index is None else status.wsrep_local_index, "")
    hosts = {variables.hostname, variables.wsrep_node_name}
    for text, parse in ((variables.wsrep_node_address, parse_member), (address, parse_incoming_member)):
        with contextlib.suppress(ValueError):
            hosts.add(parse(text or "").host)
    return member.host in hosts and (member.port is None or member.port == variables.port)


def _are_own(addresses: Iterable[str]) -> bool:
    """Return whether one of the addresses is this host's, by the kernel's own tables."""
    here = read_own_addresses()
    return any(address.startswith("127.") or address in here for address in addresses)


def _read_sql(config: Config, member: Member) -> Snapshot:
    snapshot = Reader(FixedConfig(config.of_member(member.host, member.port))).take_once()
    if isinstance(snapshot.reading, Unreadable) and snapshot.reading.code in _UNREACHABLE:
        return _unreachable(config, snapshot.reading.detail)
    return snapshot


def _unreachable(config: Config, detail: str) -> Snapshot:
    return _unreadable(config, Unreadable(Code.UNREACHABLE, detail))


def _unreadable(config: Config, reading: Unreadable) -> Snapshot:
    return Snapshot(reading, judge(reading, config.policy), config, time.time())
