"""Clients of the responder that see what a proxy sees: bytes, resets and times. No error is hidden."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from loopback.responder import Address

PROBE = b"OPTIONS / HTTP/1.0\r\n\r\n"  # HAProxy's own, byte for byte (`option httpchk`)


@dataclass(frozen=True)
class Answer:
    """One whole response. seconds is the time from before the connect to the end of the stream."""

    raw: bytes
    seconds: float

    @property
    def head(self) -> list[str]:
        return self.raw.partition(b"\r\n\r\n")[0].decode().split("\r\n")

    @property
    def status(self) -> int:
        return int(self.head[0].split(" ")[1])

    @property
    def body(self) -> str:
        return self.raw.partition(b"\r\n\r\n")[2].decode()

    @property
    def code(self) -> str:
        """The reason code of /ready and /live."""
        return self.body.split()[0]

    def header(self, name: str) -> str | None:
        fields = dict(line.lower().split(": ", 1) for line in self.head[1:])
        return fields.get(name.lower())


def connect(address: Address, timeout: float = 30) -> socket.socket:
    return socket.create_connection(address, timeout)


def read_to_end(sock: socket.socket) -> bytes:
    """Return everything until the other side closes. A reset raises ConnectionResetError."""
    chunks = []
    while chunk := sock.recv(65536):
        chunks.append(chunk)
    return b"".join(chunks)


def exchange(address: Address, *pieces: bytes, pause: float = 0, timeout: float = 30) -> Answer:
    """Send the pieces, with a pause before each, and read to the end of the stream."""
    began = time.monotonic()
    with connect(address, timeout) as sock:
        for piece in pieces:
            time.sleep(pause)
            sock.sendall(piece)
        return Answer(read_to_end(sock), time.monotonic() - began)


def request(path: str = "/", method: str = "GET", headers: Iterable[str] = ()) -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", *headers, "", ""]).encode()


def ask(address: Address, path: str = "/", method: str = "GET", headers: Iterable[str] = ()) -> Answer:
    return exchange(address, request(path, method, headers))


def vanish(sock: socket.socket) -> None:
    """Close with a reset, as a crashed client's kernel does."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@contextlib.contextmanager
def crowd(address: Address, size: int) -> Iterator[list[socket.socket]]:
    """This many connections, open at the same time."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(connect(address)) for _ in range(size)]
