"""A hostile database server: it speaks the client/server protocol, and then does what a mode says.

Protocol: MariaDB Knowledge Base, "Connection phase" and "Text protocol". Any process that takes the server's port or
the name of its socket can be such a server. It keeps every byte that its clients send.

    with hostile(Path("/tmp/here.sock"), rows) as server: ...
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

PROTOCOL_41, SSL, SECURE_CONNECTION, PLUGIN_AUTH = 1 << 9, 1 << 11, 1 << 15, 1 << 19
MORE_RESULTS = 0x0008
DRIP_SECONDS = 0.5
BIG = (1 << 24) - 1

OK = b"\x00\x00\x00\x02\x00\x00\x00"
OK_AND_MORE = b"\x00\x00\x00" + struct.pack("<H", 2 | MORE_RESULTS) + b"\x00\x00"
EOF = b"\xfe\x00\x00\x02\x00"
EOF_AND_MORE = b"\xfe\x00\x00" + struct.pack("<H", 2 | MORE_RESULTS)
DENIED = b"\xff" + struct.pack("<H", 1045) + b"#28000Access denied"


class Client:
    """One client's connection, as the server sees it."""

    def __init__(self, sock: socket.socket, tls: ssl.SSLContext | None, answers: list[bytes]) -> None:
        self.sock, self._tls, self._answers = sock, tls, answers
        self.number = 0  # of the next packet

    def send(self, *payloads: bytes) -> None:
        """Send packets in one call."""
        self.sock.sendall(b"".join(self.frame(payload) for payload in payloads))

    def frame(self, payload: bytes, size: int | None = None) -> bytes:
        """Return a packet. size: the size in its header, if that differs from the payload's."""
        header = struct.pack("<I", len(payload) if size is None else size)[:3] + bytes([self.number])
        self.number = (self.number + 1) % 256
        return header + payload

    def receive(self) -> bytes:
        header = self._exactly(4)
        payload = self._exactly(int.from_bytes(header[:3], "little"))
        self._answers.append(payload)
        self.number = (header[3] + 1) % 256
        return payload

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            chunk = self.sock.recv(size - len(data))
            if not chunk:
                raise ConnectionResetError
            data += chunk
        return data

    def greeting(self, plugin: str = "mysql_native_password") -> bytes:
        flags = PROTOCOL_41 | SECURE_CONNECTION | PLUGIN_AUTH | (SSL if self._tls else 0)
        low, high = flags & 0xFFFF, flags >> 16
        greeting = b"\x0a5.5.5-10.11.0-MariaDB\0" + struct.pack("<I", 7) + b"12345678\0"
        greeting += struct.pack("<HBHHB", low, 45, 2, high, 21) + bytes(10) + b"123456789012\0"
        return greeting + plugin.encode() + b"\0"

    def greet(self, plugin: str = "mysql_native_password") -> None:
        """Greet, and receive the client's answer; with a TLS context, over TLS."""
        self.send(self.greeting(plugin))
        self.receive()
        if self._tls:
            self.sock = self._tls.wrap_socket(self.sock, server_side=True)
            self.receive()

    def let_in(self) -> bytes:
        """Greet and accept the login, answer the statements before the reading, and return the reading's query."""
        self.greet()
        self.send(OK)
        while True:
            query = self.receive()
            if b"SHOW" in query:
                return query
            self.send(OK)

    def columns(self, count: int) -> list[bytes]:
        """The beginning of a result set."""
        column = b"\x03def" + b"\x00" * 3 + b"\x01a\x01a\x0c" + struct.pack("<HIBHB", 45, 80, 0xFD, 0, 0) + b"\0\0"
        return [bytes([count]), *[column] * count, EOF]

    def forever(self, *payloads: bytes) -> None:
        """Send the same packets until the connection ends."""
        while True:
            self.send(*payloads * 500)

    def drip(self, data: bytes) -> None:
        for byte in data:
            self.sock.sendall(bytes([byte]))
            time.sleep(DRIP_SECONDS)


