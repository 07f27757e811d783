"""This host's own addresses, from the kernel's tables, and what other names resolve to, within a time."""

from __future__ import annotations

import re
import socket
import threading
import time
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_IPV4, _IPV6 = "/proc/net/fib_trie", "/proc/net/if_inet6"
# A leaf of the trie, and below it what it is: this host's own addresses are LOCAL (fib_trie.c, fib_trie_seq_show).
_LOCAL = re.compile(r"\|-- ([0-9.]+)\n(?: +/\d+ [^\n]*\n)*? +/32 host LOCAL")


def read_own_addresses() -> frozenset[str]:
    """Return all addresses of this host, as `ipaddress` writes them; without a kernel's table none of that family.

    Not by binding a socket: with net.ipv4.ip_nonlocal_bind=1, usual beside HAProxy, every address would be this host's.
    """
    found = set(_LOCAL.findall(_read(_IPV4)))
    for line in _read(_IPV6).splitlines():
        found.add(str(ip_address(bytes.fromhex(line.split()[0]))))
    return frozenset(found)


def resolve_hosts(hosts: Iterable[str], seconds: float) -> dict[str, tuple[str, ...]]:
    """Return the addresses of each host, () for one that does not resolve within the seconds that all have together."""
    found: dict[str, tuple[str, ...]] = dict.fromkeys(hosts, ())
    # Daemons: a resolver whose servers are away cannot be hurried, and must not keep the process from ending.
    threads = [threading.Thread(target=_resolve, args=(host, found), daemon=True) for host in found]
    until = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return dict(found)


def _resolve(host: str, found: dict[str, tuple[str, ...]]) -> None:
    try:
        entries = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return
    found[host] = tuple(dict.fromkeys(str(entry[4][0]) for entry in entries))


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
