"""Hostile peers: a listener that treats every connection in one of the ways below, in a process of its own.

    with Hostile(listener, "http", "drip"):
        ...

The ways have the same names for every protocol:

drip        a byte now and then, so that no wait for the next one is ever long
flood       the beginning of an answer, and then as much as the line takes
huge        an announcement of four GiB, and what it announces
endless     well-formed pieces of an answer that never ends
closes      half an answer, and a reset
garbage     bytes that no protocol has

A protocol has additional ways of its own. Run as a program, this file is that process: `hostile_peers.py FD PROTOCOL
WAY`. It imports nothing of the tests and nothing of xha, and ends with its parent.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import os
import random
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, Callable

DRIP_SECONDS = 0.05
BLOCK = b" " * 65536
GIGABYTES = 1 << 32


class Hostile:
    """A hostile peer on a listening socket, for the duration of a block."""

    def __init__(self, listener: socket.socket, protocol: str, way: str) -> None:
        self._listener, self._words = listener, [protocol, way]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Hostile:
        number = self._listener.fileno()
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(number), *self._words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[number],
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.communicate()


# --- what all of them do


def drip(connection: socket.socket, filler: bytes) -> None:
    while True:
        for number in range(len(filler)):
            connection.sendall(filler[number : number + 1])
            time.sleep(DRIP_SECONDS)


def pour(connection: socket.socket, piece: bytes) -> None:
    block = piece * max(1, len(BLOCK) // len(piece))
    while True:
        connection.sendall(block)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def garbage(connection: socket.socket) -> None:
    connection.sendall(random.Random(13).randbytes(1 << 16))


def read_until(connection: socket.socket, end: bytes) -> bytes:
    data = b""
    while end not in data:
        chunk = connection.recv(65536)
        if not chunk:
            raise ConnectionError
        data += chunk
    return data


def play(connection: socket.socket, way: str, begin: bytes, huge: bytes, piece: bytes) -> None:
    """Perform a common way with an answer's beginning, its announcement of a large size, and its pieces."""
    if way == "drip":
        connection.sendall(begin)
        drip(connection, piece)
    elif way == "flood":
        connection.sendall(begin)
        pour(connection, b" ")
    elif way == "huge":
        connection.sendall(huge)
        pour(connection, b" ")
    elif way == "endless":
        connection.sendall(begin)
        pour(connection, piece)
    elif way == "closes":
        connection.sendall(begin)
        reset(connection)
    elif way == "garbage":
        garbage(connection)
    else:
        raise ValueError(way)


# --- HTTP

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
# 256 KiB that decompress to 256 MiB: a second of processor time, so only the process that sends it makes it.
BOMB = gzip.compress(b" " * (1 << 28), 9) if sys.argv[3:] == ["bomb"] else b""
TOKEN = b"HTTP/1.1 201 Created\r\nX-Subject-Token: gAAAA\r\nContent-Type: application/json\r\n"


def _whole(body: bytes, more: bytes = b"") -> bytes:
    return OK + more + b"Content-Length: %d\r\n\r\n" % len(body) + body


def _redirect(where: bytes) -> bytes:
    return b"HTTP/1.1 302 Found\r\nLocation: " + where + b"\r\nContent-Length: %d\r\n\r\n" % GIGABYTES


HTTP_ALWAYS = {
    "headers": (OK, b"X-Filler: " + b"x" * 60000 + b"\r\n"),
    "a header line": (OK + b"X-Filler: ", b"x"),
    "status lines": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a chunk's size": (CHUNKED, b"0"),
    "a chunk's extension": (CHUNKED + b"1;", b"x"),
    "trailers": (CHUNKED + b"0\r\n", b"X-Filler: x\r\n"),
    "bomb": (OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB, b" "),
    "redirect, a body": (_redirect(b"/elsewhere"), b" "),
}
HTTP_ONCE = {
    "redirect to a file": _redirect(b"file:///etc/passwd")[: -len(b"\r\n\r\n")] + b"\r\n\r\n",
    "nested": _whole(b"[" * 400_000),
    "wide": _whole(b"[" + b"[],{}," * 80_000 + b"0]"),
    "of another kind": _whole(b'[[], "x", null, 1e999]'),
    "a list of nothing": _whole(b"[" + b"{}," * 100_000 + b"{}]"),
    "a long name": _whole(b'[{"name": "' + b"n" * 300_000 + b'", "running": false}]'),
    "a page of another kind": _whole(b'{"items": [], "page_count": "x", "total_count": 1e999, "alarms": 3}'),
    "a token of another kind": TOKEN + b"Content-Length: 2\r\n\r\n[]",
    "a token for a list": TOKEN + b'Content-Length: 22\r\n\r\n{"token": {"project":1}',
}


