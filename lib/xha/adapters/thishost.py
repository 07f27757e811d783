"""What tells this host from others, and this life of it from the one before (psutil, /proc)."""

from __future__ import annotations

import socket


def read_boot_id() -> str:
    """Return the kernel's random id of this boot (random(4)); containers of one host share it. "" if it is not told."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def read_addresses() -> tuple[str, ...]:
    """Return the addresses of this host's interfaces, sorted; without loopback and what is valid on one link only."""
    import psutil

    found = set()
    for each in psutil.net_if_addrs().values():
        for address in each:
            if address.family in (socket.AF_INET, socket.AF_INET6):
                found.add(address.address.partition("%")[0])
    return tuple(sorted(one for one in found if not one.startswith(("127.", "fe80:")) and one != "::1"))


def resolve(names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return the addresses of each name, nothing for one that does not resolve."""
    found: dict[str, tuple[str, ...]] = {}
    for name in names:
        try:
            told = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except OSError:
            continue
        found[name] = tuple(dict.fromkeys(str(each[4][0]) for each in told))
    return found
