"""A model of the world that `elect` decides about: hosts, disks, Pacemaker's records, and Galera's own rules.

A history is a list of commit ids and its seqno the length. Galera compares UUID and seqno alone, so the model shows
what a wrong decision costs: a second Primary, or an acknowledged commit that is gone. What Galera does by itself
(quorum, leaving, forming the last view again, IST and SST) is in `Galera`; its sources are in the functions' words.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field

from xha.core.election.position_report import State
from xha.core.galera.lineage import Generation
from xha.core.galera.node_record import NodeRecord
from xha.core.galera.position import NO_UUID, GraState, View
from xha.core.keeper.outcomes import Recovered

CLUSTER = "aaaaaaaa-0000-0000-0000-000000000000"


class Lost(AssertionError):
    """An invariant does not hold: two Primaries, or a commit that was acknowledged and is gone."""


@dataclass
class Disk:
    """What survives a crash.

    record: what its keeper wrote beside the data; a state transfer sweeps it away. discarded: a grant gave the data up.
    hidden: commits on a disk that was taken away, and perhaps only is not mounted. mixed: rows of two histories.
    strayed: rows that were written without the cluster, and that no position tells of. created: a database without rows
    was created. number: no other disk has it.
    """

    uuid: str = NO_UUID
    history: list[str] = field(default_factory=list)
    record: NodeRecord | None = None
    grastate: GraState | None = None
    gvwstate: tuple[str, View] | None = None
    torn: bool = False
    mixed: bool = False
    discarded: bool = False
    strayed: bool = False
    hidden: set[str] = field(default_factory=set)
    created: bool = False
    number: int = field(default_factory=itertools.count().__next__)

    @property
    def line(self) -> tuple[Generation, ...]:
        """The generations that its keeper wrote down."""
        return self.record.line if self.record else ()


@dataclass
class Server:
    """A running mysqld. queue: delivered and not applied; a kill loses it. argv: of one that a person started.

    evicted: the group has shut it out, and its storage is frozen. applies: its queue is on its disk once it has ended.
    """

    uuid: str
    pid: int
    state: State
    last_view: View | None = None
    component: View | None = None
    queue: list[str] = field(default_factory=list)
    paused: bool = False
    transferring: bool = False
    joining: bool = False
    argv: tuple[str, ...] = ()
    evicted: bool = False
    applies: bool = False


@dataclass
class Node:
    """A host.

    blind: for how many looks of its keeper a recovery fails. slow: for how many looks a child of its keeper runs on.
    joining: what its keeper keeps under /run of a join that is under way. handed: what a recovery has found out, and of
    which data.
    """

    name: str
    disk: Disk = field(default_factory=Disk)
    server: Server | None = None
    up: bool = True
    island: int = 0
    boot: int = 0
    seen_all: bool = True
    wanted: bool = True
    blind: int = 0
    slow: int = 0
    joining: NodeRecord | None = None
    handed: tuple[object, Recovered] | None = None

    @property
    def stamp(self) -> object:
        """What changes whenever something is written that a recovery goes by."""
        disk = self.disk
        kept = (disk.number, disk.uuid, tuple(disk.history), disk.record, disk.grastate, disk.gvwstate, disk.torn)
        return (*kept, disk.discarded, disk.strayed, disk.created, self.boot, self.joining)

    def apply(self) -> None:
        if self.server and not self.server.evicted:
            self.disk.history += self.server.queue
            self.server.queue.clear()

    def end_evicted(self) -> bool:
        """End an evicted server: what it has received and not applied is on its disk then, or is not."""
        if not self.server or not self.server.evicted:
            return False
        self.disk.history += self.server.queue if self.server.applies else []
        self.server = None
        return True


class Galera:
    """The servers, and what they do without anybody's command."""

    def __init__(self, size: int) -> None:
        self.nodes = {name: Node(name) for name in "ABCDEFGHI"[:size]}
        self.numbers = itertools.count(1)
        self.acknowledged: set[str] = set()
        # Given up by a grant; and left out by a Revive that said so, or by a person, so that they must only not be
        # overwritten.
        self.excused: set[str] = set()
        self.named: set[str] = set()
        self.tally: set[str] = set()
        # How often a person has bootstrapped a node: so many Primaries may live beside the one.
        self.by_hand = 0

    # --- what runs where

    def connected(self, one: Node, other: Node) -> bool:
        return one.up and other.up and one.island == other.island

    def peers(self, node: Node) -> list[Node]:
        return [other for other in self.nodes.values() if self.connected(node, other)]

    def running(self, *states: State) -> list[Node]:
        return [one for one in self.nodes.values() if one.server and one.server.state in states]

    def primaries(self) -> dict[str, list[Node]]:
        views: dict[str, list[Node]] = {}
        for node in self.running(State.PRIMARY):
            assert node.server
            assert node.server.last_view
            views.setdefault(node.server.last_view.id, []).append(node)
        return views

    def uuid(self) -> str:
        return f"{next(self.numbers):08x}-1111-0000-0000-000000000000"

    # --- life of a server

    def start(self, node: Node, state: State) -> None:
        """pc.recovery gives a server its old group UUID; every other start is a new one."""
        assert node.server is None
        assert node.up
        restored = node.disk.gvwstate if state is State.RESTORING else None
        uuid = restored[0] if restored else self.uuid()
        node.server = Server(uuid, next(self.numbers), state, restored[1] if restored else None)

    def stop(self, node: Node) -> None:
        """A clean leaver shrinks the component, so the rest stays Primary, and writes its seqno."""
        server = node.server
        assert server
        if node.end_evicted():
            return
        node.apply()
        if node.disk.grastate and node.disk.grastate.uuid != NO_UUID:
            node.disk.grastate = node.disk.grastate._replace(seqno=len(node.disk.history))
        node.disk.gvwstate, node.server = None, None
        if server.state is State.PRIMARY:
            assert server.last_view
            rest = self.primaries().get(server.last_view.id, [])
            if rest:
                self._install(rest)
        self.settle()

    def kill(self, nodes: Iterable[Node], *, gap: bool = False, ddl: bool = False) -> None:
        """End servers at once. gap: each victim acknowledged a last commit that nobody else delivered.

        Only a component that loses its Primary with them drops such a commit: survivors that stay Primary had
        received it, and deliver it.
        """
        nodes = [node for node in nodes if node.server]
        if gap:
            self._acknowledge_alone(nodes)
        for node in nodes:
            if ddl and node.server and node.server.state is State.PRIMARY:
                node.disk.grastate = GraState(NO_UUID, -1, False)
                self.tally.add("in doubt")
            node.end_evicted()
            node.server = None
        self.settle()

    def evict(self, node: Node, *, applies: bool) -> bool:
        """Shut a member out of its component, where the others stay Primary; its storage takes no writes meanwhile."""
        server = node.server
        assert server
        assert server.last_view
        rest = [one for one in self.primaries()[server.last_view.id] if one is not node and one.island == node.island]
        if 2 * len(rest) <= len(server.last_view.members) or server.transferring or server.paused:
            return False
        server.state, server.evicted, server.applies = State.NON_PRIMARY, True, applies
        self.settle()
        self.tally.add("evicted")
        return True

    def _acknowledge_alone(self, leaving: list[Node]) -> None:
        for members in list(self.primaries().values()):
            origin = next((node for node in members if node in leaving), None)
            rest = [node for node in members if node not in leaving]
            if origin and self.is_seen(origin) and all(2 * len(side) <= len(members) for side in self._sides(rest)):
                origin.apply()
                origin.disk.history.append(self._acknowledge())
                self.tally.add("delivery gap")

    def is_seen(self, origin: Node) -> bool:
        """Let its keeper record that there is a cluster, and return whether the node is in a Primary then."""
        raise NotImplementedError

    def _acknowledge(self) -> str:
        commit = f"c{next(self.numbers)}"
        self.acknowledged.add(commit)
        return commit

    def commit(self, origin: Node, slow: Iterable[Node] = ()) -> None:
        """One write set, delivered to all of the component; who is slow has not applied it yet."""
        assert origin.server
        assert origin.server.last_view
        commit = self._acknowledge()
        for node in self.primaries()[origin.server.last_view.id]:
            assert node.server
            node.server.queue.append(commit)
            if node is origin or node not in slow:
                node.apply()

    def pause(self, node: Node) -> None:
        """A donor, or FLUSH TABLES WITH READ LOCK: grastate.dat gets the seqno although the server runs on."""
        assert node.server
        node.apply()
        node.server.paused = not node.server.paused
        seqno = len(node.disk.history) if node.server.paused else -1
        if node.disk.grastate:
            node.disk.grastate = node.disk.grastate._replace(seqno=seqno)

    # --- what Galera does by itself

    def settle(self) -> None:
        for members in list(self.primaries().values()):
            self._split(members)
        for island in {node.island for node in self.nodes.values()}:
            while self._merge(
                [node for node in self.nodes.values() if node.island == island and self._is_inside(node)]
            ):
                pass
        if len(self.primaries()) > 1 + self.by_hand:
            raise Lost(f"two Primaries: {[[node.name for node in one] for one in self.primaries().values()]}")

    @staticmethod
    def _is_inside(node: Node) -> bool:
        return node.server is not None and not node.server.evicted

    def _sides(self, nodes: list[Node]) -> list[list[Node]]:
        islands = sorted({node.island for node in nodes})
        return [[node for node in nodes if node.island == island] for island in islands]

    def _split(self, members: list[Node]) -> None:
        assert members[0].server
        view = members[0].server.last_view
        assert view
        for side in self._sides(members):
            if 2 * len(side) <= len(view.members):
                for node in side:
                    assert node.server
                    node.server.state = State.NON_PRIMARY
            elif len(side) < len(view.members):
                self._install(side)

    def _merge(self, running: list[Node]) -> bool:
        """Let one thing happen among connected servers; False if there was nothing."""
        primary = [node for node in running if node.server and node.server.state is State.PRIMARY]
        outside = [node for node in running if node not in primary]
        if outside:
            primary = self._end_the_newer(primary)
        if primary and outside:
            waiting = [node for node in outside if node.server and not node.server.transferring]
            if waiting:
                self._transfer(waiting[0], primary)
            return bool(waiting)
        if outside and not primary:
            return self._form_again(outside)
        return False

    @staticmethod
    def _end_the_newer(primary: list[Node]) -> list[Node]:
        """Whoever is connected to two Primaries shows each to the other: the newer ends (pc_proto.cpp, "overrides")."""
        views = {node.server.last_view for node in primary if node.server and node.server.last_view}
        oldest = min(views, key=lambda view: int(view.id.split()[1]), default=None)
        ended = [node for node in primary if node.server and node.server.last_view != oldest]
        for node in ended:
            node.server = None
        return [node for node in primary if node not in ended]

    def _form_again(self, outside: list[Node]) -> bool:
        """All members of the newest last view together are Primary again (pc_proto.cpp); else one dead component."""
        uuids = {node.server.uuid for node in outside if node.server}
        views = [node.server.last_view for node in outside if node.server and node.server.last_view]
        newest = max(views, key=lambda view: int(view.id.split()[1]), default=None)
        if newest and set(newest.members) <= uuids:
            inside = [node for node in outside if node.server and node.server.uuid in newest.members]
            self._equalise(inside, inside)
            restored = any(node.server and node.server.state is State.RESTORING for node in inside)
            self._install(inside)
            if restored:
                self.tally.add("view restored")
                self.nothing_forgotten(inside)
            return True
        members = tuple(sorted(uuids))
        for node in outside:
            assert node.server
            if node.server.component is None or node.server.component.members != members:
                component = View(f"view {next(self.numbers)}", members)
                for each in outside:
                    assert each.server
                    each.server.component = component
        return False

    def _equalise(self, nodes: list[Node], sources: list[Node]) -> None:
        for node in sources:
            node.apply()
        best = max(sources, key=lambda node: len(node.disk.history)).disk
        for node in nodes:
            self._same_so_far(node, best)
            node.disk.history += best.history[len(node.disk.history) :]

    def _transfer(self, joiner: Node, primary: list[Node]) -> None:
        """IST by seqno alone where the UUIDs are equal; an abort where the joiner is ahead; otherwise SST."""
        assert joiner.server
        for node in primary:
            node.apply()
        donor = max(primary, key=lambda node: len(node.disk.history)).disk
        disk = joiner.disk
        same = disk.grastate is not None and disk.grastate.uuid == donor.uuid == disk.uuid and not disk.discarded
        joiner.apply()
        if self.by_hand and joiner.server.state is not State.STARTING:
            # A server that lives without a Primary joins the one that a person formed: no agent can keep it from that.
            self.excused |= set(disk.history) - set(donor.history)
            disk.history = list(donor.history) if same else disk.history
        if same and len(disk.history) > len(donor.history):
            joiner.server = None
            return
        if same:
            if disk.strayed:
                raise Lost(f"{joiner.name} joined by IST with rows that it wrote without the cluster")
            if joiner.server.joining and self.by_hand:
                # One of two Primaries ended as the joiner showed it to the other: it comes to the one that is left.
                disk.mixed = disk.mixed or disk.history != donor.history[: len(disk.history)]
            else:
                self._same_so_far(joiner, donor)
            disk.history = list(donor.history)
            self._install([*primary, joiner])
            return
        # A crash may come now, and leaves the donor's position in a copy that is not complete.
        self._not_lost(joiner, donor)
        disk.torn, disk.uuid, disk.grastate = True, donor.uuid, GraState(NO_UUID, -1, False)
        disk.history = ["torn", *donor.history[1:]]
        disk.record = None
        joiner.server.state, joiner.server.transferring = State.STARTING, True
        self.tally.add("state transfer")

    def finish_transfers(self) -> None:
        for joiner in self.running(State.STARTING):
            primary = [node for node in self.running(State.PRIMARY) if node.island == joiner.island]
            if not joiner.server or not joiner.server.transferring:
                continue
            if not primary:
                joiner.server = None  # nobody sends any more: it ends itself
                continue
            donor, disk = primary[0], joiner.disk
            donor.apply()
            disk.uuid, disk.torn, disk.discarded, disk.mixed = donor.disk.uuid, False, False, False
            disk.history = list(donor.disk.history)
            disk.strayed = False
            joiner.server.transferring = False
            self._install([*primary, joiner])
        self.settle()

    def _install(self, members: list[Node]) -> None:
        """A Primary view is written to gvwstate.dat on every member, and says whether it is the only one."""
        view = View(f"view {next(self.numbers)}", tuple(sorted(node.server.uuid for node in members if node.server)))
        for node in members:
            assert node.server
            node.server.state, node.server.last_view, node.server.component = State.PRIMARY, view, view
            node.disk.gvwstate = (node.server.uuid, view)
            seqno = len(node.disk.history) if node.server.paused else -1
            node.disk.grastate = GraState(node.disk.uuid, seqno, len(members) == 1)

    def form(self, members: list[Node]) -> None:
        """--wsrep-new-cluster with one member, pc.bootstrap with a live component."""
        self._equalise(members, members)
        self._install(members)
        self.settle()

    def bootstrap(self, node: Node) -> int:
        """galera_new_cluster, whoever else runs, and the view's own write set; return where it began."""
        origin = len(node.disk.history)
        position = f"{node.disk.uuid}:{origin}"
        node.disk.gvwstate = None
        self.by_hand += 1
        self.start(node, State.STARTING)
        assert node.server
        node.server.argv = ("mysqld", "--wsrep-new-cluster", f"--wsrep_start_position={position}")
        self._install([node])
        held = set().union(*({*one.disk.history, *one.disk.hidden} for one in self.nodes.values()))
        self.named |= (held & self.acknowledged) - set(node.disk.history)
        node.disk.history.append(f"v{next(self.numbers)}")
        self.tally.add("by hand")
        return origin

    def write_apart(self, node: Node) -> None:
        """A server without Galera takes writes; its agent sees it, and has the next join be a full copy."""
        assert node.server is None
        node.disk.strayed = True
        node.disk.record = (node.disk.record or NodeRecord())._replace(inconsistent=True, clean_stop=None)
        node.disk.grastate = GraState(NO_UUID, -1, False)
        self.tally.add("ran apart")

    # --- what must never be

    def _same_so_far(self, joiner: Node, donor: Disk) -> None:
        if joiner.disk.history != donor.history[: len(joiner.disk.history)]:
            raise Lost(f"{joiner.name} joined by IST with other rows: {joiner.disk.history} and {donor.history}")

    def _not_lost(self, joiner: Node, donor: Disk) -> None:
        lost = (set(joiner.disk.history) & self.acknowledged) - set(donor.history) - self.excused
        if lost and not joiner.disk.torn and not joiner.disk.discarded:
            raise Lost(f"a state transfer overwrote {sorted(lost)} on {joiner.name}")

    def nothing_forgotten(self, members: list[Node], unread: Iterable[str] = ()) -> None:
        """What a new Primary lacks must be on nobody else's disk, but on those that it named as unread."""
        kept = set(members[0].disk.history)
        for node in self.nodes.values():
            held = node.disk.hidden | (set() if node.disk.torn else set(node.disk.history))
            lost = (held & self.acknowledged) - kept - self.excused - self.named
            if lost and node.name not in unread:
                raise Lost(f"{[one.name for one in members]} formed a Primary without {sorted(lost)} of {node.name}")
            self.named |= lost
