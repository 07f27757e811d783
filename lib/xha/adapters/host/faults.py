"""Unexpected exceptions in a long-running process: each becomes a line of the log, and the process goes on."""

from __future__ import annotations

import time
import traceback
from typing import TYPE_CHECKING

from ...core.text.repeats import PERIOD

if TYPE_CHECKING:
    from .log import Log

# How long what a child has logged is not logged again, in seconds.
SECONDS = PERIOD
# The number of frames logged, from the end of a traceback; and how many different faults are told apart.
_FRAMES, _KINDS = 8, 30


class Faults:
    """Logs each fault with its traceback, and again at most every ten minutes, with how often it occurred."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._kinds: set[str] = set()
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
            self._log_fault(doing, said, error)
        except Exception:  # an exception's own text may raise, or memory may be too short for it
            self._log.warning(f"{doing}: {type(error).__name__}")
        return said

    def _log_fault(self, doing: str, said: str, error: BaseException) -> None:
        frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
        place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
        trace = " ".join(traceback.format_list(frames))
        kind = f"{type(error).__name__} {place}"
        if len(self._kinds) < _KINDS:
            self._kinds.add(kind)
        kind = f"a fault: {kind if kind in self._kinds else 'one of too many kinds'}"
        self._log.warning(f"a fault of xha's own while {doing}: {said}; {trace}", kind=kind)
