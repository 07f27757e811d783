"""Answers one connected socket once, as a program does that xinetd starts with `wait = no`."""

from __future__ import annotations

import re
import socket
import time
from typing import TYPE_CHECKING

from ...core.http.message import (
    BAD_REQUEST,
    DRAIN_BYTES,
    DRAIN_SECONDS,
    MAX_REQUEST,
    REQUEST_SECONDS,
    REQUEST_TIMEOUT,
    BadRequest,
    parse_request,
    render_response,
)

if TYPE_CHECKING:
    from typing import Callable

    from ...core.http.message import Request

_END_OF_REQUEST = re.compile(rb"\n\r?\n")


def serve_one(sock: socket.socket, answer_request: Callable[[Request, str, float], bytes]) -> None:
    """Answer the request on one connected socket, which xinetd passes with `wait = no`."""
    deadline = time.monotonic() + REQUEST_SECONDS
    received = b""
    host = sock.getpeername()[0]
    try:
        request = None
        while request is None:
            sock.settimeout(max(0.001, deadline - time.monotonic()))
            data = sock.recv(MAX_REQUEST)
            received += data
            request = parse_request(received)
            if request is None and not data:
                raise BadRequest(BAD_REQUEST, "the request ended before its blank line")
        answer = answer_request(request, host, time.monotonic())
    except BadRequest as error:
        answer = render_response(error.status, f"{error}\n")
    except socket.timeout:
        answer = render_response(REQUEST_TIMEOUT, f"no request within {REQUEST_SECONDS:g} s\n")
    _finish(sock, answer)


def answer_anything(sock: socket.socket, answer: bytes) -> None:
    """Send the answer whatever the request is, like a script that never reads.

    The request is still read for a while, because closing a socket with unread bytes would reset the connection.
    """
    deadline, received = time.monotonic() + DRAIN_SECONDS, b""
    while not _END_OF_REQUEST.search(received) and len(received) < DRAIN_BYTES:
        sock.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            data = sock.recv(MAX_REQUEST)
        except socket.timeout:
            break
        if not data:
            break
        received += data
    _finish(sock, answer)


def _finish(sock: socket.socket, answer: bytes) -> None:
    sock.settimeout(DRAIN_SECONDS)
    sock.sendall(answer)
    sock.shutdown(socket.SHUT_WR)
    deadline, drained = time.monotonic() + DRAIN_SECONDS, 0
    while drained < DRAIN_BYTES and time.monotonic() < deadline:
        data = sock.recv(DRAIN_BYTES)
        if not data:
            return
        drained += len(data)
