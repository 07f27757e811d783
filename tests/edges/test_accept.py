"""The errors of accept(2), from a listener that raises them: the kernel cannot be made to return most of them."""

from __future__ import annotations

import errno
import os
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from loopback import wait_until
from responder.client import exchange
from xha.adapters.http import server
from xha.adapters.http.server import Server
from xha.adapters.network.epoll import Lost
from xha.core.http.message import OK, Request, render_response

# accept(2): the errors of a network, a firewall or a lack of resources, for one connection or for many for a while.
PASSES = [
    "ECONNABORTED",
    "EPERM",
    "EPROTO",
    "ENETDOWN",
    "ENOPROTOOPT",
    "EHOSTDOWN",
    "ENONET",
    "EHOSTUNREACH",
    "EOPNOTSUPP",
    "ENETUNREACH",
    "EMFILE",
    "ENFILE",
    "ENOBUFS",
    "ENOMEM",
    "ENOSR",
    "ETIMEDOUT",
    "EIO",
    "ESOCKTNOSUPPORT",
]
LASTS = ["EBADF", "EINVAL", "ENOTSOCK"]


class Listener(socket.socket):
    """A real listener whose accept first fails `times` times with `error`, and then does what the kernel does."""

    error, times = 0, 0
    asked = 0

    def accept(self) -> tuple[socket.socket, tuple[str, int]]:
        self.asked += 1
        if self.times:
            self.times -= 1
            raise OSError(self.error, os.strerror(self.error))
        return super().accept()


class Application:
    """Answers 200, and records what it is told."""

    answer_silent: float | None = None

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self.faults: list[BaseException] = []
        self.ended = False
        self.answering = False
        self.free = threading.Lock()

    def answer(self, request: Request, host: str, now: float) -> bytes:
        self.answering = True
        with self.free:  # whoever holds it stops the loop, as on an overloaded machine
            pass
        return render_response(OK, "well\n")

    answer_waiting = answer

    def complain(self, host: str, why: str) -> None:
        self.complaints.append(f"{host}: {why}")

    def fault(self, doing: str, error: BaseException) -> None:
        self.faults.append(error)

    def tick(self, now: float) -> float:
        if self.ended:
            raise SystemExit
        return 0.02


class Running:
    """The loop in a thread. raised: the exception that ended it."""

    def __init__(self) -> None:
        self.listener = Listener()
        self.listener.bind(("127.0.0.1", 0))
        self.application = Application()
        self.server = Server([self.listener], self.application)
        self.raised: BaseException | None = None
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            self.server.run()
        except BaseException as error:
            self.raised = error

    def start(self) -> None:
        self.thread.start()

    def end(self) -> None:
        self.application.ended = True
        if self.thread.is_alive():
            self.thread.join(20)
        assert not self.thread.is_alive()
        self.listener.close()


@pytest.fixture
def running() -> Iterator[Running]:
    made = Running()
    yield made
    made.end()


def test_a_request_that_came_while_the_loop_itself_was_late_is_answered(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "REQUEST_SECONDS", 3.0)
    running.start()
    address = running.listener.getsockname()
    with socket.create_connection(address) as late, socket.create_connection(address) as other:
        with running.application.free:
            late.sendall(b"GET / HTTP/1.0\r\n")
            time.sleep(0.05)  # it is read first
            other.sendall(b"GET / HTTP/1.0\r\n\r\n")
            wait_until(lambda: running.application.answering, 20, "the loop stands still")
            late.sendall(b"\r\n")
            time.sleep(3.5)
        assert b" 200 " in late.recv(100)
        assert b" 200 " in other.recv(100)
    assert running.application.complaints == []


@pytest.mark.parametrize("times", [1, 2, 10])
@pytest.mark.parametrize("name", PASSES)
def test_what_passes_costs_a_moment_and_no_connection(running: Running, name: str, times: int) -> None:
    running.listener.error, running.listener.times = getattr(errno, name), times
    running.start()
    assert exchange(running.listener.getsockname(), b"GET / HTTP/1.0\r\n\r\n").status == 200
    assert running.listener.times == 0
    if name != "ECONNABORTED":  # a client that has gone is not logged
        assert set(running.application.complaints) == {f"accept: {os.strerror(getattr(errno, name)).lower()}"}
    assert running.application.faults == []


def test_what_does_not_pass_keeps_no_processor_busy(running: Running) -> None:
    running.listener.error, running.listener.times = errno.EPERM, 10**9
    running.start()
    began = time.monotonic()
    with socket.create_connection(running.listener.getsockname()):
        wait_until(lambda: running.listener.asked >= 3, 20, "it has asked")
        time.sleep(1)
        # Three errors in a row, then a rest of a tenth of a second.
        assert running.listener.asked <= 60 * (time.monotonic() - began)


@pytest.mark.parametrize("name", LASTS)
def test_what_stays_as_it_is_ends_the_loop_with_a_sentence(running: Running, name: str) -> None:
    running.listener.error, running.listener.times = getattr(errno, name), 10**9
    running.start()
    with socket.create_connection(running.listener.getsockname()):
        running.thread.join(20)
    assert isinstance(running.raised, Lost)
    assert str(running.raised) == f"a listening socket is gone: {os.strerror(getattr(errno, name)).lower()}"


def test_an_epoll_that_is_gone_ends_the_loop_with_a_sentence(running: Running) -> None:
    class Gone:
        def poll(self, seconds: float) -> list[tuple[int, int]]:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    running.server._ready.epoll = Gone()  # type: ignore[assignment]
    running.start()
    running.thread.join(20)
    assert isinstance(running.raised, Lost)
    assert str(running.raised) == "epoll: bad file descriptor"


def test_an_epoll_out_of_memory_is_tried_again(running: Running) -> None:
    epoll = running.server._ready.epoll

    class Tired:
        times = 3

        def poll(self, seconds: float) -> list[tuple[int, int]]:
            if self.times:
                self.times -= 1
                raise MemoryError
            return epoll.poll(seconds)

        register, unregister = epoll.register, epoll.unregister

    running.server._ready.epoll = Tired()  # type: ignore[assignment]
    running.start()
    assert exchange(running.listener.getsockname(), b"GET / HTTP/1.0\r\n\r\n").status == 200
    assert [type(error) for error in running.application.faults] == [MemoryError] * 3
