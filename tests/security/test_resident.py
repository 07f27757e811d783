"""No file, peer or record ends a resident process: the request gets a 503, and the log a line."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from core.kept import RECORD
from core.text.test_numbers import OF_THE_WRONG_SIZE, SPOILT, spoil
from loopback import Daemon, is_listening, wait_until
from responder.client import exchange
from responder.process import ENVIRONMENT, THREADS
from security.resident import PORT, Site, account, cpu_seconds, faults, with_lines
from xha.core.services.last_result import Record, render_record
from xha.core.services.model.result import Level, passed

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="not root: nobody could own the records")

NAME = "memcached"
# The memcached of another test is not this one, elsewhere.
SECTION = f"[service {NAME}]\nprocess = ^no-such-memcached\n"
UNUSABLE = "unknown: its record cannot be used: "


def good(age: float = 0.0) -> str:
    return render_record(Record(passed(NAME, Level.DEEP, "it works"), time.monotonic() - age, time.time() - age))


def put(site: Site, text: str) -> None:
    """Replace the record in one step, as the account of xha-services."""
    with account("nobody"):
        new = site.records / "new"
        new.write_text(text, errors="surrogatepass")
        new.rename(site.records / f"{NAME}.json")
    time.sleep(0.06)  # one look at the files serves all requests within 50 ms


def standing(site: Site) -> tuple[int, str]:
    return site.ask(f"/service/{NAME}")


def evil_records() -> list[str]:
    """A service's record with every number of it damaged in every way, and with times and counts of a wrong size."""
    text = render_record(RECORD._replace(result=RECORD.result._replace(name=NAME)))
    values = {**SPOILT, "a negative one": OF_THE_WRONG_SIZE["a negative one"]}
    spoilt = [one for value in values.values() for one in spoil(text, value)]
    blame = '"blame": "\\ud800"'
    return [*spoilt, text.replace('"blame": "self"', blame), "[]", "5", '{"at": 1}', "\0" * 4096]


# --- records


def test_no_record_ends_the_responder_and_none_that_cannot_be_used_is_200(site: Site) -> None:
    site.write(SECTION)
    daemon = site.responder()
    records = evil_records()
    assert len(records) > 60
    slowest = 0.0
    for text in records:
        put(site, text)
        began = time.monotonic()
        status, said = standing(site)
        slowest = max(slowest, time.monotonic() - began)
        assert status == 503, (text[:200], said)
        assert said.startswith(UNUSABLE), (text[:200], said)
        assert len(said) < 300
    put(site, good())
    assert standing(site)[0] == 200
    for text in records[::7]:
        put(site, text)
        status, metrics = site.ask("/metrics")
        assert status == 200
        assert f'xha_service_available{{service="{NAME}"}} 0' in metrics
    assert daemon.is_running()
    assert faults(daemon) == []
    assert slowest < 5


@pytest.mark.parametrize("number", ["NaN", "1e999", "9" * 65000])
def test_a_record_that_is_there_at_the_start_ends_nobody(site: Site, number: str) -> None:
    site.write(SECTION + "host = 127.0.0.1\nport = 1\ninterval = 300ms\ndeadline = 250ms\n")
    with account("nobody"):
        (site.records / f"{NAME}.json").write_text(spoil(good(), number)[-3])
    responder, runner = site.responder(), None
    assert standing(site)[0] == 503
    # xha-services reads what an earlier one left, and writes what it finds itself.
    runner = site.runner()
    wait_until(lambda: standing(site)[1].startswith("critical self"), 30, lambda: f"{standing(site)}\n{runner.tail()}")
    assert responder.is_running()
    assert runner.is_running()
    assert faults(responder) + faults(runner) == []


def test_a_record_from_the_future_does_not_stay_green(site: Site) -> None:
    site.write(SECTION)
    site.responder()
    put(site, good(age=-1e6))
    assert standing(site) == (503, f"{UNUSABLE}at is in the future\n")
    put(site, good().replace(NAME, "keystone"))
    assert standing(site) == (503, f"{UNUSABLE}it is of another service\n")


