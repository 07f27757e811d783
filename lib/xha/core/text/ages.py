"""Ages for people: one number and its unit."""

from __future__ import annotations


def render_age(seconds: float) -> str:
    """Return an age as `12 ms`, `1.5 s`, `40 s`, `12 min`, `3 h` or `4 d`. It is rounded down, and never negative."""
    seconds = max(0.0, seconds)
    if seconds < 1:
        return f"{int(seconds * 1000)} ms"
    if seconds < 10:
        return f"{int(seconds * 10) / 10:g} s"
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{int(seconds / unit)} {name}"
    return f"{int(seconds / 86400)} d"
