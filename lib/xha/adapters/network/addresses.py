"""This host's own addresses, from the kernel's tables, and what other names resolve to, within a time."""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_IPV4, _IPV6 = "/proc/net/fib_trie", "/proc/net/if_inet6"
# Of the time for a connection, for the name of who is to be connected to.
_SHARE = 0.8
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
    """Return the addresses of each host, () for one that does not resolve within the seconds that all have together.

    A resolver whose servers are away cannot be hurried (glibc: 5 s for each try, and no signal ends it): a question
    that is still out is not asked again, so that who asks in a loop waits for one answer and not for a growing pile.
    """
    found: dict[str, tuple[str, ...]] = {host: _numeric(host) for host in hosts}
    until = time.monotonic() + seconds
    questions = {host: _ask(host) for host, addresses in found.items() if not addresses}
    for host, question in questions.items():
        if question.over.wait(max(0.0, until - time.monotonic())):
            found[host] = question.addresses
    return found


def require_address(host: str, seconds: float) -> str:
    """Return an address of a host. :raises socket.gaierror: where none is found in most of the seconds.

    What then connects to the name itself, as TLS has to, finds the resolver's answer at hand: a wait for the resolver
    in the middle of a library can be ended by nobody, and the check would be killed without a word of what it was.
    """
    addresses = resolve_hosts([host], _SHARE * seconds)[host]
    if not addresses:
        raise socket.gaierror(socket.EAI_AGAIN, "its name is unknown, or no resolver answers")
    return addresses[0]


class _Question:
    """One name that the resolver is asked for."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.addresses: tuple[str, ...] = ()
        self.over = threading.Event()
        # A daemon: it must not keep the process from ending.
        self.thread = threading.Thread(target=self._run, name="resolver", daemon=True)

    def _run(self) -> None:
        self.addresses = _resolve(self.host)
        if _asked.get(self.host) is self:
            del _asked[self.host]
        self.over.set()


# Those that are still out. A process that was forked since has not got their threads.
_asked: dict[str, _Question] = {}
os.register_at_fork(after_in_child=_asked.clear)


def _ask(host: str) -> _Question:
    question = _asked.get(host)
    if question is None:
        question = _asked[host] = _Question(host)
        question.thread.start()
    return question


def _numeric(host: str) -> tuple[str, ...]:
    """Return what is a number already, without asking anybody; () for a name."""
    return _look_up(host, socket.AI_NUMERICHOST) if host else ()


def _resolve(host: str) -> tuple[str, ...]:
    return _look_up(host, 0)


def _look_up(host: str, flags: int) -> tuple[str, ...]:
    try:
        entries = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=flags)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in entries))


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
