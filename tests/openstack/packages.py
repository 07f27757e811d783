"""Debian's OpenStack packages, with those dependencies that this machine lacks, unpacked below build/."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from loopback.doors import CHECKOUT

HOME = CHECKOUT / "build/openstack"
PYTHON = "/usr/bin/python3"  # the packages are made for the distribution's Python
WANTED = (
    "keystone",
    "glance-api",
    "nova-api",
    "nova-conductor",
    "nova-scheduler",
    "nova-consoleproxy",
    "placement-api",
    "neutron-server",
    "cinder-api",
    "cinder-scheduler",
    "cinder-volume",
    "python3-pymysql",
    "uwsgi-core",
    "uwsgi-plugin-python3",
)
_INST = re.compile(r"^Inst (\S+) (?:\[\S+\] )?\((\S+) ", re.MULTILINE)


class NoPackages(RuntimeError):
    """The packages are not available here. The message says why."""


class Tree:
    """The unpacked packages: programs, their environment, and their versions."""

    def __init__(self, root: Path, versions: Mapping[str, str]) -> None:
        self.root = root
        self.versions = versions

    def path(self, name: str) -> str:
        """A file of the tree. :raises NoPackages: if there is none of that name."""
        path = self.root / name
        if not path.exists():
            raise NoPackages(f"the packages have no /{name}")
        return str(path)

    def program(self, name: str) -> tuple[str, ...]:
        """How to start one of the packages' Python programs, according to its first line."""
        return PYTHON, self.path(f"usr/bin/{name}")

    @property
    def uwsgi(self) -> str:
        """The uwsgi that contains Python. Debian's init scripts also look for it by its version."""
        found = sorted(self.root.glob("usr/bin/uwsgi_python3*"))
        if not found:
            raise NoPackages("the packages have no uwsgi_python3*")
        return str(found[-1])

    def environment(self, home: Path, **more: str) -> dict[str, str]:
        """The environment with which a program of the tree finds the rest of it."""
        libraries = [*self.root.glob("usr/lib/*-linux-gnu"), *self.root.glob("lib/*-linux-gnu")]
        libraries += [one for path in libraries for one in path.glob("*") if one.name in ("blas", "lapack", "nss")]
        return {
            "PATH": f"{self.root}/usr/bin:{self.root}/usr/sbin:{self.root}/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
            "PYTHONPATH": f"{self.root}/usr/lib/python3/dist-packages",
            "PYTHONDONTWRITEBYTECODE": "1",
            "LD_LIBRARY_PATH": ":".join(map(str, libraries)),
            "LANG": "C.UTF-8",
            "HOME": str(home),
            **more,
        }


def unpacked() -> Tree:
    """Fetch and unpack what is missing. :raises NoPackages: if apt cannot fetch it."""
    root, manifest = HOME / "root", HOME / "manifest"
    versions = _resolve()
    there = _read_manifest(manifest)
    if not there.items() <= versions.items():  # otherwise Python would still find packages that are not wanted any more
        shutil.rmtree(root, ignore_errors=True)
        there = {}
    missing = {name: version for name, version in versions.items() if name not in there}
    if missing:
        print(f"openstack: fetching and unpacking {len(missing)} packages", flush=True)
        manifest.unlink(missing_ok=True)
        archives = HOME / "debs"
        archives.mkdir(parents=True, exist_ok=True)
        _fetch(missing, archives)
        _unpack(missing, archives, root)
        _compile(root)
        manifest.write_text("".join(f"{name}={version}\n" for name, version in sorted(versions.items())))
    return Tree(root, versions)


def _read_manifest(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    pairs = (line.partition("=") for line in path.read_text().splitlines())
    return {name: version for name, _, version in pairs}


def _resolve() -> dict[str, str]:
    """The packages that apt would install here, with their versions. Packages of the machine are used as they are."""
    command = ["apt-get", "--simulate", "--no-install-recommends", "install", *WANTED]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}, check=False)
    if done.returncode:
        raise NoPackages(f"apt-get finds no way to install OpenStack here:\n{done.stdout[-800:]}{done.stderr[-800:]}")
    return dict(_INST.findall(done.stdout))


def _fetch(versions: Mapping[str, str], archives: Path) -> None:
    missing = [f"{name}={version}" for name, version in versions.items() if not _archive(archives, name, version)]
    if missing:
        # As root, apt prints on stderr that its user _apt may not write here, and continues.
        done = subprocess.run(
            ["apt-get", "-q", "download", *missing], cwd=archives, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise NoPackages(f"apt-get download: {done.stderr[-800:]}")


def _archive(archives: Path, name: str, version: str) -> Path | None:
    return next(archives.glob(f"{name}_{version.replace(':', '%3a')}_*.deb"), None)


def _unpack(versions: Mapping[str, str], archives: Path, root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    for name, version in versions.items():
        archive = _archive(archives, name, version)
        if archive is None:
            raise NoPackages(f"apt-get download brought no {name} {version}")
        subprocess.run(["dpkg-deb", "--extract", str(archive), str(root)], check=True)


def _compile(root: Path) -> None:
    """What the installation of the packages does. Without it, each start compiles some thousand files."""
    packages = root / "usr/lib/python3/dist-packages"
    subprocess.run([PYTHON, "-m", "compileall", "-q", "-j", "2", str(packages)], capture_output=True, check=False)
