"""The timer of a check's process: it raises in the main thread, where no library's own time-out reaches.

The time-outs of sockets and libraries are for one recv each: a peer that sends a byte now and then never meets one.
What ends a conversation is a moment, for the whole of it: that of the check, or an earlier one (`limit`).
"""

from __future__ import annotations

import contextlib
import math
import signal
import time
from typing import TYPE_CHECKING, NamedTuple

from ...core.services.model.result import SELF

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


class Overdue(BaseException):
    """The check's time is up. Not an Exception: a library that catches those must not swallow this one."""


class _Late(BaseException):
    """The time of a part is up: `limit` makes a TimeoutError of it. No Exception, for the same reason."""


class CheckStep(NamedTuple):
    """What a check is doing: for the message, the blame and the proof, should its time be up meanwhile."""

    what: str = ""
    blame: str = SELF
    proved: str = ""


class _Progress:
    step = CheckStep()


def begin_step(what: str, *, blame: str = SELF, proved: str | None = None) -> None:
    """Note what the check of this process waits for from now on, as `the answer to GET /v3`, and who is to blame.

    Without proved, what was proved before stays so.
    """
    _Progress.step = CheckStep(what, blame, _Progress.step.proved if proved is None else proved)


def note_proof(proved: str) -> None:
    """Note what the check has seen work, for whatever it waits for next."""
    _Progress.step = _Progress.step._replace(proved=proved)


def current_step() -> CheckStep:
    """Return what begin_step noted last."""
    return _Progress.step


class _Timer:
    # Moments of time.monotonic(): the end of the check, and the one that the timer is set to.
    whole = until = math.inf


def start_timer(seconds: float) -> None:
    """Raise Overdue in the main thread when the time is up, once."""
    _Progress.step = CheckStep()
    _Timer.whole = time.monotonic() + seconds
    signal.signal(signal.SIGALRM, _ring)
    _set(_Timer.whole)


def seconds_left() -> float:
    """Return how long it is until the timer rings; without one, for ever."""
    return max(0.0, _Timer.until - time.monotonic())


def stop_timer() -> None:
    """Let no Overdue be raised any more."""
    _Timer.whole = math.inf
    _set(math.inf)


@contextlib.contextmanager
def limit(seconds: float) -> Iterator[None]:
    """Give a block so many seconds as a whole, or what is left to those around it.

    For the main thread of a check's process, whose timer runs. :raises TimeoutError: when they are over; Overdue where
    the check's time is up as well.
    """
    outer = _Timer.until
    try:
        _set(min(outer, time.monotonic() + max(0.0, seconds)))
        try:
            yield
        finally:
            _set(outer)
    except _Late:  # also one that rang while the block was being left
        _set(outer)
        raise TimeoutError("the time for it is up") from None


def _set(until: float) -> None:
    _Timer.until = until
    signal.setitimer(signal.ITIMER_REAL, 0 if until == math.inf else max(1e-6, until - time.monotonic()))


def _ring(number: int, frame: FrameType | None) -> None:
    now = time.monotonic()
    if now >= _Timer.whole:
        raise Overdue
    if now >= _Timer.until:  # else it belongs to a part that is over
        raise _Late
