"""What is said of a node: to monitor (the keeper's status), to the log, and to the cluster (four attributes)."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

from ...adapters.pacemaker.cluster import ClusterUnreachable
from ...adapters.process.procfs import read_process
from ...core.keeper.results import count_results
from ...core.monitor.keeper_status import KeeperStatus, Phase
from ...core.monitor.keeper_tally import KeeperTally

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...adapters.files.agent_rundir import RunDir
    from ...adapters.host.log import Log
    from ...adapters.pacemaker.cluster import Pacemaker
    from ...adapters.pacemaker.standalone import Standalone
    from ...core.election.decision import Decision
    from ...core.keeper.outcomes import EffectResult

_MOST_CHARACTERS = 240
# How often the log tells how far a state transfer is.
PROGRESS_SECONDS = 30.0
# How often the cluster is told that the keeper still speaks. An attribute carries no time of its own, and outlives a
# keeper that was killed; `xha-check cluster` believes a word for three times as long (core/cluster/keeper_word.py). One
# private attribute costs 8 to 12 ms of CPU, and enters no configuration.
SPEAK_SECONDS = 30.0


class Announcer:
    """Says everything once: a line of the log for each change, and a status at each look."""

    def __init__(self, run: RunDir, cluster: Pacemaker | Standalone, resource: str, log: Log) -> None:
        self._run, self._cluster, self._resource, self._log = run, cluster, resource, log
        process = read_process(os.getpid())
        self._started = process.started if process else 0
        self._last = KeeperStatus(Phase.RECOVERING)
        self._shown, self._shown_phase = "", ""
        self._phase_at = time.time()
        self._spoke_at = float("-inf")
        self._progress_at = 0.0
        self._tally = run.read_keeper_tally() or KeeperTally()
        self._written: KeeperTally | None = None

    def say(self, keeper_status: KeeperStatus) -> None:
        """Write the status; where phase or reason changed, tell the log and the cluster, too.

        The log comes first: whoever has seen a status finds its line there, also if this process ends now. It raises
        nothing: a full /run, or Pacemaker's silence, ends no keeper. Who reads the old status sees its age.
        """
        now, last = time.monotonic(), self._last
        self._log.settle()
        changed = (keeper_status.phase, keeper_status.reason) != (last.phase, last.reason)
        since = now if changed else last.since
        if keeper_status.phase is not last.phase:
            self._phase_at = time.time()
        self._last = keeper_status._replace(pid=os.getpid(), started=self._started, at=now, since=since)
        text = f"{keeper_status.phase.value}: {keeper_status.reason}"
        if changed:
            write = self._log.warning if keeper_status.phase is Phase.FAILED else self._log.info
            write(text, about="the keeper")
        try:
            self._run.write_keeper_status(self._last)
        except OSError as error:
            if changed:
                reason = (error.strerror or str(error)).lower()
                self._log.warning(f"{self._run.path}: {reason}: monitor reads old news")
        if self._last.progress and now - self._progress_at > PROGRESS_SECONDS:
            self._progress_at = now
            self._log.info(self._last.progress, kind=f"{self._last.transfer}: {self._last.arrived >> 20}")
        self._show(text[:_MOST_CHARACTERS])

    def count(self, results: Iterable[EffectResult], decision: Decision | None) -> None:
        """Count what came of a step, for the responder's metrics. A full /run costs the metric, and is tried again."""
        self._tally = count_results(self._tally, results, decision, time.time())
        if self._tally == self._written:
            return
        with contextlib.suppress(OSError):
            self._run.write_keeper_tally(self._tally)
            self._written = self._tally

    def set_ready(self, ready: bool) -> None:
        """Set the attribute by which rules of other resources know whether this node serves."""
        self._cluster.set_transient(f"xha-{self._resource}-ready", str(int(ready)))

    def set_writer(self, is_writer: bool) -> None:
        """Set the attribute by which rules of other resources, as an address, follow the writer."""
        self._cluster.set_transient(f"xha-{self._resource}-writer", str(int(is_writer)))

    def log(self, text: str, *, warning: bool) -> None:
        """Write a line of the log."""
        (self._log.warning if warning else self._log.info)(text)

    def _show(self, text: str) -> None:
        """Set the attribute and its time, and try the text again at the next word where Pacemaker does not answer."""
        now = time.monotonic()
        changed = text != self._shown
        if not changed and now - self._spoke_at < SPEAK_SECONDS:
            return
        self._spoke_at = now
        with contextlib.suppress(ClusterUnreachable):
            if changed:
                self._cluster.set_private(f"xha-{self._resource}-state", text)
                self._shown = text
            if self._last.phase.value != self._shown_phase:  # whoever looks from elsewhere sees how long it has waited
                self._cluster.set_private(f"xha-{self._resource}-since", str(round(self._phase_at)))
                self._shown_phase = self._last.phase.value
            # What it says of a server that does not answer is as old as the last answer.
            asked = self._last.server_pid and self._last.answered_at
            age = max(0.0, now - self._last.answered_at) if asked else 0.0
            self._cluster.set_private(f"xha-{self._resource}-at", str(round(time.time() - age)))
