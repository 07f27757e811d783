"""The timer of a check's process: it raises in the main thread, where no library's own time-out reaches."""

from __future__ import annotations

import math
import signal
from typing import TYPE_CHECKING, NamedTuple

from ..core.services.result import SELF

if TYPE_CHECKING:
    from types import FrameType


class Overdue(BaseException):
    """The check's time is up. Not an Exception: a library that catches those must not swallow this one."""


class Step(NamedTuple):
    """What a check is doing: for the message, the blame and the proof, should its time be up meanwhile."""

    what: str = ""
    blame: str = SELF
    proved: str = ""


class _Progress:
    step = Step()


def begin_step(what: str, *, blame: str = SELF, proved: str | None = None) -> None:
    """Note what the check of this process waits for from now on, as `the answer to GET /v3`, and who is to blame.

    Without proved, what was proved before stays so.
    """
    _Progress.step = Step(what, blame, _Progress.step.proved if proved is None else proved)


def note_proof(proved: str) -> None:
    """Note what the check has seen work, for whatever it waits for next."""
    _Progress.step = _Progress.step._replace(proved=proved)


def current_step() -> Step:
    """Return what begin_step noted last."""
    return _Progress.step


def start_timer(seconds: float) -> None:
    """Raise Overdue in the main thread when the time is up, once."""
    _Progress.step = Step()
    signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def seconds_left() -> float:
    """Return how long it is until the timer rings; without one, for ever."""
    return signal.getitimer(signal.ITIMER_REAL)[0] or math.inf


def stop_timer() -> None:
    """Let no Overdue be raised any more."""
    signal.setitimer(signal.ITIMER_REAL, 0)


def _ring(number: int, frame: FrameType | None) -> None:
    raise Overdue
