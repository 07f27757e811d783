"""`elect` against a model of Galera, Pacemaker and everything that goes wrong around them.

Each node's decision is taken from what that node can see, and acted upon with the token. Whatever the order of
crashes, cuts, late reports, lost disks and grants: there is never a second Primary, no acknowledged commit is
forgotten or overwritten without a person's word, and once everyone is back the cluster forms again.
"""

from __future__ import annotations

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from core.model.cluster_world import Lost, World
from core.model.galera_world import Node
from properties import share
from xha.core.election.decision import Refuse, Wait
from xha.core.election.facts import GrantKind, Host
from xha.core.election.position_report import State
from xha.core.galera.lineage import find_line
from xha.core.galera.position import NO_UUID

# How long everybody has, for each node: a grant gives up the data of one, and is void once the reports change.
ROUNDS = 50
# How long nobody needs to help where nothing asks for it: a recovery that fails for eight rounds, two starts that come
# to nothing in their time, and a third.
PATIENT_ROUNDS = 33
# What a person has to decide, or may have to: everything else mends itself.
TROUBLE = {"in doubt", "disk taken", "grant", "new history", "by hand", "ran apart"}

WHO = st.integers(0, 2)
SOME = st.sets(st.integers(0, 2), max_size=3)


class ElectionModel(RuleBasedStateMachine):
    """One cluster and its misfortunes."""

    world: World

    @initialize(size=st.sampled_from([2, 3]), born=st.booleans())
    def begin(self, size: int, born: bool) -> None:
        self.world = World(size)
        if born:
            self.world.found(self.node(0))

    def node(self, index: int) -> Node:
        nodes = list(self.world.nodes.values())
        return nodes[index % len(nodes)]

    def some(self, indexes: set[int]) -> list[Node]:
        return list({self.node(index).name: self.node(index) for index in sorted(indexes)}.values())

    @rule(who=WHO, slow=SOME)
    def commit(self, who: int, slow: set[int]) -> None:
        node = self.node(who)
        if node.server and node.server.state is State.PRIMARY:
            self.world.commit(node, self.some(slow))

    @rule(who=SOME, gap=st.booleans(), ddl=st.booleans())
    def kill(self, who: set[int], gap: bool, ddl: bool) -> None:
        self.world.kill(self.some(who), gap=gap, ddl=ddl)

    @rule(who=SOME, gap=st.booleans())
    def power_off(self, who: set[int], gap: bool) -> None:
        self.world.power_off(self.some(who), gap=gap)

    @rule(who=WHO)
    def power_on(self, who: int) -> None:
        node = self.node(who)
        if not node.up and (node.name not in self.world.forgotten or self.may_return()):
            self.world.power_on(node)

    @rule(who=WHO)
    def stop(self, who: int) -> None:
        node = self.node(who)
        if node.up and node.server:
            self.world.clean_stop(node)
            node.wanted = False
        elif node.up and node.wanted:
            self.world.stop_after_crash(node)
            node.wanted = False

    @rule(who=WHO)
    def bootstrap_by_hand(self, who: int) -> None:
        """Somebody forms a cluster with one node, without asking who else is there.

        Servers that live without a Primary would join it by themselves, and no agent could keep them from it; nor could
        one that has looked for the last time, and forms a Primary of its own in the same moment.
        """
        node = self.node(who)
        saved = node.disk.grastate
        alone = not self.world.running(State.NON_PRIMARY, State.RESTORING)
        alone = alone and not any(one.pending or one.memory.launching for one in self.world.agents.values())
        whole = saved is not None and saved.uuid == node.disk.uuid != NO_UUID and not node.disk.discarded
        if node.up and not node.server and whole and alone:
            self.world.bootstrap_by_hand(node)

    @rule(who=WHO)
    def start(self, who: int) -> None:
        self.node(who).wanted = True

    @rule(who=WHO)
    def shut_down(self, who: int) -> None:
        if self.node(who).up:
            self.world.shut_down(self.node(who))

    @rule(by=WHO, victim=WHO)
    def fence(self, by: int, victim: int) -> None:
        one, other = self.node(by), self.node(victim)
        if one.up and self.world.quorate(one) and self.world.host(one, other) is Host.LOST:
            self.world.fence(one, other)

    @rule(islands=st.tuples(*[st.integers(0, 2)] * 3), gap=SOME)
    def cut(self, islands: tuple[int, ...], gap: set[int]) -> None:
        # Whoever was given up as gone must not come back behind a cut: the grant says so to the operator.
        if not self.world.forgotten:
            self.world.move(dict(zip(self.world.nodes, islands)), gap=self.some(gap)[:1])

    @rule()
    def heal(self) -> None:
        self.world.move(dict.fromkeys(self.world.nodes, 0))

    @rule(who=WHO)
    def pause(self, who: int) -> None:
        node = self.node(who)
        if node.server and node.server.state is State.PRIMARY:
            self.world.pause(node)

    @rule(who=WHO, origin=WHO, writes=st.integers(0, 2), looks=st.integers(0, 12), applies=st.booleans(), slow=SOME)
    def evict(self, who: int, origin: int, writes: int, looks: int, applies: bool, slow: set[int]) -> None:  # noqa: PLR0913, PLR0917
        """A node whose storage is frozen is evicted; it is restarted once that takes writes."""
        node = self.node(who)
        if node.server and node.server.state is State.PRIMARY:
            for _ in range(writes):
                self.commit(origin, {who, *slow})
            if node.server and node.server.state is State.PRIMARY and self.world.evict(node, applies=applies):
                node.slow = looks

    @rule(who=WHO)
    def take_disk(self, who: int) -> None:
        self.world.take_disk(self.node(who))

    @rule(who=WHO, looks=st.integers(1, 12))
    def blind(self, who: int, looks: int) -> None:
        """The server's recovery fails for a while: memory, permissions, a key file."""
        self.node(who).blind = looks

    @rule(who=WHO, looks=st.integers(1, 6))
    def slow(self, who: int, looks: int) -> None:
        """A recovery, a creation or a stop takes long."""
        self.node(who).slow = looks

    @rule(who=WHO)
    def write_apart(self, who: int) -> None:
        """Somebody runs a server without Galera."""
        node = self.node(who)
        saved = node.disk.grastate
        if node.up and not node.server and saved and node.disk.history and not (node.disk.torn or node.disk.discarded):
            self.world.write_apart(node)

    @rule(who=WHO)
    def lose_starter(self, who: int) -> None:
        self.world.restart_agent(self.node(who))

    @rule(who=WHO)
    def doom(self, who: int) -> None:
        self.world.doomed.add(self.node(who).name)

    @rule(last=WHO)
    def hang(self, last: int) -> None:
        """A keeper hangs as it is about to form a Primary; somebody gives its node up, and it wakes behind that."""
        self.leave_one_by_one(last, pause=False, clean=(True,) * max(3, len(self.world.nodes)))
        for node in [*self.world.nodes.values()] * 6:
            self.world.tick(node)
            if node.up and not node.server and self.world.is_about_to_form(node):
                return self.give_up(node)
        return None

    def give_up(self, hung: Node) -> None:
        others = [one for one in self.world.peers(hung) if one is not hung]
        for one in others:
            self.world.restart_agent(one)  # what the hung one has answered counts no longer
        for one in others * 3:
            self.world.tick(one)
        if others:
            self.world.grant(others[0], GrantKind.FORGET, hung.name)
        for one in others * 6:
            self.world.tick(one)

    @rule(who=WHO)
    def cut_short(self, who: int) -> None:
        self.world.cut_short.add(self.node(who).name)

    @rule(who=WHO, late=SOME, held=st.none() | st.integers(0, 9))
    def tick(self, who: int, late: set[int], held: int | None = None) -> None:
        """One keeper looks and acts; or it is held between two of its effects, until its next tick."""
        self.world.tick(self.node(who), [node.name for node in self.some(late)], held)

    @rule(count=st.integers(1, 4))
    def rounds(self, count: int) -> None:
        for _ in range(count):
            self.world.round()

    @rule()
    def finish_transfers(self) -> None:
        self.world.finish_transfers()

    @rule(who=WHO)
    def grant(self, who: int) -> None:
        """Somebody reads what a node says, and does what it asks of him where that is true."""
        node = self.node(who)
        decision = self.world.agents[node.name].last
        if not node.up or not isinstance(decision, (Wait, Refuse)):
            return
        if isinstance(decision, Wait) and "forget" in decision.remedy:
            for name in decision.missing:
                if name in self.world.nodes and not self.world.nodes[name].up:
                    self.world.grant(node, GrantKind.FORGET, name)
        elif isinstance(decision, Refuse):
            kind = GrantKind.DISCARD if self.world.primaries() else GrantKind.BOOTSTRAP
            self.world.grant(node, kind, node.name)

    # What takes many steps in a row to mean anything, in one.

    @rule(last=WHO, pause=st.booleans(), clean=st.tuples(*[st.booleans()] * 3))
    def leave_one_by_one(self, last: int, pause: bool, clean: tuple[bool, ...]) -> None:
        """Servers end one after the other, and those that are left go on writing."""
        if pause:
            self.pause(last)
        for number, index in enumerate((*range(last + 1, last + len(clean)), last)):
            node = self.node(index)
            self.write(node, 1)
            if node.up and node.server and clean[number]:
                self.world.clean_stop(node)
            else:
                self.world.kill([node])

    @rule(who=WHO, gap=st.booleans(), writes=st.integers(0, 2), anew=st.sampled_from([False, False, True]))
    def carry_on_without(self, who: int, gap: bool, writes: int, anew: bool) -> None:
        """The other hosts are gone, and somebody lets one node carry on alone; anew: with a new disk."""
        node = self.node(who)
        if self.world.forgotten or not node.up:
            return
        others = [one for one in self.world.nodes.values() if one is not node]
        self.world.power_off(others, gap=gap)
        if anew:
            self.world.take_disk(node)
        node.wanted = True
        self.ticks(node, 3)
        for one in others:
            self.world.grant(node, GrantKind.FORGET, one.name)
        if anew:
            self.world.grant(node, GrantKind.BOOTSTRAP, node.name)
        self.ticks(node, 6)
        self.write(node, writes)

    @rule(order=st.permutations([0, 1, 2]), pauses=st.tuples(st.integers(0, 5), st.integers(0, 5)))
    def black_out(self, order: list[int], pauses: tuple[int, int]) -> None:
        """All hosts lose power, and come back one by one."""
        self.world.power_off(self.world.nodes.values())
        for index, rounds in zip(order, (*pauses, *[0] * len(order))):
            self.power_on(index)
            self.rounds(rounds)

    def write(self, node: Node, times: int) -> None:
        for _ in range(times):
            if node.server and node.server.state is State.PRIMARY:
                self.world.commit(node)

    def ticks(self, node: Node, times: int) -> None:
        for _ in range(times):
            self.world.tick(node)

    def may_return(self) -> bool:
        """What the operator promises with a grant: who was given up comes back to where somebody knows of it.

        No rule could tell a majority that returns behind a cut, or while the others are off, that it was given up.
        """
        knowing = [one for one in self.world.nodes.values() if one.up and one.name not in self.world.forgotten]
        return bool(knowing) and len({node.island for node in self.world.nodes.values()}) == 1

    def teardown(self) -> None:
        if hasattr(self, "world"):
            come_back(self.world)


