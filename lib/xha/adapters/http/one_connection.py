"""Answers one connected socket once, as a program does that xinetd starts with `wait = no`."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from ...core.http.limits import MAX_REQUEST, REQUEST_SECONDS
from ...core.http.message import (
    BAD_REQUEST,
    REQUEST_TIMEOUT,
    SILENT_REQUEST,
    BadRequest,
    parse_request,
    render_refusal,
)
from ...core.http.proxy_header import is_silence
from .last_words import finish

if TYPE_CHECKING:
    from typing import Callable

    from ...core.http.message import Request


def serve_one(
    sock: socket.socket,
    answer_request: Callable[[Request, str, float], bytes],
    answer_silent: Callable[[], float | None] = lambda: None,
) -> None:
    """Answer the request on one connected socket, which xinetd passes with `wait = no`.

    answer_silent returns after how many seconds a client that sends nothing is answered as if it had asked for `/`;
    None: it never is. It is called only if the request is not there yet.
    """
    host = sock.getpeername()[0]
    try:
        request = _read_request(sock, answer_silent)
        answer = answer_request(request, host, time.monotonic())
    except BadRequest as error:
        answer = render_refusal(error)
    finish(sock, answer)


def _read_request(sock: socket.socket, answer_silent: Callable[[], float | None]) -> Request:
    began, received = time.monotonic(), b""
    while True:
        silent_seconds = answer_silent() if is_silence(received) and not _has_data(sock) else None
        seconds = REQUEST_SECONDS if silent_seconds is None else silent_seconds
        sock.settimeout(max(0.001, began + seconds - time.monotonic()))
        try:
            data = sock.recv(MAX_REQUEST)
        except socket.timeout:
            if silent_seconds is not None:
                return SILENT_REQUEST
            raise BadRequest(REQUEST_TIMEOUT, f"no request within {REQUEST_SECONDS:g} s") from None
        received += data
        request = parse_request(received)
        if request is None and not data:
            if silent_seconds is None:
                raise BadRequest(BAD_REQUEST, "the request ended before its blank line")
            request = SILENT_REQUEST
        if request is not None:
            return request


def _has_data(sock: socket.socket) -> bool:
    sock.settimeout(None)
    try:
        return bool(sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except BlockingIOError:
        return False
