"""The addresses of this host, from the kernel's tables, and the addresses of other names, within a time limit."""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from ipaddress import ip_address
from typing import TYPE_CHECKING

from ..process.alarm import seconds_left

if TYPE_CHECKING:
    from collections.abc import Iterable

_IPV4, _IPV6 = "/proc/net/fib_trie", "/proc/net/if_inet6"
# The part of a connection's time, and of what is left of the check's, that resolving the peer's name may take.
_SHARE = 0.8
# An address in the trie and, below it, its type: this host's own addresses are LOCAL (fib_trie.c, fib_trie_seq_show).
_LOCAL = re.compile(r"\|-- ([0-9.]+)\n(?: +/\d+ [^\n]*\n)*? +/32 host LOCAL")


def read_own_addresses() -> frozenset[str]:
    """Return all addresses of this host, as `ipaddress` writes them. Without a kernel table, that family is missing.

    Binding a socket would not tell: with net.ipv4.ip_nonlocal_bind=1, usual beside HAProxy, every address can be bound.
    """
    found = set(_LOCAL.findall(_read(_IPV4)))
    for line in _read(_IPV6).splitlines():
        found.add(str(ip_address(bytes.fromhex(line.split()[0]))))
    return frozenset(found)


def resolve_hosts(hosts: Iterable[str], seconds: float) -> dict[str, tuple[str, ...]]:
    """Return the addresses of each host; () for one that does not resolve. All hosts together have `seconds`.

    A resolver whose servers do not answer cannot be interrupted (glibc: 5 s for each try, and no signal ends it). A
    question without an answer is not asked again, so that a caller in a loop waits for one thread and does not collect
    more and more.
    """
    found: dict[str, tuple[str, ...]] = {host: _numeric(host) for host in hosts}
    until = time.monotonic() + seconds
    questions = {host: _ask(host) for host, addresses in found.items() if not addresses}
    for host, question in questions.items():
        if question.over.wait(max(0.0, until - time.monotonic())):
            found[host] = question.addresses
    return found


def require_address(host: str, seconds: float) -> str:
    """Return an address of a host.

    A library that then connects to the name itself, as TLS requires, finds the answer in the resolver's cache. A wait
    for the resolver inside a library cannot be interrupted: the check would be killed without a message that says what
    it waited for.

    :raises socket.gaierror: if none is found in 80 % of the seconds, or of what is left of the check's own time.
    """
    addresses = resolve_hosts([host], _SHARE * min(seconds, seconds_left()))[host]
    if not addresses:
        raise socket.gaierror(socket.EAI_AGAIN, "its name is unknown, or no resolver answers")
    return addresses[0]


class _Question:
    """One name that the resolver is asked for."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.addresses: tuple[str, ...] = ()
        self.over = threading.Event()
        # A daemon thread does not keep the process from ending.
        self.thread = threading.Thread(target=self._run, name="resolver", daemon=True)

    def _run(self) -> None:
        self.addresses = _resolve(self.host)
        if _asked.get(self.host) is self:
            del _asked[self.host]
        self.over.set()


# The questions without an answer so far. A process forked since does not have their threads.
_asked: dict[str, _Question] = {}
os.register_at_fork(after_in_child=_asked.clear)


def _ask(host: str) -> _Question:
    question = _asked.get(host)
    if question is None:
        question = _asked[host] = _Question(host)
        question.thread.start()
    return question


def _numeric(host: str) -> tuple[str, ...]:
    """Return the address if `host` is a number already, without asking a resolver; () for a name."""
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
