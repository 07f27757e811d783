"""One request to each of hundreds of responders, side by side in one thread, under one deadline for all of them.

600 answers of three real responders take 1.3 s, of which 0.2 s are a processor's (tests/responder/test_fleet.py, load
34 on two cores). What each may send is bounded as in ask.py.
"""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import socket
import time
from typing import TYPE_CHECKING, NamedTuple

from ...core.cluster.responder_word import HttpAnswer, parse_response
from ..network.addresses import resolve_hosts
from ..network.channel import BUDGET

if TYPE_CHECKING:
    from collections.abc import Sequence

_CHUNK = 16 << 10
# The part of the deadline that resolving the names may take; addresses take none of it.
_RESOLVE_SHARE = 0.4
# Connections that are open at the same time: below the soft limit of open files that a shell has.
_MOST_OPEN = 800


class Question(NamedTuple):
    """One GET of a path of a host's port."""

    host: str
    port: int
    path: str


class Missing(NamedTuple):
    """There is no answer; cause says why, without the address."""

    cause: str


class _Exchange:
    """One connection: what is to be sent, and what has arrived."""

    __slots__ = ("question", "received", "size", "sock", "to_send")

    def __init__(self, question: Question, sock: socket.socket) -> None:
        self.question, self.sock = question, sock
        name = f"[{question.host}]" if ":" in question.host else question.host
        lines = f"GET {question.path} HTTP/1.0\r\nHost: {name}:{question.port}\r\nConnection: close\r\n\r\n"
        self.to_send = lines.encode("ascii", "backslashreplace")
        self.received: list[bytes] = []
        self.size = 0


def ask_many(questions: Sequence[Question], seconds: float) -> dict[Question, HttpAnswer | Missing | None]:
    """Return the answer to each question; Missing where none came in time, None for one that is no whole HTTP answer.

    It takes `seconds` at most, whatever the others do.
    """
    until = time.monotonic() + seconds
    found: dict[Question, HttpAnswer | Missing | None] = {}
    addresses = resolve_hosts({one.host for one in questions}, seconds * _RESOLVE_SHARE)
    waiting = list(dict.fromkeys(questions))[::-1]
    with selectors.DefaultSelector() as selector:
        try:
            while waiting or selector.get_map():
                while waiting and len(selector.get_map()) < _MOST_OPEN:
                    question = waiting.pop()
                    begun = _begin(selector, question, addresses[question.host])
                    if begun is not None:
                        found[question] = begun
                left = until - time.monotonic()
                if left <= 0:
                    break
                for key, _ in selector.select(left):
                    exchange: _Exchange = key.data
                    over, answer = _go_on(selector, exchange)
                    if over:
                        found[exchange.question] = answer
        finally:
            for key in list(selector.get_map().values()):
                key.data.sock.close()
    return {one: found.get(one, Missing(_late(one, one in waiting))) for one in dict.fromkeys(questions)}


def _late(question: Question, unasked: bool) -> str:
    if unasked:
        return "not asked: the time was up"
    return f"no answer on port {question.port} in time"


def _begin(selector: selectors.BaseSelector, question: Question, addresses: Sequence[str]) -> Missing | None:
    """Begin to connect. Return why that failed at once, else None."""
    if not addresses:
        return Missing(f"the name {question.host} does not resolve")
    family = socket.AF_INET6 if ":" in addresses[0] else socket.AF_INET
    try:
        sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    except OSError as error:
        return Missing(f"no socket: {_reason(error.errno)}")
    try:
        failed = sock.connect_ex((addresses[0], question.port))
    except (OSError, OverflowError) as error:
        failed = (error.errno if isinstance(error, OSError) else None) or errno.EINVAL
    if failed not in (0, errno.EINPROGRESS):
        sock.close()
        return Missing(f"port {question.port}: {_reason(failed)}")
    selector.register(sock, selectors.EVENT_WRITE, _Exchange(question, sock))
    return None


def _go_on(selector: selectors.BaseSelector, one: _Exchange) -> tuple[bool, HttpAnswer | Missing | None]:
    """Send or receive what can be; return whether the exchange is over, and what came of it."""
    try:
        if one.to_send:
            failed = one.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if failed:
                raise OSError(failed, os.strerror(failed))
            one.to_send = one.to_send[one.sock.send(one.to_send) :]
            if not one.to_send:
                selector.modify(one.sock, selectors.EVENT_READ, one)
            return False, None
        piece = one.sock.recv(_CHUNK)
    except BlockingIOError:
        return False, None
    except OSError as error:
        _end(selector, one)
        return True, Missing(f"port {one.question.port}: {_reason(error.errno)}")
    one.received.append(piece)
    one.size += len(piece)
    if one.size > BUDGET:
        _end(selector, one)
        return True, Missing(f"port {one.question.port} sends more than a responder does")
    if piece:
        return False, None
    _end(selector, one)
    return True, parse_response(b"".join(one.received))


def _end(selector: selectors.BaseSelector, one: _Exchange) -> None:
    with contextlib.suppress(KeyError, ValueError):
        selector.unregister(one.sock)
    one.sock.close()


def _reason(number: int | None) -> str:
    return os.strerror(number or errno.EIO).lower()
