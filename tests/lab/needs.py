"""Whether a laboratory can run on this machine, and if not, what is missing."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

from lab.shell import run

PACKAGES = Path(__file__).with_name("packages")
# Paths that a host takes from the machine's root. A separate file system there would be an empty directory in the host.
ROOT_ONLY = ("/usr", "/etc", "/var", "/var/lib")


def missing() -> list[str]:
    """What the laboratory lacks here, in words for a person; empty if it can run."""
    if platform.system() != "Linux":
        return ["Linux"]
    lacking = [] if os.geteuid() == 0 else ["root (namespaces, mounts and containers are made)"]
    if shutil.which("dpkg-query") is None:
        return [*lacking, "a Debian system (the hosts are copies of it)"]
    lacking += [f"the package {name}" for name in wanted_packages() if not is_installed(name)]
    lacking += [f"{path} on the root file system" for path in ROOT_ONLY if os.path.ismount(path)]
    if "overlay" not in Path("/proc/filesystems").read_text():
        lacking.append("the kernel's overlay file system (modprobe overlay)")
    return lacking


def wanted_packages() -> list[str]:
    lines = PACKAGES.read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def is_installed(name: str) -> bool:
    return run(["dpkg-query", "--show", "--showformat=${db:Status-Status}", name], check=False).out == "installed"
