"""Keeps the availability ledger: what load balancers were told of the node, and since when.

The loop only compares each reading with the one before. A thread of its own writes: a disk that hangs, which may be the
server's too, delays no answer.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from ...adapters.history.ledger_file import LedgerFile
from ...core.cluster.history.ledger_lines import (
    BLIND_SECONDS,
    LEAP_SECONDS,
    MARK_SECONDS,
    LedgerLine,
    LineKind,
    NodeState,
    is_planned,
)
from ...core.cluster.members import name_members
from ...core.galera.reading import Reading
from ...core.node.codes import Code

if TYPE_CHECKING:
    from typing import Callable

    from ..node.reader import Snapshot

# So many changes wait for a disk that hangs, or a directory that is not there; older ones are lost, and that is told.
_MOST_WAITING = 1000
_AGAIN_SECONDS = 10.0


class Ledger:
    """The ledger of one resident responder. warn logs a sentence. now of its methods: seconds, monotonic."""

    def __init__(self, warn: Callable[[str], object]) -> None:
        self._warn = warn
        self._lock, self._wanted = threading.Lock(), threading.Event()
        self._waiting: deque[LedgerLine] = deque()
        self._dropped: LedgerLine | None = None
        self._mark: LedgerLine | None = None
        self._path: str | None = None
        self._state: NodeState | None = None
        self._looked_at: float | None = None
        # What the time of day is ahead of the monotonic clock, at least, since the last leap.
        self._offset = float("inf")
        self._marked_at = float("-inf")
        self._addresses: str | None = None
        self._file: LedgerFile | None = None
        self._opened, self._complained, self._started = "", False, False
        self.since: float | None = None
        """Since when the node is as it is, in seconds since 1970; None where its change was not seen."""
        self.cluster = ""
        """The name of the cluster, as the server told it last; "" before it has."""
        self.outages = self.drains = 0
        """How often the node went out of service, and how often it began to drain."""

    def note(self, snapshot: Snapshot, now: float) -> None:
        """Take note of what probes are answered from now on."""
        self._path = snapshot.config.responder.history_file
        said, before, looked_at = snapshot.verdict, self._state, self._looked_at
        planned = not said.available and is_planned(said.code, snapshot.withdrawal is not None, before)
        state = NodeState(said.available, said.code.value, planned)
        offset, was = time.time() - now, self._offset
        leapt = offset - was > LEAP_SECONDS  # the monotonic clock stands still while the host is suspended
        self._offset = offset if leapt else min(was, offset)
        blind = looked_at is not None and (leapt or now - looked_at > BLIND_SECONDS)
        lines: list[LedgerLine] = []
        if blind and looked_at is not None:
            lines.append(LedgerLine(LineKind.BLIND, looked_at + was, looked_at))
        if blind or state != before:
            gap = now - looked_at if looked_at is not None and not blind else 0.0
            lines.append(self._line(LineKind.STATE, now, now)._replace(state=state, gap=gap))
            self.since = None if before is None or blind else lines[-1].at
        lines += self._new_members(snapshot, now)
        if before is not None:
            self.outages += before.available and not state.available
            self.drains += state.code == Code.DRAINING.value != before.code
        self._state, self._looked_at = state, now
        if lines or now - self._marked_at >= MARK_SECONDS:
            self._marked_at = now
            self._hand_over(lines, self._line(LineKind.MARK, now, now))

    def _line(self, kind: LineKind, mono: float, now: float) -> LedgerLine:
        return LedgerLine(kind, time.time() - (now - mono), mono)

    def _new_members(self, snapshot: Snapshot, now: float) -> list[LedgerLine]:
        reading = snapshot.reading
        if isinstance(reading, Reading):
            self.cluster = reading.variables.wsrep_cluster_name or self.cluster
        addresses = reading.status.wsrep_incoming_addresses if isinstance(reading, Reading) else None
        if not addresses or addresses == self._addresses or not isinstance(reading, Reading):
            return []
        self._addresses = addresses
        members = tuple(map(str, name_members(addresses, reading.variables.wsrep_cluster_address or "")))
        node = reading.variables.wsrep_node_name or reading.variables.hostname or ""
        return [self._line(LineKind.MEMBERS, now, now)._replace(members=members, node=node)] if members else []

    def _hand_over(self, lines: list[LedgerLine], mark: LedgerLine) -> None:
        if self._path is None:
            return
        with self._lock:
            self._waiting.extend(lines)
            self._mark = mark
            self._shorten()
        self._wanted.set()
        if not self._started:
            self._started = True
            threading.Thread(target=self._run, name="ledger", daemon=True).start()

    def _shorten(self) -> None:
        while len(self._waiting) > _MOST_WAITING:
            first = self._waiting.popleft()
            self._dropped = self._dropped or LedgerLine(LineKind.LOST, first.at, first.mono)

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            with contextlib.suppress(Exception):  # the thread lives on; what it could not write waits
                if not self._write():
                    time.sleep(_AGAIN_SECONDS)

    def _write(self) -> bool:
        """Write what waits, and return whether that is done."""
        path = self._path
        with self._lock:
            lines, mark, dropped = list(self._waiting), self._mark, self._dropped
            self._waiting.clear()
            self._dropped = None
        if path is None or mark is None:
            return True
        try:
            file, begins = self._open(path)
            if dropped is not None:
                lines.insert(0, dropped)
            first = lines[0] if lines else mark
            run = LedgerLine(LineKind.RUN, first.at, first.mono, run=os.urandom(8).hex())
            if begins and not any(line.kind is LineKind.STATE for line in lines):
                lines.append(LedgerLine(LineKind.STATE, mark.at, mark.mono, state=self._state))
            file.append([run, *lines] if begins else lines, mark)
        except OSError as error:
            self._keep(lines, dropped)
            self._close()
            self._complain(path, error)
            return False
        self._complained = False
        return True

    def _open(self, path: str) -> tuple[LedgerFile, bool]:
        """Return the file, and whether a run begins in it."""
        if self._file is not None and self._opened == path:
            return self._file, False
        self._close()
        self._file, self._opened = LedgerFile(path), path
        if self._file.set_aside:
            self._warn(f"{path}: is too large to be a history: it is {self._file.set_aside} now, and a new one begins")
        return self._file, True

    def _keep(self, lines: list[LedgerLine], dropped: LedgerLine | None) -> None:
        with self._lock:
            self._waiting.extendleft(reversed([line for line in lines if line is not dropped]))
            self._dropped = dropped or self._dropped
            self._shorten()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None

    def _complain(self, path: str, error: OSError) -> None:
        if not self._complained:
            self._complained = True
            why = (error.strerror or "unwritable").lower()
            self._warn(f"{path}: {why}: the history of this node is not kept, and is unknown to xha-check history")

    @property
    def tail(self) -> str | None:
        """Its newest lines, None while none can be written. Nothing is read for it."""
        return self._file.tail if self._file else None
