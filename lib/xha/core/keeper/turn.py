"""One step under way: the memory so far, and the effects in their order.

What an effect of this step will have changed is known to what follows it in the same step: the record that will stand
beside the data, and whether gvwstate.dat will. The memory itself changes only when the effect's result is seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..cluster.election_inputs import gather
from ..election.compose_report import NodeFacts, compose_report, give_up
from ..election.position_report import LOOKING, PositionReport, State
from ..galera.node_record import NodeRecord
from ..galera.position import Kind, Standing
from ..monitor.keeper_status import KeeperStatus, Phase
from ..pacemaker.guards import Allowed
from .effects import (
    DeleteStop,
    Effect,
    End,
    EndChild,
    LogLine,
    NoteServer,
    Publish,
    ReleaseToken,
    Say,
    SetReady,
    WriteRecord,
)
from .memory import Launched, Memory
from .observation import ClusterSeen, DataSeen, ServerSeen

if TYPE_CHECKING:
    from ..cluster.election_inputs import ElectionInputs
    from ..galera.position import GvwState
    from ..pacemaker.guards import Guard
    from .effects import Act
    from .observation import Observation


# How long a server that is about to be started waits until everybody can see that.
CONFIRM_SECONDS = 5.0


class Turn:
    """One step: rules read `memory` and `seen`, replace the memory by `note`, and add effects by `do`."""

    def __init__(self, memory: Memory, seen: Observation) -> None:
        self.memory, self.seen = memory, seen
        self.effects: list[Effect] = []
        self.server = seen.server or ServerSeen()
        self.data = seen.data or DataSeen()
        self.cluster = seen.cluster or ClusterSeen("")
        # What will be true once the effects so far are done.
        self._on_disk = self.data.record
        self._record: NodeRecord | None = None
        self.view = self.data.gvwstate
        # A server is being started, or told to be a Primary: what came of it decides about the token.
        self.begins = False
        # The server is stopped in this step, or is being stopped.
        self.stops = False
        # A child has failed: the next look decides what follows.
        self.fails = False

    @property
    def now(self) -> float:
        """The monotonic clock, in seconds."""
        return self.seen.now

    @property
    def me(self) -> str:
        """This node's name."""
        return self.cluster.me

    def note(self, **changes: object) -> None:
        """Remember it."""
        self.memory = self.memory._replace(**changes)  # type: ignore[arg-type]

    def do(self, act: Act, *guards: Guard) -> None:
        """Add an effect."""
        self.effects.append(Effect(act, guards))

    # --- what is said

    def say(self, phase: Phase, reason: str, *guards: Guard, permanent: bool = False) -> None:
        """Say what the keeper does; where it is said already, only the status is written again."""
        memory = self.memory
        reading, verdict, server = memory.reading, memory.verdict, memory.server_identity
        if phase is Phase.ENDED:  # the monitor tells Pacemaker of that one, if this keeper does not
            server = memory.telling.server
        keeper_status = KeeperStatus(
            phase,
            reason,
            server_pid=server[0],
            server_started=server[1],
            launched_at=memory.launched.at if memory.launched else 0.0,
            code=verdict.code.value if verdict else "",
            message=verdict.message if verdict else "",
            ready=memory.is_ready and not memory.is_stopping,
            cluster_status=(reading.status.wsrep_cluster_status or "") if reading else "",
            answered_at=memory.answered_at,
            transfer=memory.transfer.title if memory.transfer else "",
            progress_at=memory.progress_at if memory.transfer else 0.0,
            primary_at=memory.primary_at,
            permanent=permanent,
            datadir=self.seen.datadir,
            socket=self.seen.socket,
            arrived=self._arrived if memory.transfer else 0,
        )
        self.do(Say(keeper_status), *guards)

    @property
    def _arrived(self) -> int:
        launched = self.memory.launched
        return max(0, launched.free - self.server.free) if launched and self.server.free else 0

    def log(self, text: str, *, warning: bool = False) -> None:
        """Add a line of the log."""
        self.do(LogLine(text, warning))

    # --- the data

    @property
    def record(self) -> NodeRecord:
        """The node's record, as it will be when the effects so far are done."""
        return self._record or self.memory.record or self.data.record or NodeRecord()

    @property
    def trouble(self) -> str:
        """Why the data directory cannot be gone by, "" if it can. A record that was read before is written anew."""
        return self.data.trouble or (self.data.unread if self.memory.record is None else "")

    def remember(self, record: NodeRecord, *guards: Guard) -> None:
        """Write the record where it changed, or where a state transfer swept it away."""
        if record != self.record or self._on_disk != record or guards:
            self.do(WriteRecord(record), *guards)
        self._record = self._on_disk = record

    # --- the cluster

    def open_epoch(self, name: str | None = None) -> None:
        """Ask everybody anew: from now on only what answers this epoch counts."""
        self.note(epoch=name or self.seen.fresh.epoch, epoch_at=self.now)

    @property
    def age(self) -> float:
        """Seconds since this node's epoch was opened."""
        return self.now - self.memory.epoch_at

    def report(self, announced: State | None = None, *, forming: bool | None = None) -> PositionReport:
        """Return this node's report, and remember what it answers.

        announced: the state of a server that is about to be started. While a plan is under way it answers nobody's new
        question. Without one it also answers the token's epoch, which tells the others that nobody forms a Primary.
        """
        memory = self.memory
        if memory.plan is None:
            forms = bool(memory.forming_since) if forming is None else forming
            opened = {
                one.opens for one in self.cluster.reports.values() if isinstance(one, PositionReport) and one.opens
            }
            token = self.cluster.cib.book.records.token
            mine = token is not None and token.node == self.me and not forms
            answers = (*sorted({*opened, memory.epoch}), *([token.epoch] if token and mine else []))
            self.note(answers=answers)
        made = compose_report(
            self.me,
            self._facts(announced),
            epochs=self.memory.answers,
            opens=memory.epoch,
            members=self.cluster.members,
        )._replace(keeper=self.seen.keeper)
        if announced is None:
            self.note(report=made)
        return made

    def _facts(self, announced: State | None) -> NodeFacts:
        memory = self.memory
        unknown = memory.is_looking or memory.is_unknown  # where nobody could look, neither record nor view is read
        return NodeFacts(
            state=announced if announced is not None and memory.server is None else memory.state,
            record=NodeRecord() if unknown else self.record,
            standing=Standing(Kind.UNKNOWN, cause=LOOKING) if memory.is_looking else memory.standing,
            reading=memory.reading,
            gvwstate=None if unknown else self._view(memory.launched),
            safe_to_bootstrap=memory.safe_to_bootstrap,
            transfer=memory.transfer is not None and memory.transfer.role == "joiner",
            boot_id=self.seen.boot_id,
            addresses=self.cluster.addresses,
            ports=self.cluster.ports,
            evicted=memory.stall.shut_out,
        )

    def _view(self, launched: Launched | None) -> GvwState | None:
        restoring = launched is not None and self.memory.state is State.RESTORING
        return launched.view if launched and restoring else self.view

    def publish(self) -> None:
        """Make the report, and publish it where it differs from the last one in more than a Primary's seqno."""
        report = self.report()
        if lasting(report) != self.memory.told:
            self.do(Publish(report))

    def facts(self, *, overdue: bool = False) -> ElectionInputs:
        """Return the facts of the election; this node's own report is the one that it made last: `publish`."""
        cluster = self.cluster
        return gather(
            self.me,
            self.memory.epoch,
            cluster.cib,
            {**cluster.reports, **({self.me: self.memory.report} if self.memory.report else {})},
            cluster.members,
            probes=cluster.probes,
            arbitrators=cluster.arbitrators,
            clock=cluster.clock,
            overdue=overdue,
        )

    def others(self, state: State) -> dict[str, PositionReport]:
        """Return the reports of the other members whose server is in this state, by node."""
        reports = ((node, one) for node, one in self.cluster.reports.items() if node != self.me)
        return {node: one for node, one in reports if isinstance(one, PositionReport) and one.state is state}

    def may(self, what: str) -> bool:
        """Return whether nothing forbids it by this look; else say so. The effects look again: `Allowed`."""
        forbidden = self.cluster.cib.forbidden(self.me)
        if forbidden:
            self.hold(Allowed(what), forbidden)
        return not forbidden

    def hold(self, guard: Allowed, forbidden: str) -> None:
        """Say that an operator has taken the node out of the keeper's charge."""
        self.say(Phase.HELD, f"{guard.what} is due, but {forbidden}")

    def delete_stop(self) -> None:
        """Remove the record of this node's last clean stop: nobody may rely on it once the server starts."""
        if self.me in self.cluster.cib.book.records.stops:
            self.do(DeleteStop())

    # --- the last effects of a step

    def set_ready(self, ready: bool) -> None:
        """Set the attribute where it changes; a server that is stopped in this step is not ready after it."""
        ready = ready and not self.stops
        if ready != self.memory.ready:
            self.do(SetReady(ready))

    def finish(self) -> None:
        """Give the token back where no Primary is being formed here, and end where the keeper is to end.

        The last report answers nobody, and says why: others wait for this node, and name the reason. What may still
        fail in this step comes first: the next one ends, if all of that is done.
        """
        memory = self.memory
        gives_up = bool(memory.giving_up) and not any(map(_may_fail, self.effects))
        if gives_up:
            self.say(Phase.FAILED, memory.giving_up, permanent=memory.permanent)
            self.set_ready(False)
            last = self.report() if self.seen.cluster else memory.report
            if last is not None:
                last = last._replace(line=memory.record.line if memory.record else last.line)
                self.do(Publish(give_up(last, memory.giving_up)))
        ends = gives_up or self.seen.ending or not self.seen.in_charge
        overdue = memory.plan is not None and self.now > memory.plan.until
        if ends or overdue:  # overdue only where nothing could be seen: a look that sees decides by then
            self.note(plan=None)
        stall = memory.stall
        if stall.evicting is not None and (ends or self.now > stall.until):
            self.note(stall=self.memory.stall._replace(evicting=None))
        launching = self.memory.launching
        if ends:
            self.note(launching=None)
        elif launching is not None and self.now - launching.since > CONFIRM_SECONDS and not self.begins:
            self.note(launching=None)
            self.log("the cluster does not hand back that a server starts here: none is started", warning=True)
        if ends and self.memory.child is not None:
            self.do(EndChild())
        server = self.memory.server
        pid = (server.pid, server.started) if server else (0, 0)
        if pid != memory.noted and not self.begins and self.seen.server is not None:
            self.do(NoteServer(server))
        if (self.memory.has_token or ends) and not self.memory.is_forming and not self.begins:
            self.do(ReleaseToken())
        if ends:
            self.do(End())


def _may_fail(effect: Effect) -> bool:
    return bool(effect.guards) or not isinstance(effect.act, (Say, LogLine))


def lasting(report: PositionReport) -> PositionReport:
    """Return the report without what changes all the time: the seqno of a Primary."""
    running = report.state is State.PRIMARY
    return report._replace(position=report.position._replace(seqno=0)) if running else report
