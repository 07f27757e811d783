"""The socket on which a resident process is asked by programs of its own account that end at once."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from typing import TYPE_CHECKING

from ...core.text.netstrings import parse_netstrings
from .private_socket import bind_private
from .resident_client import BETWEEN, MOST_BYTES, NAME, OK, WAIT, is_safe, read_peer, sign

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Callable

_BACKLOG = 128
# How long a process with one thread waits for those who have connected and say nothing, and how long it answers.
_PATIENCE, _TURN = 0.02, 0.1


class Unanswerable(Exception):
    """A question that this process does not answer: who asks looks itself."""


class AskingProgram:
    """One accepted connection, and what it asks: kind, and the words behind it.

    began: the time.monotonic() at which it was accepted.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock, self.began = sock, time.monotonic()
        self.kind = b""
        self.words: tuple[bytes, ...] = ()

    def fileno(self) -> int:
        """Return the descriptor, for epoll."""
        return self._sock.fileno()

    def read(self, own: list[bytes]) -> bool:
        """Read the question if it has come, and return whether it has. own: what describes this process.

        :raises Unanswerable: if it is none, or comes from another account or other code. :raises OSError: as recv(2).
        """
        if read_peer(self._sock) != os.geteuid():
            raise Unanswerable("another account asks")
        try:
            data = self._sock.recv(MOST_BYTES)
        except (BlockingIOError, socket.timeout):
            return False
        try:
            words = parse_netstrings(data)
        except ValueError as error:
            raise Unanswerable(str(error)) from None
        if len(words) <= len(own) or list(words[: len(own)]) != own:
            raise Unanswerable("another version asks, or from another network")
        self.kind, self.words = words[len(own)], words[len(own) + 1 :]
        return True

    def wait(self, seconds: float) -> None:
        """Tell that the answer takes some time, and how long at most."""
        self._send(b"%b %d" % (WAIT, seconds * 1000))

    def answer(
        self, data: bytes, read_at: float, max_age: float, code: int = 0, seen: Iterable[str | None] = ()
    ) -> None:
        """Answer, and close.

        read_at: the time.monotonic() of what was read. max_age: in seconds. seen: the paths on which the answer rests.
        Who asks believes it where it sees the same there.
        """
        signed = BETWEEN.join(sign(path) for path in dict.fromkeys(seen) if path)
        head = b"%b %d %d %d %d" % (OK, read_at * 1e9, max_age * 1e9, code, len(signed))
        packet = b"%b\n%b%b" % (head, signed, data)
        self._send(packet if len(packet) <= MOST_BYTES else b"no")  # who asks would get the beginning of it
        self.close()

    def refuse(self) -> None:
        """Leave it to who asks, and close, unless it was answered."""
        if self._sock.fileno() >= 0:
            self._send(b"no")
            self.close()

    def _send(self, packet: bytes) -> None:
        with contextlib.suppress(OSError):  # who has gone needs no answer
            self._sock.send(packet)

    def close(self) -> None:
        """Close the connection."""
        self._sock.close()


class ResidentListener:
    """Listens in a directory that only root and this account can write to."""

    def __init__(self, directory: str, own: list[bytes]) -> None:
        """Listen. own: what describes this process.

        :raises OSError: if the directory is not there or not fit, and as bind(2) does.
        """
        if not is_safe(directory, os.geteuid()):
            raise PermissionError(1, "belongs to another account, or others may write there", directory)
        self._socket = bind_private(f"{directory}/{NAME}", socket.SOCK_SEQPACKET)
        try:
            self._socket.listen(_BACKLOG)
        except OSError:
            self._socket.close()
            raise
        self.own = own

    def fileno(self) -> int:
        """Return the descriptor, for poll."""
        return self._socket.fileno()

    def accept(self, seconds: float = 0.0) -> AskingProgram | None:
        """Return who asks next, None if nobody does. seconds: how long its socket waits for a question.

        :raises OSError: where who asks cannot be accepted, as without a free descriptor, and still waits.
        """
        try:
            sock, _ = self._socket.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return None
        sock.settimeout(seconds)
        return AskingProgram(sock)

    def serve_waiting(self, answer: Callable[[AskingProgram], None]) -> None:
        """Answer whoever has asked by now, one after the other, for 0.1 s at most. answer may raise Unanswerable.

        :raises OSError: as accept does.
        """
        began = now = time.monotonic()
        while now - began < _TURN:
            question = self.accept(max(0.0, began + _PATIENCE - now))
            if question is None:
                return
            try:
                if question.read(self.own):
                    answer(question)
                question.refuse()
            except (Unanswerable, OSError):
                question.refuse()
            now = time.monotonic()
