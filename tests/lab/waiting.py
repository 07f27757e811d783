"""Waits for a condition with a deadline."""

from __future__ import annotations

import time
from typing import Callable, TypeVar

T = TypeVar("T")


class GaveUp(AssertionError):
    """A condition did not become true in time. The text says which one, how long, and what was seen last."""


def wait_until(what: str, look: Callable[[], T], *, timeout: float, every: float = 0.1) -> T:
    """Call `look` every `every` seconds until it returns something true, and return that.

    `what` completes the sentence "waited for ...". An exception from `look` counts as "not yet" and is quoted if it was
    the last thing seen. Raises `GaveUp` after `timeout` seconds.
    """
    begun = time.monotonic()
    while True:
        try:
            seen: object = look()
            if seen:
                return seen  # type: ignore[return-value]
        except Exception as error:  # often the object of the look does not exist yet
            seen = f"{type(error).__name__}: {error}"
        if time.monotonic() - begun > timeout:
            raise GaveUp(f"waited {timeout:g} s for {what}; last seen: {seen!r}")
        time.sleep(every)
