"""A real memcached: healthy, frozen, full, gone, and another server in its place."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopback import Net, wait_until
from loopback.memcached import PORT, Memcached
from services.host import BLIND, CAUTION, DOWN, WELL, Services, short
from services.standins import Api, serving

NO_PROCESS = "process = ^no-such-memcached\n"
LIMIT = 100  # of which memcached keeps between 10 and 20 for itself


@pytest.fixture(scope="module")
def session_memcached(net: Net, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memcached]:
    with Memcached(net, tmp_path_factory.mktemp("memcached"), "-c", str(LIMIT), "-t", "1") as running:
        yield running


@pytest.fixture
def memcached(session_memcached: Memcached, services: Services) -> Iterator[Memcached]:
    services.write(
        f"[service memcached]\nhost = {session_memcached.address}\nport = {PORT}\ndeadline = 4s\n"
        f"process = ^(\\S*/)?memcached -l {session_memcached.address} \n"
    )
    yield session_memcached
    session_memcached.thaw()


def statistics(memcached: Memcached) -> str:
    with socket.create_connection((memcached.address, PORT), timeout=10) as connection:
        connection.sendall(b"stats\r\n")
        return connection.recv(65536).decode()


def connections(memcached: Memcached) -> int:
    """The number of connections, including the one that asks."""
    return int(statistics(memcached).partition("STAT curr_connections ")[2].split()[0])


@contextlib.contextmanager
def clients(memcached: Memcached, number: int) -> Iterator[list[socket.socket]]:
    """This many clients that stay connected, as long as memcached lets them."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(socket.create_connection((memcached.address, PORT))) for _ in range(number)]


def is_refused(client: socket.socket) -> bool:
    """Whether memcached has told this client that it is full."""
    client.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        return client.recv(100, socket.MSG_PEEK).startswith(b"ERROR Too many open connections")
    return False


@pytest.mark.parametrize("level", ["process", "protocol", "deep"])
def test_a_memcached_that_is_well(services: Services, memcached: Memcached, level: str) -> None:
    result = services.check("memcached", level)
    assert short(result) == WELL
    assert result["level"] == level
    words = {"process": f"process {memcached.pid} runs", "protocol": "1.6", "deep": "set, read back and deleted"}
    assert words[level] in result["proved"]


def test_nothing_of_the_check_stays_in_the_cache(services: Services, memcached: Memcached) -> None:
    assert short(services.check("memcached")) == WELL
    text = statistics(memcached)
    assert "STAT curr_items 0\r\n" in text
    assert "STAT cmd_set " in text
    assert "STAT cmd_set 0\r\n" not in text


@pytest.mark.parametrize("level", ["process", "protocol", "deep"])
def test_a_frozen_one_accepts_and_never_answers(services: Services, memcached: Memcached, level: str) -> None:
    memcached.freeze()
    result = services.check("memcached", level)
    assert short(result) == DOWN
    if level == "process":
        assert result["message"] == f"process {memcached.pid} is stopped"
        assert result["duration_ms"] < 4000
    else:
        assert result["message"] == "no end after 4 s, waiting for the answer to version"
        assert 4000 <= result["duration_ms"] < 15000


def test_nearly_full_is_a_warning_and_full_is_not_served(services: Services, memcached: Memcached) -> None:
    services.write(services.config.read_text() + "max_connections_used = 50%\n")
    wait_until(lambda: connections(memcached) == 1, 20, "the clients of other tests are gone")
    with clients(memcached, 60):
        result = services.check("memcached")
        assert short(result) == CAUTION
        assert result["message"] in (f"61 of {LIMIT} connections are in use", f"62 of {LIMIT} connections are in use")
    wait_until(lambda: connections(memcached) == 1, 20, "it has noticed that they are gone")
    with clients(memcached, LIMIT) as connected:
        # It accepts the connection: a check of the port stays green.
        socket.create_connection((memcached.address, PORT), timeout=5).close()
        wait_until(lambda: any(map(is_refused, connected)), 20, lambda: f"it is full: {statistics(memcached)}")
        said: list[dict[str, object]] = []

        def is_down() -> bool:
            said.append(services.check("memcached"))
            return short(said[-1]) == DOWN

        wait_until(is_down, 20, lambda: f"the check is refused too: {said} {statistics(memcached)}")
        assert said[-1]["message"] == "too many open connections"
    wait_until(lambda: short(services.check("memcached", "protocol")) == WELL, 20, "it serves again")


