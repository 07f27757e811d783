"""Asks a resident process of this host and account, with nothing but modules that are built into the interpreter.

A program that ends at once asks before it imports anything else (docs/decisions/0046-a-resident-is-asked-first.md). A
question and its answer are packets of a unix socket (SOCK_SEQPACKET): no part of either can arrive alone. A resident is
believed if

- root has the directories above its socket, this process's own account has the last one, and nobody else writes them;
- the kernel says that it listens as this account (SO_PEERCRED). Only root makes directories below /run/xha, so that
  account is root or the one that root gave the directory to;
- what it answers with was read at most as long ago as its configuration allows, before it was asked;
- this process sees the socket and the files that it read, as it says, as it does: a sandbox hides home directories.

It compares who asks with itself (app/responder/asked.py), and refuses where it would not answer the same. Whatever else
happens is None: then the caller looks itself.
"""

from __future__ import annotations

import _socket
import posix
import sys
import time

PROTOCOL = b"xha-ask 1"
# Where a responder listens, and below which directory a keeper does, in that of its resource.
RESPONDERS, KEEPERS = "/run/xha/responder", "/run/xha/galera"
NAME = "ask"
# A resident that lives answers within a few milliseconds. Who waits for this long finds out itself: so much later is an
# answer beside a resident that is stopped. On a host that is overloaded less would have all look themselves at once.
PATIENCE = 0.25
LONGEST_WAIT = 60.0
MOST_BYTES = 1 << 17
_KIND, _DIRECTORY, _SOCKET, _OTHERS_WRITE = 0o170000, 0o040000, 0o140000, 0o022
_UCRED = 12  # three numbers: pid, uid, gid (unix(7), SO_PEERCRED)

OK, WAIT = b"ok", b"wait"
BETWEEN = b"\0\0"  # two signed paths
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def ask(directory: str, own: list[bytes], words: list[bytes]) -> tuple[int, bytes] | None:
    """Return the number and the bytes that a resident answers; None where none is to be believed, or it refuses.

    own: what describes this process. words: what is asked, and behind it what it is asked with.
    """
    began = time.monotonic_ns()
    try:
        if not is_safe(directory, posix.geteuid()) or not is_socket(posix.lstat(f"{directory}/{NAME}")):
            return None
        sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET | _socket.SOCK_CLOEXEC)
        try:
            sock.settimeout(PATIENCE)
            sock.connect(f"{directory}/{NAME}")
            if read_peer(sock) != posix.geteuid():
                return None
            sock.send(render([*own, *words]))
            return _judge(_receive(sock), began)
        finally:
            sock.close()
    except (OSError, ValueError):
        return None


def is_safe(directory: str, uid: int) -> bool:
    """Return whether nobody but root and the account can have put a name there. :raises OSError: if it is not there."""
    path = ""
    for name in directory.split("/")[1:]:
        path += f"/{name}"
        seen = posix.lstat(path)
        if seen.st_mode & (_KIND | _OTHERS_WRITE) != _DIRECTORY or seen.st_uid != (uid if path == directory else 0):
            return False
    return True


def is_socket(seen: posix.stat_result) -> bool:
    """Return whether that is a socket's."""
    return seen.st_mode & _KIND == _SOCKET


def read_peer(sock: _socket.socket) -> int:
    """Return the uid at the other end. :raises OSError: as getsockopt(2) does."""
    return int.from_bytes(sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, _UCRED)[4:8], sys.byteorder)


def describe(version: str, file: str) -> list[bytes]:
    """Return what has to be equal of who asks and of who answers: their code, and what 127.0.0.1 is to them.

    version, file: of the package. :raises OSError: if it is not there any more.
    """
    code = posix.stat(file)
    network = posix.readlink("/proc/self/ns/net")
    return [PROTOCOL, version.encode(), b"%d %d" % (code.st_dev, code.st_ino), network.encode()]


def sign(path: str) -> bytes:
    """Return a path with what changes whenever its file does, so that the other end can compare it."""
    try:
        seen = posix.stat(path)
    except OSError as error:
        return b"%b\0-%d" % (to_bytes(path), error.errno or 0)
    said = f"{seen.st_ino} {seen.st_size} {seen.st_mtime_ns} {seen.st_mode} {seen.st_uid} {seen.st_gid}"
    return b"%b\0%b" % (to_bytes(path), said.encode())


def same_files(signed: Iterable[bytes]) -> bool:
    """Return whether this process sees these files as who signed them does."""
    return all(sign(to_text(one.partition(b"\0")[0])) == one for one in signed)


def to_text(name: bytes) -> str:
    """Return what the kernel has as Python's text."""
    return name.decode(sys.getfilesystemencoding(), "surrogateescape")


def to_bytes(text: str) -> bytes:
    """Return a word of the command line or a path as the kernel has it."""
    return text.encode(sys.getfilesystemencoding(), "surrogateescape")


def render(words: list[bytes]) -> bytes:
    """Return the words as one message: core/text/netstrings.py reads it."""
    return b"".join([b"%d:%b," % (len(word), word) for word in words])


def _receive(sock: _socket.socket) -> bytes:
    packet = sock.recv(MOST_BYTES)
    if packet.startswith(WAIT):
        sock.settimeout(min(int(packet[len(WAIT) :]) / 1000, LONGEST_WAIT) + PATIENCE)
        packet = sock.recv(MOST_BYTES)
    return packet


def _judge(packet: bytes, began: int) -> tuple[int, bytes] | None:
    """Return the answer if it is one, and not too old. :raises ValueError: for what is no answer."""
    head, _, rest = packet.partition(b"\n")
    word, *numbers = head.split(b" ")
    if word != OK:
        return None
    read_at, max_age, code, length = map(int, numbers)
    if read_at > time.monotonic_ns() or began - read_at > max_age:
        return None
    signed, data = rest[:length], rest[length:]
    return (code, data) if not signed or same_files(signed.split(BETWEEN)) else None
