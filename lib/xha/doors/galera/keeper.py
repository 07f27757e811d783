"""The keeper: one process for each data directory that brings its node into the cluster, and then answers for it.

It is no child of Pacemaker's actions and waits for nobody there: start launches it, monitor reads what it says
(core/monitor/keeper_status.py), stop ends it. It looks, reports, asks `elect` what to do, and does one thing at a time.
mysqld outlives it; the next keeper takes over what runs.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from ...adapters.datadir.hold import InUse
from ...adapters.host.faults import Faults
from ...adapters.pacemaker.cluster import ClusterUnreachable
from ...adapters.process.procfs import fingerprint, identity
from ...core.election.compose_report import give_up, is_unreplicated, note_view
from ...core.election.position_report import State
from ...core.galera.error_log import tell
from ...core.galera.lineage import agree, begin_by_hand, find_line
from ...core.galera.node_record import NodeRecord
from ...core.galera.position import Kind
from ...core.galera.server_options import find_bootstrap
from ...core.monitor.keeper_status import Phase
from ...core.node.verdict import Code, Policy, Unreadable, judge
from .deeds import Over
from .hands import Hands
from .service import LOCK

if TYPE_CHECKING:
    from ...adapters.files.agent_rundir import RunDir
    from ...adapters.host.log import Log
    from ...adapters.process.procfs import Process
    from .council import Council
    from .own import OwnNode
    from .speaker import Speaker

# How long between two looks, in seconds: while something is to be decided, and while a server serves.
BUSY, CALM = 0.5, 1.0
# How long a joiner waits for a Primary that nobody reports any more.
LONELY_SECONDS = 8.0
# More than the interval of monitor: then the last one has said that all is well.
WELL_SECONDS = 12.0
# How long a step is not tried again that broke off for a reason nobody knows.
FAULT_SECONDS = 5.0


class Keeper:
    """One node's keeper."""

    def __init__(self, own: OwnNode, council: Council, speaker: Speaker, run: RunDir, log: Log) -> None:
        self.own, self.council, self.speaker, self.rundir, self.log = own, council, speaker, run, log
        self._signature = run.settings_signature()
        self.hands = Hands(own, council, speaker, log)
        self.ended = ""
        self._faults = Faults(log)
        self._lock = identity(run.file(LOCK))
        self._tidy_at = time.monotonic() + WELL_SECONDS

    def run(self) -> None:
        """Look and act until the node is stopped, or fails in a way that only Pacemaker or a person can mend."""
        try:
            while self._is_in_charge():
                try:
                    self.attempt()
                except ClusterUnreachable as error:
                    self.speaker.say(self.hands.phase, f"Pacemaker does not answer: {error}", self.own)
                except (InUse, OSError) as error:
                    self.speaker.say(self.hands.phase, str(error), self.own)
                except Over:
                    return self._give_up()
                if self.council.has_token:
                    self._give_token_back()
                time.sleep(CALM if self._is_calm else BUSY)
            self.log.warning(f"{self.rundir.path} was removed: the next monitor starts another keeper")
        finally:
            self.hands.plan = None
            self._give_token_back()

    def _is_in_charge(self) -> bool:
        """Return whether the lock that stands in /run is the one that this keeper holds; as before if it is unknown."""
        with contextlib.suppress(OSError):
            return identity(self.rundir.file(LOCK)) == self._lock
        return True

    def _give_token_back(self) -> None:
        """Give the token back where no Primary is being formed here, whatever came between: nowhere else it is done.

        A keeper that is killed cannot; the next one does it at its first look, and stop does it.
        """
        if self.hands.is_forming:
            return
        with contextlib.suppress(ClusterUnreachable):
            if self.council.release_token():
                self.log.info("no Primary is being formed here any more: the token is given back")

    def _give_up(self) -> None:
        """Leave a last report: it answers nobody, and says why; others wait for this node, and name the reason."""
        with contextlib.suppress(ClusterUnreachable, OSError):
            self.council.tell(give_up(self.hands.ballot(), self.speaker.reason))

    @property
    def _is_calm(self) -> bool:
        # Where a person has to decide, his grant is looked for at each look.
        settled = self.hands.plan is None and not self.hands.forming_since and self.speaker.phase is not Phase.REFUSING
        return settled and self.own.state is State.PRIMARY

    def attempt(self) -> None:
        """Take a step. An exception that nobody thought of is a line of the log, and the next step comes after a while.

        It says nothing of the server, so the bulletin says no more than that: monitor calls the node degraded, not
        failed, and neither hung nor stalled by what was seen before. What was planned under the token is given up with
        it: nobody else may form a Primary as long as this node only tries again.
        """
        try:
            self.step()
        except (ClusterUnreachable, InUse, OSError, Over):
            raise
        except Exception as error:
            said = self._faults.note("looking after the node", error)
            said = f"the keeper has a fault of its own, and tries again: {said}; see its log"
            self.hands.plan = None
            self.own.verdict, self.own.transfer = judge(Unreadable(Code.CONFIG_ERROR, said), Policy()), None
            self.speaker.say(self.hands.phase, said, self.own)
            time.sleep(FAULT_SECONDS)

    def step(self) -> None:
        """Look once, and do at most one thing."""
        self._reload()
        served = self.own.state is State.PRIMARY
        self.own.look()
        if is_unreplicated(self.own.reading) and self.own.note_unreplicated():
            self.log.warning("mysqld runs without replication: its data are in doubt from now on")
        if served and self.own.state is State.NON_PRIMARY:
            self.council.ask()  # what a Primary's members answered before says nothing of where they are now
        if self.own.end is not None:
            self._mourn()
        elif self._is_lost():
            self._give_up_join()
        if self.own.newcomer is not None:
            self._adopt(self.own.newcomer)
        self.council.listen(electing=not self._is_calm)
        if self.own.process is None and self.own.is_due:
            self._recover()
        if self.ended and self.own.process is not None:
            # As systemd does with a server of its own that it found killed. Nobody else brings it into the cluster.
            self.log.warning("a server was started here, and not by Pacemaker: going on with it")
            self.ended = ""
        if self.ended:
            self.speaker.say(Phase.ENDED, self.ended, self.own)
            self.council.tell(self.hands.ballot())
            return
        self._settle()
        standing = self.own.standing.position if self.own.standing else self.own.position
        if self.own.state is State.PRIMARY or not self.council.hears_primary(standing.uuid):
            self.own.primary_at = 0.0
        elif not self.own.primary_at:
            self.own.primary_at = time.monotonic()
        self.council.tell(self.hands.ballot())
        self.hands.act(self.council.decide(overdue=self._is_overdue()))
        self.speaker.ready(self.own.state is State.PRIMARY)
        self._tidy()

    def _reload(self) -> None:
        """Go by the settings that reload-agent stored since."""
        signature = self.rundir.settings_signature()
        if signature == self._signature:
            return
        self._signature = signature
        self.own.look_again()
        settings = self.rundir.read_settings()
        if settings is not None and settings != self.own.settings:
            self.own.use(settings)
            self.council.settings = settings
            self.log.info("new settings are in force")

    # --- what became of the server

    def _recover(self) -> None:
        if not self.ended:
            self.hands.check_host()
            if not self.own.is_unknown:  # then the bulletin goes on saying why
                self.speaker.say(Phase.RECOVERING, "finding out where the data end", self.own)
        standing = self.own.recover()
        if standing.kind is not Kind.UNKNOWN:
            self.log.info(f"the data are {standing.kind.value}, and end at {standing.position}")
        elif self.own.is_permanent and not self.ended:
            self.hands.give_up(f"{standing.cause}: mend it, then pcs resource cleanup")

    def _adopt(self, server: Process) -> None:
        """Take charge of a server that no keeper launched; whoever bootstrapped it began a history of its own."""
        own, record = self.own, self.own.record
        self.council.delete_stop()
        told, saved = find_bootstrap(server.argv), own.directory.read_grastate()
        origin = told if told is not None and told.real else record.clean_stop
        # Of data that xha never had in its hands nothing is known that this could be told from.
        if told is not None and origin is not None and saved and saved.uuid == origin.uuid and record != NodeRecord():
            line = begin_by_hand(self.council.me, record.line, origin.seqno, fingerprint(server, self.council.me))
            if line != record.line:
                self.log.warning(f"{server} was bootstrapped by hand at {origin}: a history of its own begins there")
                self.council.record(line=line, cluster=origin.uuid)
            own.remember(record._replace(line=line, clean_stop=None))
        own.newcomer = None

    def _mourn(self) -> None:
        """The server has ended and nobody here stopped it."""
        end = self.own.end
        assert end is not None
        said = f": {tell(end.errors)}" if end.errors else ""
        self.council.retract()
        self.hands.reset()
        if end.served or end.launched is None:
            # Pacemaker learns of it from its monitor, counts it, and starts the node again. Until then this keeper only
            # tells where the data end: the others need not wait for that.
            self.ended, self.own.end = f"mysqld has ended{said}", None
            self.speaker.end(Phase.ENDED, self.ended, self.own)
            return
        if self.speaker.count_failure(
            f"mysqld ended while it was {end.launched.phase.value}{said}", end.errors, self.own
        ):
            raise Over
        self.own.end = None

    def _is_lost(self) -> bool:
        """Whether a server that was to join has left the group instead, and not only not come there yet."""
        own = self.own
        waits = own.state in (State.STARTING, State.RESTORING) and own.has_left and own.launched is not None
        return waits and time.monotonic() - max(own.met_at, own.progress_at) > LONELY_SECONDS

    def _give_up_join(self) -> None:
        """Stop a server that came up outside of the group, as when its transfer failed at the end; then begin anew."""
        errors = self.own.read_errors()
        said = f": {tell(errors)}" if errors else ""
        if self.speaker.count_failure(f"mysqld has left the group while it joined{said}", errors, self.own):
            raise Over
        self.hands.stop()

    def _settle(self) -> None:
        """Write down what a Primary component has come to, once it has."""
        if self.own.state is not State.PRIMARY:
            return self.hands.forget_late()
        own, council, forming = self.own, self.council, self.hands.forming_since > 0
        reading, view = own.reading, own.directory.read_gvwstate()
        assert reading is not None
        self.hands.announced = None
        record = note_view(own.record, view, reading)
        records = council.cib.book.records
        uuid = own.position.uuid
        if forming or (records.cluster != uuid and own.position.real):
            council.record(line=record.line if forming else None, cluster=uuid)
        if forming:
            self.hands.forming_since = 0.0
            self.log.info(f"{council.me} has formed the cluster: {own.position}")
        beside = () if forming or view is None else council.lines_beside(view.view)
        line = find_line(record.line, beside)
        if line is None and own.run.read_joining() is not None:
            if not self.hands.lies_behind(beside[0]):
                return self.hands.leave_strangers()
            line = beside[0]
        line = record.line if line is None else line
        if view is not None and len(beside) == len(council.members) - 1:
            line = agree(line)
        # Rows that only this node has are gone once it was given a copy, or are everybody's once it formed the cluster.
        strayed = record.inconsistent and not (forming or own.run.read_joining())
        strayed = strayed or is_unreplicated(reading)
        own.remember(
            record._replace(line=line, clean_stop=None, superseded=False, discarded=False, inconsistent=strayed)
        )
        if beside or view is None or len(view.view.members) == 1:
            own.run.write_joining(None)
        own.run.write_failures(())
        return None

    def _tidy(self) -> None:
        """While the node has been well for longer than a monitor's interval, nothing of its past is a failure."""
        now = time.monotonic()
        synced = self.own.verdict is not None and self.own.verdict.code is Code.SYNCED
        if not synced or self.speaker.phase is not Phase.RUNNING:
            self._tidy_at = now + WELL_SECONDS
        elif now > self._tidy_at:
            self._tidy_at = now + WELL_SECONDS
            if self.council.forget_degraded():
                self.log.info("well again: what was degraded leaves Pacemaker's list of failures")

    def _is_overdue(self) -> bool:
        """Whether what was started should have become Primary by now. A server that serves, but not us, is not."""
        own = self.own
        if own.state not in (State.STARTING, State.RESTORING) or own.transfer or not (own.is_deaf or own.reading):
            return False
        # Without a Primary there is nothing to join: then a joiner only keeps the survivors from reviving theirs.
        hopeless = own.state is State.STARTING and not self.hands.forming_since and not own.primary_at
        patience = min(LONELY_SECONDS, own.settings.view_timeout) if hopeless else own.settings.view_timeout
        return time.monotonic() - max(own.met_at, own.progress_at) > patience
