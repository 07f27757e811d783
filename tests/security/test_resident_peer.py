"""Who is at the resident's socket and cannot be believed changes no answer: clustercheck looks itself.

There is no server on this host, so the truth is 503; what is at the socket says 200.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from loopback import Net
from shell.host import Host
from shell.probes import NOT_SYNCED

NOBODY = 65534
DIRECTORY = "/run/xha/responder"
GREEN = b"HTTP/1.1 200 OK\r\n\r\nsynced"
AGE = 10**8  # what xha.conf allows by default, in nanoseconds
Behaviour = Callable[[socket.socket], None]


@pytest.fixture(scope="module")
def host(net: Net) -> Iterator[Host]:
    with Host(net, net.directory / "host-of-a-resident") as running:
        yield running


@pytest.fixture(autouse=True)
def directory(host: Host) -> Iterator[None]:
    host.path(DIRECTORY).mkdir(parents=True)
    for path in ("/run/xha", DIRECTORY):
        host.path(path).chmod(0o755)
    yield
    host.clean()


def say(*packets: bytes) -> Behaviour:
    """Answer every question with these packets."""

    def behave(peer: socket.socket) -> None:
        peer.recv(1 << 17)
        for packet in packets:
            peer.send(packet)
        peer.recv(1)  # until who asked has gone

    return behave


def green(at: int | None = None, age: int = AGE) -> Behaviour:
    """Say that all is well, by a reading of that moment."""

    def behave(peer: socket.socket) -> None:
        peer.recv(1 << 17)
        peer.send(b"ok %d %d 0 0\n%b" % (time.monotonic_ns() if at is None else at, age, GREEN))
        peer.recv(1)

    return behave


def drip(peer: socket.socket) -> None:
    """One byte at a time, without an end."""
    while True:
        peer.send(b"o")
        time.sleep(0.01)


def mute(peer: socket.socket) -> None:
    peer.recv(1 << 17)
    peer.recv(1)


@contextmanager
def fake(host: Host, behave: Behaviour, kind: int = socket.SOCK_SEQPACKET, uid: int = 0) -> Iterator[None]:
    """A process of this account, or of another one, at the resident's socket."""
    listener = socket.socket(socket.AF_UNIX, kind)
    listener.bind(str(host.path(f"{DIRECTORY}/ask")))
    if uid:
        listen_as(listener, uid)
    else:
        listener.listen()

    def serve() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                try:
                    behave(peer)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(30)
        listener.close()


def listen_as(listener: socket.socket, uid: int) -> None:
    """Have another account listen: the kernel remembers whose process does it."""
    pid = os.fork()
    if not pid:
        try:
            os.setuid(uid)
            listener.listen()
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


def ask(host: Host) -> tuple[int, str]:
    return host.run("clustercheck", "somebody", "x")[:2]


def test_one_that_is_to_be_believed_would_have_been(host: Host) -> None:
    with fake(host, green()):
        assert ask(host) == (0, GREEN.decode())


BEHAVIOURS = {
    "says nothing": mute,
    "says to wait, and nothing more": say(b"wait 100"),
    "says to wait without an end": say(b"wait 50", b"wait 99999999999"),
    "has an old reading": green(time.monotonic_ns() - 2 * AGE),
    "has one of the future": green(time.monotonic_ns() + 10**15),
    "says of itself no length": say(b"ok 1 1 0\n" + GREEN),
    "has one without a time": say(b"ok\n" + GREEN),
    "has one of no number": say(b"ok x 1 0\n" + GREEN),
    "says something else": say(GREEN),
    "says an empty packet": say(b""),
    "drips": drip,
}


@pytest.mark.parametrize("what", BEHAVIOURS)
def test_one_that_answers_nothing_fit_is_not_believed(host: Host, what: str) -> None:
    with fake(host, BEHAVIOURS[what]):
        assert ask(host) == (1, NOT_SYNCED)


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
@pytest.mark.parametrize("behave", [green(), drip])
def test_a_socket_of_another_kind_is_not_asked(host: Host, kind: int, behave: Behaviour) -> None:
    if kind == socket.SOCK_DGRAM:
        with socket.socket(socket.AF_UNIX, kind) as other:
            other.bind(str(host.path(f"{DIRECTORY}/ask")))
            assert ask(host) == (1, NOT_SYNCED)
        return
    with fake(host, behave, kind):
        assert ask(host) == (1, NOT_SYNCED)


def test_another_account_s_process_is_not_believed(host: Host) -> None:
    with fake(host, green(), uid=NOBODY):
        assert ask(host) == (1, NOT_SYNCED)


@pytest.mark.parametrize("path", ["/run/xha", DIRECTORY])
@pytest.mark.parametrize("mode", [0o775, 0o757, 0o1777])
def test_a_directory_that_others_write_is_not_looked_into(host: Host, path: str, mode: int) -> None:
    host.path(path).chmod(mode)
    with fake(host, green()):
        assert ask(host) == (1, NOT_SYNCED)


@pytest.mark.parametrize("path", ["/run/xha", DIRECTORY])
def test_nor_is_that_of_another_account(host: Host, path: str) -> None:
    os.chown(host.path(path), NOBODY, NOBODY)
    with fake(host, green()):
        assert ask(host) == (1, NOT_SYNCED)


def test_nor_one_that_a_link_leads_to(host: Host) -> None:
    with fake(host, green()):
        host.path(DIRECTORY).rename(host.path("/run/xha/elsewhere"))
        host.path(DIRECTORY).symlink_to("elsewhere")
        assert ask(host) == (1, NOT_SYNCED)


def test_another_account_does_not_believe_root_s_either(host: Host) -> None:
    """It would not log in as root does."""
    with fake(host, green()):
        host.path(f"{DIRECTORY}/ask").chmod(0o666)
        assert host.run("clustercheck", "somebody", "x", user=NOBODY)[:2] == (1, NOT_SYNCED)
