"""MySQL as Debian's unstable suite has it. Its tests run only in that root (tools/in-root), never in `make test`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from loopback import Net
from loopback.server_root import ROOT
from roots.mysql_server import MySQL

collect_ignore_glob = [] if Path(f"{ROOT}/usr/sbin/mysqld").exists() and ROOT else ["test_*.py"]


@pytest.fixture(scope="session")
def mysql(net: Net) -> Iterator[MySQL]:
    with MySQL(net, net.directory / "mysql", net.address(61)) as running:
        yield running
