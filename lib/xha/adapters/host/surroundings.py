"""What surrounds a server on this host: programs of state transfers, ports of the kernel, what confines a process."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from ...core.doctor.facts import DataDisk, EphemeralPorts, MandatoryAccess
from ...core.doctor.unseen import Unseen
from ...core.text.escape import clean
from ..process.command import DIRECTORIES

if TYPE_CHECKING:
    from collections.abc import Iterable

TRANSFER_PROGRAMS = ("rsync", "mariadb-backup", "mariabackup", "mbstream", "socat", "xtrabackup", "xbstream")
_AGENT = "/usr/lib/ocf/resource.d/xha/galera"
_SERVER = "a server that runs here, of an account and a program that are trusted; and root"
_RANGE, _RESERVED = "/proc/sys/net/ipv4/ip_local_port_range", "/proc/sys/net/ipv4/ip_local_reserved_ports"
_SELINUX, _APPARMOR = "/sys/fs/selinux/enforce", "/sys/module/apparmor/parameters/enabled"


def find_programs() -> frozenset[str]:
    """Return which programs of state transfers are installed."""
    return frozenset(name for name in TRANSFER_PROGRAMS if shutil.which(name, path=DIRECTORIES))


def has_agent() -> bool:
    """Return whether this host has ocf:xha:galera."""
    return os.path.exists(_AGENT)


def read_ephemeral_ports() -> EphemeralPorts:
    """Return the ports of outgoing connections. :raises OSError, ValueError: where the kernel does not tell them."""
    first, last = _read(_RANGE).split()
    return EphemeralPorts(int(first), int(last), _read(_RESERVED).strip())


def read_data_disk(path: str) -> DataDisk:
    """Return the room of the server's directory. :raises OSError: where it cannot be examined."""
    seen = os.statvfs(path)
    return DataDisk(path, seen.f_bavail * seen.f_frsize)


def read_confinement(servers: Iterable[int]) -> MandatoryAccess:
    """Return what confines these processes, the servers of this host. :raises OSError: where that cannot be seen."""
    selinux = os.path.exists(_SELINUX) and _read(_SELINUX).strip() == "1"
    if not os.path.exists(_APPARMOR) or _read(_APPARMOR).strip() != "Y":
        return MandatoryAccess((), selinux)
    profiles = tuple(clean(_read(f"/proc/{pid}/attr/current").rstrip("\0\n")) for pid in servers)
    if not all(profiles):
        return MandatoryAccess(Unseen("AppArmor's profile of the server: the kernel names none", _SERVER), selinux)
    return MandatoryAccess(profiles or Unseen("AppArmor's profile of the server: no server runs", _SERVER), selinux)


def _read(path: str) -> str:
    with open(path, encoding="ascii", errors="replace") as file:
        return file.read()
