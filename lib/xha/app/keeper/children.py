"""The child of a keeper: a recovery, a creation, a stop or a look at the host, in a process of its own.

There is one at a time. It is killed with the keeper, and what it runs in the data directory with it; the directory's
lock is free only then. It holds the keeper's lock, too: nobody takes the keeper for ended, and no other one begins,
while its child still writes.
"""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

from ...adapters.datadir.hold import InUse
from ...adapters.process.end_watch import EndWatch
from ...adapters.process.worker import Worker
from ...core.keeper.observation import ChildSeen
from ...core.keeper.outcomes import Begun, EffectFailed, FailureCause, parse_outcome, render_outcome
from ...core.keeper.server.pace import GLANCE_SECONDS

if TYPE_CHECKING:
    from typing import Callable, Protocol

    from ...adapters.datadir.contents import DataDirectory
    from ...adapters.host.faults import Faults
    from ...adapters.process.worker import WorkerEnd
    from ...core.galera.known_servers import ServerProcess
    from ...core.keeper.outcomes import Done

    class Attendant(Protocol):
        """Has a descriptor that is readable while somebody asks, and answers who does."""

        def fileno(self) -> int: ...

        def attend(self) -> None:
            """Answer. :raises OSError: where nobody can be accepted for now."""


class Children:
    """Begins one child, tells what became of it until that is known, and wakes who rests when it ends."""

    def __init__(self, directory: DataDirectory, faults: Faults) -> None:
        self._directory, self._faults = directory, faults
        self._worker: Worker | None = None
        self._number = 0
        self._title = ""
        self._server = EndWatch()

    def begin(self, name: str, work: Callable[[], Done | EffectFailed]) -> Begun:
        """Begin a child that does the work. :raises InUse: while another one runs. :raises OSError: as fork(2) does."""
        if self._worker is not None and self._worker.read_end() is None:
            raise InUse(f"{self._directory.path} is in use: pid {self._worker.pid} of this keeper has not ended yet")
        identity = self._directory.read_identity()
        self._worker = Worker(f"xha-{name}", lambda: render_outcome(work()).encode())
        self._number += 1
        self._title = f"the keeper's process xha-{name}"
        return Begun(self._number, identity)

    def see(self) -> ChildSeen | None:
        """Return what can be seen of the child, None where there is none."""
        if self._worker is None:
            return None
        end = self._worker.read_end()
        outcome = None if end is None else _judge(end, self._title)
        if isinstance(outcome, EffectFailed) and outcome.cause is FailureCause.UNFORESEEN:
            self._faults.know(outcome.text)
        return ChildSeen(self._number, outcome, self._directory.read_identity())

    def forget(self) -> None:
        """Forget a child that has ended: what it came to is known."""
        if self._worker is not None and self._worker.read_end() is not None:
            self._worker = None

    def end(self) -> None:
        """End the child, by SIGKILL if need be."""
        if self._worker is not None:
            self._worker.end()

    def rest(
        self,
        seconds: float,
        server: ServerProcess | None = None,
        notices: Callable[[], bool] = lambda: False,
        attendant: Attendant | None = None,
    ) -> None:
        """Wait these seconds, or until the child or the server has ended, or a glance in between notices something.

        attendant: answers whoever asks this keeper in the meantime.
        """
        self._server.watch(*((server.pid, server.started) if server else (0, 0)))
        until = time.monotonic() + seconds
        left = seconds
        while left > 0:
            own = [] if self._worker is None else self._worker.descriptors
            asked = [] if attendant is None else [attendant.fileno()]
            woken = self._server.wait(min(left, GLANCE_SECONDS), *own, *asked)
            if woken.difference(asked):
                return
            if attendant is not None and woken:
                attendant = _attend(attendant)
            left = until - time.monotonic()
            if left > 0 and notices():
                return


def _attend(attendant: Attendant) -> Attendant | None:
    """Return it, or None if nobody can be accepted for now: who waits there would wake at once, again and again."""
    try:
        attendant.attend()
    except OSError:
        return None
    return attendant


def _judge(end: WorkerEnd, title: str) -> Done | EffectFailed:
    """Return what a child came to that has ended. What is no result is a failure, after which it is tried again."""
    outcome = parse_outcome(end.result.decode("utf-8", "replace"))
    if outcome is not None:
        return outcome
    how = f"was killed by {_name(end.signal)}" if end.signal else "ended without a result"
    return EffectFailed(FailureCause.BUSY, f"{title} {how}", time.monotonic())


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
