"""Questions that are asked side by side, each in a thread of its own and with an end of its own."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from typing import Any

    Waiting = Callable[[tuple[str, ...]], None]

# A thread's own time-out comes first: then its answer says what it waited for.
_GRACE = 0.1
# After this, in seconds, a person is told who is waited for.
PATIENCE = 2.0


class _Errand(NamedTuple):
    title: str
    thread: threading.Thread
    until: float


class Errands:
    """Begins questions and collects their answers. Each has `seconds`; who has not answered then is left behind.

    waiting is called once, with the titles of those that have not answered, after PATIENCE.
    """

    def __init__(self, seconds: float, waiting: Waiting | None = None) -> None:
        self._seconds, self._waiting = seconds + _GRACE, waiting
        self._told_at = time.monotonic() + PATIENCE
        self._errands: dict[Hashable, _Errand] = {}
        self._found: dict[Hashable, tuple[Any, float]] = {}
        self._broken: dict[Hashable, Exception] = {}

    def begin(self, key: Hashable, title: str, ask: Callable[[], object]) -> None:
        """Begin a question, unless one of that key was begun before."""
        if key in self._errands:
            return

        def run() -> None:
            try:
                self._found[key] = ask(), time.monotonic()
            except Exception as error:  # raised where it is waited for
                self._broken[key] = error

        # A daemon thread does not keep the process from ending.
        thread = threading.Thread(target=run, name=title, daemon=True)
        self._errands[key] = _Errand(title, thread, time.monotonic() + self._seconds)
        thread.start()

    def wait(self, key: Hashable) -> Any:
        """Return the answer, None if the question was not asked or has none in its time.

        Raises what the asking raised.
        """
        errand = self._errands.get(key)
        if errand is not None:
            if self._waiting and errand.until > self._told_at:
                errand.thread.join(max(0.0, self._told_at - time.monotonic()))
                self._tell()
            errand.thread.join(max(0.0, errand.until - time.monotonic()))
        if key in self._broken:
            raise self._broken[key]
        return self._found[key][0] if key in self._found else None

    def has(self, key: Hashable) -> bool:
        """Whether an answer came."""
        return key in self._found

    def age(self, key: Hashable) -> float:
        """Return the seconds since an answer came."""
        return time.monotonic() - self._found[key][1]

    def _tell(self) -> None:
        if self._waiting and time.monotonic() >= self._told_at:
            late = tuple(dict.fromkeys(one.title for one in self._errands.values() if one.thread.is_alive()))
            if late:
                self._waiting(late)
                self._waiting = None