def test_what_stands_in_a_record_s_place_and_is_no_file_is_none(site: Site, tmp_path: Path) -> None:
    site.write(SECTION)
    daemon = site.responder()
    path = site.records / f"{NAME}.json"
    elsewhere = site.directory / "elsewhere"
    elsewhere.write_text(good())
    elsewhere.chmod(0o644)
    listener = socket.socket(socket.AF_UNIX)
    writers = []

    def fifo_with_a_writer() -> None:
        os.mkfifo(path)
        writers.append(os.open(path, os.O_RDWR | os.O_NONBLOCK))
        os.write(writers[-1], good().encode())

    def sparse_terabyte() -> None:
        path.write_text(good())
        os.truncate(path, 1 << 40)

    makers = {
        "is no regular file": [lambda: os.mkfifo(path), fifo_with_a_writer],
        "is a directory": [path.mkdir],
        "is a symbolic link": [lambda: path.symlink_to(elsewhere), lambda: path.symlink_to("/dev/zero")],
        "has more than 65536 bytes": [sparse_terabyte],
        "no such device or address": [lambda: listener.bind(str(path))],
    }
    for said, ways in makers.items():
        for make in ways:
            with account("nobody"):
                make()
            time.sleep(0.06)
            assert standing(site) == (503, f"{UNUSABLE}{said}\n")
            assert site.ask("/metrics")[0] == 200
            path.rmdir() if path.is_dir() else path.unlink()
    for descriptor in writers:
        os.close(descriptor)
    listener.close()
    put(site, good())
    assert standing(site)[0] == 200
    assert daemon.is_running()


def test_what_stands_in_the_disabled_file_s_place_keeps_the_node_out(site: Site) -> None:
    daemon = site.responder()
    path = site.directory / "disabled"
    for make in (lambda: os.mkfifo(path), path.mkdir, lambda: path.symlink_to("/dev/zero"), lambda: path.touch(0o000)):
        make()
        time.sleep(0.15)
        status, node = site.ask("/node")
        assert status == 200
        assert '"disabled": {' in node
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    with path.open("w") as file:
        file.write('{"by": ' + "[" * 900 + "]" * 900 + ', "why": "\\ud800", "until": NaN}')
    time.sleep(0.15)
    assert "one JSON object" in site.ask("/node")[1]
    assert daemon.is_running()
    assert faults(daemon) == []


# --- unexpected exceptions

BROKEN_ANSWER = """
from xha.app.responder import responses as reply
render = reply.render_answer
def render_or_raise(request, peer, answer):
    if request.path == "/live":
        raise ZeroDivisionError("a secret of the inside")
    return render(request, peer, answer)
reply.render_answer = render_or_raise
"""


def test_an_exception_is_that_request_s_503_and_one_line_of_the_log(site: Site) -> None:
    daemon = site.responder(BROKEN_ANSWER)
    pid = daemon.pid
    for number in range(300):
        if number % 100 == 0:
            time.sleep(0.15)  # this one waits for a reading, the others find one
        status, body = site.ask("/live")
        assert (status, body) == (503, "this could not be answered: the log of xha-responder says why\n")
    assert site.ask("/live", "HEAD") == (503, "")
    assert site.ask("/ready")[1].startswith("server-down")
    told = faults(daemon)
    assert len(told) == 1
    assert "ZeroDivisionError: a secret of the inside" in told[0]
    assert "in render_or_raise" in told[0]
    assert "Traceback" not in daemon.log.read_text()
    assert "xha_faults_total 301" in site.ask("/metrics")[1]
    assert daemon.pid == pid


def test_an_exception_in_a_process_that_xinetd_started_for_one_request_is_a_503(site: Site) -> None:
    """As with `wait = no`: the client's socket is all three standard streams, and none reveals the exception."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as client:
        server, _ = listener.accept()
        with server:
            command = [*with_lines("responder", BROKEN_ANSWER), "--config", str(site.config)]
            process = subprocess.Popen(command, stdin=server, stdout=server, stderr=server, env=ENVIRONMENT)
        client.settimeout(60)
        client.sendall(b"GET /live HTTP/1.0\r\n\r\n")
        received = b""
        while chunk := client.recv(65536):
            received += chunk
        assert process.wait(60) == 0
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert body == b"this could not be answered: the log of xha-responder says why\n"


BROKEN_DESK = """
from itertools import count
from xha.app.responder.application import ResponderApplication
from xha.app.responder.event_log import EventLog
numbers = count()
def breaking(original, times):
    numbers = count()
    def method(self, *arguments, **named):
        if next(numbers) < times:
            raise {error}
        return original(self, *arguments, **named)
    return method