Mode = Callable[[Client], None]


def silent(client: Client) -> None:
    """Never sends anything."""
    time.sleep(3600)


def drip(client: Client) -> None:
    """A greeting that never ends, one byte every half second."""
    client.drip(client.frame(b"\x0a" + b"5" * 1000))


def drip_result(client: Client) -> None:
    """A login, and then a result whose rows arrive byte by byte."""
    client.let_in()
    client.send(*client.columns(2))
    while True:
        client.drip(client.frame(b"\x01a\x01b"))


def drip_tls(client: Client) -> None:
    """TLS is agreed on, and its handshake never ends (a record of 16,384 bytes, byte by byte)."""
    client.send(client.greeting())
    client.receive()
    client.drip(b"\x16\x03\x03\x40\x00" + b"\x02\x00\x3f\xfc" + bytes(16380))


def tls_flood(client: Client) -> None:
    """TLS is agreed on, and its handshake is an endless series of meaningless records."""
    client.send(client.greeting())
    client.receive()
    while True:
        client.sock.sendall(b"\x16\x03\x03\x40\x00" + b"\x00" * 16384)


def rows(client: Client) -> None:
    """An endless number of rows, as small as possible."""
    client.let_in()
    client.send(*client.columns(2))
    client.forever(b"\x00\x00")


def long_rows(client: Client) -> None:
    """An endless number of rows, of a megabyte each."""
    client.let_in()
    client.send(*client.columns(2))
    text = b"x" * (1 << 20)
    while True:
        client.send(b"\xfd" + struct.pack("<I", len(text))[:3] + text + b"\x01b")


def columns(client: Client) -> None:
    """A result of 65,000 columns."""
    client.let_in()
    client.send(b"\xfc" + struct.pack("<H", 65000))
    client.forever(client.columns(1)[1])


def announced(client: Client) -> None:
    """A packet of 16 MB is announced, and nothing of it arrives."""
    client.let_in()
    client.sock.sendall(client.frame(b"", BIG))
    time.sleep(3600)


def huge(client: Client) -> None:
    """An endless number of packets of 16 MB that belong together."""
    client.let_in()
    huge_greeting(client)


