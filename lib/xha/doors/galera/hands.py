"""What a keeper does to its node: one deed at a time, each looked at again before it is done, each said in a line."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ...adapters.lifecycle.creation import create
from ...adapters.mysqld.program import Unusable
from ...core.election.decision import Bootstrap, Join, Refuse, RestoreView, Revive, Step, Wait
from ...core.election.obstacles import name_nodes
from ...core.election.position_report import State
from ...core.galera.lineage import History, Order, compare
from ...core.galera.node_record import NodeRecord
from ...core.galera.position import Kind, Position
from ...core.monitor.keeper_status import Phase
from .council import new_id
from .deeds import Deeds, Plan

if TYPE_CHECKING:
    from ...core.election.decision import Decision
    from ...core.galera.lineage import Generation

# How long the holder of the token waits for everybody to answer again.
TOKEN_PATIENCE = 20.0
# How long after it asked a node says so, before it says what follows from the answers that are missing.
ANSWER_SECONDS = 5.0
# How long nobody joins while a server runs somewhere without a keeper: the next monitor there launches one.
KEEPER_SECONDS = 15.0
CREATION_SECONDS = 300.0


class Hands(Deeds):
    """One node's deeds, as they are decided."""

    def act(self, decision: Decision) -> None:
        """Do what was decided, or the first part of it."""
        if self.plan is not None:
            self._use_token(self.plan, decision)
        elif isinstance(decision, (Wait, Refuse)):
            self._hold(decision)
        elif isinstance(decision, Join):
            self._join(decision)
        elif isinstance(decision, RestoreView):
            self._restore(decision)
        else:
            self._take_token(decision)

    def _hold(self, decision: Wait | Refuse) -> None:
        refusing = isinstance(decision, Refuse)
        reason = f"{decision.reason}; {decision.remedy}" if decision.remedy else decision.reason
        starting = self.own.process is not None and self.own.state in (State.STARTING, State.RESTORING)
        phase = Phase.REFUSING if refusing else self.phase if starting else Phase.WAITING
        if self.own.is_unknown and not refusing:
            phase, reason = Phase.UNKNOWN, self.own.standing.cause if self.own.standing else ""
        silent = self.council.unanswered()
        if not self.own.is_unknown and self._asks_running():
            return
        if silent and not decision.first and self.council.age < ANSWER_SECONDS and phase is not Phase.UNKNOWN:
            phase, reason = self.phase, f"asking {name_nodes(silent)}"
        elif starting and not refusing and not decision.first:
            reason = self._why or reason
        self.speaker.say(phase, reason, self.own)
        if decision.first is not None and self._may(decision.first.value):
            self._take_step(decision.first)

    def _asks_running(self) -> bool:
        """Return whether a server runs somewhere whose keeper is still to come: it may be a Primary of its own."""
        unheard = self.council.unheard()
        if not unheard or self.own.process is not None or self.council.age > KEEPER_SECONDS:
            return False
        self.speaker.say(Phase.RECOVERING, f"asking {name_nodes(unheard)}, where a server runs", self.own)
        return True

    def _take_step(self, step: Step) -> None:
        if step is Step.STOP:
            self.stop()
        elif step is Step.SET_VIEW_ASIDE:
            self.own.directory.set_view_aside()
        elif self.council.consume_grants("discard"):
            self.log.warning("a grant gives up the data here: they are not deleted, the next join replaces them")
            self._discard()
            self.council.record_kept()

    def _discard(self) -> None:
        if self.own.process is not None:
            self.stop()
        self.own.directory.discard()
        self.own.standing = None

    def lies_behind(self, line: tuple[Generation, ...]) -> bool:
        """Return whether all that the data held before they joined is in a component with such a line."""
        if self.came_with is None:
            return False
        here = History(self.own.position, line)
        return not self.came_with.position.real or compare(self.came_with, here) in (Order.EQUAL, Order.BEHIND)

    def leave_strangers(self) -> None:
        """Leave a component that this node did not set out for: its own rows, and those of that one, may not agree.

        Nothing is lost: it set out for another one, which holds all that it had.
        """
        if self._may("leaving the Primary component of others"):
            self.log.warning("this server came into another Primary component than the one it was to join: it leaves")
            self._discard()

    def _join(self, decision: Join) -> None:
        own = self.own
        if own.process is not None:
            running = own.state is State.PRIMARY
            self.speaker.say(self.phase, decision.reason if running else self._why or decision.reason, own)
            return
        if not self._asks_running() and self._may("joining"):
            intact = own.standing is not None and own.standing.kind is Kind.INTACT
            self.came_with = History(own.standing.position if own.standing and intact else Position(), own.record.line)
            own.directory.set_view_aside()
            own.remember(own.record._replace(line=decision.line, clean_stop=None))
            own.run.write_joining(NodeRecord(line=decision.line))
            self._launch(Phase.STARTING, State.STARTING, decision.reason)

    def _restore(self, decision: RestoreView) -> None:
        if self.own.process is not None:
            self.speaker.say(Phase.RESTORING, decision.reason, self.own)
        elif self._may("forming the last view again"):
            self._launch(Phase.RESTORING, State.RESTORING, decision.reason)

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

    def _use_token(self, plan: Plan, decision: Decision) -> None:
        """Act if all that was seen still stands; give the token back if it does not."""
        if isinstance(decision, (Bootstrap, Revive)) and self.council.shown() == plan.shown:
            if self.council.holds_token() and self._may("forming the cluster"):
                return self._form(decision)
        elif self.council.unanswered() and time.monotonic() < plan.until:
            return None
        self.plan = None
        self.log.info("the reports have changed since the token was taken")
        return None

    def _form(self, decision: Bootstrap | Revive) -> None:
        self.plan = None
        if decision.grants and not self.council.consume_grants(*{grant.kind.value for grant in decision.grants}):
            return
        line = decision.founding.line(new_id())
        own, council = self.own, self.council
        if isinstance(decision, Bootstrap) and not decision.position.real and not own.is_created:
            self._create()
        own.remember(own.record._replace(line=line, clean_stop=None, discarded=False))
        if isinstance(decision, Revive):
            council.record(line=line, cluster=own.position.uuid)
            self.speaker.say(Phase.REVIVING, decision.reason, own)
            self.log.warning(decision.reason)
            self.forming_since = time.monotonic()
            refused = own.revive()
            if refused:
                self.log.warning(f"pc.bootstrap could not be set ({refused}): stopping, to form the cluster anew")
                self.stop()
            return
        own.directory.set_view_aside()
        if decision.position.real:
            council.record(line=line, cluster=decision.position.uuid)
        # Without a position it begins a history of its own: with a UUID that nobody has yet.
        own.directory.write_grastate(decision.position, safe_to_bootstrap=True)
        self._launch(Phase.FORMING, State.STARTING, decision.reason, bootstrap=True)

    def _create(self) -> None:
        """Create a database where there is none, if the resource allows it."""
        datadir = self.own.program.datadir
        if not self.own.settings.enable_creation:
            reason = f"{datadir} holds no database: restore one there, or set enable_creation=1 to have one created"
            self.give_up(reason)
        self.speaker.say(Phase.FORMING, f"creating a database in {datadir}", self.own)
        try:
            create(self.own.program, time.monotonic() + CREATION_SECONDS)
        except Unusable as error:
            self.give_up(str(error))
