"""Reads Pacemaker's attributes by a kept connection: 0.07 ms of CPU, where a fork of attrd_updater takes 8 to 12.

Pacemaker's daemons speak libqb (qb/qbipcc.h, a library with a stable interface, which Pacemaker itself depends on), and
on it one message each way: a header and XML, ended by a zero. It is what attrd_updater sends and gets.

Whatever is not as expected is no answer, and whoever asked uses the tool: an interpreter without ctypes, no libqb, an
older one, a daemon of another account, a reply that is compressed, comes in parts, or is of another shape. Only
silence is not asked a second time.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import time
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from ...core.text.xml_attribute import quote_attribute
from .tools import TIMEOUT, ClusterUnreachable

if TYPE_CHECKING:
    from ctypes import CDLL, Array, c_char

_LIBRARY = "libqb.so.100"
_DAEMON = "attrd"
# Pacemaker's daemons run as root or as this account.
_ACCOUNT = "hacluster"
_BYTES = 1 << 17
# qb/qbipc_common.h: id and size, and for a response error, each aligned to 8 bytes; and Pacemaker's behind them: the
# size of the text, of the compressed one (0: it is not), flags, and the version.
_HEADER = struct.Struct("<i4xi4xi4xIIIB3x")
_VERSION, _ANSWER_EXPECTED = 1, 0x200
# How long nothing is tried again, in seconds, once something was not as expected.
_REST_SECONDS = 30.0


class NoConnection(Exception):
    """There is no connection, or what comes by it is not as expected; the text says why."""


class KeptConnection:
    """A connection to Pacemaker's attribute daemon, made when it is needed and again when it is lost."""

    def __init__(self, seconds: float = TIMEOUT) -> None:
        """seconds: how long an answer may take."""
        self._seconds = seconds
        self._library: CDLL | None = None
        self._handle: int | None = None
        self._room: Array[c_char] | None = None
        self._number = 0
        self._again_at = float("-inf")

    def read_attribute(self, name: str) -> dict[str, str] | None:
        """Return the attribute's value on every node that has one; None if it is not to be had by a connection.

        :raises TimeoutError: if the daemon is there and does not answer in time.
        """
        if time.monotonic() < self._again_at:
            return None
        until = time.monotonic() + self._seconds
        try:
            try:
                return self._ask(name, until)
            except ConnectionError:  # the daemon was started anew since
                self.close()
                return self._ask(name, until)
        except TimeoutError:
            self.close()
            raise
        except (NoConnection, OSError):
            self.close()
            self._again_at = time.monotonic() + _REST_SECONDS
            return None

    def ask(self, name: str) -> dict[str, str] | None:
        """Return what read_attribute does. :raises ClusterUnreachable: if the daemon does not answer in time."""
        try:
            return self.read_attribute(name)
        except TimeoutError:
            raise ClusterUnreachable(f"{_DAEMON} did not answer within {self._seconds:.2g} s") from None

    def close(self) -> None:
        """Close the connection; the next question makes another one."""
        if self._library is not None and self._handle is not None:
            self._library.qb_ipcc_disconnect(self._handle)
        self._handle = None

    def _ask(self, name: str, until: float) -> dict[str, str]:
        import ctypes

        if self._handle is None:
            self._connect(until)
        assert self._library is not None
        self._number = self._number % 0x7FFFFFFF + 1
        message = ctypes.create_string_buffer(render_question(self._number, name))
        sent = self._library.qb_ipcc_send(self._handle, message, len(message.raw) - 1)
        if sent < 0:
            raise ConnectionError(f"{_DAEMON} takes no message")
        answer = self._room = self._room or ctypes.create_string_buffer(_BYTES)
        while True:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            got = self._library.qb_ipcc_recv(self._handle, answer, _BYTES, max(1, int(left * 1000)))
            if got in _TRY_AGAIN:
                continue
            if got < 0:
                raise ConnectionError(f"{_DAEMON} has closed its connection")
            values = parse_answer(ctypes.string_at(answer, got), self._number, name)
            if values is not None:
                return values

    def _connect(self, until: float) -> None:
        """:raises NoConnection, TimeoutError: see there."""
        library = self._library = self._library or _load()
        import ctypes

        descriptor = ctypes.c_int(-1)
        handle = library.qb_ipcc_connect_async(_DAEMON.encode(), _BYTES, ctypes.byref(descriptor))
        if not handle:
            raise NoConnection(f"{_DAEMON} does not listen")
        try:
            # Its name is an abstract socket's, which any account may take while Pacemaker does not run.
            _check_account(descriptor.value)
            poller = select.poll()
            poller.register(descriptor.value, select.POLLIN)
            ready = poller.poll(max(0.0, until - time.monotonic()) * 1000)
        except BaseException:
            _abandon(library, handle, descriptor.value)
            raise
        if not ready:
            _abandon(library, handle, descriptor.value)
            raise TimeoutError
        if library.qb_ipcc_connect_continue(handle):  # it has freed what there was
            raise NoConnection(f"{_DAEMON} accepts no connection")
        self._handle = handle