ResponderApplication._beat = breaking(ResponderApplication._beat, 3)
ResponderApplication._collect = breaking(ResponderApplication._collect, 3)
EventLog.complain = breaking(EventLog.complain, 3)
EventLog.note = breaking(EventLog.note, 2)
"""


@pytest.mark.parametrize("error", ["KeyError('x')", "RecursionError", "MemoryError", "OSError(24, 'no more')"])
def test_an_exception_of_the_loop_s_own_work_costs_nobody_the_answer(site: Site, error: str) -> None:
    daemon = site.responder(BROKEN_DESK.format(error=error))
    for _ in range(6):
        assert exchange(site.address, b"\0rubbish").status == 400
        assert site.ask("/ready")[0] == 503
        time.sleep(0.15)
    wait_until(lambda: site.ask("/ready")[1].startswith("server-down"), 20, "its readings come")
    told = faults(daemon)
    assert 1 <= len(told) <= 4, told
    assert daemon.is_running()


BROKEN_READER = """
from itertools import count
from xha.app.node.reader import Reader
numbers, taken = count(), Reader._take
def take_or_raise(self):
    number = next(numbers)
    if number < 4:
        raise (MemoryError, RecursionError, SystemExit, TypeError)[number]("broken")
    return taken(self)
Reader._take = take_or_raise
given_up, times = Reader.give_up, count()
def give_up_or_raise(self, error):
    if next(times) == 0:
        raise MemoryError
    return given_up(self, error)
Reader.give_up = give_up_or_raise
"""


def test_an_exception_in_the_database_s_thread_leaves_a_reader(site: Site) -> None:
    daemon = site.responder(BROKEN_READER)
    seen = set()

    def is_well() -> bool:
        time.sleep(0.12)
        status, said = site.ask("/ready")
        assert status == 503
        seen.add(said.split()[0])
        return said.startswith("server-down")

    wait_until(is_well, 30, "it reads again")
    assert "config-error" in seen
    told = faults(daemon)
    assert any("SystemExit" in line for line in told), told
    assert len(os.listdir(f"/proc/{daemon.pid}/task")) == THREADS


def test_a_wrong_configuration_costs_no_memory(site: Site) -> None:
    """Each request gets the same error. An exception that is raised again keeps the frames of every raise."""
    site.write("[policy]\nno_such_key = 1\n")
    daemon = site.responder()

    def megabytes() -> float:
        return psutil.Process(daemon.pid).memory_info().rss / 1e6

    for _ in range(200):
        assert standing(site) == (503, "unknown config-error\n")
    before = megabytes()
    for _ in range(3000):
        assert site.ask("/metrics")[0] == 200
    assert megabytes() - before < 5


# --- accept

DENIED = """
import ctypes, platform, struct
from xha.adapters.http.server import Server
run = Server.run
def run_denied(self):
    # seccomp(2): accept4 of the first listener's descriptor is EPERM, as a security module has it.
    fd, number = min(self._ready.callbacks), {"x86_64": 288, "aarch64": 242}[platform.machine()]
    program = [
        (0x20, 0, 0, 0), (0x15, 0, 3, number), (0x20, 0, 0, 16), (0x15, 0, 1, fd),
        (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7FFF0000),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in program))
    filter = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, filter, 0, 0) == 0, ctypes.get_errno()
    run(self)
Server.run = run_denied
"""


def test_a_kernel_that_forbids_accept_ends_nobody_and_keeps_no_processor_busy(site: Site) -> None:
    other = site.net.next_address()
    daemon = site.responder(DENIED, listen=[other])
    wait_until(lambda: is_listening(other, PORT), 10, "the other address, too")
    clients = [socket.create_connection(site.address) for _ in range(5)]
    for client in clients:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
    before, began = cpu_seconds(daemon.pid), time.monotonic()
    while time.monotonic() < began + 3:
        assert exchange((other, PORT), b"GET /ready HTTP/1.0\r\n\r\n").status == 503
        time.sleep(0.05)
    used, seconds = cpu_seconds(daemon.pid) - before, time.monotonic() - began
    assert used < seconds / 2, f"{used:.2f} s of {seconds:.2f} s"
    assert 1 <= daemon.log.read_text().count("accept: operation not permitted") <= 5
    assert daemon.is_running()
    for client in clients:
        client.close()


SHUT = """
import signal, socket, threading
from xha.adapters.http.server import Server
run = Server.run
def run_and_shut(self):
    fd = min(self._ready.callbacks)
    copy = socket.fromfd(fd, socket.AF_INET, socket.SOCK_STREAM)  # another process has one: systemd, or a child
    signal.signal(signal.SIGUSR1, lambda *_: copy.shutdown(socket.SHUT_RDWR))
    run(self)
