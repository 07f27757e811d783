"""Probes as HAProxy sends them: as fast as possible (ab), and at a steady rate."""

from __future__ import annotations

import csv
import os
import select
import socket
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from loopback import find_program

REQUEST = b"OPTIONS / HTTP/1.0\r\n\r\n"
Address = tuple[str, int]


class Load(NamedTuple):
    """One run of ab: connections per second, and percentiles in milliseconds."""

    per_second: float
    p50: float
    p99: float


def run_ab(address: Address, cpu: int, directory: Path, path: str = "/", connections: int = 20000) -> Load:
    """Run Apache's ab with 8 requests at a time, each on a new connection. Raises if an answer was not 200."""
    percentiles = directory / "ab.csv"
    command = [find_program("ab", "apache2-utils"), "-q", "-r", "-l", "-c", "8", "-n", str(connections)]
    command += ["-e", str(percentiles), "http://{}:{}{}".format(*address, path)]
    output = subprocess.run(
        command, capture_output=True, text=True, check=True, preexec_fn=lambda: os.sched_setaffinity(0, {cpu})
    ).stdout
    figures = dict(line.split(":", 1) for line in output.splitlines() if ":" in line)
    if figures["Failed requests"].strip() != "0" or "Non-2xx responses" in figures:
        raise RuntimeError(f"not every probe was answered with 200:\n{output}")
    with percentiles.open() as file:
        by_percent = {int(row[0]): float(row[1]) for row in list(csv.reader(file))[1:] if row[0].isdigit()}
    return Load(float(figures["Requests per second"].split()[0]), by_percent[50], by_percent[99])


class Probe(NamedTuple):
    """One answer: the seconds from connect to the end of the response, and its status line."""

    seconds: float
    status: str


def probe_steadily(address: Address, per_second: float, seconds: float) -> list[Probe]:
    """Send probes at a steady rate, without waiting for earlier ones, and return the result of each."""
    poller, open_probes, answers = select.epoll(), {}, []
    began = time.monotonic()
    sent = 0
    while open_probes or sent < per_second * seconds:
        due = int((time.monotonic() - began) * per_second)
        while sent < min(due, per_second * seconds):
            sock = socket.create_connection(address)
            sock.setblocking(False)
            sock.send(REQUEST)
            open_probes[sock.fileno()] = (sock, time.monotonic(), bytearray())
            poller.register(sock.fileno(), select.EPOLLIN)
            sent += 1
        for fd, _ in poller.poll(0.001):
            sock, at, received = open_probes[fd]
            data = sock.recv(4096)
            received += data
            if not data:
                status = received.partition(b"\r\n")[0].decode()
                answers.append(Probe(time.monotonic() - at, status))
                del open_probes[fd]
                sock.close()
    poller.close()
    return answers
