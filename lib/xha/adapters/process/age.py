"""When a process was started."""

from __future__ import annotations

import os
import time

_TICKS = os.sysconf("SC_CLK_TCK")


def age_of(started: int) -> float:
    """Return the seconds since a start time in clock ticks since boot (proc(5)), those of a suspended host too."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started / _TICKS


def began_at(started: int) -> float:
    """Return the same moment in seconds since 1970, by the clock as it is set now."""
    return time.time() - age_of(started)
