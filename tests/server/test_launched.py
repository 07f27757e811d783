"""Which servers a resource has launched, by what their processes say: never one of a container."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from loopback import wait_until
from xha.adapters.datadir.launched import find_launched
from xha.adapters.mysqld.trust import Trust
from xha.adapters.process.procfs import read_program

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="not root")

SOCKET = "/run/xha/galera/p_mysql/notify"
HERE = "exec env NOTIFY_SOCKET=$2 sleep 60"
IN_A_CONTAINER = """
mkdir -p $1/upper $1/work $1/root
mount -t overlay overlay -o lowerdir=/,upperdir=$1/upper,workdir=$1/work $1/root
exec chroot $1/root env NOTIFY_SOCKET=$2 sleep 60
"""


@pytest.mark.parametrize(("script", "found"), [(HERE, True), (IN_A_CONTAINER, False)], ids=["here", "in a container"])
def test_a_server_of_a_container_is_no_server_of_this_host(tmp_path: Path, script: str, found: bool) -> None:
    """Both have the same path of the same name in their environment, and run as the same account."""
    argv = ["unshare", "--mount", "sh", "-ec", script, "sh", str(tmp_path), SOCKET]
    with subprocess.Popen(argv) as process:
        try:
            wait_until(lambda: read_program(process.pid).endswith("/sleep"), 20, "it runs")
            trust = Trust(frozenset((0,)), frozenset((read_program(process.pid),)))
            pids = [one.pid for one in find_launched(SOCKET, trust)]
            assert pids == ([process.pid] if found else [])
        finally:
            process.kill()
