"""A server that asks for the password in clear text, which no MariaDB does unless PAM is set up for it.

The one imitation among these tests: it speaks the first packets of the client/server protocol (MariaDB Knowledge
Base, "Connection phase") and keeps every byte that a client sends. Whoever could stand between xha and its
database would be such a server.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Iterator

PROTOCOL_41, SSL, SECURE_CONNECTION, PLUGIN_AUTH = 1 << 9, 1 << 11, 1 << 15, 1 << 19


class FakeServer:
    """Greets, takes the client's answer, and asks for `plugin`. With a tls context it offers TLS."""

    def __init__(self, address: str, plugin: str, tls: ssl.SSLContext | None = None) -> None:
        self.heard = b""
        self._plugin, self._tls = plugin.encode(), tls
        self._listener = socket.create_server((address, 3306))

    def serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client, contextlib.suppress(OSError, struct.error):
                client.settimeout(5)
                self._talk(client)

    def _talk(self, client: socket.socket) -> None:
        flags = PROTOCOL_41 | SECURE_CONNECTION | PLUGIN_AUTH | (SSL if self._tls else 0)
        low, high = flags & 0xFFFF, flags >> 16
        greeting = b"\x0a5.5.5-10.11.0-MariaDB\0" + struct.pack("<I", 7) + b"12345678\0"
        greeting += struct.pack("<HBHHB", low, 45, 2, high, 21) + bytes(10) + b"123456789012\0mysql_native_password\0"
        self._send(client, 0, greeting)
        number, _ = self._receive(client)
        if self._tls:
            with self._tls.wrap_socket(client, server_side=True) as secured:
                number, _ = self._receive(secured)
                self._ask_for_password(secured, number + 1)
        else:
            self._ask_for_password(client, number + 1)

    def _ask_for_password(self, client: socket.socket, number: int) -> None:
        self._send(client, number, b"\xfe" + self._plugin + b"\0" + b"\x04Password: ")
        self._receive(client)

    def _receive(self, client: socket.socket) -> tuple[int, bytes]:
        header = self._exactly(client, 4)
        payload = self._exactly(client, int.from_bytes(header[:3], "little"))
        self.heard += payload
        return header[3], payload

    @staticmethod
    def _exactly(client: socket.socket, size: int) -> bytes:
        data = b""
        while len(data) < size:
            chunk = client.recv(size - len(data))
            if not chunk:
                raise ConnectionResetError
            data += chunk
        return data

    @staticmethod
    def _send(client: socket.socket, number: int, payload: bytes) -> None:
        client.sendall(len(payload).to_bytes(3, "little") + bytes([number]) + payload)

    def close(self) -> None:
        # shutdown wakes the thread that waits in accept, close alone does not
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@contextlib.contextmanager
def fake_server(address: str, plugin: str, tls: ssl.SSLContext | None = None) -> Iterator[FakeServer]:
    server = FakeServer(address, plugin, tls)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()
