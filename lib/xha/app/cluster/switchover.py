"""Hands the writer over: asks all keepers, has this host's keeper make the claim, and waits for the load balancers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from ...core.election.position_report import parse_position_report
from ...core.election.switchover import SwitchoverFacts, plan_switchover
from ...core.election.writer import choose_claim, parse_writer_word
from ...core.node.writer_rule import WriterOrder

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...adapters.files.agent_rundir import RunDir
    from ...adapters.pacemaker.cluster import Pacemaker
    from ...core.election.switchover import SwitchoverPlan
    from ...core.election.writer import Claim, WriterWord

_TICK = 0.1
# A calm keeper looks once a second, and repeats its word each second from then on.
ANSWER_SECONDS = 4.0
CLAIM_SECONDS = 4.0
# The keepers end an overlap after three seconds; looking takes them some time.
TAKE_SECONDS = 6.0


class Handover(NamedTuple):
    """What came of it. objection: why nothing was done, "" where it was; unfinished: what has not happened in time."""

    plan: SwitchoverPlan
    objection: str = ""
    unfinished: str = ""


class Switchover:
    """One switchover of a resource. tell: called with each step, and how many seconds after the beginning it was."""

    def __init__(
        self,
        cluster: Pacemaker,
        resource: str,
        run: RunDir,
        members: tuple[str, ...],
        tell: Callable[[str, float], None],
    ) -> None:
        self._cluster, self._resource, self._run, self._members = cluster, resource, run, members
        self._tell, self._begun = tell, time.monotonic()

    def run(self, named: str, *, leave_seconds: float, dry_run: bool = False) -> Handover:
        """Hand over to the node that is named, or to the first that can. leave_seconds: how long the old one may take.

        :raises ClusterUnreachable: if Pacemaker does not answer.
        :raises OSError: if this host's keeper cannot be told.
        """
        try:
            words, claim = self._ask_all()
            plan = plan_switchover(self._gather(named, words, claim))
            if plan.objection or dry_run:
                return Handover(plan, plan.objection)
            return self._hand_over(plan, claim, leave_seconds)
        finally:
            self._run.write_order(None)

    def _ask_all(self) -> tuple[dict[str, WriterWord], Claim]:
        """Return the words of the keepers that answer now, and the claim that wins."""
        before = self._read()
        self._order("", 0)
        until = time.monotonic() + ANSWER_SECONDS
        while True:
            after = self._read()
            answered = {node: word for node, word in after.items() if before.get(node, None) != word}
            if set(before) <= set(answered) or time.monotonic() > until:
                break
            time.sleep(_TICK)
        self._step(f"asked: {', '.join(sorted(answered)) or 'nobody'} answered")
        return answered, choose_claim((word.claim for word in after.values()), self._members)

    def _gather(self, named: str, words: dict[str, WriterWord], claim: Claim) -> SwitchoverFacts:
        cib = self._cluster.read_cib(self._resource)
        said = self._cluster.read_attribute(f"xha-{self._resource}-report")
        return SwitchoverFacts(
            named,
            self._members,
            claim,
            words,
            {node: parse_position_report(text) for node, text in said.items()},
            {node: stop.history.position for node, stop in cib.book.records.stops.items()},
            cib.quorum,
            self._resource,
        )

    def _hand_over(self, plan: SwitchoverPlan, claim: Claim, leave_seconds: float) -> Handover:
        self._order(plan.target, claim.counter)
        target, old = plan.target, claim.node

        def is_claimed() -> bool:
            words = self._read().values()
            return choose_claim((word.claim for word in words), self._members)[:] == (claim.counter + 1, target)

        def follows(node: str) -> bool:
            word = self._read().get(node)
            return word is not None and word.claim == (claim.counter + 1, target) and word.settled

        if not self._wait(is_claimed, CLAIM_SECONDS):
            return Handover(plan, f"the keeper of this host has made no claim for {target}: see its log")
        self._step(f"claimed: {target} is the writer")
        if not self._wait(lambda: follows(target), TAKE_SECONDS):
            return Handover(
                plan, unfinished=f"the keeper of {target} has not said that load balancers send writes there"
            )
        self._step(f"load balancers send writes to {target}")
        if not self._wait(lambda: follows(old), leave_seconds + TAKE_SECONDS):
            return Handover(plan, unfinished=f"load balancers may still send writes to {old}")
        self._step(f"none sends writes to {old} any more")
        return Handover(plan)

    def _order(self, target: str, counter: int) -> None:
        self._run.write_order(WriterOrder(counter, target, time.monotonic()))

    def _read(self) -> dict[str, WriterWord]:
        texts = self._cluster.read_attribute(f"xha-{self._resource}-claim")
        found = {node: parse_writer_word(text) for node, text in texts.items()}
        return {node: word for node, word in found.items() if word is not None}

    @staticmethod
    def _wait(holds: Callable[[], bool], seconds: float) -> bool:
        until = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > until:
                return False
            time.sleep(_TICK)
        return True

    def _step(self, text: str) -> None:
        self._tell(text, time.monotonic() - self._begun)
