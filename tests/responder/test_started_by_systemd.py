"""Started by systemd: sockets at descriptor 3 and up, READY and WATCHDOG.

systemd is not PID 1 where this runs: its own systemd-socket-activate passes the sockets, and the test is the service
manager that is notified. (tests/install starts the units under a real systemd.)
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopback import Daemon, Net, Node, find_program, is_listening
from loopback.responder import PORT, Address
from responder.client import PROBE, ask, exchange
from responder.conftest import MakeResponder
from responder.process import ENVIRONMENT, PROMPT, Responder, command


@contextlib.contextmanager
def activated(net: Net, prepared: Responder, addresses: list[Address], *extra: str) -> Iterator[Daemon]:
    """The responder as systemd-socket-activate starts it at the first connection, with `prepared`'s configuration."""
    listen = [f"--listen={f'[{host}]' if ':' in host else host}:{port}" for host, port in addresses]
    environment = [f"--setenv={name}={value}" for name, value in ENVIRONMENT.items()]
    arguments = [*listen, *environment, *extra, *command("--config", str(prepared.config))]
    argv = [find_program("systemd-socket-activate", "systemd"), *arguments]
    with Daemon(net, argv, prepared.directory / f"activated-{addresses[0][1]}.log", env=ENVIRONMENT) as daemon:
        daemon.wait_ready(lambda: all(is_listening(*one) for one in addresses), 30, "it listens")
        yield daemon


@pytest.fixture
def prepared(database: Node, make_responder: MakeResponder) -> Responder:
    """A stopped responder whose configuration another start may use."""
    responder = make_responder(database)
    responder.stop()
    return responder


def test_a_socket_of_systemd_is_served(net: Net, prepared: Responder) -> None:
    address = (net.next_address(), PORT)
    with activated(net, prepared, [address]) as daemon:
        assert exchange(address, PROBE).status == 200
        assert f"listening on {address[0]}:{PORT}" in daemon.log.read_text()


def test_several_sockets_of_systemd_are_served_ipv6_among_them(net: Net, prepared: Responder) -> None:
    addresses = [(net.next_address(), PORT), (net.next_address(), PORT), ("::1", net.next_port())]
    with activated(net, prepared, addresses):
        for _ in range(2):
            assert [exchange(address, PROBE).status for address in addresses] == [200] * 3


def test_the_backlog_of_an_inherited_socket_is_made_long_enough_for_a_crowd(net: Net, prepared: Responder) -> None:
    address = (net.next_address(), PORT)
    with activated(net, prepared, [address]) as daemon:
        assert exchange(address, PROBE).status == 200
        daemon.freeze()  # nothing accepts: new connections are in the backlog, which was 128
        with contextlib.ExitStack() as stack:
            stack.callback(daemon.thaw)
            clients = [stack.enter_context(socket.create_connection(address, 30)) for _ in range(500)]
            daemon.thaw()
            for sock in clients:
                sock.sendall(PROBE)
            assert all(sock.recv(15).startswith(b"HTTP/1.1 200") for sock in clients)


class Manager:
    """The service manager's end of NOTIFY_SOCKET."""

    def __init__(self, name: str, address: str) -> None:
        self.name = name
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        if not address.startswith("\0"):
            os.chmod(address, 0o666)
        self._socket.settimeout(20)

    def receive(self) -> str:
        return self._socket.recv(4096).decode()

    def forget(self) -> None:
        """Discard what has arrived so far."""
        self._socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while self._socket.recv(4096):
                pass
        self._socket.settimeout(20)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, net: Net) -> Iterator[Manager]:
    if request.param == "path":
        address = str(net.directory / "notify.sock")
        Path(address).unlink(missing_ok=True)
        listening = Manager(address, address)
    else:
        name = f"xha-notify-{net.prefix}"
        listening = Manager(f"@{name}", f"\0{name}")
    with contextlib.closing(listening):
        yield listening


def test_ready_is_sent_once_it_serves_and_the_watchdog_is_fed_while_mysqld_is_frozen(
    database: Node, make_responder: MakeResponder, manager: Manager
) -> None:
    responder = make_responder(
        database, responder=PROMPT, env={"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "400000"}
    )
    assert manager.receive() == "READY=1"
    assert responder.verdict() == (200, "synced")
    database.freeze()
    try:
        assert responder.next_verdict() == (503, "hung")
        manager.forget()
        times = []
        for _ in range(11):
            assert manager.receive() == "WATCHDOG=1"
            times.append(time.monotonic())
        gaps = sorted(after - before for before, after in zip(times, times[1:]))
        # It is sent every 0.2 s, and not every second as without a watchdog; a busy machine may delay some.
        assert gaps[5] < 0.8
    finally:
        database.thaw()


def test_a_stopped_responder_feeds_no_watchdog(database: Node, make_responder: MakeResponder, manager: Manager) -> None:
    responder = make_responder(database, env={"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "400000"})
    manager.receive()
    responder.freeze()
    try:
        manager.forget()
        manager._socket.settimeout(1)
        with pytest.raises(TimeoutError):
            manager.receive()
    finally:
        responder.thaw()


def test_a_notify_socket_that_nobody_reads_holds_up_nothing(
    database: Node, make_responder: MakeResponder, manager: Manager
) -> None:
    responder = make_responder(database, env={"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "2000"})
    time.sleep(0.5)  # some hundred messages, far more than a datagram socket holds
    assert responder.ask().seconds < 10


def test_a_watchdog_that_is_another_process_is_not_fed(
    database: Node, make_responder: MakeResponder, manager: Manager
) -> None:
    make_responder(database, env={"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"})
    assert manager.receive() == "READY=1"
    assert manager.receive() == "WATCHDOG=1"  # the responder's own heartbeat of one second
    manager.forget()  # what has arrived while this process waited for its turn
    began = time.monotonic()
    for _ in range(3):
        manager.receive()
    assert time.monotonic() - began > 1.5


def test_sighup_does_not_end_it_and_sigint_does(database: Node, make_responder: MakeResponder) -> None:
    responder = make_responder(database)
    assert responder.verdict() == (200, "synced")  # it listens before it has set its signal handlers
    responder.signal(signal.SIGHUP)
    assert responder.verdict() == (200, "synced")
    responder.signal(signal.SIGINT)
    responder.wait_ended(20)
    assert responder.exit_code == 0


def test_sockets_that_were_meant_for_another_process_are_left_alone(
    net: Net, database: Node, make_responder: MakeResponder
) -> None:
    responder = make_responder(database, env={"LISTEN_PID": "1", "LISTEN_FDS": "1"})
    assert responder.verdict() == (200, "synced")
    assert ask(responder.address).status == 200
