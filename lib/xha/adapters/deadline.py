"""The timer of a check's process: it raises in the main thread, where no library's own time-out reaches."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


class Overdue(BaseException):
    """The check's time is up. Not an Exception: a library that catches those must not swallow this one."""


def start_timer(seconds: float) -> None:
    """Raise Overdue in the main thread when the time is up, once."""
    signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def stop_timer() -> None:
    """Let no Overdue be raised any more."""
    signal.setitimer(signal.ITIMER_REAL, 0)


def _ring(number: int, frame: FrameType | None) -> None:
    raise Overdue
