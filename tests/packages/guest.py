"""A system to install packages into: a root of tools/root that only the test sees changed.

It has processes and a network of its own. Its disk is memory, and ends with it.
Nothing of it runs under systemd: packages are configured there as in an image or a container.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from loopback import Daemon, Net, find_program
from loopback.doors import CHECKOUT

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
# The shell keeps running: it is the first process there, and waits for orphaned processes.
SETUP = r"""
set -e
ip link set lo up
mount -t tmpfs -o mode=755 tmpfs "$1"
cd "$1"
mkdir upper work root
mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" root
cd root
mount -t proc proc proc
mount --rbind /dev dev
mount -t tmpfs -o mode=755 tmpfs run
mkdir -p run/lock packages
mount --bind "$3" packages
echo '127.0.0.1 localhost' >etc/hosts
printf '#!/bin/sh\nexit 101\n' >usr/sbin/policy-rc.d
chmod 755 usr/sbin/policy-rc.d
sleep infinity &
touch run/ready
wait
"""


class Guest(Daemon):
    """A root of tools/root. `packages` is a directory of this machine that it sees as /packages."""

    def __init__(self, net: Net, directory: Path, root: str, packages: Path) -> None:
        directory.mkdir(parents=True)
        self.name = root
        alone = ["--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc", "--propagation=private"]
        where = [str(directory / "system"), str(CHECKOUT / "build/roots" / root), str(packages)]
        (directory / "system").mkdir()
        argv = [find_program("unshare", "util-linux"), *alone, "/bin/sh", "-c", SETUP, "guest", *where]
        super().__init__(net, argv, directory / "log")
        self._root = directory / "system/root"

    def start(self) -> None:
        super().start()
        self.wait_ready(self._is_up, 30, "the guest's mounts are there")

    def _is_up(self) -> bool:
        init = self._init()
        return bool(init) and Path(f"/proc/{init}/root{self._root}/run/ready").exists()

    def _init(self) -> str:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return children[0] if children else ""

    def popen(self, *command: str, **environment: str) -> subprocess.Popen[str]:
        """Start a command there, in a process group of its own; stdout and stderr are one pipe."""
        enter = ["nsenter", f"--target={self._init()}", "--mount", "--pid", "--net", "--", "chroot", str(self._root)]
        return subprocess.Popen(
            [*enter, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={"PATH": PATH, "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", **environment},
            start_new_session=True,
        )

    def sh(self, script: str, code: int = 0, *, timeout: float = 300, **environment: str) -> str:
        """Run a shell script there, and return its stripped output once it has ended with this code."""
        with self.popen("/bin/sh", "-c", script, **environment) as process:
            said = process.communicate(timeout=timeout)[0]
        assert process.returncode == code, f"{script} exited with {process.returncode}:\n{said}"
        return said.strip()

    def apt(self, *words: str) -> str:
        """Run apt-get there: it has no network, and takes from its archives what a package depends on."""
        return self.sh(f"apt-get -q -y --no-install-recommends {' '.join(words)}")

    def files(self, *leave: str) -> set[str]:
        """Every file there, but for those below these directories."""
        always = (
            "/proc",
            "/dev",
            "/sys",
            "/tmp",
            "/packages",
            "/var/cache",
            "/var/log",
            "/var/lib/dpkg",
            "/var/lib/apt",
        )
        prune = " -o ".join(f"-path {place}" for place in (*always, *leave))
        return set(self.sh(f"find / \\( {prune} \\) -prune -o -print").splitlines())


def names(files: Sequence[Path]) -> str:
    """The files as the guest names them."""
    return " ".join(f"/packages/{path.name}" for path in files)