def test_nobody_there(services: Services, net: Net) -> None:
    services.write(f"[service memcached]\nhost = {net.next_address()}\nprocess = ^no-such-memcached\n")
    result = services.check("memcached")
    assert short(result) == DOWN
    assert result["message"].endswith("port 11211: connection refused")
    assert short(services.check("memcached", "process")) == DOWN


def test_something_else_in_its_place(services: Services, net: Net) -> None:
    with serving(Api(net.next_address())) as api:
        services.write(f"[service memcached]\nhost = {api.address}\nport = {api.port}\ndeadline = 6s\n{NO_PROCESS}")
        result = services.check("memcached")
        assert short(result) == DOWN
        assert "no memcached" in result["message"]


def test_a_unix_socket(services: Services, net: Net, tmp_path: Path) -> None:
    services.write(f"[service cache-2]\nkind = memcached\nsocket = {tmp_path}/none\n{NO_PROCESS}")
    result = services.check("cache-2")
    assert short(result) == DOWN
    assert result["message"] == f"{tmp_path}/none: no such file or directory"


def test_a_second_one_that_is_dead_is_not_the_first_one_elsewhere(services: Services, net: Net, tmp_path: Path) -> None:
    with Memcached(net, tmp_path / "first") as first, Memcached(net, tmp_path / "second") as second:
        common = f"port = {PORT}\nprocess = ^(\\S*/)?memcached -l ({first.address}|{second.address}) \n"
        services.write(
            f"[service memcached]\nhost = {first.address}\n{common}"
            f"[service sessions]\nkind = memcached\nhost = {second.address}\n{common}"
        )
        assert short(services.check("sessions")) == WELL
        second.kill()
        wait_until(lambda: not second.is_running(), 20, "the second is gone")
        result = services.check("sessions")
        assert (short(result), result["message"]) == (DOWN, f"{second.address} port {PORT}: connection refused")
        assert short(services.check("memcached")) == WELL


def test_one_that_listens_on_a_unix_socket(services: Services, net: Net) -> None:
    directory = net.directory / "unix-memcached"
    directory.mkdir(mode=0o755)
    path = directory / "memcached.sock"
    directory.chmod(0o777)  # the server makes its socket as nobody
    with Memcached(net, directory, "-c", str(LIMIT), place=path) as running:
        process = f"process = ^(\\S*/)?memcached -s {path} "
        services.write(f"[service memcached]\nsocket = {path}\ndeadline = 4s\n{process}\n")
        for level, words in (("process", "runs"), ("protocol", "1.6"), ("deep", "set, read back and deleted")):
            result = services.check("memcached", level)
            assert (short(result), words in result["proved"]) == (WELL, True), result
        running.freeze()
        result = services.check("memcached")
        assert (short(result), result["message"]) == (DOWN, "no end after 4 s, waiting for the answer to version")
        running.thaw()
        # A section with the default address: it is told where the process listens.
        services.write(f"[service memcached]\nhost = {net.next_address()}\n{process}\n")
        result = services.check("memcached")
        assert short(result) == BLIND, result
        assert f"listens on {path}" in result["message"]
        running.kill()
        services.write(f"[service memcached]\nsocket = {path}\n{process}\n")
        result = services.check("memcached")
        assert (short(result), result["message"]) == (DOWN, f"{path}: connection refused")
