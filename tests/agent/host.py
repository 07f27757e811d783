"""A host without a cluster: ocf:xha:galera, with a /run, processes and a network of its own.

Everything ends with the namespaces, also keepers and servers that outlive their test.
"""

from __future__ import annotations

import itertools
import json
import resource
import shlex
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import Any, NamedTuple

from loopback import Daemon, Net, find_program, wait_until
from loopback.doors import CHECKOUT
from loopback.server_root import server_user
from server.machine import Server

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
AGENT = "/usr/lib/ocf/resource.d/xha/galera"
# The shell keeps running: it is the namespace's init, and waits for orphaned processes. /dev has the host's own syslog.
SETUP = r"""
set -e
mount -t tmpfs -o mode=755 xha-test /run
mkdir "$1/dev"
mount --rbind /dev "$1/dev"
mount -t tmpfs -o mode=755 xha-test /dev
for entry in "$1/dev"/*; do ln -s "$entry" /dev/; done
rm -f /dev/log
mount -t overlay overlay -o "lowerdir=$1/ocf:/usr/lib/ocf" /usr/lib/ocf
# Root's own home lets nobody in, and ocf-tester calls the agent as nobody: Python and the checkout may stand in there.
for name in PYTHON CHECKOUT; do
    eval path=\$$name
    mkdir "$1/$name"
    mount --rbind "$path" "$1/$name"
done
mount -t tmpfs -o mode=755 xha-test /root
for name in PYTHON CHECKOUT; do
    eval path=\$$name
    case $path in /root/*) mkdir -p "$path" && mount --rbind "$1/$name" "$path" ;; esac
done
ip link set lo up
socat -u UNIX-RECV:/dev/log,mode=666 OPEN:"$1/syslog",creat,append &
while ! [ -S /dev/log ]; do sleep 0.05; done
touch "$1/ready"
wait
"""


