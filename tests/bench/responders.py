"""The responder under load: against HAProxy's constant answer, with much beside it, and how old its answers are."""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.measures import CLIENT_CPU, OPTION_FILE, SERVER_CPU, Bench, Row, on_cpu, resident_mb, responder, say
from bench.probes import Address, run_ab
from loopback import HAProxy, Responder, find_program, is_listening
from xha.adapters.files.result_files import write_record
from xha.core.services.last_result import Record
from xha.core.services.model.result import Level, Result, Status

CONSTANT_ANSWER = """\
frontend constant
  mode http
  timeout client 5s
  bind {address}:49001
  http-request return status 200 content-type text/plain string "Percona XtraDB Cluster Node is synced."
"""
IDLE, FILES, PROBES = 1000, 5000, 5000
# How long the load of the freshness lasts: BENCH_SECONDS=10 for a look.
SECONDS = float(os.environ.get("BENCH_SECONDS", "60"))


def measure_throughput(bench: Bench) -> list[Row]:
    """Live readings against HAProxy's own constant answer, one core each."""
    address = bench.net.next_address()
    with responder(bench) as ours:
        proxy = HAProxy(
            bench.net,
            bench.directory / "haproxy",
            CONSTANT_ANSWER.format(address=address),
            extra_global=["nbthread 1", "maxconn 4000"],
        )
        with on_cpu(SERVER_CPU), proxy:
            proxy.wait_ready(lambda: is_listening(address, 49001), 10, "HAProxy listens")
            ours_loads, proxy_loads = [], []
            for turn in range(bench.rounds):
                say(f"throughput, round {turn + 1} of {bench.rounds}")
                ours_loads.append(run_ab(ours.address, CLIENT_CPU, bench.directory))
                proxy_loads.append(run_ab((address, 49001), CLIENT_CPU, bench.directory))
        resident = resident_mb(ours.pid)
    mine, theirs = ([statistics.median(figures) for figures in zip(*loads)] for loads in (ours_loads, proxy_loads))
    rate, tail = mine[0] / theirs[0], mine[2] / theirs[2]
    return [
        Row(
            "probes per second, 8 connections, live readings",
            f"{mine[0]:,.0f}/s (p50 {mine[1]:.2f} ms)",
            f"HAProxy's constant answer {theirs[0]:,.0f}/s (p50 {theirs[1]:.2f} ms)",
            f"ratio {rate:.2f}, at least 1.0",
            rate >= 1.0,
            1 / rate,
        ),
        Row(
            "the same, p99",
            f"{mine[2]:.2f} ms",
            f"{theirs[2]:.2f} ms",
            f"ratio {tail:.1f}, at most 1.1",
            tail <= 1.1,
            tail,
        ),
        Row("the same, resident memory", f"{resident:.1f} MB", "", "under 20 MB", resident < 20, resident / 20),
    ]


def measure_service_answer(bench: Bench) -> list[Row]:
    """The answer for a service, from the record of xha-services, against the answer for the node."""
    records = bench.directory / "services"
    records.mkdir()
    result = Result("memcached", Level.DEEP, Status.OK, None, "a set, a get and a delete", "well")
    with responder(bench, f"services_directory = {records}\n\n[service memcached]\ninterval = 600s") as ours:
        write_record(str(records), Record(result, time.monotonic(), time.time()))
        rates: dict[str, list[float]] = {"/": [], "/service/memcached": []}
        for turn in range(bench.rounds):
            say(f"answers for a service, round {turn + 1} of {bench.rounds}")
            for path, found in rates.items():
                found.append(run_ab(ours.address, CLIENT_CPU, bench.directory, path).per_second)
    node, service = (statistics.median(found) for found in rates.values())
    return [
        Row(
            "/service/NAME per second",
            f"{service:,.0f}/s",
            f"/ {node:,.0f}/s",
            f"ratio {service / node:.2f}, at least 0.95",
            service / node >= 0.95,
        )
    ]


def measure_beside(bench: Bench) -> list[Row]:
    """What a probe costs the responder with much beside it, against one without, in processor time of one request."""
    records = bench.directory / "many-services"
    records.mkdir()
    well = Result("memcached", Level.DEEP, Status.OK, None, "a set, a get and a delete", "well")
    lines = f"services_directory = {records}\n\n[service memcached]\ninterval = 600s"
    address, directory = bench.net.next_address(), bench.directory / "beside"
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as free:
        port = free.getsockname()[1]
    both: list[Address] = [(address, port), ("::1", port)]
    ours = Responder(bench.net, directory, both, bench.node.socket, client=OPTION_FILE, responder=lines)
    with on_cpu(SERVER_CPU), ours:
        write_record(str(records), Record(well, time.monotonic(), time.time()))
        spent: dict[str, list[float]] = {name: [] for name in ("plain", "idle", "::1", "a service", "files")}
        for turn in range(bench.rounds):
            say(f"much beside the probes, round {turn + 1} of {bench.rounds}")
            spent["plain"].append(_request_us(bench, ours, both[0]))
            with _held(both[0]):
                spent["idle"].append(_request_us(bench, ours, both[0]))
            spent["::1"].append(_request_us(bench, ours, ("[::1]", port)))
            spent["a service"].append(_request_us(bench, ours, both[0], "/service/memcached"))
            for number in range(FILES):
                (records / f"other-{number}.json").write_text("{}")
            spent["files"].append(_request_us(bench, ours, both[0], "/service/memcached"))
            for number in range(FILES):
                (records / f"other-{number}.json").unlink()
    medians = {name: statistics.median(each) for name, each in spent.items()}
    names = {
        "idle": (f"a probe with {IDLE:,} idle connections held", "plain"),
        "::1": ("a probe by IPv6", "plain"),
        "files": (f"/service/NAME beside {FILES:,} files", "a service"),
    }
    return [_beside(what, medians[name], medians[other]) for name, (what, other) in names.items()]


