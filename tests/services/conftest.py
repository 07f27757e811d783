"""A directory for each test's xha.conf."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.host import Services


@pytest.fixture
def services(tmp_path: Path) -> Services:
    """xha-check with the test's own xha.conf."""
    return Services(tmp_path / "xha")