def http(connection: socket.socket, way: str, *, asked: bool = False) -> None:
    if not asked:
        read_until(connection, b"\r\n\r\n")
    if way in HTTP_ALWAYS:
        begin, piece = HTTP_ALWAYS[way]
        connection.sendall(begin)
        pour(connection, piece)
    elif way in HTTP_ONCE:
        connection.sendall(HTTP_ONCE[way])
    else:
        huge = OK + b"Content-Length: %d\r\n\r\n" % GIGABYTES
        play(connection, way, CHUNKED, huge, b"8000\r\n" + b" " * 0x8000 + b"\r\n")


KEYSTONE = b'{"version": {"id": "v3.14", "status": "stable"}}'


def keystone(connection: socket.socket, way: str) -> None:
    """A keystone with a valid version and bad tokens."""
    request = read_until(connection, b"\r\n\r\n")
    if request.startswith(b"GET /v3 "):
        connection.sendall(_whole(KEYSTONE))
    else:
        http(connection, way, asked=True)


def websocket(connection: socket.socket, way: str) -> None:
    """A console proxy with a valid page and a bad WebSocket; `opened`: bad after the upgrade."""
    request = read_until(connection, b"\r\n\r\n")
    if b"Upgrade: websocket" not in request:
        connection.sendall(_whole(b"<html>"))
        return
    key = request.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0]
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    upgrade = b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: " + accept + b"\r\n"
    if way == "opened, and talks":
        connection.sendall(upgrade + b"\r\n")
        pour(connection, b"\x82\x00")
    play(connection, way, upgrade, upgrade + b"X-Filler: ", b"X-Filler: x\r\n")


# --- memcached, HAProxy


def memcached(connection: socket.socket, way: str) -> None:
    """A memcached that stores a key correctly; its version is bad, or after `stats ` its statistics."""
    value = b""
    for line in iter(lambda: read_until(connection, b"\r\n"), b""):
        word = line.split()[0]
        if word == b"version" and not way.startswith("stats "):
            play(connection, way, b"VERSION ", b"VERSION ", b"STAT a b\r\nVERSION ")
        elif word == b"version":
            connection.sendall(b"VERSION 1.6.18\r\n")
        elif word == b"set":
            value = line.split(b"\r\n")[1]
            connection.sendall(b"STORED\r\n")
        elif word == b"get":
            key = line.split()[1]
            connection.sendall(b"VALUE %b 0 %d\r\n%b\r\nEND\r\n" % (key, len(value), value))
        elif word == b"delete":
            connection.sendall(b"DELETED\r\n")
        else:
            play(connection, way[len("stats ") :], b"STAT pid 1\r\nSTAT ", b"STAT a ", b"STAT curr_connections 1\r\n")


INFO = b"Name: HAProxy\nVersion: 2.6.12\nUptime_sec: 9\nCurrConns: 1\nMaxconn: 100\nStopping: 0\n"
COLUMNS = (
    b"# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status,weight,\n"
)


def haproxy(connection: socket.socket, way: str) -> None:
    """A process on the stats socket: its `show info` is bad, or after `stat ` its list of servers."""
    command = read_until(connection, b"\n")
    if not way.startswith("stat "):
        play(connection, way, INFO[:20], INFO[:20], INFO)
    elif command.startswith(b"show info"):
        connection.sendall(INFO)
    else:
        row = b"api,one,0,0,0,0,,0,0,0,,0,,0,0,0,0,UP,1,\n"
        play(connection, way[len("stat ") :], COLUMNS + b"api,", COLUMNS + b'"', row)


# --- AMQP 0-9-1


def _short(text: bytes) -> bytes:
    return bytes([len(text)]) + text


def _long(text: bytes) -> bytes:
    return struct.pack(">I", len(text)) + text


def _frame(kind: int, channel: int, payload: bytes) -> bytes:
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce"


def _method(channel: int, group: int, number: int, arguments: bytes = b"") -> bytes:
    return _frame(1, channel, struct.pack(">HH", group, number) + arguments)


HEARTBEAT = _frame(8, 0, b"")
MONSTER = struct.pack(">BHI", 1, 0, GIGABYTES - 16)
CAPABILITIES = b"".join(_short(name) + b"t\x01" for name in (b"publisher_confirms", b"basic.nack"))
PROPERTIES = _short(b"product") + b"S" + _long(b"RabbitMQ") + _short(b"capabilities") + b"F" + _long(CAPABILITIES)


def _start(properties: bytes) -> bytes:
    return _method(0, 10, 10, b"\x00\x09" + _long(properties) + _long(b"PLAIN") + _long(b"en_US"))


