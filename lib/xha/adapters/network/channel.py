"""The bytes of one connection, whoever is at its other end: a deadline for the whole, and a budget.

A timeout of the socket module is for one call: a peer that sends a byte every half second never runs into it, one
that never stops sending neither. So every call here takes its time from one Allowance, and what arrives is counted.
TLS runs in memory, above the counted bytes: what holds for a plain connection holds for its handshake, too.
"""

from __future__ import annotations

import errno
import socket
import struct
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Collection

# A login and a reading of a healthy node are 1,900 bytes, and 3,400 with TLS (measured, MariaDB 10.11).
BUDGET = 64 << 10
_CHUNK = 16 << 10
_UCRED = struct.Struct("3i")  # pid, uid, gid (unix(7), SO_PEERCRED)


class TooLate(Exception):
    """The time is up."""


class Nonsense(Exception):
    """What arrived is no answer to what was asked, or more than any answer is. The text says which."""


class Stranger(Exception):
    """A process of another account is behind the unix socket. The text tells its uid."""

    def __init__(self, uid: int) -> None:
        super().__init__(str(uid))
        self.uid = uid


class Allowance:
    """What one exchange may take: until is by the monotonic clock, left is in bytes that may still arrive."""

    __slots__ = ("left", "until")

    def __init__(self, seconds: float, left: int = BUDGET) -> None:
        self.until, self.left = time.monotonic() + seconds, left

    @property
    def seconds(self) -> float:
        """How much time there is, above 0. :raises TooLate: where there is none."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TooLate
        return left

    def expect(self, size: int) -> None:
        """Refuse what is announced and would be too much, before any of it is read. :raises Nonsense: so it is."""
        if size > self.left:
            raise Nonsense(f"it sends more than the {BUDGET >> 10} KiB that one reading may be")

    def spend(self, size: int) -> None:
        """Count what arrived. :raises Nonsense: where that is too much."""
        self.expect(size)
        self.left -= size


class Channel:
    """A connected socket with an Allowance, which whoever uses it sets anew for each exchange.

    It has what PyMySQL calls of a socket, and of the file that it makes of one.
    """

    def __init__(self, sock: socket.socket, allowance: Allowance) -> None:
        self.allowance = allowance
        self._socket = sock
        self._buffer, self._at = b"", 0
        self._tls: ssl.SSLObject | None = None

    def makefile(self, mode: str) -> Channel:
        """Return what to read from."""
        return self

    def settimeout(self, seconds: float | None) -> None:
        """Do nothing: the time comes from the allowance."""

    def read(self, size: int) -> bytes:
        """Return that many bytes, fewer at the end. :raises TooLate, Nonsense, OSError: nothing can be read after."""
        end = self._at + size
        if end > len(self._buffer):
            self._gather(size)
            end = size
        piece = self._buffer[self._at : end]
        self._at = end
        return piece

    def _gather(self, size: int) -> None:
        pieces = [self._buffer[self._at :]]
        missing = size - len(pieces[0])
        self.allowance.expect(missing)
        while missing > 0:
            piece = self._receive()
            if not piece:
                break
            pieces.append(piece)
            missing -= len(piece)
        self._buffer, self._at = b"".join(pieces), 0

    def _receive(self) -> bytes:
        return self._receive_raw() if self._tls is None else self._receive_secured(self._tls)

    def _receive_raw(self) -> bytes:
        self._socket.settimeout(self.allowance.seconds)
        try:
            piece = self._socket.recv(_CHUNK)
        except socket.timeout:
            raise TooLate from None
        self.allowance.spend(len(piece))
        return piece

    def sendall(self, data: bytes) -> None:
        """Send all of it. :raises TooLate, OSError: it may have gone in part."""
        if self._tls is None:
            self._send_raw(data)
        else:
            self._tls.write(data)
            self._flush()

    def _send_raw(self, data: bytes) -> None:
        self._socket.settimeout(self.allowance.seconds)
        try:
            self._socket.sendall(data)  # its time-out is for all of it (socket(3), since Python 3.5)
        except socket.timeout:
            raise TooLate from None

    def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Have all that follows go through TLS. :raises ssl.SSLError: as wrap_bio and do_handshake do."""
        import ssl

        # What came in the clear before must not count as having come through TLS.
        if self._at < len(self._buffer):
            raise Nonsense("it goes on in the clear after TLS was agreed on")
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._feed()
            finally:
                self._flush()
        self._tls = tls

    def _receive_secured(self, tls: ssl.SSLObject) -> bytes:
        import ssl

        while True:
            try:
                return tls.read(_CHUNK)
            except ssl.SSLWantReadError:
                self._flush()  # a renewed key, before the peer goes on
                self._feed()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""

    def _feed(self) -> None:
        self._flush()
        piece = self._receive_raw()
        if piece:
            self._incoming.write(piece)
        else:
            self._incoming.write_eof()

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._send_raw(self._outgoing.read())

    def close(self) -> None:
        """Close the connection; closing twice is harmless."""
        self._socket.close()


def connect_unix(path: str, uids: Collection[int], allowance: Allowance) -> Channel:
    """Connect to a unix socket behind which a process of one of the accounts listens.

    Whose it is stands with the kernel since listen(2), and is looked at before anything is sent or read: whoever may
    write into a directory can put a socket of their own there. :raises Stranger, TooLate, OSError.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _connect(sock, path, allowance.seconds)
        _, uid, _ = _UCRED.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
        if uid not in uids:
            raise Stranger(uid)
        return Channel(sock, allowance)
    except BaseException:
        sock.close()
        raise


def connect_tcp(host: str, port: int, allowance: Allowance) -> Channel:
    """Connect to the first address of a host that answers; each may take its share of the time that is left.

    :raises TooLate, OSError: socket.gaierror for a name that does not resolve in time.
    """
    addresses = _resolve(host, port, allowance)
    for number, (family, address) in enumerate(addresses, 1):
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            _connect(sock, address, allowance.seconds / (len(addresses) - number + 1))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return Channel(sock, allowance)
        except BaseException as error:
            sock.close()
            if number == len(addresses) or not isinstance(error, (OSError, TooLate)):
                raise
    raise AssertionError("getaddrinfo gives an address or an error")


def _connect(sock: socket.socket, address: str | tuple[str, int], seconds: float) -> None:
    sock.settimeout(seconds)
    try:
        sock.connect(address)
    except socket.timeout:
        raise TooLate from None
    except ValueError as error:  # a path that holds a NUL byte
        raise OSError(errno.EINVAL, str(error)) from None


def _resolve(host: str, port: int, allowance: Allowance) -> list[tuple[int, tuple[str, int]]]:
    try:
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (socket.gaierror, ValueError):
        if "\0" in host:
            raise socket.gaierror(socket.EAI_NONAME, "no name of a host holds a NUL byte") from None
        # A name. The resolver's own time-outs are not ours: it is asked in a thread.
        from .addresses import resolve_hosts

        found = resolve_hosts([host], allowance.seconds)[host]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, f"the name {host} does not resolve") from None
        return [pair for address in found for pair in _resolve(address, port, allowance)]
    return [(entry[0], entry[4]) for entry in entries]  # type: ignore[misc]
