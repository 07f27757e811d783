"""One connection of a client to the responder, from its first byte to its last."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

    from ...core.http.message import Request


class ClientConnection:
    """since: time.monotonic() of its present state: being read, waiting for an answer, or being drained.

    request is None until the blank line has come; drained counts the bytes that came after the answer.
    """

    __slots__ = ("drained", "fd", "host", "received", "request", "since", "sock")

    def __init__(self, sock: socket.socket, host: str, now: float) -> None:
        self.sock, self.fd, self.host, self.since = sock, sock.fileno(), host, now
        self.received = b""
        self.drained = 0
        self.request: Request | None = None
