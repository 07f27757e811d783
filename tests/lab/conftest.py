"""The laboratory's tests run where a laboratory can stand, and are left out with the reason where it cannot."""

from __future__ import annotations

import pytest

from lab import needs


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "lab: needs root, systemd-nspawn and the packages in tests/lab/packages")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the laboratory out where it cannot stand, and say plainly what this machine lacks."""
    lacking = needs.missing()
    if lacking:
        reason = f"the laboratory is left out: this machine lacks {', '.join(lacking)}"
        for item in items:
            if item.get_closest_marker("lab"):
                item.add_marker(pytest.mark.skip(reason=reason))
