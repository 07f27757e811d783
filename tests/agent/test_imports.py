"""What a monitor at depth 0 imports: its cost is hardly anything else, and comes every ten seconds for ever."""

from __future__ import annotations

import subprocess
import sys

from loopback.doors import CHECKOUT

# Third parties, what of the standard library costs more than it is used for there, and the house's own for other work.
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
    "xha.adapters.database",
    "xha.adapters.mariadbd",
    "xha.adapters.mounts",
    "xha.adapters.occupants",
    "xha.adapters.openfiles",
    "xha.adapters.pacemaker",
    "xha.adapters.transfers",
    "xha.adapters.trust",
    "xha.core.durations",
    "xha.core.lineage",
    "xha.core.metadata",
    "xha.core.position",
    "xha.core.reading",
    "xha.core.remembered",
    "xha.core.verdict",
}
# The door, and what it imports once it knows that a healthy node is asked for: test_life.py asks one.
CODE = """
import sys

sys.path.insert(0, sys.argv[1])
import xha.doors.galera.actions
import xha.doors.galera.probe
from xha.core.parameters import load_settings, parse_settings
from xha.core.bulletin import parse_bulletin
from xha.core.statusfile import parse_status_file

parse_settings({"OCF_RESKEY_wsrep_cluster_address": "gcomm://a,b,c", "OCF_RESKEY_config": "/etc/my.cnf"})
parse_bulletin("")
parse_status_file("")
print(*sys.modules)
"""


def test_a_monitor_imports_nothing_that_it_has_no_use_for() -> None:
    command = [sys.executable, "-IS", "-c", CODE, str(CHECKOUT / "lib")]
    imported = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert "xha.core.health" in imported
    assert sorted(NOT_FOR_A_MONITOR & set(imported)) == []
