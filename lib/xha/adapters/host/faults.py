"""Unexpected exceptions in a long-running process: each becomes a line of the log, and the process goes on."""

from __future__ import annotations

import time
import traceback
from typing import TYPE_CHECKING

from ...core.text.throttle import Throttle

if TYPE_CHECKING:
    from .log import Log

# The interval at which a repeated fault is logged again, in seconds.
SECONDS = 600.0
# The number of frames logged, from the end of a traceback; and how many different faults are told apart.
_FRAMES, _KINDS = 8, 30


class Faults:
    """Logs each fault once with its traceback, and afterwards every ten minutes how often it occurred."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._throttles: dict[str, Throttle] = {}
        self._told: dict[str, float] = {}

    def know(self, said: str) -> None:
        """Take note that a child of this process has logged a fault: its next children do not, for SECONDS."""
        now = time.monotonic()
        self._told = {text: at for text, at in self._told.items() if now - at < SECONDS}
        if len(self._told) < _KINDS:
            self._told.setdefault(said, now)

    def note(self, doing: str, error: BaseException) -> str:
        """Log an exception, and return it as text. doing says what it interrupted, such as `answering a request`."""
        said = type(error).__name__
        try:
            said = f"{said}: {error}"[:300]
            if time.monotonic() - self._told.get(said, -SECONDS) < SECONDS:
                return said
            self._log_fault(doing, said, error, time.monotonic())
        except Exception:  # an exception's own text may raise, or memory may be too short for it
            self._log.warning(f"{doing}: {type(error).__name__}")
        return said

    def _log_fault(self, doing: str, said: str, error: BaseException, now: float) -> None:
        frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
        place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
        kind = f"{type(error).__name__} {place}"
        if kind not in self._throttles and len(self._throttles) >= _KINDS:
            kind = ""  # too many different faults: the others are logged as one
        throttle = self._throttles.setdefault(kind, Throttle(burst=1, period=SECONDS))
        quiet = throttle.take_quiet(now)
        if not throttle.admit(now):
            return
        often = f", {quiet} times more in the last {SECONDS / 60:g} minutes" if quiet else ""
        trace = " ".join(traceback.format_list(frames))
        self._log.warning(f"a fault of xha's own while {doing}{often}: {said}; {trace}")
