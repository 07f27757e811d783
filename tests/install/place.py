"""A place to install into without a DESTDIR: this machine's /usr, /etc and /run, seen and changed only by the test.

`make install` does there what it does on a host, including the responder's account, and the installed programs run at
their real paths. The place has processes of its own: this machine's processes do not count as users of an old version.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from loopback import Daemon, Net, find_program
from loopback.doors import CHECKOUT

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
HOME = "/usr/local/lib/xha"
AGENT = "/usr/lib/ocf/resource.d/xha/galera"
# The environment of the executor's probe of a resource that runs nowhere: the answer is 7.
PROBE = {
    "OCF_ROOT": "/usr/lib/ocf",
    "OCF_RESOURCE_INSTANCE": "p_mysql",
    "OCF_RESOURCE_PROVIDER": "xha",
    "OCF_RESOURCE_TYPE": "galera",
    "OCF_RESKEY_CRM_meta_interval": "0",
    "OCF_RESKEY_CRM_meta_timeout": "20000",
    "OCF_RESKEY_crm_feature_set": "3.16.2",
    "OCF_RESKEY_wsrep_cluster_address": "gcomm://192.0.2.1,192.0.2.2,192.0.2.3",
    "OCF_RESKEY_datadir": "/var/lib/nobody-has-installed-a-database-here",
}
NOT_RUNNING = 7
FILES = ("/usr/local/bin", "/usr/local/libexec/xha", "/usr/lib/ocf/resource.d/xha", "/etc/xinetd.d/xha")
# The shell keeps running: it is the first process there, and waits for orphaned processes.
SETUP = r"""
set -e
for name in usr etc var/lib; do
    mkdir -p "$1/upper/$name" "$1/work/$name"
    mount -t overlay overlay -o "lowerdir=/$name,upperdir=$1/upper/$name,workdir=$1/work/$name" "/$name"
done
rm -rf /usr/local/lib/xha /usr/local/libexec/xha /usr/lib/ocf/resource.d/xha /etc/xha /etc/xinetd.d/xha
mount -t tmpfs -o mode=755 xha-test /run
sleep infinity &
touch "$1/ready"
wait
"""


def make_argv(checkout: Path = CHECKOUT) -> list[str]:
    return ["make", "-C", str(checkout), "--no-print-directory"]


def why_no_place() -> str:
    """Why this machine cannot make such a place; empty if it can."""
    if os.geteuid() != 0:
        return "not root"
    may_mount = subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode == 0
    return "" if may_mount else "root without the right to mount"


class Place(Daemon):
    """Namespaces of mounts and processes in which nothing of xha is installed."""

    def __init__(self, net: Net, directory: Path) -> None:
        directory.mkdir(parents=True)
        self._ready = directory / "ready"
        alone = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation=private"]
        argv = [find_program("unshare", "util-linux"), *alone, "/bin/sh", "-c", SETUP, "place", str(directory)]
        super().__init__(net, argv, directory / "log")

    def start(self) -> None:
        super().start()
        self.wait_ready(self._ready.exists, 20, "the namespaces are set up")

    def popen(self, *command: str, **environment: str) -> subprocess.Popen[str]:
        """Start a command there, in a process group of its own; stdout and stderr are one pipe."""
        init = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()[0]
        return subprocess.Popen(
            ["nsenter", f"--target={init}", "--mount", "--pid", "--wd=/", "--", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={"PATH": PATH, "LANG": "C.UTF-8", **environment},
            start_new_session=True,
        )

    def run(self, *command: str, code: int = 0, timeout: float = 120, **environment: str) -> str:
        """Run a command there; returns its output once it has ended with this code."""
        with self.popen(*command, **environment) as process:
            said = process.communicate(timeout=timeout)[0]
        assert process.returncode == code, f"{' '.join(command)} exited with {process.returncode}:\n{said}"
        return said

    def sh(self, script: str, code: int = 0, **environment: str) -> str:
        """Run a shell script there, and return its stripped output."""
        return self.run("/bin/sh", "-c", script, code=code, **environment).strip()

    def make(self, *words: str, code: int = 0, checkout: Path = CHECKOUT, **environment: str) -> str:
        """Run make in a checkout."""
        return self.run(*make_argv(checkout), *words, code=code, **environment)

    def keep(self) -> None:
        """Save what is installed now."""
        self.sh(f"tar -C / -cf /run/kept.tar {' '.join(path[1:] for path in (HOME, *FILES))}")

    def restore(self) -> None:
        """Restore exactly what keep() saved."""
        self.sh(f"rm -rf {HOME} && tar -C / -xf /run/kept.tar")

    def versions(self) -> list[str]:
        """The names of the installed versions, including unfinished ones."""
        return sorted(self.sh(f"ls -A {HOME}/versions").split())
