"""What the processes of a resource failed of unexpectedly: /run/xha/said/AGENT-RESOURCE.json.

A monitor that fails so writes a traceback to the log, and so does a process that each monitor launches anew. The same
failure is written again after ten minutes at the earliest (core/text/repeats.py).
"""

from __future__ import annotations

import os
import syslog
import time

from ...core.text.repeats import parse_repeats
from ..files.atomic_write import replace_text
from ..files.whole_file import read_text

BASE = "/run/xha/said"
_MOST_BYTES = 1 << 18


def is_news(agent: str, resource: str, failure: str, base: str = "") -> bool:
    """Return whether a failure's traceback is to be logged: also where it cannot be kept that it was.

    agent, resource: galera or service, and OCF_RESOURCE_INSTANCE without a clone's :N.
    """
    directory = base or BASE
    path = os.path.join(directory, f"{agent}-{resource}.json")
    try:
        repeats = parse_repeats(_read(path))
        line = repeats.admit(failure, syslog.LOG_ERR, time.monotonic(), time.strftime("%Y-%m-%d %H:%M"))
        os.makedirs(directory, mode=0o755, exist_ok=True)
        replace_text(path, f"{repeats.render()}\n", 0o600)
    except (OSError, ValueError):  # a /run that is full, or that this account may not write
        return True
    return bool(line)


def _read(path: str) -> str:
    try:
        return read_text(path, _MOST_BYTES)
    except FileNotFoundError:
        return ""
