"""The agents of a model cluster: what each can see, and how it acts on what `elect` decides.

Pacemaker's records (`Cib`) are shared by the hosts that are connected, and drift apart across a partition; the newest
wins when they meet. Reports travel late or not at all, and an old one stays until its host is heard again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from core.galera_world import CLUSTER, Disk, Galera, Lost, Node
from xha.core.election import rules as election
from xha.core.election.compose_report import Facts, compose_ballot
from xha.core.election.decision import Bootstrap, Decision, Join, Refuse, RestoreView, Revive, Step, Wait
from xha.core.election.facts import Around, Grant, GrantKind, Host, Records, Token, count
from xha.core.election.position_report import Ballot, State, digest
from xha.core.galera import position as positions
from xha.core.galera.lineage import Generation, History, Order, StopRecord, agree, begin_by_hand, compare, find_line
from xha.core.galera.position import GraState, Kind, Position

PATIENCE = 5
NOW = 1000.0


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


@dataclass
class Agent:
    """One host's starter. known: the reports that reached it; plan: token, form (the last decision), or restore."""

    epoch: str = ""
    known: dict[str, Ballot] = field(default_factory=dict)
    plan: str = ""
    shown: str = ""
    patience: int = 0
    announced: State | None = None
    came_with: History | None = None
    last: Decision | None = None


