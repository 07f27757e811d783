"""Fixtures of the attacks."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from loopback import Net
from security.resident import Site

_numbers = itertools.count(1)


@pytest.fixture
def site(net: Net) -> Iterator[Site]:
    """A directory of records that `nobody` may write, and the residents that read it; closed after the test."""
    made = Site(net, net.directory / f"site-{next(_numbers)}")
    try:
        yield made
    finally:
        made.close()