Server.run = run_and_shut
"""


def test_a_listener_that_is_dead_for_good_ends_the_responder_with_a_sentence(site: Site) -> None:
    daemon = site.responder(SHUT)
    assert site.ask("/ready")[0] == 503
    daemon.signal(signal.SIGUSR1)
    wait_until(lambda: not daemon.is_running(), 20, "it ends, and systemd starts it again")
    assert daemon.exit_code == 1
    assert "a listening socket is gone: invalid argument: this ends, to be started again" in daemon.log.read_text()


# --- standard streams

CLOSED = ["/bin/sh", "-c", 'exec "$@" {}', "sh"]
# A standard error that accepts nothing: a full disk, and a pipe and a terminal without a reader.
ON_STDERR = """
import os, pty, sys
kind = sys.argv[1]
if kind == "full":
    fd = os.open("/dev/full", os.O_WRONLY)
elif kind == "pipe":
    reader, fd = os.pipe()
    os.close(reader)
else:
    master, fd = pty.openpty()
    os.close(master)
os.dup2(fd, 2)
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.mark.parametrize("closed", ["2>&-", "0<&-", "1>&-", "0<&- 1>&- 2>&-", "1>&- 2>&-"])
def test_a_closed_standard_stream_ends_no_responder_and_no_log_line_reaches_a_client(site: Site, closed: str) -> None:
    daemon = site.responder(wrapper=[CLOSED[0], CLOSED[1], CLOSED[2].format(closed), CLOSED[3]])
    for word, number in (("0<", 0), ("1>", 1), ("2>", 2)):
        if word in closed:
            assert os.readlink(f"/proc/{daemon.pid}/fd/{number}") == "/dev/null"
    _talk_rubbish(site, daemon)


@pytest.mark.parametrize("kind", ["full", "pipe", "terminal"])
def test_standard_error_that_takes_nothing_ends_no_responder(site: Site, kind: str) -> None:
    daemon = site.responder(wrapper=[sys.executable, "-IS", "-c", ON_STDERR, kind])
    _talk_rubbish(site, daemon)


CLOSE_LATER = """
import os, signal
signal.signal(signal.SIGUSR1, lambda *_: os.close(2))
"""


def test_standard_error_that_is_closed_later_becomes_no_client_s(site: Site) -> None:
    daemon = site.responder(CLOSE_LATER)
    assert site.ask("/ready")[0] == 503
    daemon.signal(signal.SIGUSR1)
    wait_until(lambda: not Path(f"/proc/{daemon.pid}/fd/2").exists(), 10, "2 is closed")
    _talk_rubbish(site, daemon)
    # The log has a descriptor of its own, and continues.
    assert "not HTTP" in daemon.log.read_text()
    wait_until(lambda: error_of(daemon) == "/dev/null", 30, "the next client has not got it")


def error_of(daemon: Daemon) -> str:
    """Where its descriptor 2 leads; "" while it is closed."""
    with contextlib.suppress(FileNotFoundError):
        return os.readlink(f"/proc/{daemon.pid}/fd/2")
    return ""


def _talk_rubbish(site: Site, daemon: Daemon) -> None:
    """Write to the log while many clients are connected, and examine what each of them reads."""
    crowd = [socket.create_connection(site.address) for _ in range(20)]
    rubbish = [exchange(site.address, b"\0rubbish") for _ in range(20)]
    assert {answer.raw.partition(b"\r\n\r\n")[2] for answer in rubbish} == {b"not HTTP\n"}
    for client in crowd:
        client.sendall(b"GET /ready HTTP/1.0\r\n\r\n")
    for client in crowd:
        client.settimeout(20)
        received = b""
        while chunk := client.recv(65536):
            received += chunk
        assert received.startswith(b"HTTP/1.1 503 Service Unavailable\r\n"), received
        assert b"xha-responder" not in received
        client.close()
    assert daemon.is_running()
