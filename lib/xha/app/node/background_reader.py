"""A reader in a thread of its own, so that a database that hangs delays no answer."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Callable

    from .reader import Reader, Snapshot


_PAUSE = 0.5


class BackgroundReader:
    """A Reader in a thread of its own. Call `ask` for a reading, and `collect` the snapshot after `wake` was called."""

    def __init__(self, reader: Reader, wake: Callable[[], object]) -> None:
        self._reader, self._wake = reader, wake
        self._questions: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._snapshots: queue.SimpleQueue[Snapshot] = queue.SimpleQueue()
        # A daemon thread, so that a frozen server does not keep the process from ending.
        threading.Thread(target=self._run, name="database", daemon=True).start()

    def ask(self) -> None:
        """Request one reading."""
        self._questions.put(None)

    def collect(self) -> Snapshot | None:
        """Return a requested snapshot; None while there is none."""
        try:
            return self._snapshots.get_nowait()
        except queue.Empty:
            return None

    def _run(self) -> None:
        while True:
            self._questions.get()
            self._snapshots.put(self._take())
            self._notify()

    def _notify(self) -> None:
        while True:
            try:
                self._wake()
                return
            # out of memory: without this call, the clients that wait for the reading would wait for ever
            except Exception:
                time.sleep(_PAUSE)

    def _take(self) -> Snapshot:
        """Take one reading, whatever happens: without this thread every answer would be `hung` until a restart."""
        while True:
            try:
                try:
                    return self._reader.take()
                except BaseException as error:  # a library's SystemExit ends only its thread, which would be this one
                    return self._reader.give_up(error)
            # not even that, for instance without memory: clients that wait are told that the node is hung
            except BaseException:
                time.sleep(_PAUSE)