def _nested(depth: int) -> bytes:
    table = b""
    for _ in range(depth):
        table = _short(b"a") + b"F" + _long(table)
    return table


def _frames(connection: socket.socket) -> Iterator[tuple[int, int, bytes]]:
    """Yield the client's frames: kind, channel, payload."""
    data = b""
    while True:
        while len(data) < 7 or len(data) < 8 + struct.unpack_from(">I", data, 3)[0]:
            chunk = connection.recv(65536)
            if not chunk:
                return
            data += chunk
        kind, channel, size = struct.unpack_from(">BHI", data)
        yield kind, channel, data[7 : 7 + size]
        data = data[8 + size :]


class Broker:
    """A broker that behaves correctly up to a stage, and then hostile.

    The stages are its greeting (""), the login, the declaration of a queue, and a message from it; with `well`, never.
    """

    STAGES = ("login ", "declare ", "message ", "well")

    def __init__(self, connection: socket.socket, way: str) -> None:
        self.connection = connection
        self.stage = next((one for one in self.STAGES if way.startswith(one)), "")
        self.way, self.body = way[len(self.stage) :], b""

    def run(self) -> None:
        read_until(self.connection, b"AMQP\x00\x00\x09\x01")
        if not self.stage:
            if self.way == "nested":
                return self.connection.sendall(_start(_nested(5000)))
            return play(self.connection, self.way, b"" if self.way == "endless" else MONSTER, MONSTER, HEARTBEAT)
        self.connection.sendall(_start(PROPERTIES))
        for kind, channel, payload in _frames(self.connection):
            if kind == 1:
                self._answer(channel, struct.unpack_from(">HH", payload), payload[4:])
            elif kind == 3:
                self.body = payload
                self.connection.sendall(_method(channel, 60, 80, struct.pack(">QB", 1, 0)))
        return None

    def _answer(self, channel: int, method: tuple[int, ...], arguments: bytes) -> None:
        if (method, self.stage) in (((10, 11), "login "), ((50, 10), "declare ")):
            play(self.connection, self.way, MONSTER, MONSTER, HEARTBEAT)
        if method == (60, 20):
            return self._deliver(channel, arguments)
        if method in ((10, 31), (60, 40), (60, 80)):  # tune-ok, publish, ack: these get no answer
            return None
        queue = arguments[2 : 3 + arguments[2]] if method == (50, 10) else b""
        said = {
            (10, 11): (30, struct.pack(">HIH", 2047, 131072, 0)),  # start-ok: tune
            (10, 40): (41, b"\x00"),
            (20, 10): (11, _long(b"")),
            (50, 10): (11, queue + struct.pack(">II", 0, 1)),
            (50, 40): (41, struct.pack(">I", 0)),
            (60, 30): (31, arguments[:-1]),
        }
        return self.connection.sendall(_method(channel, method[0], *said.get(method, (method[1] + 1,))))

    def _deliver(self, channel: int, arguments: bytes) -> None:
        """Deliver the one message to a consumer. arguments: a number, the queue, the consumer's tag."""
        tag = arguments[3 + arguments[2] :]
        tag = tag[: 1 + tag[0]]
        deliver = _method(channel, 60, 60, tag + struct.pack(">QB", 1, 0) + _short(b"") + _short(b"q"))

        def head(size: int) -> bytes:
            return deliver + _frame(2, channel, struct.pack(">HHQH", 60, 0, size, 0))

        self.connection.sendall(_method(channel, 60, 21, tag))
        if self.stage == "message ":
            if self.way == "of others":
                pour(self.connection, head(1) + _frame(3, channel, b"x"))
            body = _frame(3, channel, b" " * 4096)
            play(self.connection, self.way, head(GIGABYTES), head(GIGABYTES) + MONSTER, body)
        self.connection.sendall(head(len(self.body)) + _frame(3, channel, self.body))


def amqp(connection: socket.socket, way: str) -> None:
    Broker(connection, way).run()


PROTOCOLS: dict[str, Callable[[socket.socket, str], Any]] = {
    "http": http,
    "keystone": keystone,
    "websocket": websocket,
    "memcached": memcached,
    "haproxy": haproxy,
    "amqp": amqp,
}
COMMON = ("drip", "flood", "huge", "endless", "closes", "garbage")


def main(number: str, protocol: str, way: str) -> None:
    listener = socket.socket(fileno=int(number))

    def treat(connection: socket.socket) -> None:
        try:
            with connection:
                PROTOCOLS[protocol](connection, way)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass
        except OSError:
            pass  # a client that defends itself closes the connection

    def accept() -> None:
        while True:
            threading.Thread(target=treat, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    print("ready", flush=True)
    os.read(0, 1)  # ends with its parent


if __name__ == "__main__":
    main(*sys.argv[1:])