def huge_greeting(client: Client) -> None:
    """The same before a login."""
    chunk = bytes(1 << 16)
    while True:
        client.sock.sendall(client.frame(b"", BIG))
        for _ in range(BIG // len(chunk)):
            client.sock.sendall(chunk)
        client.sock.sendall(chunk[: BIG % len(chunk)])


def results(client: Client) -> None:
    """An endless number of result sets: each announces one more."""
    client.let_in()
    client.forever(OK_AND_MORE)


def switches(client: Client) -> None:
    """Requests another login, again and again."""
    client.greet()
    while True:
        client.send(b"\xfemysql_native_password\0" + b"x" * 20 + b"\0")
        client.receive()


def more_questions(client: Client) -> None:
    """Continues a login that has ended."""
    client.greet("caching_sha2_password")
    client.forever(b"\x01\x03")


def infile(client: Client) -> None:
    """Requests a file of the client's (LOAD DATA LOCAL INFILE), and keeps what arrives."""
    client.let_in()
    client.send(b"\xfb/etc/passwd")
    while True:
        client.receive()


def null_columns(client: Client) -> None:
    """A result with fewer values than columns, of an invalid type."""
    client.let_in()
    client.send(b"\x01", b"\x03def\xff", EOF, b"\xfe\xff\xff")


def rubbish(client: Client) -> None:
    """A server of another kind listens there."""
    while True:
        client.sock.sendall(b"220 mail.example.com ESMTP\r\n" * 100)


def zeros(client: Client) -> None:
    """An empty greeting."""
    client.send(b"\x0a")
    client.receive()


def denied_by_a_novel(client: Client) -> None:
    """A refusal with 60,000 characters of text, including control characters."""
    client.send(b"\xff" + struct.pack("<H", 1045) + b"#28000" + b"\x1b[2J\n" * 12000)


def says(status: dict[str, object], variables: dict[str, object]) -> Mode:
    """Answers a reading with these values, as a server does. None: it does not say."""

    def texts(values: dict[str, object]) -> list[bytes]:
        pairs = [(name.encode(), str(value).encode()) for name, value in values.items() if value is not None]
        return [b"".join(bytes([len(word)]) + word for word in pair) for pair in pairs]

    def mode(client: Client) -> None:
        client.let_in()
        shown = [*client.columns(2), *texts(status), EOF_AND_MORE, *client.columns(2), *texts(variables), EOF_AND_MORE]
        client.send(*shown, OK)
        client.receive()

    return mode


def asks_for(plugin: str, data: bytes = b"\x04Password: ") -> Mode:
    """Requests a login with a plugin, and keeps what arrives."""

    def mode(client: Client) -> None:
        client.greet()
        client.send(b"\xfe" + plugin.encode() + b"\0" + data)
        client.receive()

    return mode


def greets_with(plugin: str) -> Mode:
    """Names a plugin in its greeting, so that the first answer uses it."""

    def mode(client: Client) -> None:
        client.greet(plugin)
        client.send(DENIED)

    return mode


def asks_old(client: Client) -> None:
    """The login from before MySQL 4.1: a packet of one byte requests it."""
    client.greet()
    client.send(b"\xfe")
    client.receive()


def asks_again(client: Client) -> None:
    """caching_sha2_password without a cached hash: requests the password itself, or encrypted with the server's key."""
    client.greet("caching_sha2_password")
    client.send(b"\x01\x04")
    asked = client.receive()
    if asked == b"\x02":
        client.send(b"\x01" + PUBLIC_KEY)
        client.receive()


# One of a pair that was made for these tests; the private key no longer exists.
PUBLIC_KEY = b"""-----BEGIN PUBLIC KEY-----
MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf
9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC9AIKjbJTWit+CqvjWjzQwN0CAwEAAQ==
-----END PUBLIC KEY-----
"""


class Hostile:
    """Listens at a path or an address; each client is served in a thread of its own."""

    def __init__(
        self, where: Path | tuple[str, int], mode: Mode, tls: ssl.SSLContext | None = None, uid: int | None = None
    ) -> None:
        self.answers: list[bytes] = []  # the packets of all clients
        self.clients = 0
        self._mode, self._tls = mode, tls
        self._open: list[socket.socket] = []
        if isinstance(where, tuple):
            self._listener = socket.create_server(where)
        else:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(str(where))
            where.chmod(0o777)
            with as_account(uid):  # the kernel notes the socket's account at listen(2)
                self._listener.listen()

    @property
    def heard(self) -> bytes:
        """Everything that the clients sent."""
        return b"".join(self.answers)

    def serve(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.clients += 1
            self._open.append(sock)
            threading.Thread(target=self._talk, args=(sock,), daemon=True).start()

    def _talk(self, sock: socket.socket) -> None:
        client = Client(sock, self._tls, self.answers)
        with sock, contextlib.suppress(OSError, ValueError):
            self._mode(client)
        client.sock.close()

    def close(self) -> None:
        # shutdown wakes the thread that waits in accept, close alone does not
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def as_account(uid: int | None) -> Iterator[None]:
    """Be another account for the kernel during the block."""
    before = os.geteuid()
    if uid is not None:
        os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(before)


@contextlib.contextmanager
def hostile(
    where: Path | tuple[str, int], mode: Mode, tls: ssl.SSLContext | None = None, uid: int | None = None
) -> Iterator[Hostile]:
    """Serve in a thread of this process. uid: the account that a unix socket is to belong to."""
    server = Hostile(where, mode, tls, uid)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()


if __name__ == "__main__":  # MODE PORT: in another network namespace than the test
    Hostile(("127.0.0.1", int(sys.argv[2])), globals()[sys.argv[1]]).serve()
