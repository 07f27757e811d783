"""Wakes who rests when another process ends (pidfd_open(2), Linux 5.3; without it nobody is woken)."""

from __future__ import annotations

import os
import select
import time

from .procfs import look


class EndWatch:
    """The end of one process at a time. It wakes once: who cannot deal with the end rests as long as it would."""

    def __init__(self) -> None:
        self._process, self._descriptor = (0, 0), -1

    def watch(self, pid: int, started: int) -> None:
        """Watch this process from now on, as procfs.look knows it; zeros: none."""
        if (pid, started) == self._process:
            return
        self.close()
        self._process = (pid, started)
        if not pid:
            return
        try:
            self._descriptor = os.pidfd_open(pid)
        except (OSError, AttributeError):
            return
        if look(pid, started) is None:  # it has ended already, and another one has its number
            self.close()

    def wait(self, seconds: float, *others: int) -> frozenset[int]:
        """Wait these seconds, or until the process ends, or there is something to read from one of the descriptors.

        Return the descriptors that ended the wait, the process's own among them; none after all of these seconds.
        """
        poller = select.poll()
        for descriptor in (*others, *([self._descriptor] if self._descriptor >= 0 else [])):
            poller.register(descriptor, select.POLLIN)
        if self._descriptor < 0 and not others:
            time.sleep(seconds)
            return frozenset()
        woken = frozenset(descriptor for descriptor, _ in poller.poll(seconds * 1000))
        if self._descriptor in woken:
            self.close()
        return woken

    def close(self) -> None:
        """Wake nobody any more for this process."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
