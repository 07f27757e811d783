"""clustercheck's answers, byte for byte, and a client that sees resets."""

from __future__ import annotations

import socket
import struct
import time

from shell.host import CLUSTERCHECK_SECONDS

HAPROXY = b"OPTIONS / HTTP/1.0\r\n\r\n"  # `option httpchk` without arguments sends exactly this


def answer(status: str, sentence: str) -> str:
    """One answer of percona-clustercheck (d5da8be), as text."""
    body = f"Percona XtraDB Cluster Node is {sentence}\r\n"
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}"


UP, DOWN = "200 OK", "503 Service Unavailable"
SYNCED = answer(UP, "synced.")
NOT_SYNCED = answer(DOWN, "not synced.")
READ_ONLY = answer(DOWN, "read-only.")
DISABLED = answer(DOWN, "manually disabled.")


def probe(address: tuple[str, int], request: bytes = HAPROXY, *, half_close: bool = False) -> str:
    """Send the request and read to the end of the stream. A reset raises ConnectionResetError."""
    with socket.create_connection(address, timeout=20) as client:
        client.sendall(request)
        if half_close:
            client.shutdown(socket.SHUT_WR)
        chunks = []
        while chunk := client.recv(65536):
            chunks.append(chunk)
    return b"".join(chunks).decode()


def probe_in_time(address: tuple[str, int], request: bytes = HAPROXY, *, half_close: bool = False) -> str:
    """As probe, and again where clustercheck's second was over: a busy machine is late."""
    for _ in range(5):
        began = time.monotonic()
        answer = probe(address, request, half_close=half_close)
        if answer != NOT_SYNCED or time.monotonic() - began < CLUSTERCHECK_SECONDS:
            break
    return answer


def vanish(address: tuple[str, int]) -> None:
    """Ask, and reset the connection before the answer."""
    client = socket.create_connection(address, timeout=20)
    client.sendall(HAPROXY)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
