"""The keepers of a model cluster: each is the real step; what it sees and what its effects come to is the model's.

Pacemaker's records (`Cib`) are shared by the hosts that are connected, and drift apart across a partition; the newest
wins when they meet. Reports travel late or not at all, and an old one stays until its host is heard again. A keeper may
be held between any two of its effects, and whatever may happen happens then: `pending`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from core.model.galera_world import CLUSTER, Disk, Galera, Lost, Node
from core.model.model_keeper import NOW, TICK, Agent, ModelKeeper, begins_primary
from xha.core.election.compose_report import close_record
from xha.core.election.facts import Grant, GrantKind, Host, Token
from xha.core.election.position_report import PositionReport, State
from xha.core.galera.lineage import Generation, History, StopRecord
from xha.core.galera.node_record import NodeRecord
from xha.core.galera.position import GraState, GvwState, Kind, Position
from xha.core.keeper import effects as acts

# After how many looks of a keeper whose server has ended Pacemaker's monitor has seen that.
MONITOR_LOOKS = 3


@dataclass
class Cib:
    """What Pacemaker keeps: records, grants, and how hosts left. version decides when two copies meet."""

    stops: dict[str, StopRecord] = field(default_factory=dict)
    line: tuple[Generation, ...] = ()
    token: Token | None = None
    cluster: str = ""
    left: dict[str, Host] = field(default_factory=dict)
    grants: list[Grant] = field(default_factory=list)
    version: int = 0

    def copy(self) -> Cib:
        return replace(self, stops=dict(self.stops), left=dict(self.left), grants=list(self.grants))


class World(Galera):
    """Galera, Pacemaker and the keepers together."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.agents = {name: Agent() for name in self.nodes}
        # Each host's attribute, as Pacemaker will hand it to whoever is connected.
        self.reports: dict[str, PositionReport] = {}
        self.cibs = {name: Cib() for name in self.nodes}
        self.two_node = size == 2
        self.forgotten: set[str] = set()
        # The servers of whose end Pacemaker was told.
        self.told: set[str] = set()
        # Who dies between writing down a Primary and beginning it; and whose keeper alone dies right behind that.
        self.doomed: set[str] = set()
        self.cut_short: set[str] = set()

    def found(self, node: Node) -> None:
        """Begin with a cluster that one node holds and all others join."""
        for one in self.nodes.values():
            one.disk = Disk(CLUSTER, ["c0"], NodeRecord(), GraState(CLUSTER, -1, False))
            self.start(one, State.STARTING)
        self.acknowledged.add("c0")
        for cib in self.cibs.values():
            cib.cluster = CLUSTER
        self.form(list(self.nodes.values()))
        for _ in range(2):
            for one in self.nodes.values():
                self.tick(one)

    # --- Pacemaker

    def cib(self, node: Node) -> Cib:
        return self.cibs[node.name]

    def write(self, node: Node) -> list[Cib]:
        """Return the copies that a change made on this host reaches."""
        reached = [self.cibs[peer.name] for peer in self.peers(node)]
        for cib in reached:
            cib.version += 1
        return reached

    def meet(self) -> None:
        """Connected hosts agree on the newest copy, and see each other online."""
        for node in self.nodes.values():
            peers = self.peers(node)
            if not peers:
                continue
            newest = max((self.cibs[peer.name] for peer in peers), key=lambda cib: cib.version)
            self.cibs[node.name] = newest.copy()
            for peer in peers:
                self.cibs[node.name].left.pop(peer.name, None)
            node.seen_all = node.seen_all or len(peers) == len(self.nodes)

    def host(self, node: Node, other: Node) -> Host:
        if self.connected(node, other):
            return Host.ONLINE
        return self.cib(node).left.get(other.name, Host.LOST)

    def quorate(self, node: Node) -> bool:
        if self.two_node:
            return node.seen_all
        return 2 * len(self.peers(node)) > len(self.nodes)

    # --- reports

    def deliver(self, node: Node, late: Iterable[str] = ()) -> None:
        """Hand a host's attribute to whoever is connected, but for those whom it reaches late."""
        report = self.reports.get(node.name)
        for peer in self.peers(node):
            known = self.agents[peer.name].known
            if report is None:
                known.pop(node.name, None)
            elif peer is node or peer.name not in late:
                known[node.name] = report

    def retract(self, node: Node) -> None:
        self.reports.pop(node.name, None)
        self.deliver(node)

    # --- the keeper

    def tick(self, node: Node, late: Iterable[str] = (), held: int | None = None) -> None:
        """Let a keeper look once and act; held: after how many effects something else happens first."""
        if not node.up or not node.wanted:
            return
        node.blind, node.slow = max(0, node.blind - 1), max(0, node.slow - 1)
        self.deliver(node, late)
        agent = self.agents[node.name]
        agent.halted = agent.halted + 1 if agent.memory.halted else 0
        if agent.halted and (agent.told or agent.halted > MONITOR_LOOKS):
            self.stop_after_crash(node)  # Pacemaker knows that the server ended, and starts the node again
        keeper = ModelKeeper(self, node, self.agents[node.name], late)
        keeper.agent.now += TICK
        keeper.go_on(held) if keeper.agent.pending else keeper.look_and_act(held)

    def commit(self, origin: Node, slow: Iterable[Node] = ()) -> None:
        """A first cluster is recorded before anybody writes to it: a known limit (docs/election.md)."""
        if self.is_seen(origin):
            super().commit(origin, slow)

    def is_seen(self, origin: Node) -> bool:
        for _ in range(3):  # a step may be held between two of its effects
            if not self.cib(origin).cluster:
                self.tick(origin)
        return origin.server is not None and origin.server.state is State.PRIMARY

    def is_about_to_form(self, node: Node) -> bool:
        """Return whether a keeper has decided to form a Primary, and has not begun yet."""
        agent = self.agents[node.name]
        launching = agent.memory.launching
        begun = launching is not None and begins_primary(launching.act)
        return begun or any(isinstance(one.act, acts.WriteGrastate) or begins_primary(one.act) for one in agent.pending)

    def kill(self, nodes: Iterable[Node], *, gap: bool = False, ddl: bool = False) -> None:
        """Another keeper looks after every second server that was killed, as where Pacemaker's monitor was quick."""
        nodes = [node for node in nodes if node.server]
        for node in nodes:
            self._look_before_the_end(node)
        noticed = [node for node in nodes if node.server and node.server.pid % 2]
        super().kill(nodes, gap=gap, ddl=ddl)
        for node in noticed:
            self.restart_agent(node)

    def _look_before_the_end(self, node: Node) -> None:
        """A server may end before its keeper has seen where it came to: a known limit (docs/election.md)."""
        if self.by_hand and node.server and node.server.state is State.PRIMARY:
            self.tick(node)

    def bootstrap_by_hand(self, node: Node) -> None:
        """A person forms a cluster with one node, and its keeper takes charge of that server."""
        self.bootstrap(node)
        self.restart_agent(node)
        node.wanted = True
        self.tick(node)

    def write_apart(self, node: Node) -> None:
        """The keeper sees the server, and does nothing of what it had in mind."""
        super().write_apart(node)
        self.restart_agent(node)

    # --- the operator

    def grant(self, node: Node, kind: GrantKind, subject: str) -> None:
        """Put the word of somebody who read the reports on this host into the records."""
        shown = ModelKeeper(self, node, self.agents[node.name]).digest()
        for cib in self.write(node):
            cib.grants.append(Grant(kind, subject, shown, NOW, "ann", "test"))
        self.tally.add("grant")

    def consume(self, node: Node, grants: list[Grant]) -> None:
        """Use grants up. What they gave away may be lost from now on, as far as nobody else holds it."""
        for cib in self.write(node):
            cib.grants = [one for one in cib.grants if one not in grants]
        for one in grants:
            subject = self.nodes[one.node]
            held = {name: set(each.disk.history) | each.disk.hidden for name, each in self.nodes.items()}
            if one.kind is GrantKind.BOOTSTRAP:
                kept = set() if subject.disk.discarded else set(subject.disk.history)
                self.excused |= set().union(*held.values()) - kept
            elif one.kind is GrantKind.DISCARD:
                others = set().union(*(set(each.disk.history) for each in self.nodes.values() if each is not node))
                self.excused |= set(node.disk.history) - others
            if one.kind is not GrantKind.BOOTSTRAP:
                given_up = {each.node for each in grants}
                self.excused |= held[one.node] - set().union(*(v for k, v in held.items() if k not in given_up))
                subject.disk.hidden = set()
                if not subject.up:
                    self.forgotten.add(one.node)

    # --- hosts

    def power_off(self, nodes: Iterable[Node], *, gap: bool = False) -> None:
        nodes = [node for node in nodes if node.up]
        running = [node for node in nodes if node.server]
        self.kill(running, gap=gap)
        for node in nodes:
            # What /run kept of a join that has just ended is gone: a known limit (docs/election.md).
            if node.joining and node.disk.record is None and not node.disk.torn:
                node.disk.record = node.joining
            node.up, node.joining, node.handed = False, None, None
            self.agents[node.name] = Agent()
            self.reports.pop(node.name, None)

    def power_on(self, node: Node) -> None:
        node.up, node.boot = True, node.boot + 1
        node.seen_all = not self.two_node
        self.agents[node.name] = Agent()
        self.meet()

    def clean_stop(self, node: Node) -> None:
        """Pacemaker's stop: the keeper ends, then the server, and what is recorded of it is where it stood last."""
        if node.server and node.server.evicted:
            self.kill([node])  # it does not heed SIGTERM
            self.release_token(node)
            return
        self._look_before_the_end(node)
        disk, view = node.disk, GvwState(*node.disk.gvwstate) if node.disk.gvwstate else None
        self.restart_agent(node)
        self.stop(node)
        intact = disk.grastate is not None and disk.grastate.uuid == disk.uuid and not disk.torn
        self.retract(node)
        self.release_token(node)
        if intact:
            assert disk.grastate
            disk.record = record = close_record(
                disk.record, node.joining, disk.grastate, view, transfer_begun=disk.torn
            )
            position = Position(disk.uuid, len(disk.history))
            for cib in self.write(node):
                cib.stops[node.name] = StopRecord(History(position, record.line), str(node.boot), record.view)

    def stop_after_crash(self, node: Node) -> None:
        """Pacemaker's stop where no server runs: what the keeper reported of where the data end is recorded."""
        report, agent = self.reports.get(node.name), self.agents[node.name]
        self.restart_agent(node)
        self.release_token(node)
        # The report of a keeper of before proves nothing, nor does one that this keeper does not go by any more.
        own = report is not None and report.keeper == agent.keeper and agent.memory.standing is not None
        if report and own and report.state is State.STOPPED and report.kind is Kind.INTACT and not report.inconsistent:
            for cib in self.write(node):
                cib.stops[node.name] = StopRecord(report.history, str(node.boot), report.view, clean=False)
            self.tally.add("stop after a crash")

    def release_token(self, node: Node) -> bool:
        token = self.cib(node).token
        if token is None or token.node != node.name:
            return False
        for cib in self.write(node):
            if cib.token and cib.token.node == node.name:
                cib.token = None
        return True

    def shut_down(self, node: Node) -> None:
        if node.server:
            self.clean_stop(node)
        for cib in self.write(node):
            cib.left[node.name] = Host.CLEAN_DOWN
        node.up, node.joining = False, None
        self.agents[node.name] = Agent()
        self.reports.pop(node.name, None)

    def fence(self, by: Node, victim: Node) -> None:
        self.power_off([victim])
        for cib in self.write(by):
            cib.left[victim.name] = Host.FENCED

    def move(self, islands: dict[str, int], *, gap: Iterable[Node] = ()) -> None:
        """Cut or heal the network. gap: who acknowledged a last commit while it was cut."""
        for node in self.nodes.values():
            node.island = islands[node.name]
        for node in gap:
            self._gap_of_cut(node)
        self.meet()
        self.settle()

    def _gap_of_cut(self, node: Node) -> None:
        for members in self.primaries().values():
            if (
                node in members
                and self.is_seen(node)
                and all(2 * len(side) <= len(members) for side in self._sides(members))
            ):
                node.apply()
                node.disk.history.append(self._acknowledge())
                self.tally.add("delivery gap")
                return

    def take_disk(self, node: Node) -> None:
        """Lose the data directory: perhaps it is only not mounted, so what it held still counts."""
        self.kill([node])
        hidden = node.disk.hidden | (set() if node.disk.torn else set(node.disk.history))
        node.disk = Disk(hidden=hidden)
        if not self.agents[node.name].is_recovering:  # another file system is mounted there, and its keeper lives on
            self.agents[node.name] = Agent()
        self.retract(node)
        self.tally.add("disk taken")

    def restart_agent(self, node: Node) -> None:
        """Another keeper takes over: it knows what reached its host, and nothing of what the one before had in mind."""
        if node.up:
            before = self.agents[node.name]
            self.agents[node.name] = Agent(before.known, now=before.now)

    def round(self) -> None:
        for node in self.nodes.values():
            node.apply()
            self.tick(node)
        self.finish_transfers()

    @property
    def settled(self) -> bool:
        servers = [node.server for node in self.nodes.values()]
        same = {(node.disk.uuid, tuple(node.disk.history), node.disk.line) for node in self.nodes.values()}
        return len(same) == 1 and all(server is not None and server.state is State.PRIMARY for server in servers)


__all__ = ["NOW", "Lost", "World"]
