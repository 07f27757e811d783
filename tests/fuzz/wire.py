"""A real responder, and clients that send it what no proxy would send, in every way that TCP permits."""

from __future__ import annotations

import contextlib
import random
import re
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator

from core.kept import KEPT
from fuzz.corpus import STARTS
from fuzz.mutate import mutate_bytes, shown
from loopback import Net, wait_until
from loopback.responder import Address
from responder.client import connect, vanish
from responder.process import PATIENT, Responder
from security.resident import FAULT

# SLOW clients are slow, some slower than the responder permits.
CLIENTS, SLOW = 8, 3
SAMPLES: list[bytes] = [
    *STARTS["core.http.message.parse_request"].samples,
    *(
        b"GET " + path + b" HTTP/1.0\r\n\r\n"
        for path in (b"/", b"/ready", b"/live", b"/metrics", b"/service/memcached")
    ),
    b"\x0d\x0a\x0d\x0a\x00\x0d\x0a\x51\x55\x49\x54\x0a\x21\x11\x00\x0c" + bytes(12) + b"GET /ready\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"POST /node HTTP/1.1\r\nContent-Length: 9\r\n\r\n123456789",
    b"GET /" + b"a" * 8300,
    b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 7000 + b"\r\n" + b"Z: z\r\n" * 300,
]
ANSWER = re.compile(rb"HTTP/1\.1 (200|400|403|404|405|408|431|503) [A-Za-z ]+\r\n")
HTTP_2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
LENGTH = re.compile(rb"\r\nContent-Length: (\d+)\r\n")
# How much Python's memory may grow by many of the largest requests at once.
MEGABYTES = 16
SECTION = "[service memcached]\n"


class Wrong(AssertionError):
    """An invalid answer. The text has what was sent."""


class Wire:
    """The result: the number of requests by the status of their answers, and the slowest answer in seconds."""

    def __init__(self, address: Address, number: int) -> None:
        self.address, self.number = address, number
        self.statuses: Counter[str] = Counter()
        self.slowest = 0.0
        self.wrong: list[str] = []
        self._lock = threading.Lock()

    def fuzz(self, seconds: float) -> None:
        """Run several clients, and one that probes as a proxy does and must be answered all the time."""
        until = time.monotonic() + seconds
        clients = [threading.Thread(target=self._talk, args=(number, until)) for number in range(CLIENTS)]
        for thread in clients:
            thread.start()
        while time.monotonic() < until and not self.wrong:
            self._probe()
            time.sleep(0.02)
        for thread in clients:
            thread.join(60)

    def _probe(self) -> None:
        began = time.monotonic()
        try:
            with connect(self.address, 30) as sock:
                sock.sendall(b"GET /ready HTTP/1.0\r\n\r\n")
                received = _read(sock)
        except OSError as error:
            self.wrong.append(f"a plain probe is not answered: {error}")
            return
        self._judge(b"GET /ready HTTP/1.0\r\n\r\n", received, began, whole=True)

    def _talk(self, client: int, until: float) -> None:
        rng = random.Random(f"{self.number} {client}")
        while time.monotonic() < until and not self.wrong:
            data = rng.choice(SAMPLES)
            data = mutate_bytes(data, SAMPLES, rng) if rng.random() < 0.8 else data
            if rng.random() < 0.1:
                data = rng.randbytes(rng.randrange(1, 9000))
            try:
                self._exchange(data, rng, slow=client < SLOW)
            except OSError:  # the responder cuts off clients that send without end or too late
                with self._lock:
                    self.statuses["cut off"] += 1

    def _exchange(self, data: bytes, rng: random.Random, *, slow: bool) -> None:
        with connect(self.address, 30) as sock:
            cuts = sorted(rng.randrange(len(data) + 1) for _ in range(rng.choice((0, 0, 1, 5))))
            began = time.monotonic()
            for start, end in zip([0, *cuts], [*cuts, len(data)]):
                sock.sendall(data[start:end])
                if cuts:
                    time.sleep(rng.choice((0, 0.01, 0.2) if slow else (0, 0, 0.001)))
            how = rng.random()
            if how < 0.1:
                return vanish(sock)
            if slow:
                time.sleep(rng.choice((0, 0.1, 1)))
                began = time.monotonic()
            if how < 0.8:  # otherwise the responder waits for more, 5 s at most, and so does this client
                sock.shutdown(socket.SHUT_WR)
            elif not select.select([sock], [], [], 6 if slow else 0.02)[0]:
                with self._lock:
                    self.statuses["left alone"] += 1
                return None
            self._judge(data, _read(sock), began, whole=how < 0.8)
        return None

    def _judge(self, data: bytes, received: bytes, began: float, *, whole: bool) -> None:
        took = time.monotonic() - began
        answer, length = ANSWER.match(received), LENGTH.search(received)
        body = received.partition(b"\r\n\r\n")[2]
        head = data[:5] == b"HEAD " or b"HEAD " in data[:20]
        right = answer and length and (len(body) == int(length[1]) or (head and not body))
        if received[:1] == b"\0":  # a frame of HTTP/2, for who speaks nothing else
            right = HTTP_2 in data and b"HTTP/2 is not spoken here" in received
        with self._lock:
            # A connection without a request gets no answer.
            self.statuses[answer[1].decode() if answer else "nothing" if not received else "rubbish"] += 1
            if received and not right:
                self.wrong.append(f"{shown(received)} for {shown(data)}")
            if whole:
                self.slowest = max(self.slowest, took)


def _read(sock: socket.socket) -> bytes:
    received = b""
    while chunk := sock.recv(65536):
        received += chunk
    return received


@contextlib.contextmanager
def running_responder(net: Net) -> Iterator[Responder]:
    """A responder without a database, and with the record of one service."""
    records = net.directory / "fuzzed-services"
    records.mkdir()
    (records / "memcached.json").write_text(KEPT["a service's record"].text)
    lines = f"{PATIENT}\nanswer_silent = 100ms\nservices_directory = {records}\n{SECTION}"
    with Responder(net, "fuzzed", database="socket = /no/such/socket", responder=lines) as responder:
        yield responder


def fuzz_wire(net: Net, number: int, seconds: float) -> Wire:
    """Fuzz a responder for this time. :raises AssertionError: with the input, if the responder does not survive it."""
    with running_responder(net) as responder:
        responder.settle()
        pid, wire = responder.pid, Wire(responder.address, number)
        descriptors, threads, resident = responder.descriptors, responder.threads, responder.resident_bytes
        wire.fuzz(seconds)
        wrong = wire.wrong[:1]
        if not responder.is_running() or responder.pid != pid:
            wrong.append(f"it ended\n{responder.tail()}")
        else:
            wait_until(lambda: responder.descriptors <= descriptors, 30, lambda: f"{responder.descriptors} descriptors")
            grown = (responder.resident_bytes - resident) / 1e6
            checks = {
                f"it is {responder.verdict()} afterwards": responder.verdict()[0] == 503,
                f"{responder.threads} threads, {threads} before": responder.threads == threads,
                f"it has grown by {grown:.0f} MB": grown < MEGABYTES,
                f"{responder.lines(FAULT)[:1]}": not responder.lines(FAULT),
            }
            wrong += [text for text, right in checks.items() if not right]
        if wrong:
            raise Wrong(f"seed {number}: {wrong[0]}")
    return wire
