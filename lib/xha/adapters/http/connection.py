"""One connection of a client to the responder, from its first byte to its last."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

    from ...core.http.message import Request


class ClientConnection:
    """One connection in one of three states: being read, waiting for an answer, or being drained.

    since: the time.monotonic() at which its state began. request is None until the blank line has arrived;
    drained counts the bytes that arrived after the answer.
    """

    __slots__ = ("drained", "fd", "host", "received", "request", "since", "sock")

    def __init__(self, sock: socket.socket, host: str, now: float) -> None:
        self.sock, self.fd, self.host, self.since = sock, sock.fileno(), host, now
        self.received = b""
        self.drained = 0
        self.request: Request | None = None
