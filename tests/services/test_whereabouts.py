"""Where the processes of a service listen, as one sees who may not look at another account's sockets."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from loopback import Net, is_listening, wait_until
from xha.adapters.network import whereabouts
from xha.adapters.network.whereabouts import find_listeners, parse_listening
from xha.adapters.process.alarm import Overdue, current_step, start_timer, stop_timer
from xha.core.services.model.reach import Attempt, Whereabouts
from xha.core.services.model.result import Level
from xha.core.services.settings import default_service

DAEMON, LOOKER, STRANGER = 65531, 65532, 65533
PORT = 7000
PROGRAM = """
import socket, sys, time
server = socket.create_server((sys.argv[1], int(sys.argv[2])))
time.sleep(600)
"""


@contextmanager
def listening(address: str, account: int) -> Iterator[str]:
    """A process of an account that listens; the pattern by which it is found."""
    argv = ["/usr/bin/python3", "-c", PROGRAM, address, str(PORT)]
    setpriv = ["setpriv", f"--reuid={account}", f"--regid={account}", "--clear-groups", "--"]
    with subprocess.Popen([*setpriv, *argv], start_new_session=True, cwd="/") as process:
        try:
            wait_until(lambda: is_listening(address, PORT), 30, "it listens")
            yield f"(?s)^/usr/bin/python3 -c .* {re.escape(address)} {PORT}$"
        finally:
            process.kill()


def seen_by(account: int, pattern: str) -> Whereabouts:
    """What an account without capabilities sees."""
    read_end, write_end = os.pipe()
    if not (pid := os.fork()):
        try:
            os.setgroups([])
            os.setgid(account)
            os.setuid(account)
            os.write(write_end, json.dumps(find_listeners(pattern)).encode())
        finally:
            os._exit(0)  # an answer that is missing fails the test
    os.close(write_end)
    with os.fdopen(read_end) as answer:
        found, is_seen, places = json.load(answer)
    os.waitpid(pid, 0)
    return Whereabouts(found, is_seen, tuple(place if isinstance(place, str) else tuple(place) for place in places))


@pytest.mark.skipif(os.geteuid() != 0 or not Path("/usr/bin/python3").exists(), reason="not root, or no python3")
def test_the_listener_of_another_account_is_not_the_service_s(net: Net) -> None:
    own, vip, other = (net.next_address() for _ in range(3))
    with ExitStack() as stack:
        pattern = stack.enter_context(listening(own, DAEMON))
        stack.enter_context(socket.create_server((vip, PORT)))  # root's, as that of an HAProxy
        stack.enter_context(listening(other, STRANGER))
        seen = seen_by(LOOKER, pattern)
        assert not seen.is_seen
        assert (own, PORT) in seen.places
        assert not {(vip, PORT), (other, PORT)} & set(seen.places)
        assert find_listeners(pattern).places == ((own, PORT),)  # root sees whose each is


def line(address: str, state: str, account: int) -> bytes:
    """A line of /proc/net/tcp, as the kernel writes it."""
    return f"   0: {address} 00000000:0000 {state} 0:0 00:0 00000000 {account:5}        0 2211 1 0 100\n".encode()


LINES = [
    line("0100007F:1388", "0A", 112),
    line("00000000:1389", "0A", 0),
    line("0100007F:138A", "01", 112),  # a connection
    line("00000000000000000000000001000000:138B", "0A", 112),
    b"half a line\n",
]


@pytest.mark.skipif(sys.byteorder != "little", reason="the table is of a little-endian host")
def test_the_kernel_s_table() -> None:
    assert list(parse_listening(LINES, {112})) == [("127.0.0.1", 5000), ("::1", 5003)]
    assert list(parse_listening(LINES, {0})) == [("0.0.0.0", 5001)]
    assert list(parse_listening(LINES, {7})) == []


def test_a_look_that_takes_too_long_says_what_was_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy host with thousands of processes: the message of the check's end has the refusal, and its blame."""
    monkeypatch.setattr(whereabouts, "find_listeners", lambda *_: time.sleep(20))
    start_timer(2.0)  # so that it ends in the look, and not on the way there, on a busy machine, too
    try:
        with pytest.raises(Overdue):
            whereabouts.judge_unreachable(
                default_service("memcached").settings,
                Level.DEEP,
                Attempt(("127.0.0.1", 1), "127.0.0.1 port 1: connection refused", "host and port"),
            )
        assert current_step().what == "where its processes listen, after 127.0.0.1 port 1: connection refused"
    finally:
        stop_timer()
