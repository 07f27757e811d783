"""The end of a connection that was answered: no reset reaches its client. Imported by a process for one request."""

from __future__ import annotations

import _socket
import time

from ...core.http.limits import DRAIN_BYTES, DRAIN_SECONDS, MAX_REQUEST


def answer_anything(sock: _socket.socket, answer: bytes) -> None:
    """Send the answer whatever the request is, like a script that never reads. :raises OSError: if the client goes.

    The request is still read for a while, because closing a socket with unread bytes would reset the connection.
    """
    deadline, received = time.monotonic() + DRAIN_SECONDS, b""
    while not has_ended(received) and len(received) < DRAIN_BYTES:
        sock.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            data = sock.recv(MAX_REQUEST)
        except _socket.timeout:
            break
        if not data:
            break
        received += data
    finish(sock, answer)


def has_ended(received: bytes) -> bool:
    """Return whether a request has its blank line."""
    return b"\n\n" in received or b"\n\r\n" in received


def finish(sock: _socket.socket, answer: bytes) -> None:
    """Send the answer, and read on until the client closes its end. :raises OSError: if the client goes."""
    sock.settimeout(DRAIN_SECONDS)
    sock.sendall(answer)
    sock.shutdown(_socket.SHUT_WR)
    deadline, drained = time.monotonic() + DRAIN_SECONDS, 0
    while drained < DRAIN_BYTES and time.monotonic() < deadline:
        data = sock.recv(DRAIN_BYTES)
        if not data:
            return
        drained += len(data)
