"""What a monitor at depth 0 imports: imports are nearly its whole cost, and it runs every ten seconds."""

from __future__ import annotations

import subprocess
import sys

from loopback.doors import CHECKOUT

# Third-party modules, expensive ones of the standard library, and xha's own modules for other tasks.
NOT_FOR_A_MONITOR = {
    "pymysql",
    "psutil",
    "argparse",
    "contextlib",
    "dataclasses",
    "datetime",
    "importlib",
    "ipaddress",
    "logging",
    "pathlib",
    "shutil",
    "socket",
    "subprocess",
    "tempfile",
    "traceback",
    "typing",
    "xha.adapters.mysql.session",
    "xha.adapters.mysqld.program",
    "xha.adapters.host.mounts",
    "xha.adapters.datadir.users",
    "xha.adapters.datadir.open_files",
    "xha.adapters.pacemaker.cluster",
    "xha.adapters.datadir.transfers",
    "xha.adapters.mysqld.trust",
    "xha.core.text.durations",
    "xha.core.galera.lineage",
    "xha.core.ocf.metadata",
    "xha.core.galera.position",
    "xha.core.galera.reading",
    "xha.core.galera.known_servers",
    "xha.core.node.verdict",
}
# The entry point, and what it imports for a healthy node; test_life.py monitors one.
CODE = """
import sys

sys.path.insert(0, sys.argv[1])
import xha.doors.ocf.galera
import xha.app.agent.monitor
from xha.core.ocf.galera_settings import load_settings, parse_settings
from xha.core.monitor.keeper_status import parse_keeper_status
from xha.core.galera.status_file import parse_status_file

parse_settings({"OCF_RESKEY_wsrep_cluster_address": "gcomm://a,b,c", "OCF_RESKEY_config": "/etc/my.cnf"})
parse_keeper_status("")
parse_status_file("")
print(*sys.modules)
"""


def test_a_monitor_imports_nothing_that_it_has_no_use_for() -> None:
    command = [sys.executable, "-IS", "-c", CODE, str(CHECKOUT / "lib")]
    imported = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert "xha.core.monitor.health" in imported
    assert sorted(NOT_FOR_A_MONITOR & set(imported)) == []
