"""One controller: a full Debian system in a container of its own, with a power switch and a cable."""

from __future__ import annotations

import os
import subprocess
import uuid
from contextlib import suppress
from pathlib import Path

from lab import cgroups, image, processes
from lab.network import Network
from lab.place import ADDRESSES, Place
from lab.shell import Result, run
from lab.systems import System
from lab.waiting import wait_until

BOOT_SECONDS = 60
ENVIRONMENT = (
    "env",
    "-i",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    "LANG=C.UTF-8",
)
# The database has a disk of its own. So it can run full without the rest of the host, and it outlasts a power cut.
DATADIR = "/var/lib/mysql"
DATABASE_DISK = "768m"


class Host:
    """A host called `name`. The object holds no state: the state of the host is read from the machine each time."""

    def __init__(self, place: Place, network: Network, name: str) -> None:
        self.place, self.network, self.name = place, network, name
        self.address = ADDRESSES[name]
        self.directory = place.host(name)

    def __repr__(self) -> str:
        return self.name

    @property
    def datadir(self) -> Path:
        """The database's disk, seen from outside, whether or not the host has power."""
        return self.directory / "mysql"

    @property
    def root(self) -> Path:
        """The host's own disk, seen from outside."""
        return self.directory / "root"

    def build(self, system: System) -> None:
        """Give the host its disks: a layer over the image, and a new database."""
        self.datadir.mkdir(parents=True)
        run(["mount", "-t", "tmpfs", "-o", f"size={DATABASE_DISK}", "tmpfs", str(self.datadir)])
        run(["cp", "-a", f"{self.place.image / 'mysql'}/.", str(self.datadir)])
        image.overlay(f"{self.place.image / 'upper'}:{system.root}", self.directory)
        # Without this, systemd takes the machine's own identity, and all three hosts would share it.
        (self.root / "etc/machine-id").write_text(uuid.uuid4().hex + "\n")
        (self.root / "etc/hostname").write_text(self.name + "\n")

    def power_on(self) -> None:
        """Turn the host on. Returns once its init runs, long before it has booted. No error if it already has power."""
        if self.has_power():
            return
        self.power_off()  # a host that has shut down leaves its wire and its groups
        self.network.plug(self.name, self.address)
        with open(self.directory / "console", "ab") as console:
            subprocess.Popen(
                ["setsid", "--fork", *cgroups.entering(cgroups.make(self.place, self.name), *self._container())],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            ).wait()
        wait_until(f"the init of {self.name}", self.has_power, timeout=15)

    def _container(self) -> list[str]:
        """The command that runs the host. It needs no service manager outside, and registers with none."""
        return [
            *(
                "systemd-nspawn",
                "--quiet",
                "--register=no",
                "--keep-unit",
                "--boot",
                "--console=pipe",
                "--capability=all",
            ),
            *("--resolv-conf=off", "--timezone=off", "--link-journal=no"),
            f"--machine={self.name}",
            f"--directory={self.root}",
            f"--bind={self.datadir}:{DATADIR}",
            f"--network-namespace-path={self.place.namespace(self.name)}",
        ]

    def power_off(self) -> None:
        """Cut the power: first silence the network, then end everything at once.

        The silence comes first because a real host without power sends no goodbye. The disks keep what was written,
        synced or not. The loss of a real disk's cache is not simulated.
        """
        self.network.silence(self.name)
        wait_until(f"{self.name} to lose power", self._end_round, timeout=20)
        self.network.unplug(self.name)
        wait_until(f"the groups of {self.name} to go", lambda: cgroups.remove(self.place, self.name), timeout=10)

    def _end_round(self) -> bool:
        """Kill the host's init, and what is left after the kernel has killed its children. True if nothing is left."""
        container = processes.naming(f"--directory={self.root}")
        inside = processes.in_namespace(self.place.namespace(self.name))
        init = self.init
        processes.kill([init] if init else inside + container)
        return not (inside or container)

    @property
    def init(self) -> int | None:
        """The pid of the host's own init, another one after every power cut. None while the host has no power."""
        return processes.init_of(self.place.namespace(self.name))

    def has_power(self) -> bool:
        return self.init is not None

    def wait_booted(self) -> None:
        """Wait until systemd says `running`, which means that no unit failed."""
        wait_until(
            f"{self.name} to run",
            lambda: self.sh("systemctl is-system-running", check=False).out.strip() == "running",
            timeout=BOOT_SECONDS,
            every=0.25,
        )

    def sh(self, command: str, *, timeout: float = 30.0, text: str | None = None, check: bool = True) -> Result:
        """Run a shell command in the host as root, with an environment of its own. Raises like `lab.shell.run`."""
        return run([*self.enter(), "sh", "-c", command], timeout=timeout, text=text, check=check)

    def enter(self) -> list[str]:
        """The words before a command that make it run in the host. Raises `ConnectionError` if that has no power."""
        init = self.init
        if init is None:
            raise ConnectionError(f"{self.name} has no power")
        return ["nsenter", "--target", str(init), "--mount", "--uts", "--ipc", "--net", "--pid", "--", *ENVIRONMENT]

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file on the running host, as an operator would."""
        self.sh(f"install -D -m {mode:o} /dev/stdin {path}", text=text)

    def signal(self, program: str, number: int) -> int:
        """Send signal `number` to every process called `program` in the host, all at once. Return their number."""
        pids = self.pids_of(program)
        for pid in pids:
            os.kill(pid, number)
        return len(pids)

    def signal_all(self, number: int) -> None:
        """Send signal `number` to every process in the host. One that is already gone is no error."""
        for pid in processes.in_namespace(self.place.namespace(self.name)):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def pids_of(self, program: str) -> list[int]:
        """The pids, as the machine counts them, of the host's processes that run `program`, under any name."""
        found = []
        for pid in processes.in_namespace(self.place.namespace(self.name)):
            try:
                if Path(os.readlink(f"/proc/{pid}/exe")).name == program:
                    found.append(pid)
            except OSError:
                continue
        return found
