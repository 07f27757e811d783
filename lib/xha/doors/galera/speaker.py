"""What the keeper says of its node: to monitor (its bulletin), to the log, to the cluster (two attributes)."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

from ...adapters.pacemaker.cluster import ClusterUnreachable
from ...adapters.process.procfs import read_process
from ...core.galera.error_log import is_permanent, tell
from ...core.monitor.keeper_status import Bulletin, Phase
from ...core.monitor.start_failures import Failure, add_failure, is_hopeless

if TYPE_CHECKING:
    from ...adapters.files.agent_rundir import RunDir
    from ...adapters.host.log import Log
    from ...adapters.pacemaker.cluster import Pacemaker
    from ...adapters.pacemaker.standalone import Standalone
    from .own import OwnNode

_MOST_CHARACTERS = 240
# How often the log tells how far a state transfer is.
PROGRESS_SECONDS = 30.0


class Speaker:
    """Says everything once: a line of the log for each change, and a bulletin at each look."""

    def __init__(self, run: RunDir, cluster: Pacemaker | Standalone, resource: str, log: Log) -> None:
        self.run, self.cluster, self.resource, self.log = run, cluster, resource, log
        self._process = read_process(os.getpid())
        self._last = Bulletin(Phase.RECOVERING)
        self._ready: bool | None = None
        self._shown = ""
        self._progress_at = 0.0

    @property
    def phase(self) -> Phase:
        """The phase of the last bulletin."""
        return self._last.phase

    @property
    def reason(self) -> str:
        """The reason of the last bulletin."""
        return self._last.reason

    def say(self, phase: Phase, reason: str, own: OwnNode, *, permanent: bool = False) -> None:
        """Write the bulletin; where phase or reason changed, tell the log and the cluster, too.

        It raises nothing: a full /run, or Pacemaker's silence, ends no keeper. Who reads the old bulletin sees its age.
        """
        now, last = time.monotonic(), self._last
        changed = (phase, reason) != (last.phase, last.reason)
        reading, verdict = own.reading, own.verdict
        self._last = Bulletin(
            phase,
            reason,
            pid=os.getpid(),
            started=self._process.started if self._process else 0,
            at=now,
            since=now if changed else last.since,
            server_pid=own.process.pid if own.process else 0,
            server_started=own.process.started if own.process else 0,
            launched_at=own.launched.at if own.launched else 0.0,
            code=verdict.code.value if verdict else "",
            message=verdict.message if verdict else "",
            ready=own.is_ready,
            cluster_status=(reading.status.wsrep_cluster_status or "") if reading else "",
            answered_at=own.answered_at,
            transfer=str(own.transfer) if own.transfer else "",
            progress_at=own.progress_at if own.transfer else 0.0,
            primary_at=own.primary_at,
            permanent=permanent,
            datadir=own.program.datadir,
            socket=own.program.socket,
            arrived=own.arrived if own.transfer else 0,
        )
        try:
            self.run.write_bulletin(self._last)
        except OSError as error:
            if changed:
                self.log.warning(f"{self.run.path}: {(error.strerror or str(error)).lower()}: monitor reads old news")
        if self._last.progress and now - self._progress_at > PROGRESS_SECONDS:
            self._progress_at = now
            self.log.info(self._last.progress)
        if changed:
            self.log.info(f"{phase.value}: {reason}")
        self._show(f"{phase.value}: {reason}"[:_MOST_CHARACTERS])

    def end(self, phase: Phase, reason: str, own: OwnNode, *, permanent: bool = False) -> None:
        """Say the last word: the keeper ends after it."""
        self.say(phase, reason, own, permanent=permanent)
        self.ready(False)

    def ready(self, is_ready: bool) -> None:
        """Set the attribute by which rules of other resources know whether this node serves."""
        if is_ready != self._ready:
            self.cluster.set_transient(f"xha-{self.resource}-ready", str(int(is_ready)))
            self._ready = is_ready

    def count_failure(self, reason: str, errors: tuple[str, ...], own: OwnNode) -> bool:
        """Note that a start failed; return whether it was said to be the last that is tried here."""
        now = time.monotonic()
        failures = add_failure(self.run.read_failures(), Failure(now, tell(errors) or reason))
        self.run.write_failures(failures)
        permanent = is_permanent(errors)
        if permanent or is_hopeless(failures, now):
            again = "" if permanent else "; the same for the third time within 10 minutes"
            self.end(Phase.FAILED, f"{reason}{again}: mend it, then pcs resource cleanup", own, permanent=True)
            return True
        self.log.warning(reason)
        return False

    def _show(self, text: str) -> None:
        """Set the attribute, and try again at the next word where Pacemaker does not answer."""
        if text == self._shown:
            return
        with contextlib.suppress(ClusterUnreachable):
            self.cluster.set_private(f"xha-{self.resource}-state", text)
            self._shown = text
