"""One Debian system under a real systemd, booted by systemd-nspawn over a copy-on-write view of this machine's root.

Its mounts are made in a mount namespace of its own, and its only network is a loopback interface of its own. A keeper
(tests/loopback) ends its processes with their owner; when they have ended, nothing of it is left.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from contextlib import suppress
from pathlib import Path

import psutil

from loopback import Daemon, Net, find_program, wait_until

BOOT_SECONDS = 180
# The unified hierarchy, or on the hybrid layout the two that systemd uses.
CGROUPS = [Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup/systemd")]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Sends HAProxy's request and prints the status. The machine certainly has this Python, and possibly nothing else.
PROBE = """/usr/bin/python3 -c '
import http.client
connection = http.client.HTTPConnection("127.0.0.1", 49000, timeout=30)
connection.request("OPTIONS", "/")
print(connection.getresponse().status)'"""

# systemd-nspawn builds on the control group that it starts in. Nothing of this machine is needed at boot.
BOOT = """
set -eu
directory=$1 stage=$2
shift 2
for group in "$@"; do mkdir -p "$group"; echo $$ >"$group/cgroup.procs"; done
mount -t tmpfs -o mode=755 tmpfs "$directory"
cd "$directory"
mkdir upper work root
mount -t overlay overlay -o "lowerdir=/,upperdir=$directory/upper,workdir=$directory/work" root
cp -a "$stage/." root
cd root
rm -rf etc/systemd/system/*.target.wants etc/rc[0-6S].d/S* etc/mysql/conf.d/* var/lib/mysql/* var/log/journal/*
for unit in console-getty.service getty@.service systemd-logind.service systemd-udevd.service; do
    ln -sf /dev/null "etc/systemd/system/$unit"
done
: >etc/machine-id
echo xha-install >etc/hostname
exec systemd-nspawn --quiet --register=no --keep-unit --private-network --boot --console=pipe --capability=all \\
    --resolv-conf=off --timezone=off --link-journal=no --machine=xha-install --directory="$directory/root"
"""


def why_not_bootable() -> str:
    """Why this machine cannot boot another one; empty if it can. A missing package is no such reason."""
    if os.geteuid() != 0:
        return "not root"
    may_mount = subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode == 0
    return "" if may_mount else "root without the right to mount"


class Machine(Daemon):
    """A host with the tree at `stage` copied into its root. `sh` runs commands in it."""

    def __init__(self, net: Net, directory: Path, stage: Path) -> None:
        directory.mkdir(parents=True)
        find_program("systemd-nspawn", "systemd-container")
        self._groups = [top / f"xha-{net.prefix}" for top in CGROUPS if (top / "cgroup.procs").exists()]
        argv = ["unshare", "--mount", "sh", "-c", BOOT, "boot", str(directory), str(stage), *map(str, self._groups)]
        super().__init__(net, argv, directory.with_suffix(".console"))

    def start(self) -> None:
        """Boot; returns when systemd reports "running", with no unit failed."""
        super().start()

        def is_up() -> bool:
            return self._init() is not None and self.sh("systemctl is-system-running", check=False) == "running"

        self.wait_ready(is_up, BOOT_SECONDS, "systemd runs in the machine")

    def kill(self) -> None:
        super().kill()
        for group in self._groups:
            for path, _, _ in os.walk(group, topdown=False):
                with suppress(OSError):
                    os.rmdir(path)

    def sh(self, command: str, *, check: bool = True) -> str:
        """Run a shell command as root in the machine; returns its stripped output, including the error output."""
        init = self._init()
        assert init is not None, f"the machine is down:\n{self.tail()}"
        enter = ["nsenter", f"--target={init}", "--mount", "--root", "--wd", "--uts", "--ipc", "--net", "--pid", "--"]
        done = subprocess.run(
            [*enter, "env", "-i", f"PATH={PATH}", "sh", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0 or not check, f"exit {done.returncode}: {command}\n{done.stdout}"
        return done.stdout.strip()

    def wait_sh(self, command: str, expected: str, seconds: float = 60) -> None:
        """Wait until the command prints exactly this."""
        wait_until(
            lambda: self.sh(command, check=False) == expected,
            seconds,
            lambda: f"{shlex.quote(command)} prints {expected!r}, it prints {self.sh(command, check=False)!r}",
        )

    def _init(self) -> int | None:
        """Its PID 1 in this machine's pid namespace: the child of systemd-nspawn."""
        with suppress(psutil.Error):
            children = psutil.Process(self.pid).children(recursive=True)
            return next((child.pid for child in children if child.name() == "systemd"), None)
        return None
