"""The timer of a check's process. It raises in the main thread, so it also ends a wait inside a library.

The time-outs of sockets and libraries are for one recv each: a peer that sends a byte now and then never exceeds them.
Here one moment ends the whole conversation: the end of the check, or an earlier one (`finish_within`).
"""

from __future__ import annotations

import math
import signal
import time
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ...core.services.model.result import SELF

if TYPE_CHECKING:
    from types import FrameType
    from typing import Callable

T = TypeVar("T")


class Overdue(BaseException):
    """The check's time is up. It is no Exception, so that a library that catches Exception does not swallow it."""


class _Late(BaseException):
    """The time of a part is up; finish_within turns it into a TimeoutError. It is no Exception, for the same reason."""


class CheckStep(NamedTuple):
    """What a check is doing: the message, the blame and the proof to report if its time is up meanwhile."""

    what: str = ""
    blame: str = SELF
    proved: str = ""


class _Progress:
    step = CheckStep()


def begin_step(what: str, *, blame: str = SELF, proved: str | None = None) -> None:
    """Note what the check waits for from now on, such as `the answer to GET /v3`, and whose fault a delay is.

    Without `proved`, the earlier proof is kept.
    """
    _Progress.step = CheckStep(what, blame, _Progress.step.proved if proved is None else proved)


def note_proof(proved: str) -> None:
    """Note what the check has seen work; it is reported if the next step takes too long."""
    _Progress.step = _Progress.step._replace(proved=proved)


def current_step() -> CheckStep:
    """Return the step that begin_step noted last."""
    return _Progress.step


class _Timer:
    # Times of time.monotonic(): the end of the check, and the time to which the timer is set.
    whole = until = math.inf
    is_over = False  # Overdue was raised


def start_timer(seconds: float) -> None:
    """Raise Overdue in the main thread when the time is up: once, so that its own handling is not interrupted by it."""
    _Progress.step = CheckStep()
    _Timer.is_over = False
    _Timer.whole = time.monotonic() + seconds
    signal.signal(signal.SIGALRM, _on_alarm)
    _set(_Timer.whole)


def seconds_left() -> float:
    """Return the seconds until the timer rings; inf without a timer."""
    return max(0.0, _Timer.until - time.monotonic())


def stop_timer() -> None:
    """Stop the timer: Overdue is no longer raised."""
    _Timer.whole = math.inf
    _set(math.inf)


def finish_within(seconds: float, work: Callable[[], T]) -> T:
    """Return the result of `work`, which gets this many seconds as a whole, or less if an enclosing limit ends earlier.

    For the main thread of a check's process, with a running timer. It calls a function, and is no context manager: a
    timer that rings while `with` is entered or left raises outside of the manager, and nothing turns that into a
    TimeoutError (measured: 29 of 20,000 limits of at most 0.2 ms).

    :raises TimeoutError: when the time is up; Overdue if the check's time is up as well.
    """
    outer = _Timer.until
    try:
        _set(min(outer, time.monotonic() + max(0.0, seconds)))
        try:
            return work()
        finally:
            _set(outer)
    except _Late:  # also for a timer that rang while the block was left
        _set(outer)
        raise TimeoutError("the time for it is up") from None


def _set(until: float) -> None:
    if _Timer.is_over:  # what the end of the check interrupts does not set the timer again
        until = math.inf
    _Timer.until = until
    signal.setitimer(signal.ITIMER_REAL, 0 if until == math.inf else max(1e-6, until - time.monotonic()))


def _on_alarm(number: int, frame: FrameType | None) -> None:
    now = time.monotonic()
    if _Timer.is_over:
        return
    if now >= _Timer.whole:
        _Timer.is_over = True
        raise Overdue
    if now >= _Timer.until:  # otherwise the timer of a part that is over rang
        raise _Late
