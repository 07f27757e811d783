"""How hypothesis searches: the same examples every time where a red run must mean a red commit (CI=true).

SEARCH=short: a sixth of the examples, and of the model's walks. `make check` searches in full on the main Python: what
a search finds is a fault of the rules, and they are the same on each. `SEARCH=full make check` does it on all of them.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

SHARE = 6 if os.environ.get("SEARCH") == "short" else 1


def share(number: int) -> int:
    """Return how many of this many examples or walks are tried."""
    return -(-number // SHARE)


# No deadline: these machines are shared, and a slow example is no wrong one.
settings.register_profile(
    "here", deadline=None, max_examples=share(60), suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("ci", settings.get_profile("here"), derandomize=True, database=None)


def load_profile() -> None:
    """Choose the profile; called by the conftest.py of every directory with properties."""
    settings.load_profile("ci" if os.environ.get("CI", "").lower() in ("1", "true") else "here")
