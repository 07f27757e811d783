"""How long ago a process was started."""

from __future__ import annotations

import os
import time

_TICKS = os.sysconf("SC_CLK_TCK")


def age_of(started: int) -> float:
    """Return the seconds since a start time in clock ticks since boot (proc(5)), those of a suspended host too."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started / _TICKS
