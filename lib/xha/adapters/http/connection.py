"""One connection of a client to the responder, from its first byte to its last."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from ...core.http.limits import MAX_REQUEST
from ...core.http.message import BAD_REQUEST, SILENT_REQUEST, BadRequest, parse_request
from ...core.http.proxy_header import is_silence

if TYPE_CHECKING:
    from ...core.http.message import Request


class ClientConnection:
    """One connection in one of three states: being read, waiting for an answer, or being drained.

    The socket stays a blocking one, and each call says MSG_DONTWAIT: that saves a system call for each connection.

    since: the time.monotonic() at which its state began. request is None until it has arrived; silent says that no part
    of it has; drained counts the bytes that arrived after the answer.
    """

    __slots__ = ("drained", "fd", "host", "received", "request", "silent", "since", "sock")

    def __init__(self, sock: socket.socket, host: str, now: float) -> None:
        self.sock, self.fd, self.host, self.since = sock, sock.fileno(), host, now
        self.received = b""
        self.silent = True
        self.drained = 0
        self.request: Request | None = None

    def read_request(self, answer_silent: bool) -> Request | None:
        """Read what has come, and return the request, or None while there is none.

        answer_silent: a client that will never send anything has asked for `/`.

        :raises BadRequest: for what can become no request. :raises ConnectionError: if there is nobody to answer to.
        """
        try:
            data = self.sock.recv(MAX_REQUEST, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        self.received += data
        self.request = parse_request(self.received)
        self.silent = self.request is None and is_silence(self.received)
        if self.request is None and not data:
            if self.silent and answer_silent:
                self.request = SILENT_REQUEST
            elif not self.received:  # a connect without data, as a TCP check does
                raise ConnectionError
            else:
                raise BadRequest(BAD_REQUEST, "the request ended before its blank line")
        return self.request