def come_back(world: World) -> None:
    """Everyone comes back, nothing more happens: the cluster forms, by itself where nothing asks for a person."""
    world.move(dict.fromkeys(world.nodes, 0))
    for node in world.nodes.values():
        node.wanted = True
        if not node.up:
            world.power_on(node)
    for number in range(ROUNDS * max(3, len(world.nodes))):
        world.round()
        if world.settled:
            break
        if number % PATIENT_ROUNDS == PATIENT_ROUNDS - 1:
            decide_as_operator(world)
    said = "; ".join(f"{name}: {agent.last}" for name, agent in world.agents.items())
    assert world.settled, f"no progress: {said}"
    mixed = [node.name for node in world.nodes.values() if node.disk.mixed]
    if mixed:
        raise Lost(f"rows of two histories on {mixed}")
    kept = set(world.nodes["A"].disk.history).union(*(node.disk.hidden for node in world.nodes.values()))
    lost = world.acknowledged - kept - world.excused
    if lost:
        raise Lost(f"gone without a word: {sorted(lost)}")


def decide_as_operator(world: World) -> None:
    said = "; ".join(f"{name}: {agent.last}" for name, agent in world.agents.items())
    asked = world.tally & TROUBLE or world.named or {"died forming", "delivery gap"} <= world.tally
    assert asked, f"a person is needed: {said}"
    if world.primaries():
        kept = max(world.primaries().values(), key=len)
        for node in world.nodes.values():
            is_kept = node in kept and find_line(kept[0].disk.line, [node.disk.line]) is not None
            if isinstance(world.agents[node.name].last, Refuse) and not is_kept:
                world.grant(node, GrantKind.DISCARD, node.name)
        return
    holders = [node for node in world.nodes.values() if not node.disk.discarded] or list(world.nodes.values())
    best = max(holders, key=lambda node: len(set(node.disk.history) & world.acknowledged))
    world.grant(best, GrantKind.BOOTSTRAP, best.name)


TestElection = ElectionModel.TestCase
TestElection.settings = settings(max_examples=share(60), stateful_step_count=25, phases=[Phase.generate, Phase.shrink])