class Result(NamedTuple):
    """The result of one call. seconds is its wall time, cpu the processor time of it and its children, in seconds."""

    code: int
    out: str
    err: str
    seconds: float
    cpu: float

    @property
    def reason(self) -> str:
        """The exit reason that Pacemaker would show."""
        return "".join(line.partition(":")[2] for line in self.err.splitlines() if line.startswith("ocf-exit-reason:"))


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Host(Daemon):
    """Namespaces of mounts, processes and network, with an empty /run."""

    def __init__(self, net: Net, directory: Path) -> None:
        self.directory = directory
        self._marks = itertools.count(1)
        agent = directory / "ocf/resource.d/xha/galera"
        agent.parent.mkdir(parents=True)
        # The site-packages are the test's own: PyMySQL is there.
        launcher = [
            CHECKOUT / "tools/install/launcher",
            CHECKOUT / "agents/galera",
            f"{sys.executable} -IS",
            CHECKOUT / "lib",
            sysconfig.get_path("purelib"),
        ]
        agent.write_text(subprocess.run(launcher, capture_output=True, text=True, check=True).stdout)
        agent.chmod(0o755)
        for program, package in (("ip", "iproute2"), ("socat", "socat"), ("nsenter", "util-linux")):
            find_program(program, package)
        alone = ["--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc", "--propagation=private"]
        argv = [find_program("unshare", "util-linux"), *alone, "/bin/sh", "-c", SETUP, "host", str(directory)]
        super().__init__(
            net, argv, directory / "log", env={"PATH": PATH, "PYTHON": sys.base_prefix, "CHECKOUT": str(CHECKOUT)}
        )

    def start(self) -> None:
        super().start()
        self.wait_ready((self.directory / "ready").exists, 60, "the host's namespaces are set up")

    @property
    def init(self) -> int:
        """The pid of the host's first process in this machine's pid namespace."""
        return int(Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()[0])

    def run(self, *command: str, check: bool = False, timeout: float = 60, **environment: str) -> Result:
        """Run a command on the host."""
        enter = ["nsenter", f"--target={self.init}", "--mount", "--pid", "--net", "--wd=/", "--", *command]
        began, before = time.monotonic(), _children_seconds()
        done = subprocess.run(
            enter,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env={"PATH": PATH, "OCF_ROOT": "/usr/lib/ocf", "LANG": "C.UTF-8", **environment},
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0 or not check, f"{shlex.join(command)}: {done.stdout}{done.stderr}"
        seconds, cpu = time.monotonic() - began, _children_seconds() - before
        return Result(done.returncode, done.stdout, done.stderr, seconds, cpu)

    def read(self, path: str) -> str:
        """The content of a file of the host; "" if it does not exist."""
        try:
            return Path(f"/proc/{self.init}/root{path}").read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def lose_run(self, path: str = "/run/xha") -> None:
        """Remove what is remembered in /run. Who runs there, as a server or a keeper, writes there meanwhile."""
        gone = ("sh", "-c", f"rm -rf {path} && ! test -e {path}")
        wait_until(lambda: self.run(*gone).code == 0, 30, f"{path} is gone")

    def read_process(self, pid: str, name: str) -> str:
        """The content of a file of /proc/PID, for a pid of the host's namespace."""
        return self.run("cat", f"/proc/{pid}/{name}").out

    @property
    def syslog(self) -> str:
        """Everything that was logged on the host before this call.

        socat writes it down in its own time: a message of the test's comes after all that was sent before it.
        """
        written = self.directory / "syslog"
        mark = f"<15>the test's mark {next(self._marks)}."
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
            log.sendto(mark.encode(), f"/proc/{self.init}/root/dev/log")
        return wait_until(lambda: read_behind(written, mark), 30, f"{written} has what was logged")


def read_behind(path: Path, mark: str) -> str:
    """The text of a file if the mark is in it, else ""."""
    text = path.read_text(errors="replace")
    return text if mark in text else ""


class Resource(Server):
    """A node as a resource: its server's options are in my.cnf, its parameters in the environment."""

    def __init__(self, host: Host, name: str, address: str, *, created: bool = True, **options: Any) -> None:
        self.created = created
        super().__init__(host.net, host.directory / name, address, **options)
        self.host, self.resource = host, name
        host.run("ip", "address", "add", f"{address}/32", "dev", "lo", check=True)
        self.parameters = {"config": str(self.config), "datadir": str(self.datadir)}

    def _make_directory(self) -> None:
        if self.created:
            super()._make_directory()
        else:
            self.directory.mkdir(mode=0o755, parents=True)
            self.directory.chmod(0o755)
            shutil.chown(self.directory, server_user())

    def call(self, action: str, *, level: int = 0, interval: int = 10000, **parameters: str) -> Result:
        """Call the agent. level is OCF_CHECK_LEVEL; a monitor with an interval of 0 is a probe."""
        # A start is waited for on a slow machine, too: after start_wait it is 0, whatever the server comes to.
        patience = {"start_wait": "60", "CRM_meta_timeout": "150000"} if action == "start" else {}
        words = {f"OCF_RESKEY_{name}": value for name, value in {**patience, **self.parameters, **parameters}.items()}
        meta = {"OCF_RESOURCE_INSTANCE": self.resource, "OCF_CHECK_LEVEL": str(level)}
        return self.host.run(AGENT, action, OCF_RESKEY_CRM_meta_interval=str(interval), **meta, **words)

    def monitor(self, level: int = 0, **parameters: str) -> Result:
        return self.call("monitor", level=level, **parameters)

    def run_file(self, name: str) -> dict[str, Any]:
        """The content of a JSON file in /run/xha/galera/RESOURCE."""
        return dict(json.loads(self.host.read(f"/run/xha/galera/{self.resource}/{name}") or "{}"))

    @property
    def keeper_pid(self) -> int:
        return int(self.run_file("keeper.json").get("pid", 0))

    def server_pids(self) -> list[int]:
        """The pids of the servers of this data directory in the host's namespace, whoever started them."""
        found = self.host.run("pgrep", "-a", "-f", "--", f"^[^ ]*mariadbd .*{self.directory}/").out.splitlines()
        # A program that only lists its options, or that tells where the data end, is not a server.
        others = {"--help", "--print-defaults", "--wsrep-recover"}
        return [int(line.split()[0]) for line in found if not others & set(line.split())]

    def keepers(self) -> list[int]:
        """The pids of this resource's living keepers. Only root can read their environment.

        A child that a keeper forks, to act as the server's account, looks like it for a moment, and is none.
        """
        named = f"OCF_RESOURCE_INSTANCE={self.resource}"
        parents: dict[int, int] = {}
        for pid in self.host.run("pgrep", "-f", "--", f"{AGENT} keeper$").out.split():
            environment, _, status = self.host.run("cat", f"/proc/{pid}/environ", f"/proc/{pid}/status").out.rpartition(
                "\0"
            )
            if named in environment.split("\0") and "\nPPid:" in status:
                parents[int(pid)] = int(status.partition("\nPPid:")[2].split()[0])
        return [pid for pid, parent in parents.items() if parent not in parents]

    def signal(self, name: str, *pids: int) -> None:
        self.host.run("kill", f"-{name}", *map(str, pids), check=True)

    def error_log_text(self) -> str:
        """Everything that the server ever logged; "" if it never ran."""
        log = self.directory / "server.log"
        return log.read_text(errors="replace") if log.exists() else ""