# libqb returns -errno: EAGAIN, ETIMEDOUT, EINTR.
_TRY_AGAIN = (-11, -110, -4)


def _load() -> CDLL:
    try:
        import ctypes

        library = ctypes.CDLL(_LIBRARY)
        library.qb_ipcc_connect_async.restype = ctypes.c_void_p
        library.qb_ipcc_connect_async.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.POINTER(ctypes.c_int)]
        library.qb_ipcc_connect_continue.argtypes = [ctypes.c_void_p]
        library.qb_ipcc_disconnect.argtypes = [ctypes.c_void_p]
        library.qb_ipcc_disconnect.restype = None
        library.qb_ipcc_send.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
        library.qb_ipcc_send.restype = ctypes.c_ssize_t
        library.qb_ipcc_recv.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int32]
        library.qb_ipcc_recv.restype = ctypes.c_ssize_t
    except (ImportError, OSError, AttributeError) as error:
        raise NoConnection(f"{_LIBRARY}: {error}") from None
    return library


def _abandon(library: CDLL, handle: int, descriptor: int) -> None:
    """Give up a connection that is not made yet, of which libqb does not close the socket."""
    library.qb_ipcc_disconnect(handle)
    with contextlib.suppress(OSError):
        os.close(descriptor)


def _check_account(descriptor: int) -> None:
    """:raises NoConnection: if neither root nor Pacemaker's account listens there (SO_PEERCRED, unix(7))."""
    import pwd

    with socket.socket(fileno=descriptor) as peer:
        try:
            said = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        finally:
            peer.detach()
    _, uid, _ = struct.unpack("3i", said)
    try:
        allowed = {0, pwd.getpwnam(_ACCOUNT).pw_uid}
    except KeyError:
        allowed = {0}
    if uid not in allowed:
        raise NoConnection(f"uid {uid} listens as {_DAEMON}")


def render_question(number: int, name: str) -> bytes:
    """Return the message that asks for an attribute's values on all nodes, as attrd_updater sends it."""
    words = {"t": "attrd", "src": "xha", "attr_user": "root", "task": "query", "attr_name": name}
    text = f"<attrd_op {' '.join(f'{key}={quote_attribute(value)}' for key, value in words.items())}/>".encode() + b"\0"
    header = _HEADER.pack(number, _HEADER.size + len(text), 0, len(text), 0, _ANSWER_EXPECTED, _VERSION)
    return header + text


def parse_answer(message: bytes, number: int, name: str) -> dict[str, str] | None:
    """Return the values of the attribute by node, {} where it is not known; None for the answer to another question.

    A deleted value remains there as "" and is left out, as what the tool prints is read.

    :raises NoConnection: if it is no such answer.
    """
    if len(message) < _HEADER.size:
        raise NoConnection(f"{_DAEMON} answers with {len(message)} bytes")
    answered, size, error, length, compressed, _, version = _HEADER.unpack_from(message)
    if (version, compressed, size) != (_VERSION, 0, len(message)) or length != len(message) - _HEADER.size or error:
        raise NoConnection(f"{_DAEMON} answers in another form")
    if answered != number:
        return None
    try:
        root = ElementTree.fromstring(message[_HEADER.size :].rstrip(b"\0"))  # noqa: S314 - Pacemaker's own
    except (ElementTree.ParseError, ValueError):
        raise NoConnection(f"{_DAEMON} answers with what is no XML") from None
    if root.get("t") != "attrd" or root.get("subt") != "query":
        raise NoConnection(f"{_DAEMON} answers another question")
    if root.get("attr_name", name) != name:
        raise NoConnection(f"{_DAEMON} answers for another attribute")
    found = {one.get("attr_host", ""): one.get("attr_value", "") for one in root.iter("node")}
    return {node: value for node, value in found.items() if value}
