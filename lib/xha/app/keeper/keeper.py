"""The keeper: one process for each data directory that brings its node into the cluster, and then answers for it.

It is no child of Pacemaker's actions and waits for nobody there: start launches it, monitor reads what it says
(core/monitor/keeper_status.py), stop ends it. It looks, asks core/keeper/machine.py what to do, and does that. mysqld
outlives it; the next keeper takes over what runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.keeper.effects import End
from ...core.keeper.machine import step
from ...core.keeper.memory import Memory
from ...core.keeper.observation import Trouble
from ...core.keeper.outcomes import Done, FailureCause
from ...core.keeper.server.pace import rest

if TYPE_CHECKING:
    from ...adapters.host.faults import Faults
    from ...core.keeper.observation import Observation
    from ...core.keeper.outcomes import EffectResult
    from .children import Attendant, Children
    from .observer import Observer
    from .performer import Performer


class Keeper:
    """One node's keeper."""

    def __init__(self, observer: Observer, performer: Performer, children: Children, faults: Faults) -> None:
        self._observer, self._performer, self._children, self._faults = observer, performer, children, faults
        # Who answers questions while it rests.
        self.attendant: Attendant | None = None
        self.memory = Memory()
        self._results: tuple[EffectResult, ...] = ()

    def run(self) -> None:
        """Look and act until the node is stopped, or fails in a way that only Pacemaker or a person can mend."""
        try:
            while not self._is_over:
                self._children.rest(self.look_and_act(), self.memory.server, self._observer.notices, self.attendant)
        finally:
            self._children.end()
            if not self._is_over:  # the token is given back, whatever ends this
                self._act(self._observer.glance(self._results, ending=True))

    def look_and_act(self) -> float:
        """Take a step, and where an effect failed, another one without a look; return how long to rest then."""
        seen = self._act(self._observer.look(self.memory, self._results))
        if any(not isinstance(one.outcome, Done) for one in seen.results) and not self._is_over:
            behind = self._act(self._observer.glance(seen.results))
            seen = seen._replace(results=(*seen.results, *behind.results))
        return rest(self.memory, seen)

    @property
    def _is_over(self) -> bool:
        return any(isinstance(one.act, End) for one in self._results)

    def _act(self, seen: Observation) -> Observation:
        """Take a step and do its effects; return what was seen, with what came of them.

        Should the step break off, in spite of all, nothing is planned any more, and that is said.
        """
        try:
            self.memory, effects = step(self.memory, seen)
        except Exception as error:
            trouble = Trouble(FailureCause.UNFORESEEN, self._faults.note("deciding what to do", error))
            seen = seen._replace(results=(), trouble=trouble, server=None, data=None, cluster=None)
            self.memory, effects = step(self.memory, seen)
        if self.memory.child is None:
            self._children.forget()
        self._results = self._performer.perform(effects, seen.settings, self.memory.decision)
        return seen._replace(results=self._results)
