"""One connection to a memcached, in its text protocol or in its binary one."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from ...core.services.daemons.memcached_binary import (
    HEADER_BYTES,
    BinaryStatus,
    Opcode,
    decode_head,
    encode_login,
    encode_request,
)
from ..network.addresses import require_address
from ..process.alarm import begin_step

if TYPE_CHECKING:
    import ssl
    from typing import Callable

    from ...core.services.daemons.memcached_binary import BinaryHead
    from ...core.services.model.reach import Place

# `stats` has 3 KiB.
_MAX_ANSWER = 1 << 18
_VERSION = "version\r\n"
_TIMES = -(-HEADER_BYTES // len(_VERSION))
_ENDS = {
    "get": (b"END\r\n", b"ERROR\r\n"),
    "stats": (b"END\r\n", b"ERROR\r\n", b"connections\r\n"),
    "stats settings": (b"END\r\n", b"ERROR\r\n", b"connections\r\n"),
}


class Unending(Exception):
    """An answer is longer than any of memcached's; the text says so."""


def connect(place: Place, seconds: float, context: ssl.SSLContext | None = None) -> socket.socket:
    """Return a connection to an address and port, through TLS with a context, or to a unix socket.

    seconds: for each call on it. :raises OSError: also for what is wrong with TLS.
    """
    if isinstance(place, tuple):
        address = require_address(place[0], seconds)
        connection = socket.create_connection((address, place[1]), timeout=seconds)
    else:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if isinstance(place, str):
            connection.settimeout(seconds)
            connection.connect(place)
        elif context:
            begin_step("a TLS handshake")
            return context.wrap_socket(connection, server_hostname=place[0])
    except BaseException:
        connection.close()
        raise
    return connection


class TextTalk:
    """Questions and answers of the text protocol (doc/protocol.txt)."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def ask(self, asked: str, line: str) -> str:
        """Send a line, and return the answer: what has come, if the connection ends before. asked: for messages.

        :raises Unending: if it is longer than any answer.
        """
        ends = _ENDS.get(asked, (b"\r\n",))
        return self._read(asked, line, lambda answer: answer.endswith(ends))

    def ask_version(self) -> str:
        """Return the answer to `version`, which is asked as often as fills a head of the binary protocol.

        A memcached with SASL waits for a whole head, and closes then; on less it waits for ever (measured, 1.6.18).
        """

        def is_whole(answer: bytes) -> bool:  # what is no version is said once, for example that a login is wanted
            return answer.count(b"\r\n") >= (_TIMES if answer.startswith(b"VERSION ") else 1)

        answer = self._read("version", _VERSION * _TIMES, is_whole)
        line, end, _ = answer.partition("\r\n")
        return line + end

    def _read(self, asked: str, line: str, is_whole: Callable[[bytes], bool]) -> str:
        begin_step(f"the answer to {asked}")
        self._connection.sendall(line.encode())
        answer = bytearray()
        while not is_whole(bytes(answer)):
            try:
                chunk = self._connection.recv(65536)
            except ConnectionError:
                if not answer:
                    raise
                break  # a server without a free connection says so, and resets it
            if not chunk:
                break
            answer += chunk
            if len(answer) > _MAX_ANSWER:
                said = f"the answer to {asked} is longer than {_MAX_ANSWER >> 10} KiB: what answers is no memcached"
                raise Unending(said)
        return answer.decode("utf-8", "replace")


class BinaryTalk:
    """Questions and answers of the binary protocol."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def ask_version(self) -> str:
        """Return the version, which is told without a login; "" if what answers does not speak the protocol."""
        try:
            head, _, value = self._ask("version", encode_request(Opcode.VERSION))
        except (ConnectionError, ValueError):
            return ""
        return value.decode("utf-8", "replace") if head.status == BinaryStatus.OK else ""

    def log_in(self, username: str, password: str) -> BinaryStatus:
        """Log in by SASL PLAIN, and return OK or NOT_AUTHENTICATED. :raises OSError: if there is no answer."""
        head = self._ask_or_fail("a login", encode_login(username, password))[0]
        return BinaryStatus.OK if head.status == BinaryStatus.OK else BinaryStatus.NOT_AUTHENTICATED

    def prove_round_trip(self, key: bytes, value: bytes) -> str:
        """Set a key, read it back and delete it; return what is wrong, "" if it came back."""
        found = b""
        for asked, request in (
            ("set", encode_request(Opcode.SET, key, value)),
            ("get", encode_request(Opcode.GET, key)),
            ("delete", encode_request(Opcode.DELETE, key)),
        ):
            head, _, found_now = self._ask_or_fail(asked, request)
            if head.status == BinaryStatus.NOT_FOUND:
                return "a key that was set is not there when it is read"
            if head.status != BinaryStatus.OK:
                return f"{asked}: refused with status {head.status:#x}"
            found = found_now if asked == "get" else found
        return "" if found == value else "a key that was set has another value when it is read"

    def read_stats(self) -> str:
        """Return the statistics as lines of the text protocol."""
        lines = []
        for group in (b"", b"settings"):
            self._connection.sendall(encode_request(Opcode.STAT, group))
            while True:
                head, key, value = self._read_or_fail()
                if head.status != BinaryStatus.OK or not key:
                    break
                name = key.decode("utf-8", "replace")
                name = "max_connections" if name == "maxconns" else name
                lines.append(f"STAT {name} {value.decode('utf-8', 'replace')}")
        return "\r\n".join(lines)

    def _ask(self, asked: str, request: bytes) -> tuple[BinaryHead, bytes, bytes]:
        begin_step(f"the answer to {asked}")
        self._connection.sendall(request)
        return self._read()

    def _ask_or_fail(self, asked: str, request: bytes) -> tuple[BinaryHead, bytes, bytes]:
        begin_step(f"the answer to {asked}")
        self._connection.sendall(request)
        return self._read_or_fail()

    def _read_or_fail(self) -> tuple[BinaryHead, bytes, bytes]:
        try:
            return self._read()
        except ValueError as error:
            raise OSError(0, str(error)) from None

    def _read(self) -> tuple[BinaryHead, bytes, bytes]:
        """Return the head, key and value of an answer. :raises ValueError: for bytes of another protocol."""
        head = decode_head(self._read_bytes(HEADER_BYTES))
        if head.length > _MAX_ANSWER:
            raise Unending(f"an answer is longer than {_MAX_ANSWER >> 10} KiB: what answers is no memcached")
        body = self._read_bytes(head.length)
        return head, body[head.skipped - head.key_length : head.skipped], body[head.skipped :]

    def _read_bytes(self, number: int) -> bytes:
        data = b""
        while len(data) < number:
            chunk = self._connection.recv(number - len(data))
            if not chunk:
                raise ConnectionResetError(0, "the connection is closed in the middle of an answer")
            data += chunk
        return data
