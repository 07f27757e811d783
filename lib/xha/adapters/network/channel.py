"""The bytes of one connection to an untrusted peer: one deadline for the whole, and a budget of bytes.

A timeout of the socket module is for one call. A peer that sends a byte every half second never exceeds it, and neither
does one that never stops sending. Every call here therefore takes its time from one Allowance, and the bytes that
arrive are counted. TLS runs in memory above the counted bytes, so the same limits hold for its handshake.
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

# A login and a reading of a healthy node take 1,900 bytes, and 3,400 with TLS (measured, MariaDB 10.11).
BUDGET = 64 << 10
_CHUNK = 16 << 10
_UCRED = struct.Struct("3i")  # pid, uid, gid (unix(7), SO_PEERCRED)


class TooLate(Exception):
    """The time is up."""


class Nonsense(Exception):
    """What arrived is no answer to the request, or is larger than any answer. The text says which."""


class WrongAccount(Exception):
    """A process of another account is behind the unix socket. The text is its uid."""

    def __init__(self, uid: int) -> None:
        super().__init__(str(uid))
        self.uid = uid


class Allowance:
    """What one exchange may take.

    until is a time of the monotonic clock, left is the number of bytes that may still arrive.
    """

    __slots__ = ("left", "until")

    def __init__(self, seconds: float, left: int = BUDGET) -> None:
        self.until, self.left = time.monotonic() + seconds, left

    @property
    def seconds(self) -> float:
        """The time that is left, in seconds, above 0. :raises TooLate: if none is left."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TooLate
        return left

    def expect(self, size: int) -> None:
        """Refuse an announced size before any of it is read. :raises Nonsense: if it exceeds what is left."""
        if size > self.left:
            raise Nonsense(f"it sends more than the {BUDGET >> 10} KiB that one reading may be")

    def spend(self, size: int) -> None:
        """Count bytes that arrived. :raises Nonsense: if they exceed what is left."""
        self.expect(size)
        self.left -= size


class Channel:
    """A connected socket with an Allowance, which the user of the channel replaces for each exchange.

    It has the methods that PyMySQL calls on a socket and on the file that it makes of one.
    """

    def __init__(self, sock: socket.socket, allowance: Allowance) -> None:
        self.allowance = allowance
        self._socket = sock
        self._buffer, self._at = b"", 0
        self._tls: ssl.SSLObject | None = None

    def makefile(self, mode: str) -> Channel:
        """Return the object to read from: this one."""
        return self

    def settimeout(self, seconds: float | None) -> None:
        """Do nothing: the time comes from the allowance."""

    def read(self, size: int) -> bytes:
        """Return that many bytes, fewer at the end of the stream.

        :raises TooLate, Nonsense, OSError: nothing can be read afterwards.
        """
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
        """Send all of the data. :raises TooLate, OSError: a part may have been sent."""
        if self._tls is None:
            self._send_raw(data)
        else:
            self._tls.write(data)
            self._flush()

    def _send_raw(self, data: bytes) -> None:
        self._socket.settimeout(self.allowance.seconds)
        try:
            self._socket.sendall(data)  # its time-out is for the whole call (socket(3), since Python 3.5)
        except socket.timeout:
            raise TooLate from None

    def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Send and receive everything that follows through TLS.

        :raises ssl.SSLError: as wrap_bio and do_handshake do.
        :raises Nonsense: if the peer sent plain bytes after TLS was agreed on.
        :raises TooLate, OSError: as sendall does.
        """
        import ssl

        # Plain bytes that arrived before must not count as bytes that came through TLS.
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
                self._flush()  # for instance a renewed key, before the peer continues
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
        """Close the connection. A second call does nothing."""
        self._socket.close()


def connect_unix(path: str, uids: Collection[int], allowance: Allowance) -> Channel:
    """Connect to a unix socket, and require that the listening process belongs to one of the accounts.

    The kernel stores the account at listen(2). It is checked before anything is sent or read, because an account that
    may write to the directory can put its own socket there.

    :raises WrongAccount: if another account listens.
    :raises TooLate, OSError: if no connection is made.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _connect(sock, path, allowance.seconds)
        _, uid, _ = _UCRED.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
        if uid not in uids:
            raise WrongAccount(uid)
        return Channel(sock, allowance)
    except BaseException:
        sock.close()
        raise


def connect_tcp(host: str, port: int, allowance: Allowance) -> Channel:
    """Connect to the first address of a host that answers. Each address gets an equal share of the time that is left.

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
    except ValueError as error:  # the path contains a NUL byte
        raise OSError(errno.EINVAL, str(error)) from None


def _resolve(host: str, port: int, allowance: Allowance) -> list[tuple[int, tuple[str, int]]]:
    try:
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (socket.gaierror, ValueError):
        if "\0" in host:
            raise socket.gaierror(socket.EAI_NONAME, "no name of a host holds a NUL byte") from None
        # It is a name. The resolver has time-outs of its own that cannot be set, so a thread asks it.
        from .addresses import resolve_hosts

        found = resolve_hosts([host], allowance.seconds)[host]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, f"the name {host} does not resolve") from None
        return [pair for address in found for pair in _resolve(address, port, allowance)]
    return [(entry[0], entry[4]) for entry in entries]  # type: ignore[misc]
