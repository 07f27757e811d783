"""The keepers of a resource as far as they decide who the writer is: the real rule, and time in steps of 50 ms.

Words reach the others late, keepers look once a second or four times, servers fail and come back, and Galera notices a
killed one only after a while. Not in it: elections, and load balancers, of which a responder says after a second that
they have moved.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from core.facts import synced
from xha.core.election.facts import Host
from xha.core.election.position_report import PositionReport, State
from xha.core.election.writer import NO_CLAIM, Claim, WriterWord, choose_claim
from xha.core.galera.known_servers import ServerProcess
from xha.core.galera.position import GvwState, View
from xha.core.keeper import writer
from xha.core.keeper.effects import TellWriter
from xha.core.keeper.memory import Memory
from xha.core.keeper.observation import ClusterSeen, DataSeen, Fresh, Observation, ServerSeen, WriterSeen
from xha.core.keeper.outcomes import Done, EffectFailed, EffectResult, FailureCause
from xha.core.keeper.results import learn
from xha.core.keeper.server.pace import HURRY, WATCHED
from xha.core.keeper.turn import Turn
from xha.core.node.verdict import Code, Policy, Unreadable, judge
from xha.core.node.withdrawal import Withdrawal
from xha.core.node.writer_rule import Takers, WriterOrder, WriterRecord, WriterStanding, judge_writer
from xha.core.pacemaker.cib import Cib

TICK = 0.05
# How long two may claim to be the writer, and how long nobody may be it while a node could.
LONGEST_TWO = 2.0
# A calm keeper notices at its next look that its node is unfit, and the next one at its own that it says so.
LONGEST_NONE = 2 * WATCHED + 0.6
# One before it in the list does not answer, or somebody died in the middle.
LONGEST_NONE_UNHEARD = LONGEST_NONE + 1.9
CAUSE_SECONDS = 6.0
FIT, UNFIT = synced(), synced(read_only=True)
STRICT = Policy(available_when_readonly=False)


DRAIN = Withdrawal(drains=True)
DOWN = judge(Unreadable(Code.SERVER_DOWN), STRICT)
VERDICTS = {
    (fit, drains): judge(FIT if fit else UNFIT, STRICT, DRAIN if drains else None)
    for fit in (False, True)
    for drains in (False, True)
}


class Broken(AssertionError):
    """What must never be."""


@dataclass
class ModelHost:
    """One host: its server, its keeper, and what its responder reads."""

    name: str
    up: bool = True
    serves: bool = True
    fit: bool = True
    drains: bool = False
    keeper: bool = True
    apart: bool = False
    lives: int = 1
    memory: Memory = field(default_factory=Memory)
    record: WriterRecord | None = None
    next_look: float = 0.0
    order: WriterOrder | None = None
    report: PositionReport | None = None
    # Words on their way to this host: when they arrive, whose, and what.
    known: dict[str, WriterWord] = field(default_factory=dict)
    coming: list[tuple[float, str, WriterWord]] = field(default_factory=list)

    # Its keeper is killed while it tells of the writer, before or after the others know; it was.
    dies_telling: bool = False
    died_telling: bool = False
    # Until when Pacemaker does not answer its keeper.
    unheard_until: float = 0.0
    # The report names it; "" while a keeper of a version runs that knows no /writer.
    process: str = "1.1"

    @property
    def uuid(self) -> str:
        return f"{self.name}-{self.lives}"


class WriterWorld:
    """Three hosts. Each event is a method; `run` lets time pass and checks."""

    def __init__(self, seed: int, size: int = 3) -> None:
        self.chance, self.now = random.Random(seed), 100.0
        self.hosts = {name: ModelHost(name, next_look=self.now + self.chance.random()) for name in "ABCDE"[:size]}
        self.view = [one.uuid for one in self.hosts.values()]
        self.leaving: list[tuple[float, str]] = []
        self.quorum = True
        self.highest = NO_CLAIM
        self.changed = True
        self.two_since = self.none_since = self.trouble_at = self.drained_at = 0.0
        self.causes: dict[str, float] = {}
        self.ready_since: dict[str, float] = {}
        self.history: list[str] = []

    # --- events

    def note(self, what: str, name: str, *, trouble: bool = True) -> ModelHost:
        self.history.append(f"{self.now - 100:.2f} {what} {name}")
        self.causes[name] = self.now
        if trouble:
            self.trouble_at = self.now
        return self.hosts[name]

    def kill_server(self, name: str) -> None:
        host = self.note("kill", name)
        if host.serves:
            host.serves = False
            self.leaving.append((self.now + self.chance.uniform(0.2, 5.0), host.uuid))

    def stop_server(self, name: str) -> None:
        host = self.note("stop", name)
        if host.serves:
            host.serves = False
            self.leaving.append((self.now, host.uuid))

    def start_server(self, name: str) -> None:
        host = self.note("start", name)
        if host.up and not host.serves:
            host.lives += 1
            host.serves, host.died_telling = True, False  # on a real host it is a keeper that starts the server
            self.view.append(host.uuid)

    def spoil(self, name: str) -> None:
        self.note("unfit", name).fit = False

    def mend(self, name: str) -> None:
        self.note("fit", name).fit = True

    def drain(self, name: str) -> None:
        self.note("drain", name, trouble=False).drains = True
        self.drained_at = self.now

    def enable(self, name: str) -> None:
        self.note("enable", name, trouble=False).drains = False

    def kill_keeper(self, name: str) -> None:
        host = self.hosts[name]
        self.history.append(f"{self.now - 100:.2f} keeper killed {name}")
        self.trouble_at = self.now
        host.keeper = host.dies_telling = False

    def kill_telling(self, name: str) -> None:
        """The keeper is killed in the middle of the next thing that it tells of the writer."""
        self.hosts[name].dies_telling = True

    def start_keeper(self, name: str) -> None:
        host = self.hosts[name]
        if host.up and not host.keeper:
            self.trouble_at = self.now
            self.history.append(f"{self.now - 100:.2f} keeper started {name}")
            host.keeper, host.died_telling, host.memory = True, False, Memory()
            host.next_look = self.now + self.chance.random()

    def lose_host(self, name: str) -> None:
        self.kill_server(name)
        host = self.hosts[name]
        host.up = host.keeper = False
        host.record = None
        for one in self.hosts.values():  # Pacemaker forgets what it said
            one.known.pop(name, None)
            one.coming = [each for each in one.coming if each[1] != name]

    def boot(self, name: str) -> None:
        host = self.hosts[name]
        if not host.up:
            others = [one for one in self.hosts.values() if one.up]
            host.up, host.known, host.coming = True, dict(others[0].known) if others else {}, []
            host.known.pop(name, None)
            self.start_keeper(name)
            self.start_server(name)

    def part(self, name: str) -> None:
        """Pacemaker's network is cut here, and Galera's is not: each side forgets what the other has said."""
        self.history.append(f"{self.now - 100:.2f} apart {name}")
        self.trouble_at = self.now
        lone = self.hosts[name]
        lone.apart = True
        for one in self.hosts.values():
            lost = {name} if one is not lone else {*self.hosts} - {name}
            one.known = {node: word for node, word in one.known.items() if node not in lost}
            one.coming = [each for each in one.coming if each[1] not in lost]

    def merge(self, name: str) -> None:
        """Pacemaker's network is whole again: each side hears again what the other has said last."""
        self.history.append(f"{self.now - 100:.2f} merged {name}")
        self.trouble_at = self.now
        self.hosts[name].apart = False
        words = {one.name: one.known[one.name] for one in self.hosts.values() if one.name in one.known}
        for one in self.hosts.values():
            one.known.update(words)

    def lose_quorum(self) -> None:
        self.quorum, self.trouble_at = False, self.now

    def regain_quorum(self) -> None:
        self.quorum, self.trouble_at = True, self.now

    def order(self, by: str, target: str) -> None:
        host = self.hosts[by]
        self.history.append(f"{self.now - 100:.2f} {by} orders {target}")
        self.causes[self.highest.node] = self.now
        host.order = WriterOrder(self.highest.counter, target, self.now)

    # --- time

    def run(self, seconds: float) -> None:
        until = self.now + seconds
        while self.now < until:
            self.now = round(self.now + TICK, 3)
            gone = {uuid for at, uuid in self.leaving if at <= self.now}
            if gone:
                self.view = [uuid for uuid in self.view if uuid not in gone]
                self.leaving = [one for one in self.leaving if one[1] not in gone]
            for host in self.hosts.values():
                if host.coming:
                    host.known.update({node: word for at, node, word in host.coming if at <= self.now})
                    host.coming = [one for one in host.coming if one[0] > self.now]
                    self.changed = True
                if host.keeper and host.next_look <= self.now:
                    self._look(host)
            self._check()

    def _look(self, host: ModelHost) -> None:
        state = State.PRIMARY if host.serves else State.STOPPED
        host.report = PositionReport(
            host.name, state, own_uuid=host.uuid, members=tuple(self.hosts), keeper=host.process
        )
        reports = {one.name: one.report for one in self.hosts.values() if one.report is not None and one.up}
        reports = {node: one for node, one in reports.items() if self.hosts[node].apart is host.apart}
        memory = host.memory._replace(
            server=ServerProcess(1, 1) if host.serves else None,
            reading=(FIT if host.fit else UNFIT) if host.serves else None,
            served=True,
            asked_at=self.now,
            answered_at=self.now,
        )
        post = memory.writer.post
        moved = self.now - post.since > 1.0
        takers = Takers(moved, moved) if memory.writer.hurries else Takers()
        order = host.order if host.order and self.now - host.order.at < 5 else None
        members = tuple(self.hosts)
        seen = Observation(
            self.now,
            Fresh("e", "t", "g"),
            server=ServerSeen(memory.server),
            data=DataSeen(gvwstate=GvwState(host.uuid, View("v", tuple(self.view)))),
            cluster=ClusterSeen(
                host.name,
                reports,
                Cib(members, dict.fromkeys(members, Host.ONLINE), self.quorum and not host.apart, exists=True),
                members,
            ),
            writer=WriterSeen(
                dict(host.known), STRICT, DRAIN if host.drains else None, takers=takers, order=order, record=host.record
            ),
        )
        seen = seen._replace(keeper=host.process)
        turn = Turn(memory, seen)
        writer.attend_writer(turn)
        results = tuple(EffectResult(one.act, self._do(host, one.act)) for one in turn.effects)
        behind = Turn(turn.memory, seen._replace(results=results))
        learn(behind)
        host.memory = behind.memory
        rest = HURRY if host.memory.writer.hurries else WATCHED
        host.next_look = self.now + rest + self.chance.uniform(0.0, 0.15)

    def _do(self, host: ModelHost, act: object) -> Done | EffectFailed:
        if not isinstance(act, TellWriter):
            return Done(self.now)
        steps = (self._say, self._write) if act.takes else (self._write, self._say)
        for number, tell in enumerate(steps):
            if tell == self._say and act.says and self.now < host.unheard_until:
                return EffectFailed(FailureCause.UNREACHABLE, "attrd_updater did not answer within 5 s", self.now)
            tell(host, act)
            if host.dies_telling and number == 0:
                self.kill_keeper(host.name)
                host.died_telling = True
                break
        return Done(self.now, 0 if act.closes else act.post.clients)

    def _write(self, host: ModelHost, act: TellWriter) -> None:
        if act.writes:
            host.record, self.changed = act.post.record, True

    def _say(self, host: ModelHost, act: TellWriter) -> None:
        if act.says and act.post.word is not None:
            if act.post.word.claim.counter < host.known.get(host.name, WriterWord()).claim.counter:
                raise Broken(f"{host.name} forgets a claim")
            for one in self.hosts.values():
                if one.up and one.apart is host.apart:
                    late = 0.0 if one is host else self.chance.uniform(0.02, 0.15)
                    one.coming.append((self.now + late, host.name, act.post.word))

    # --- what must hold

    def answers(self, host: ModelHost) -> bool:
        """Return whether its responder answers 200 at /writer."""
        verdict = VERDICTS[host.fit, host.drains] if host.up and host.serves else DOWN
        return host.up and judge_writer(verdict, WriterStanding(host.record), self.now).available

    def _check(self) -> None:
        inside = [one for one in self.hosts.values() if one.up and one.serves and one.uuid in self.view]
        # A node whose keeper is dead goes by what that one wrote down last, until Pacemaker starts another: a known
        # limit, but not for one that died while it told of a claim.
        heard = [one for one in inside if one.keeper or one.died_telling]
        claiming = [one for one in heard if one.record and one.record.writer == one.name]
        claiming = [one for one in claiming if self.answers(one)]
        self.two_since = (self.two_since or self.now) if len(claiming) > 1 else 0.0
        if self.two_since and self.now - self.two_since > LONGEST_TWO:
            self._break(f"{[one.name for one in claiming]} are the writer at once")
        serving = [one for one in self.hosts.values() if self.answers(one)]
        # While Galera waits for a server that was killed, nobody can write.
        blocked = len(inside) < len(self.view) or not self.quorum
        able = [one for one in inside if one.fit and not one.drains and one.keeper]
        # Of a writer whose keeper is dead nobody says that it is unfit, until Pacemaker starts another: a known limit.
        writer = self.hosts.get(self.highest.node)
        unheard = writer in inside and writer is not None and not writer.keeper
        none = not serving and able and not blocked and not unheard
        self.none_since = (self.none_since or self.now) if none else 0.0
        alive = all(one.keeper for one in inside)
        limit = LONGEST_NONE if alive else LONGEST_NONE_UNHEARD
        if self.none_since and self.now - self.none_since > limit:
            self._break(f"nobody is the writer, and {[one.name for one in able]} could be")
        # Who could follow before the handover began leaves no moment without one; who only can by now needs a look.
        ready = {one.name for one in inside if one.fit and one.keeper and not one.drains}
        self.ready_since = {name: self.ready_since.get(name, self.now) for name in ready}
        calm = self.quorum and self.now - self.trouble_at > 15 and self.highest.counter
        waited = any(self.now - since > LONGEST_NONE for since in self.ready_since.values())
        if calm and not serving and not unheard and waited:
            self._break("a planned handover leaves nobody")
        self._check_claims()

    def _check_claims(self) -> None:
        if not self.changed:
            return
        self.changed = False
        up = [one for one in self.hosts.values() if one.up]
        known = [word.claim for one in up for word in one.known.values()]
        told = choose_claim([*known, *(word.claim for one in up for _, _, word in one.coming)], tuple(self.hosts))
        records = {one.name: one.record for one in up if one.record is not None}
        alone = [name for name, one in records.items() if one.writer == name and one.counter > told.counter]
        if alone:  # a claim whose host is lost before any other has heard of it is as if it had never been made
            self._break(f"{alone} goes by a claim that was told to nobody, or is forgotten: {told}")
        claim = choose_claim(known, tuple(self.hosts))
        before, self.highest = self.highest, claim if claim.counter else self.highest
        if claim.counter == 0 or before in (claim, NO_CLAIM):
            return
        if not self.quorum and self.now - self.trouble_at > 1.5:
            self._break(f"{claim} is made without quorum")
        if self.now - self.causes.get(before.node, 0.0) > CAUSE_SECONDS and claim.counter > before.counter:
            down = self.hosts[before.node]
            if down.serves and down.fit and not down.drains and down.uuid in self.view:
                self._break(f"{claim} is made although {before.node} is well")

    def _break(self, why: str) -> None:
        raise Broken(f"{self.now - 100:.2f} s: {why}\n" + "\n".join(self.history))


EVENTS = (
    "kill_server",
    "stop_server",
    "start_server",
    "start_server",
    "spoil",
    "mend",
    "mend",
    "drain",
    "enable",
    "enable",
    "kill_keeper",
    "kill_telling",
    "start_keeper",
    "start_keeper",
    "lose_host",
    "boot",
    "boot",
    "lose_quorum",
    "regain_quorum",
    "regain_quorum",
    "order",
)


def walk(seed: int, events: tuple[str, ...] = EVENTS, steps: int = 14) -> WriterWorld:
    """Let so many things happen to a cluster, at any moments. :raises Broken: where what must hold does not."""
    world = WriterWorld(seed)
    world.run(6.0)
    for _ in range(steps):
        name, event = world.chance.choice(tuple(world.hosts)), world.chance.choice(events)
        if event == "order":
            world.order(world.chance.choice(tuple(world.hosts)), name)
        elif event in ("lose_quorum", "regain_quorum"):
            getattr(world, event)()
        else:
            getattr(world, event)(name)
        world.run(world.chance.choice((0.1, 0.7, 2.0, 5.0, 9.0, 20.0)))
    return world


__all__ = ["EVENTS", "Broken", "Claim", "WriterWorld", "walk"]