def _beside(what: str, mine: float, other: float) -> Row:
    ratio = mine / other
    return Row(
        what, f"{mine:.0f} us", f"without {other:.0f} us", f"ratio {ratio:.2f}, at most 1.1", ratio <= 1.1, ratio
    )


def _request_us(bench: Bench, ours: Responder, address: Address, path: str = "/") -> float:
    before = _ran(ours.pid)
    run_ab(address, CLIENT_CPU, bench.directory, path, PROBES)
    return (_ran(ours.pid) - before) / PROBES * 1e6


def _ran(pid: int) -> float:
    return sum(int(one.read_text().split()[0]) for one in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


@contextmanager
def _held(address: Address) -> Iterator[None]:
    """Connections that say nothing, as many as a responder keeps without closing one for another."""
    held = [socket.create_connection(address) for _ in range(IDLE)]
    try:
        yield
    finally:
        for one in held:
            one.close()


class Told(NamedTuple):
    """An answer under load: when the probe was sent and answered, whether 200, and the age that it told, in seconds."""

    sent: float
    got: float
    well: bool
    age: float


class Turned(NamedTuple):
    """A change of the node: when it was begun and done, and whether the node is in service from then on."""

    begun: float
    done: float
    well: bool


def find_stale(answers: list[Told], turns: list[Turned]) -> list[Told]:
    """Return the answers that are older than they say.

    From what an answer tells follows the earliest moment of its reading. It is stale if the node was in the other state
    from before that moment until the answer had come.
    """
    stale = []
    for one in answers:
        read_at = one.sent - one.age
        before = [turn for turn in turns if turn.done <= read_at]
        meanwhile = any(turn.begun <= one.got and turn.done > read_at for turn in turns)
        if before and not meanwhile and before[-1].well is not one.well:
            stale.append(one)
    return stale


def measure_freshness(bench: Bench) -> list[Row]:
    """As many probes as ab can send, while the node changes its state; the age that is told, against what is known."""
    say(f"how old answers are under load, {SECONDS:g} s")
    turns: list[Turned] = []
    answers: list[Told] = []
    ends = time.monotonic() + SECONDS
    with responder(bench) as ours, on_cpu(CLIENT_CPU):
        host, port = ours.address
        flood = [
            find_program("ab", "apache2-utils"),
            "-q",
            "-r",
            "-l",
            "-c",
            "8",
            "-t",
            f"{SECONDS:.0f}",
            "-n",
            "99999999",
        ]
        with subprocess.Popen([*flood, f"http://{host}:{port}/"], stdout=subprocess.PIPE, text=True) as ab:
            turner = threading.Thread(target=_turn, args=(bench, ends, turns))
            turner.start()
            while time.monotonic() < ends:
                answers.append(_ask(ours.address))
                time.sleep(0.005)
            turner.join()
            flooded = next(line for line in ab.communicate()[0].splitlines() if line.startswith("Requests per second"))
    stale = find_stale(answers, turns)
    told = max(one.age for one in answers)
    return [
        Row(
            f"answers older than they say, of {len(answers):,} while the node changed {len(turns)} times",
            f"{len(stale)} (the oldest says {told * 1000:.0f} ms)",
            f"beside {float(flooded.split()[3]):,.0f} probes/s",
            "none",
            not stale and len(turns) > 1,
        )
    ]


def _turn(bench: Bench, ends: float, turns: list[Turned]) -> None:
    while time.monotonic() < ends - 1:
        for word, well in (("ON", False), ("OFF", True)):
            begun = time.monotonic()
            bench.node.sql(f"SET GLOBAL wsrep_desync = {word}")
            turns.append(Turned(begun, time.monotonic(), well))
            time.sleep(0.3)


def _ask(address: Address) -> Told:
    sent = time.monotonic()
    with socket.create_connection(address) as connection:
        connection.sendall(b"GET /ready HTTP/1.0\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    words = answer.rpartition(b"\r\n\r\n")[2].split()
    return Told(sent, time.monotonic(), b" 200 " in answer[:20], int(words[1]) / 1000)
