"""What every deed of a keeper needs: its report, starting and stopping the server, giving up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from ...adapters.host.systemd_units import give_scope
from ...adapters.mysqld.program import Unusable
from ...app.node.host_findings import find_fault
from ...core.election.compose_report import compose_ballot
from ...core.election.position_report import State
from ...core.monitor.keeper_status import Phase
from ...core.ocf.api import ExitCode

if TYPE_CHECKING:
    from ...adapters.host.log import Log
    from ...core.election.position_report import Ballot
    from ...core.galera.lineage import History
    from .council import Council
    from .own import OwnNode
    from .speaker import Speaker

STOP_SECONDS, DEAF_SECONDS = 60.0, 6.0
_STARTS = (State.STARTING, State.RESTORING)


class Plan(NamedTuple):
    """A Primary that this node is about to form under the token: what it was shown, and until when it waits."""

    shown: str
    until: float


class Over(Exception):
    """The keeper has nothing more to do here."""


class Deeds:
    """What is true of one node between its deeds, and the deeds that others are made of.

    plan: the token was taken, and everybody is asked again. forming_since: a Primary was begun here and is not there
    yet (monotonic seconds, 0.0: none was). announced: the state that the report says before the server runs.
    came_with: the history that the data had before the server was started to join; nothing real where a copy is due.
    """

    def __init__(self, own: OwnNode, council: Council, speaker: Speaker, log: Log) -> None:
        self.own, self.council, self.speaker, self.log = own, council, speaker, log
        self.plan: Plan | None = None
        self.forming_since = 0.0
        self.announced: State | None = None
        self.came_with: History | None = None
        self._why = ""
        self._epochs: tuple[str, ...] = ()

    def reset(self) -> None:
        """Begin anew: the server has ended, and what was asked before does not count any more."""
        self.plan, self.announced, self.forming_since, self.came_with = None, None, 0.0, None
        self.council.ask()

    def ballot(self) -> Ballot:
        """Return this node's report. While it holds the token it answers nobody's new question."""
        if self.plan is None:
            self._epochs = self.council.asked()
            token = self.council.token
            if token is not None and token.node == self.council.me and not self.forming_since:
                self._epochs = (*self._epochs, token.epoch)
        return compose_ballot(
            self.council.me,
            self.own.facts(self.announced, self.council.addresses),
            epochs=self._epochs,
            opens=self.council.epoch,
            members=self.council.members,
        )

    @property
    def phase(self) -> Phase:
        """What the server, or its absence, is called in a bulletin."""
        if self.own.process is None:
            return Phase.WAITING
        if self.own.state not in _STARTS:
            return Phase.RUNNING
        return self.own.launched.phase if self.own.launched else Phase.STARTING

    @property
    def is_forming(self) -> bool:
        """Whether a Primary is being formed here, so that the token has to be kept.

        It is planned; or a server starts, of which nobody knows yet what it comes to, and which may be a dead keeper's;
        or a survivor was told to be a Primary.
        """
        own = self.own
        if self.plan is not None or own.process is None:
            return self.plan is not None
        return own.state is State.STARTING or (own.state is State.NON_PRIMARY and self.forming_since > 0)

    def forget_late(self) -> None:
        """Take a Primary that did not come about in its time for one that does not."""
        late = self.forming_since and time.monotonic() - self.forming_since > self.own.settings.view_timeout
        if late and self.own.state is State.NON_PRIMARY:
            self.forming_since = 0.0

    def check_host(self) -> None:
        """Give up where this host is not ready for a server: what validate-all calls an error is never started.

        :raises Over: with validate-all's words. :raises TimeoutError: where the server does not list its options.
        """
        fault = find_fault(self.own.settings)
        if fault is None:
            return
        if fault.code is ExitCode.GENERIC:
            raise TimeoutError(fault.text)  # it is not known: the next look tries again
        self.give_up(fault.text)

    def _may(self, what: str) -> bool:
        """Look again whether an operator has taken the node out of our hands. Nothing is changed then."""
        forbidden = self.council.forbidden()
        if forbidden:
            self.speaker.say(Phase.HELD, f"{what} is due, but {forbidden}", self.own)
        return not forbidden

    def stop(self) -> None:
        """Stop the server, and begin anew. One that waits for its group serves nobody, and does not heed SIGTERM."""
        self.log.warning("stopping mysqld")
        if not self.own.stop(DEAF_SECONDS if self.own.is_deaf else STOP_SECONDS):
            self.speaker.end(Phase.FAILED, "mysqld does not end, not even by SIGKILL", self.own)
            raise Over
        self.reset()

    def _launch(self, phase: Phase, state: State, reason: str, *, bootstrap: bool = False) -> None:
        """Say that a server starts, see that everybody can know it, and start it."""
        self.announced, self._why = state, reason
        self.forming_since = time.monotonic() if bootstrap else 0.0
        try:
            self._start(phase, reason, bootstrap=bootstrap)
        finally:
            if self.own.process is None:
                self.announced, self.forming_since = None, 0.0

    def _start(self, phase: Phase, reason: str, *, bootstrap: bool) -> None:
        self.check_host()
        self.speaker.say(phase, reason, self.own)
        self.council.delete_stop()
        seen = self.council.confirm(self.ballot())
        if not seen or (phase is not Phase.STARTING and self.council.is_token_elsewhere()):
            return
        try:
            self.own.start(phase, bootstrap=bootstrap)
        except Unusable as error:
            self.give_up(str(error))
        except OSError as error:
            self.give_up(f"mysqld cannot be started: {error}", permanent=False)
        else:
            assert self.own.process
            scope = give_scope(self.own.process.pid, self.council.resource)
            self.log.info(f"{self.own.process} runs in {scope or 'the control group of its keeper'}")

    def give_up(self, reason: str, *, permanent: bool = True) -> NoReturn:
        """End with a failure."""
        self.speaker.end(Phase.FAILED, reason, self.own, permanent=permanent)
        raise Over
