"""The event loop of the responder: many short connections, one answer each, none of them closed by a reset.

It is a loop of its own on epoll: in one run against HAProxy's own constant answer it handles 0.7 to 1.1 of HAProxy's
connections per second, and asyncio 0.5 (measured). A connection is read up to its blank line, answered in one write,
half-closed and drained until the client closes it. Closing it with unread bytes makes the kernel send a reset, by which
HAProxy marks a server down (measured: 300 of 300 clients saw a reset).
"""

from __future__ import annotations

import contextlib
import errno
import select
import socket
import time
from typing import TYPE_CHECKING

from ...core.http.limits import DRAIN_BYTES, DRAIN_SECONDS, REQUEST_SECONDS
from ...core.http.message import (
    REQUEST_TIMEOUT,
    SILENT_REQUEST,
    BadRequest,
    render_fault,
    render_refusal,
)
from ..network.epoll import GONE, REST_SECONDS, Lost, Readiness, reason
from ..process.descriptors import FIRST_FREE, lift
from .connection import ClientConnection

if TYPE_CHECKING:
    from typing import Callable

    from ...core.http.message import Request
    from ..network.epoll import Readable
    from .application import Application

BACKLOG = 4096
MAX_CONNECTIONS = 8192

# Reserved for the database, its option file and the disabled file, so that clients cannot use up what readings need.
_SPARE_DESCRIPTORS = 32
_ACCEPTS_PER_ROUND = 64
_FAILURES_IN_A_ROW = 3
_OUT_OF = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Server:
    """Serves the listening sockets until the process ends. All times are time.monotonic().

    If anything raises for a connection, the client gets a 503, and the application is told of the fault.
    """

    def __init__(self, listeners: list[socket.socket], application: Application) -> None:
        self._application = application
        import resource

        descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self._max_connections = max(1, min(MAX_CONNECTIONS, descriptors - _SPARE_DESCRIPTORS))
        self._ready = Readiness()
        self._epoll = self._ready.epoll
        # Each dict is ordered by the time at which a connection entered it, so its first connection expires first.
        self._reading: dict[int, ClientConnection] = {}
        self._waiting: dict[int, ClientConnection] = {}
        self._draining: dict[int, ClientConnection] = {}
        self._silent: dict[int, ClientConnection] = {}  # those of _reading that have sent no part of a request
        for listener in listeners:
            listener.listen(BACKLOG)  # again for an inherited socket, because xinetd's own backlog is 64
            listener.setblocking(False)
            self.watch(listener, lambda listener=listener: self._accept(listener))  # type: ignore[misc]

    def watch(self, readable: Readable, callback: Callable[[], None]) -> None:
        """Call back whenever the socket has something to read."""
        self._ready.watch(readable, callback)

    def forget(self, fd: int) -> None:
        """Watch a socket no more; call this before it is closed."""
        self._ready.forget(fd)

    def run(self) -> None:
        """Serve until the process ends. :raises Lost: if a listening socket, or epoll itself, is gone."""
        callbacks = self._ready.callbacks
        while True:
            for fd, events in self._wait():
                try:
                    callback = callbacks.get(fd)
                    if callback:
                        callback()
                    elif fd in self._reading:
                        self._read(self._reading[fd])
                    elif fd in self._draining:
                        self._drain(self._draining[fd])
                    elif fd in self._waiting and events & (select.EPOLLERR | select.EPOLLHUP):
                        self._close(self._waiting[fd])
                except Lost:
                    raise
                except Exception as error:
                    self._fail(fd, error)

    def _wait(self) -> list[tuple[int, int]]:
        try:
            return self._ready.poll(self._expire(time.monotonic()))
        except Lost:
            raise
        except Exception as error:
            self._note("waiting for connections", error)
            time.sleep(REST_SECONDS)
            return []

    def answer_waiting(self) -> None:
        """Ask the application again for every request that waits."""
        for connection in list(self._waiting.values()):
            if connection.request:
                try:
                    # A thousand answers take 50 ms: each says how old it is by then.
                    now = time.monotonic()
                    self._send(connection, self._application.answer_waiting(connection.request, connection.host, now))
                except Exception as error:
                    self._fail(connection.fd, error)

    def _fail(self, fd: int, error: Exception) -> None:
        """Answer 503 to the client that an exception left without an answer; any other socket rests for a moment."""
        connection = self._reading.get(fd) or self._waiting.get(fd) or self._draining.get(fd)
        if connection is None:
            self._note("looking at what has come", error)
            return self._ready.rest(fd)
        self._note(f"answering {connection.host}", error)
        try:
            if fd in self._draining:
                return self._close(connection)
            request = connection.request
            return self._send(connection, render_fault(head=request is not None and request.method == "HEAD"))
        except Exception:
            return self._close(connection)

    def _note(self, doing: str, error: Exception) -> None:
        with contextlib.suppress(Exception):
            self._application.fault(doing, error)

    def _expire(self, now: float) -> float:
        """Close the connections whose time is up, and return the seconds until the next one's is."""
        try:
            timeout = self._application.tick(now)
        except Exception as error:
            self._note("doing what was due", error)
            timeout = REST_SECONDS
        timeout = min(timeout, self._ready.end_rests(now))
        silent_seconds = self._application.answer_silent
        limits: list[tuple[dict[int, ClientConnection], float, Callable[[ClientConnection], None]]] = [
            (self._reading, REQUEST_SECONDS, self._end_reading),
            (self._draining, DRAIN_SECONDS, self._close),
        ]
        if silent_seconds is not None:
            limits.insert(0, (self._silent, silent_seconds, self._end_silence))
        for connections, seconds, end in limits:
            while connections:
                first = next(iter(connections.values()))
                if now - first.since < seconds:
                    timeout = min(timeout, first.since + seconds - now)
                    break
                end(first)
        return timeout

    def _end_silence(self, connection: ClientConnection) -> None:
        """Answer a client that has sent nothing as if it had asked for `/`. It is read once more first."""
        try:
            self._read(connection)
            if self._silent.pop(connection.fd, None) is connection:
                self._answer(connection, SILENT_REQUEST)
        except Exception as error:
            self._silent.pop(connection.fd, None)
            self._fail(connection.fd, error)

    def _end_reading(self, connection: ClientConnection) -> None:
        """Answer 408 to a client without a request. It is read once more first, as this loop may be late."""
        try:
            self._read(connection)
            if self._reading.get(connection.fd) is connection:
                self._complain(connection, BadRequest(REQUEST_TIMEOUT, f"no request within {REQUEST_SECONDS:g} s"))
        except Exception as error:
            self._fail(connection.fd, error)

    def _accept(self, listener: socket.socket) -> None:
        now, failures = time.monotonic(), 0
        for _ in range(_ACCEPTS_PER_ROUND):
            try:
                sock, address = listener.accept()
            except (BlockingIOError, ConnectionAbortedError, InterruptedError):
                return
            except OSError as error:
                if error.errno in GONE:
                    raise Lost(f"a listening socket is gone: {reason(error)}") from None
                # All other errors of accept(2) are temporary: a network that is down, a firewall's refusal, no memory.
                failures += 1
                if error.errno in _OUT_OF and self._make_room():
                    return
                self._report("accept", reason(error))
                if failures == _FAILURES_IN_A_ROW:
                    return self._ready.rest(listener.fileno())
                continue
            failures = 0
            if sock.fileno() < FIRST_FREE:
                sock = lift(sock)
            connection = ClientConnection(sock, address[0], now)
            self._epoll.register(connection.fd, select.EPOLLIN)
            self._reading[connection.fd] = self._silent[connection.fd] = connection
            if len(self._reading) + len(self._waiting) + len(self._draining) > self._max_connections:
                self._make_room()
            self._read_at_once(connection)

    def _read_at_once(self, connection: ClientConnection) -> None:
        """Read what a new client has sent: while others were accepted, most requests have arrived."""
        try:
            self._read(connection)
        except Exception as error:
            self._fail(connection.fd, error)

    def _make_room(self) -> bool:
        """Close the oldest unfinished connection: with descriptors used up, it is the likeliest cause."""
        for connections in (self._draining, self._reading, self._waiting):
            if connections:
                oldest = next(iter(connections.values()))
                self._close(oldest)
                self._report(oldest.host, "too many connections: the oldest gave way")
                return True
        return False

    def _report(self, host: str, why: str) -> None:
        try:
            self._application.complain(host, why)
        except Exception as error:
            self._note(f"telling of {host}", error)

    def _read(self, connection: ClientConnection) -> None:
        try:
            request = connection.read_request(self._application.answer_silent is not None)
        except BadRequest as error:
            return self._complain(connection, error)
        except OSError:
            return self._close(connection)
        if not connection.silent:
            self._silent.pop(connection.fd, None)
        return None if request is None else self._answer(connection, request)

    def _answer(self, connection: ClientConnection, request: Request) -> None:
        connection.request, connection.received = request, b""
        answer = self._application.answer(request, connection.host, time.monotonic())
        if answer is not None:
            return self._send(connection, answer)
        del self._reading[connection.fd]
        self._silent.pop(connection.fd, None)
        self._waiting[connection.fd] = connection
        # otherwise what the client sends or half-closes now would wake the loop without need
        self._epoll.modify(connection.fd, 0)
        return None

    def _complain(self, connection: ClientConnection, error: BadRequest) -> None:
        self._report(connection.host, str(error))
        self._send(connection, render_refusal(error))

    def _send(self, connection: ClientConnection, answer: bytes | None) -> None:
        if answer is None:
            return
        try:
            # A new socket's buffer takes the largest answer many times: if it is not sent at once, the client does not
            # read.
            whole = connection.sock.send(answer, socket.MSG_DONTWAIT) == len(answer)
            connection.sock.shutdown(socket.SHUT_WR)
            if connection.fd in self._waiting:
                self._epoll.modify(connection.fd, select.EPOLLIN)
        except OSError:
            return self._close(connection)
        if not whole:
            return self._close(connection)
        fd = connection.fd
        self._waiting.pop(fd, None)
        self._reading.pop(fd, None)
        self._silent.pop(fd, None)
        connection.since = time.monotonic()
        self._draining[fd] = connection
        return None

    def _drain(self, connection: ClientConnection) -> None:
        try:
            data = connection.sock.recv(DRAIN_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        connection.drained += len(data)
        if not data or connection.drained >= DRAIN_BYTES:
            self._close(connection)

    def _close(self, connection: ClientConnection) -> None:
        for connections in (self._reading, self._waiting, self._draining, self._silent):
            connections.pop(connection.fd, None)
        with contextlib.suppress(OSError):
            connection.sock.close()
