"""What the monitors of a resource told last: /run/xha/said/AGENT-RESOURCE/. A series repeats no reason without news.

Pacemaker logs what a monitor writes each time, and hears of a result only when its code changes. So a reason is written
where it or the code is another one than before, and again after ten minutes, with how often it was said. A probe, a
start, a stop and other parameters begin anew: then Pacemaker may have forgotten what it was told. Where parameters
change it schedules a monitor anew, as when any node's keeper has a result forgotten (core/pacemaker/past_results.py).
"""

from __future__ import annotations

import os
import time

BASE = "/run/xha/said"
_MOST_BYTES = 1 << 16


class ExitReasons:
    """The reasons of one resource. agent, name: galera or service, and OCF_RESOURCE_INSTANCE without a clone's :N."""

    def __init__(self, agent: str, name: str, base: str = "") -> None:
        self.path = os.path.join(base or BASE, f"{agent}-{name}")

    def admit(self, series: str, code: int, reason: str, parameters: int = 0) -> str:
        """Return what to write, "" for nothing. series: what tells one recurring operation from the others.

        parameters: a checksum of those that it is called with.

        :raises OSError: where it cannot be kept that it was told.
        """
        path = os.path.join(self.path, f"{series}.json")
        if not reason:
            _remove(path)
            return ""
        # Imported here: most monitors have nothing to say.
        from ...core.text.repeats import Repeats, parse_repeats
        from ..files.atomic_write import replace_text

        result = f"{code} {parameters:08x}"
        before, _, said = _read(path).partition("\n")
        repeats = parse_repeats(said) if before == result else Repeats()
        line = repeats.admit(reason, code, time.monotonic(), time.strftime("%Y-%m-%d %H:%M"))
        os.makedirs(self.path, mode=0o755, exist_ok=True)
        replace_text(path, f"{result}\n{repeats.render()}\n", 0o600)
        return line

    def forget(self) -> None:
        """Begin anew. :raises OSError: where that is not possible."""
        try:
            names = os.listdir(self.path)
        except FileNotFoundError:
            return
        for name in names:
            _remove(os.path.join(self.path, name))


def _read(path: str) -> str:
    from ..files.whole_file import read_text

    try:
        return read_text(path, _MOST_BYTES)
    except FileNotFoundError:
        return ""


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
