"""The agent at the path of Pacemaker's tools: /usr/lib/ocf of a mount namespace, with the checkout's code."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from loopback import Net, find_program
from loopback.doors import CHECKOUT
from properties import load_profile
from xha.adapters.files import agent_rundir
from xha.adapters.pacemaker import tracebacks

load_profile()

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# The files beside the agent are the machine's own; /run and the home directory are the test's.
IN_PLACE = """
set -e
mount -t overlay overlay -o "lowerdir=$1:/usr/lib/ocf" /usr/lib/ocf
mount -t tmpfs -o mode=755 xha-test /run
export HOME=$2
shift 2
exec "$@"
"""


class Staged:
    """ocf:xha:galera on a host without a cluster."""

    def __init__(self, directory: Path) -> None:
        self._ocf, self._home = directory / "ocf", directory / "home"
        self.path = self._ocf / "resource.d/xha/galera"
        self.path.parent.mkdir(parents=True)
        self._home.mkdir()
        # The interpreter has no environment: only the house and the standard library can be imported.
        interpreter = f"{Path(sys.executable).resolve()} -IS"
        launcher = [
            str(CHECKOUT / "tools/install/launcher"),
            str(CHECKOUT / "agents/galera"),
            interpreter,
            str(CHECKOUT / "lib"),
        ]
        self.path.write_text(subprocess.run(launcher, capture_output=True, text=True, check=True).stdout)
        self.path.chmod(0o755)

    def run(self, action: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Call the agent by its path, as Pacemaker's executor does."""
        return self.tool(str(self.path), action, **environment)

    def tool(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of Pacemaker, pcs or crmsh on that host."""
        as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
        argv = ["unshare", "--mount", *as_root, "sh", "-c", IN_PLACE, "in-place", str(self._ocf), str(self._home)]
        return subprocess.run(
            [*argv, *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env={"PATH": PATH, "OCF_ROOT": "/usr/lib/ocf", "LANG": "C.UTF-8", **environment},
            cwd="/",
            timeout=60,
            check=False,
        )


@pytest.fixture(scope="session")
def staged(net: Net) -> Staged:
    find_program("crm_resource", "pacemaker-cli-utils")
    assert shutil.which("unshare"), "util-linux"
    return Staged(net.directory / "agent")


@pytest.fixture(autouse=True)
def said_base(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that replaces /run/xha/said for calls in this process."""
    base = tmp_path_factory.mktemp("said")
    monkeypatch.setattr(tracebacks, "BASE", str(base))
    return base


@pytest.fixture
def run_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that replaces /run/xha/galera for calls in this process."""
    base = tmp_path / "run/xha/galera"
    monkeypatch.setattr(agent_rundir, "BASE", str(base))
    return base