class World(Galera):
    """Galera, Pacemaker and the agents together."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.agents = {name: Agent(self.uuid()) for name in self.nodes}
        self.cibs = {name: Cib() for name in self.nodes}
        self.two_node = size == 2
        self.forgotten: set[str] = set()
        self.doomed: set[str] = set()

    def found(self, node: Node) -> None:
        """Begin with a cluster that one node holds and all others join."""
        for one in self.nodes.values():
            one.disk = Disk(CLUSTER, ["c0"], (), GraState(CLUSTER, -1, False))
            self.start(one, State.STARTING)
        self.acknowledged.add("c0")
        for cib in self.cibs.values():
            cib.cluster = CLUSTER
        self.form(list(self.nodes.values()))

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

    def ballot(self, node: Node) -> Ballot:
        disk, server = node.disk, node.server
        if server is None and node.blind and not disk.discarded:
            return self._blind_ballot(node)
        if server is None or server.state is State.NON_PRIMARY:
            node.apply()
        if server is None:
            stop = self.cib(node).stops.get(node.name)
            standing = positions.classify(
                disk.grastate,
                Position(disk.uuid, len(disk.history)) if disk.history else Position(),
                user_schemas=bool(disk.history),
                clean_stop=stop.history.position if stop else None,
                transfer_begun=disk.torn,
                discarded=disk.discarded,
            )
        elif disk.torn:
            standing = positions.Standing(Kind.EMPTY)
        else:
            standing = positions.Standing(Kind.INTACT, Position(disk.uuid, len(disk.history)))
        view = server.last_view if server and server.last_view else disk.last_view[1] if disk.last_view else None
        own = server.uuid if server else disk.last_view[0] if disk.last_view else ""
        token = self.cib(node).token
        epochs = [self.agents[peer.name].epoch for peer in self.peers(node)]
        if token and token.node == node.name and not self.agents[node.name].plan:
            epochs.append(token.epoch)
        return Ballot(
            node=node.name,
            state=server.state if server else self.agents[node.name].announced or State.STOPPED,
            kind=standing.kind,
            position=standing.position,
            line=disk.line,
            safe_to_bootstrap=bool(disk.grastate and disk.grastate.safe_to_bootstrap),
            inconsistent=disk.inconsistent,
            superseded=disk.torn or disk.discarded,
            own_uuid=own,
            view=view,
            view_seqno=disk.view_seqno,
            restorable=disk.gvwstate is not None,
            component=server.component if server else None,
            boot_id=str(node.boot),
            members=tuple(self.nodes),
            epochs=tuple(epochs),
        )

    def _blind_ballot(self, node: Node) -> Ballot:
        """A report of nothing but a trouble. It answers nobody."""
        facts = Facts(State.STOPPED, standing=positions.Standing(Kind.UNKNOWN, cause="its recovery fails"))
        answers = tuple(self.agents[peer.name].epoch for peer in self.peers(node))
        opens = self.agents[node.name].epoch
        return compose_ballot(node.name, facts, epochs=answers, opens=opens, members=tuple(self.nodes))

    def publish(self, node: Node, late: Iterable[str] = ()) -> None:
        """Report to whoever is connected, but for those whom it reaches late. A holder of the token answers nobody."""
        ballot = self.ballot(node)
        for peer in self.peers(node):
            if peer is node or (peer.name not in late and self.agents[node.name].plan != "token"):
                self.agents[peer.name].known[node.name] = ballot

    def retract(self, node: Node) -> None:
        for peer in self.peers(node):
            self.agents[peer.name].known.pop(node.name, None)

    # --- the starter

    def around(self, node: Node) -> Around:
        server = node.server
        hosts = {name: self.host(node, other) for name, other in self.nodes.items()}
        overdue = server is not None and server.age > PATIENCE and not server.transferring
        return Around(self.agents[node.name].epoch, NOW, self.quorate(node), self.two_node, hosts, overdue=overdue)

    def records(self, node: Node) -> Records:
        cib = self.cib(node)
        return Records(dict(cib.stops), cib.line, cib.token, cib.cluster)

    def decide(self, node: Node) -> Decision:
        agent = self.agents[node.name]
        return election.elect(
            node.name, agent.known, tuple(self.nodes), self.records(node), self.cib(node).grants, self.around(node)
        )

    def digest(self, node: Node) -> str:
        agent = self.agents[node.name]
        facts = self.records(node), self.cib(node).grants, self.around(node)
        return digest(count(node.name, agent.known, tuple(self.nodes), *facts).fresh.values())

    def unanswered(self, node: Node) -> list[str]:
        """Whom this node can reach, and who has not answered its epoch."""
        agent = self.agents[node.name]
        known = [name for name, one in agent.known.items() if agent.epoch in one.epochs]
        return [peer.name for peer in self.peers(node) if peer is not node and peer.name not in known]

    def tick(self, node: Node, late: Iterable[str] = ()) -> None:
        """Let a starter look and act once; a monitor notes how far the server is in its view."""
        if not node.up or not node.wanted:
            return
        agent = self.agents[node.name]
        node.blind = max(0, node.blind - 1)
        if node.server and node.server.state is State.PRIMARY:
            self._settle_in(node)
        if node.server and node.server.state is State.PRIMARY and not node.server.queue:
            node.disk.view_seqno = len(node.disk.history)
        if node.server and node.server.state in (State.STARTING, State.RESTORING):
            node.server.age += 1
        token = self.cib(node).token
        waits = node.server is None or node.server.state is not State.STARTING
        if token and token.node == node.name and not agent.plan and waits:
            self._drop_token(node)  # of an earlier life
        if agent.plan == "restore":
            return self._restore(node)
        if agent.plan == "form":
            agent.plan = ""
            lives = node.server is not None and node.server.state is State.NON_PRIMARY
            stands = lives if isinstance(agent.last, Revive) else node.server is None
            if stands and self._holds_token(node):
                assert isinstance(agent.last, (Bootstrap, Revive))
                self._form(node, agent.last)
            return
        self.publish(node, late)
        decision = agent.last = self.decide(node)
        if agent.plan == "token":
            return self._use_token(node, decision)
        return self._act(node, decision)

    def kill(self, nodes: Iterable[Node], *, gap: bool = False, ddl: bool = False) -> None:
        """A new starter looks after a server that was killed: it opens an epoch of its own."""
        nodes = [node for node in nodes if node.server]
        for node in nodes:
            # It could also end before its starter has looked at where it came to: a known limit (docs/election.md).
            if self.by_hand and node.server and node.server.state is State.PRIMARY:
                self._settle_in(node)
        super().kill(nodes, gap=gap, ddl=ddl)
        for node in nodes:
            self.restart_agent(node)

    def _act(self, node: Node, decision: Decision) -> None:
        agent = self.agents[node.name]
        if isinstance(decision, (Bootstrap, Revive)):
            shown = self.digest(node)
            agent.epoch, agent.plan, agent.shown, agent.patience = self.uuid(), "token", shown, 0
            for cib in self.write(node):
                cib.token = Token(node.name, agent.epoch, shown)
        elif isinstance(decision, RestoreView) and node.server is None:
            agent.plan, agent.announced = "restore", State.RESTORING
            self.publish(node)
        elif isinstance(decision, Join) and node.server is None:
            intact = self.ballot(node).kind is Kind.INTACT
            held = Position(node.disk.uuid, len(node.disk.history)) if intact else Position()
            agent.came_with = History(held, node.disk.line)
            self.retract(node)
            node.disk.gvwstate, node.disk.line = None, decision.line
            self._launch(node, State.STARTING, joining=True)
        elif isinstance(decision, (Wait, Refuse)):
            self._step(node, decision.first)

    def _step(self, node: Node, first: Step | None) -> None:
        if first is Step.STOP and node.server:
            self.stop(node)
        elif first is Step.SET_VIEW_ASIDE:
            node.disk.gvwstate = None
        elif first is Step.DISCARD:
            self._consume(node, [one for one in self.cib(node).grants if one.kind is GrantKind.DISCARD])
            others = set().union(*(set(one.disk.history) for one in self.nodes.values() if one is not node))
            self.excused |= set(node.disk.history) - others
            if node.server:
                self.stop(node)
            node.disk.discarded = True
            for one in self.agents[node.name].known.values():
                if one.state is State.PRIMARY and one.node != node.name:
                    for cib in self.write(node):
                        cib.line, cib.cluster = one.line, one.position.uuid

    def bootstrap_by_hand(self, node: Node) -> None:
        """A person forms a cluster with one node, and its starter takes charge of that server."""
        line, origin = node.disk.line, self.bootstrap(node)
        node.disk.line = begin_by_hand(node.name, line, origin, self.uuid())
        for cib in self.write(node):
            cib.stops.pop(node.name, None)
        self._record(node)
        self.restart_agent(node)

    def write_apart(self, node: Node) -> None:
        """The starter sees the server, and does nothing of what it had in mind."""
        super().write_apart(node)
        self.restart_agent(node)

    def _launch(self, node: Node, state: State, *, joining: bool = False) -> None:
        for cib in self.write(node):
            cib.stops.pop(node.name, None)
        self.start(node, state)
        assert node.server
        node.server.joining = joining
        self.settle()

    def _restore(self, node: Node) -> None:
        """The report says so already: nobody relies on the old one any more, but for a holder of the token."""
        agent = self.agents[node.name]
        agent.plan, agent.announced = "", None
        token = self.cib(node).token
        if token is None or token.node == node.name or node.disk.gvwstate is None:
            self._launch(node, State.RESTORING if node.disk.gvwstate else State.STARTING)

    def _use_token(self, node: Node, decision: Decision) -> None:
        """Everybody has answered again since the token was taken: the same facts, or it is given back."""
        agent, mine = self.agents[node.name], self._holds_token(node)
        same = isinstance(decision, (Bootstrap, Revive)) and self.digest(node) == agent.shown
        if mine and same:
            agent.plan = "form"  # what was asked is true, and something may happen before it is acted upon
            return
        agent.patience += 1
        if not mine or agent.patience > PATIENCE or not self.unanswered(node):
            agent.plan = ""
            self._drop_token(node)

    def _holds_token(self, node: Node) -> bool:
        token = self.cib(node).token
        return token is not None and (token.node, token.epoch) == (node.name, self.agents[node.name].epoch)

    def _drop_token(self, node: Node) -> None:
        for cib in self.write(node):
            if cib.token and cib.token.node == node.name:
                cib.token = None

    def _form(self, node: Node, decision: Bootstrap | Revive) -> None:
        self.retract(node)
        self._consume(node, list(decision.grants))
        node.disk.line = decision.founding.line(self.uuid())
        if isinstance(decision, Revive) or decision.position.real:
            self._record(node)
        if node.name in self.doomed:
            # It dies between writing down what it begins and beginning it.
            self.doomed.discard(node.name)
            self.tally.add("died forming")
            self.agents[node.name] = Agent(self.uuid())
            return self.kill([node])
        unread: tuple[str, ...] = ()
        if isinstance(decision, Bootstrap):
            if node.disk.strayed and not decision.grants:
                raise Lost(f"{node.name} formed a Primary with rows that it wrote without the cluster")
            uuid = decision.position.uuid if decision.position.real else f"ffff{self.uuid()[4:]}"
            if node.disk.uuid != uuid:
                self.tally.add("new history")
            node.disk.uuid, node.disk.gvwstate, node.disk.torn = uuid, None, False
            node.disk.grastate = GraState(uuid, decision.position.seqno, True)
            node.disk.strayed = node.disk.inconsistent = False
            if node.disk.discarded or not node.disk.history:
                node.disk.history, node.disk.discarded = [f"new {uuid}"], False
            self._launch(node, State.STARTING)
            members = [node]
            self._record(node)
            self.tally.add("bootstrap")
        else:
            unread = decision.may_miss
            members = [one for one in self.running(State.NON_PRIMARY, State.RESTORING) if one.island == node.island]
            self.tally.add("revive")
        self.form(members)
        self.nothing_forgotten(members, unread)
        self.agents[node.name].plan = ""
        self._drop_token(node)

    def _record(self, node: Node) -> None:
        for cib in self.write(node):
            cib.line, cib.cluster = node.disk.line, node.disk.uuid

    def _settle_in(self, node: Node) -> None:
        """Learn the line of the component that the server is in; leave one that it did not set out for."""
        server = node.server
        assert server
        beside = [one for one in self.running(State.PRIMARY) if one is not node and self.connected(node, one)]
        together = [one.disk.line for one in beside if one.server and one.server.last_view == server.last_view]
        line = find_line(node.disk.line, together)
        if line is None and server.joining:
            if not self._lies_behind(node, together[0]):
                self.tally.add("strangers left")
                self.stop(node)
                node.disk.discarded = True
                return
            line = together[0]
        server.joining = server.joining and not together
        line = node.disk.line if line is None else line
        node.disk.line = agree(line) if len(together) == len(self.nodes) - 1 else line

    def _lies_behind(self, node: Node, line: tuple[Generation, ...]) -> bool:
        came_with = self.agents[node.name].came_with
        if came_with is None:
            return False
        here = History(Position(node.disk.uuid, len(node.disk.history)), line)
        return not came_with.position.real or compare(came_with, here) in (Order.EQUAL, Order.BEHIND)

    # --- the operator

    def grant(self, node: Node, kind: GrantKind, subject: str) -> None:
        """Put the word of somebody who read the reports on this host into the records."""
        for cib in self.write(node):
            cib.grants.append(Grant(kind, subject, self.digest(node), NOW, "ann", "test"))
        self.tally.add("grant")

    def _consume(self, node: Node, grants: list[Grant]) -> None:
        """Use grants up. What they gave away may be lost from now on, as far as nobody else holds it."""
        for cib in self.write(node):
            cib.grants = [one for one in cib.grants if one not in grants]
        for one in grants:
            subject = self.nodes[one.node]
            held = {name: set(each.disk.history) | each.disk.hidden for name, each in self.nodes.items()}
            if one.kind is GrantKind.BOOTSTRAP:
                kept = set() if subject.disk.discarded else set(subject.disk.history)
                self.excused |= set().union(*held.values()) - kept
            else:
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
            node.up = False
            self.agents[node.name] = Agent()

    def power_on(self, node: Node) -> None:
        node.up, node.boot = True, node.boot + 1
        node.seen_all = not self.two_node
        self.agents[node.name] = Agent(self.uuid())
        self.meet()

    def clean_stop(self, node: Node) -> None:
        primary = node.server is not None and node.server.state is State.PRIMARY
        self.stop(node)
        disk = node.disk
        disk.view_seqno = len(disk.history) if primary else disk.view_seqno
        intact = disk.grastate is not None and disk.grastate.uuid == disk.uuid and not disk.torn
        self.retract(node)
        if intact:
            history = History(Position(disk.uuid, len(disk.history)), disk.line)
            record = StopRecord(history, str(node.boot), disk.last_view[1] if disk.last_view else None)
            for cib in self.write(node):
                cib.stops[node.name] = record

    def shut_down(self, node: Node) -> None:
        if node.server:
            self.clean_stop(node)
        for cib in self.write(node):
            cib.left[node.name] = Host.CLEAN_DOWN
        node.up = False
        self.agents[node.name] = Agent()

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
            if node in members and all(2 * len(side) <= len(members) for side in self._sides(members)):
                node.apply()
                node.disk.history.append(self._acknowledge())
                self.tally.add("delivery gap")
                return

    def take_disk(self, node: Node) -> None:
        """Lose the data directory: perhaps it is only not mounted, so what it held still counts."""
        self.kill([node])
        hidden = node.disk.hidden | (set() if node.disk.torn else set(node.disk.history))
        node.disk = Disk(hidden=hidden)
        self.agents[node.name] = Agent(self.uuid())
        self.retract(node)
        self.tally.add("disk taken")

    def restart_agent(self, node: Node) -> None:
        if node.up:
            self.agents[node.name] = Agent(self.uuid(), self.agents[node.name].known)

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
