"""The output of --watch: on a terminal a picture that is redrawn in place, in a pipe new lines."""

from __future__ import annotations

import signal
import sys
import time
from typing import TYPE_CHECKING, TypeVar

from ...core.text.values import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Callable

    from ...adapters.host.faults import Faults

T = TypeVar("T")


def look_on(look: Callable[[], T], otherwise: Callable[[str], T], faults: Faults) -> T:
    """Return the result of a look. If a fault of xha ends the look, report the fault; the next look follows."""
    try:
        return look()
    except (ConfigError, OSError):
        raise
    except Exception as error:
        return otherwise(f"xha-check: this look broke off, a fault of xha's own: {faults.note('looking', error)}")


class Screen:
    """Redraws in place while it is entered."""

    def __enter__(self) -> Screen:
        from rich.live import Live

        self._live = Live(auto_refresh=False)
        self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._live.stop()

    def draw(self, table: Iterable[str], below: Iterable[str]) -> None:
        """Show the lines of a table, below them those of its sentences, and the time."""
        from rich.console import Group
        from rich.text import Text

        rows = [Text.from_ansi(line, no_wrap=True, overflow="ellipsis") for line in table]
        clock = f"{time.strftime('%H:%M:%S')}  Ctrl-C ends"
        self._live.update(Group(*rows, *(Text(line) for line in (*below, clock))), refresh=True)


class Pipe:
    """Prints lines, without colour or redrawing."""

    def __enter__(self) -> Pipe:
        return self

    def __exit__(self, *exception: object) -> None:
        return None


def print_now(text: str) -> None:
    """Print a line that begins with the time."""
    print(f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {text}", flush=True)


def exit_on_signals() -> None:
    """Exit in the normal way on SIGTERM and SIGHUP, so that the terminal gets its cursor back.

    `timeout` and a closed window send these signals.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda signum, _: sys.exit(128 + signum))
