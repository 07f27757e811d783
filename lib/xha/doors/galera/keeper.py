"""The keeper: one process for each data directory that brings its node into the cluster, and then answers for it.

It is no child of Pacemaker's actions and waits for nobody there: start launches it, monitor reads what it says
(core/bulletin.py), stop ends it. It looks, reports, asks `elect` what to do, and does one thing at a time. mysqld
outlives it; the next keeper takes over what runs.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from ...adapters.launch import InUse
from ...adapters.mariadbd import Unusable
from ...adapters.pacemaker import ClusterUnreachable
from ...core.ballot import State
from ...core.ballotbox import compose_ballot, note_view
from ...core.bulletin import Phase
from ...core.decision import Bootstrap, Join, Refuse, RestoreView, Revive, Step, Wait
from ...core.obstacles import name_nodes
from ...core.verdict import Code
from .council import new_id

if TYPE_CHECKING:
    from ...adapters.log import Log
    from ...adapters.rundir import RunDir
    from ...core.ballot import Ballot
    from ...core.decision import Decision
    from .council import Council
    from .own import OwnNode
    from .speaker import Speaker

# How long between two looks, in seconds: while something is to be decided, and while a server serves.
BUSY, CALM = 0.5, 2.0
# How long the holder of the token waits for everybody to answer again.
TOKEN_PATIENCE = 20.0
# How long after it asked a node says so, before it says what follows from the answers that are missing.
ANSWER_SECONDS = 5.0
STOP_SECONDS, DEAF_SECONDS = 60.0, 6.0
# Two intervals of monitor, and a little: then the last one has said that all is well.
WELL_SECONDS = 25.0


class Plan(NamedTuple):
    """A Primary that this node is about to form under the token: what it was shown, and until when it waits."""

    shown: str
    until: float


class Over(Exception):
    """The keeper has nothing more to do here."""


class Keeper:
    """One node's keeper."""

    def __init__(self, own: OwnNode, council: Council, speaker: Speaker, run: RunDir, log: Log) -> None:
        self.own, self.council, self.speaker, self.rundir, self.log = own, council, speaker, run, log
        self._signature = run.settings_signature()
        self.plan: Plan | None = None
        self.announced: State | None = None
        self.forming = False
        self.ended = ""
        self.decision: Decision | None = None
        self._why = ""
        self._well_since, self._tidied = time.monotonic(), False
        self._epochs: tuple[str, ...] = ()

    def run(self) -> None:
        """Look and act until the node is stopped, or fails in a way that only Pacemaker or a person can mend."""
        while True:
            try:
                self.step()
            except ClusterUnreachable as error:
                self.speaker.say(self._phase(), f"Pacemaker does not answer: {error}", self.own)
            except InUse as error:
                self.speaker.say(Phase.WAITING, str(error), self.own)
            except Over:
                return
            time.sleep(CALM if self.own.state is State.PRIMARY and not self.forming else BUSY)

    def step(self) -> None:
        """Look once, and do at most one thing."""
        self._reload()
        self.own.look()
        if self.own.end is not None:
            self._mourn()
        calm = self.own.state is State.PRIMARY and self.plan is None and not self.forming
        self.council.listen(electing=not calm)
        if self.own.process is None and self.own.standing is None:
            self._recover()
        if self.ended:
            self.speaker.say(Phase.ENDED, self.ended, self.own)
            self.council.tell(self.ballot())
            return
        self._settle()
        primary = self.own.state is State.PRIMARY
        if primary or not self.council.hears_primary(self.own.position.uuid):
            self.own.primary_at = 0.0
        elif not self.own.primary_at:
            self.own.primary_at = time.monotonic()
        self.council.tell(self.ballot())
        self.decision = self.council.decide(overdue=self._is_overdue())
        if self.plan is not None:
            self._use_token(self.plan)
        else:
            self._act(self.decision)
        self.speaker.ready(self.own.state is State.PRIMARY)
        self._tidy()

    def _reload(self) -> None:
        """Go by the settings that reload-agent stored since."""
        signature = self.rundir.settings_signature()
        if signature == self._signature:
            return
        self._signature = signature
        settings = self.rundir.read_settings()
        if settings is not None and settings != self.own.settings:
            self.own.use(settings)
            self.council.settings = settings
            self.log.info("new settings are in force")

    # --- what it says

    def ballot(self) -> Ballot:
        """Return this node's report. While it holds the token it answers nobody's new question."""
        if self.plan is None:
            self._epochs = self.council.asked()
            token = self.council.token
            if token is not None and token.node == self.council.me and not self.forming:
                self._epochs = (*self._epochs, token.epoch)
        return compose_ballot(
            self.council.me,
            self.own.facts(self.announced, self.council.addresses),
            epochs=self._epochs,
            opens=self.council.epoch,
            members=self.council.members,
        )

    def _phase(self) -> Phase:
        if self.own.process is None:
            return Phase.WAITING
        if self.own.state not in (State.STARTING, State.RESTORING):
            return Phase.RUNNING
        return self.own.launched.phase if self.own.launched else Phase.STARTING

    # --- what became of the server

    def _recover(self) -> None:
        if not self.ended:
            self.speaker.say(Phase.RECOVERING, "finding out where the data end", self.own)
        standing = self.own.recover()
        self.log.info(f"the data are {standing.kind.value}, and end at {standing.position}")

    def _mourn(self) -> None:
        """The server has ended and nobody here stopped it."""
        end = self.own.end
        assert end is not None
        said = f": {end.errors[-1]}" if end.errors else ""
        self.council.retract()
        self.plan, self.announced = None, None
        self.council.ask()
        if end.served or end.launched is None:
            # Pacemaker learns of it from its monitor, counts it, and starts the node again. Until then this keeper only
            # tells where the data end: the others need not wait for that.
            self.ended, self.own.end, self.forming = f"mysqld has ended{said}", None, False
            self.speaker.end(Phase.ENDED, self.ended, self.own)
            return
        if self.speaker.count_failure(
            f"mysqld ended while it was {end.launched.phase.value}{said}", end.errors, self.own
        ):
            raise Over
        self.forming, self.own.end = False, None

    def _settle(self) -> None:
        """Write down what a Primary component has come to, once it has."""
        if self.own.state is not State.PRIMARY:
            return
        own, council = self.own, self.council
        reading, view = own.reading, own.directory.read_gvwstate()
        assert reading is not None
        self.announced = None
        record = note_view(own.record, view, reading)
        records = council.cib.book.records
        uuid = own.position.uuid
        if self.forming or (records.cluster != uuid and own.position.real):
            council.record(line=record.line if self.forming else None, cluster=uuid)
        if self.forming:
            self.forming = False
            council.release_token()
            self.log.info(f"{council.me} has formed the cluster: {own.position}")
        own.remember(record._replace(clean_stop=None, superseded=False, discarded=False, inconsistent=False))

    def _tidy(self) -> None:
        """Once the node has been well for longer than a monitor's interval, its past is nobody's failure any more."""
        now = time.monotonic()
        if self.own.verdict is None or self.own.verdict.code is not Code.SYNCED:
            self._well_since, self._tidied = now, False
        elif not self._tidied and now - self._well_since > WELL_SECONDS:
            self._tidied = True
            if self.council.forget_degraded():
                self.log.info("well again: Pacemaker's list of past degraded results is cleared")

    def _is_overdue(self) -> bool:
        """Whether what was started should have become Primary by now. A server that serves, but not us, is not."""
        own = self.own
        if own.state not in (State.STARTING, State.RESTORING) or own.transfer or not (own.is_deaf or own.reading):
            return False
        return time.monotonic() - max(own.met_at, own.progress_at) > own.settings.view_timeout

    # --- what it does

    def _act(self, decision: Decision) -> None:
        if isinstance(decision, (Wait, Refuse)):
            self._hold(decision)
        elif isinstance(decision, Join):
            self._join(decision)
        elif isinstance(decision, RestoreView):
            self._restore(decision)
        else:
            self._take_token(decision)

    def _may(self, what: str) -> bool:
        """Look again whether an operator has taken the node out of our hands. Nothing is changed then."""
        forbidden = self.council.forbidden()
        if forbidden:
            self.speaker.say(Phase.HELD, f"{what} is due, but {forbidden}", self.own)
        return not forbidden

    def _hold(self, decision: Wait | Refuse) -> None:
        refusing = isinstance(decision, Refuse)
        reason = f"{decision.reason}; {decision.remedy}" if decision.remedy else decision.reason
        starting = self.own.process is not None and self.own.state in (State.STARTING, State.RESTORING)
        phase = Phase.REFUSING if refusing else self._phase() if starting else Phase.WAITING
        silent = self.council.unanswered()
        if silent and not decision.first and self.council.age < ANSWER_SECONDS:
            reason = f"asking {name_nodes(silent)}"
        elif starting and not refusing and not decision.first:
            reason = self._why or reason
        self.speaker.say(phase, reason, self.own)
        if decision.first is not None and self._may(decision.first.value):
            self._take_step(decision.first)

    def _take_step(self, step: Step) -> None:
        if step is Step.STOP:
            self.log.warning("stopping mysqld")
            # One that waits for its group serves nobody, has nothing to write, and does not listen to SIGTERM.
            if not self.own.stop(DEAF_SECONDS if self.own.is_deaf else STOP_SECONDS):
                self.speaker.end(Phase.FAILED, "mysqld does not end, not even by SIGKILL", self.own)
                raise Over
            self.announced, self.forming = None, False
            self.council.ask()
        elif step is Step.SET_VIEW_ASIDE:
            self.own.directory.set_view_aside()
        elif self.council.consume_grants("discard"):
            self.log.warning("a grant gives up the data here: they are not deleted, the next join replaces them")
            self.own.directory.discard()
            self.own.standing = None

    def _join(self, decision: Join) -> None:
        own = self.own
        if own.process is not None:
            if decision.primary == self.council.me:
                own.remember(own.record._replace(line=self.council.newest_line(own.record.line)))
            running = own.state is State.PRIMARY
            self.speaker.say(self._phase(), decision.reason if running else self._why or decision.reason, own)
            return
        if self._may("joining"):
            own.directory.set_view_aside()
            own.remember(own.record._replace(line=decision.line, clean_stop=None))
            self._launch(Phase.STARTING, State.STARTING, decision.reason)

    def _restore(self, decision: RestoreView) -> None:
        if self.own.process is not None:
            self.speaker.say(Phase.RESTORING, decision.reason, self.own)
        elif self._may("forming the last view again"):
            self._launch(Phase.RESTORING, State.RESTORING, decision.reason)

    def _launch(self, phase: Phase, state: State, reason: str, *, bootstrap: bool = False) -> None:
        """Say that a server starts, see that everybody can know it, and start it."""
        self.announced, self._why = state, reason
        self.speaker.say(phase, reason, self.own)
        self.council.delete_stop()
        if not self.council.confirm(self.ballot()):
            self.announced = None
            return
        if phase is not Phase.STARTING and self.council.is_token_elsewhere():
            self.announced = None
            return
        try:
            self.own.start(phase, bootstrap=bootstrap)
        except Unusable as error:
            self.speaker.end(Phase.FAILED, str(error), self.own, permanent=True)
            raise Over from None
        except OSError as error:
            self.speaker.end(Phase.FAILED, f"mysqld cannot be started: {error}", self.own)
            raise Over from None

    # --- forming a Primary

    def _take_token(self, decision: Bootstrap | Revive) -> None:
        """Take the one right to form a Primary, and ask everybody again."""
        if not self._may("forming the cluster"):
            return
        shown = self.council.shown()
        self.council.ask()
        if self.council.take_token(shown):
            self.plan = Plan(shown, time.monotonic() + TOKEN_PATIENCE)
            self.speaker.say(Phase.FORMING, f"{decision.reason}; asking everybody once more", self.own)

    def _use_token(self, plan: Plan) -> None:
        """Act if all that was seen still stands; give the token back if it does not."""
        decision = self.decision
        if isinstance(decision, (Bootstrap, Revive)) and self.council.shown() == plan.shown:
            if self.council.holds_token() and self._may("forming the cluster"):
                return self._form(decision)
        elif self.council.unanswered() and time.monotonic() < plan.until:
            return None
        self.plan = None
        self.council.release_token()
        self.log.info("the reports have changed since the token was taken: it is given back")
        return None

    def _form(self, decision: Bootstrap | Revive) -> None:
        self.plan = None
        if decision.grants and not self.council.consume_grants(*{grant.kind.value for grant in decision.grants}):
            return
        line = decision.founding.line(new_id())
        own, council = self.own, self.council
        own.remember(own.record._replace(line=line, clean_stop=None, discarded=False))
        self.forming = True
        if isinstance(decision, Revive):
            council.record(line=line, cluster=own.position.uuid)
            self.speaker.say(Phase.REVIVING, decision.reason, own)
            self.log.warning(decision.reason)
            refused = own.revive()
            if refused:
                self.log.warning(f"pc.bootstrap could not be set ({refused}): stopping, to form the cluster anew")
                self._take_step(Step.STOP)
            return
        own.directory.set_view_aside()
        if decision.position.real:
            council.record(line=line, cluster=decision.position.uuid)
            own.directory.write_grastate(decision.position, safe_to_bootstrap=True)
        self._launch(Phase.FORMING, State.STARTING, decision.reason, bootstrap=True)
