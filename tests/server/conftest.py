"""Servers that xha starts."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Callable

import pytest

from loopback import Net
from server.machine import Server, Sweeper

MakeServer = Callable[..., Server]
_numbers = itertools.count(1)


@pytest.fixture
def make_server(net: Net) -> Iterator[MakeServer]:
    """A maker of servers that do not run yet, each with an empty database and an address of its own."""
    directory = net.directory / f"servers-{next(_numbers)}"
    directory.mkdir(mode=0o755)
    directory.chmod(0o755)
    sweeper = Sweeper(net, directory)

    def make(**options: Any) -> Server:
        address = options.pop("address", None) or net.next_address()
        return Server(net, directory / address, address, **options)

    yield make
    sweeper.sweep()


@pytest.fixture
def server(make_server: MakeServer) -> Server:
    """A server that does not run yet."""
    return make_server()
