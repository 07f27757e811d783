"""How hypothesis searches: the same examples every time where a red run must mean a red commit (CI=true)."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# No deadline: these machines are shared, and a slow example is no wrong one.
settings.register_profile(
    "here", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("ci", settings.get_profile("here"), derandomize=True, database=None)


def load_profile() -> None:
    """Choose the profile; called by the conftest.py of every directory with properties."""
    settings.load_profile("ci" if os.environ.get("CI", "").lower() in ("1", "true") else "here")
