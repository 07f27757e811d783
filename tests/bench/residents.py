"""What a forked check costs where the responder of its host answers it, against one that looks itself, in turns."""

from __future__ import annotations

import ctypes
import os
import resource
import socket
import statistics
import subprocess
import time
from collections.abc import Callable
from contextlib import nullcontext

from bench.commits import core_seconds
from bench.installed import Installed
from bench.measures import OPTION_FILE, PASSWORD, USER, Bench, Row, say
from bench.probes import REQUEST
from loopback import wait_until
from shell.host import ENVIRONMENT, Host
from shell.resident import Resident, settings

MOST_CPU, MOST_WALL = 11.0, 15.0
ASKED, ALONE = "a resident answers", "it looks itself"
Subject = Callable[[], tuple[float, float]]


def measure_residents(bench: Bench, installed: Installed) -> list[Row]:
    """clustercheck, and a responder for one probe: CPU and wall, with a resident responder and with its socket away."""
    address = bench.net.next_address()
    with Host(bench.net, bench.directory / "resident-host") as host:
        host.write("/etc/xha/xha.conf", settings(address))
        host.write("/etc/xha/client.cnf", OPTION_FILE, 0o640)
        host.path("/run/mysqld/mysqld.sock").symlink_to(bench.node.socket)
        with Resident(host, address, installed.door("xha-responder")) as one:
            return _measure(bench, installed, host, one)


def _measure(bench: Bench, installed: Installed, host: Host, one: Resident) -> list[Row]:
    check, probe = [installed.door("clustercheck"), USER, PASSWORD], [installed.door("xha-responder")]
    enter = _entering(host)
    subjects: dict[str, Subject] = {
        "clustercheck": lambda: _cost_of_check(check, enter),
        "responder, wait = no": lambda: _cost_of_probe(probe, enter),
    }
    before = one.counts()
    wait_until(lambda: subjects["clustercheck"]() and one.counts().answered > before.answered, 30, "it answers")
    costs: dict[tuple[str, str], list[tuple[float, float]]] = {
        (name, how): [] for name in subjects for how in (ASKED, ALONE)
    }
    answered, asked = one.counts().answered, 0.0
    for turn in range(bench.rounds):
        say(f"forked checks that ask a resident, round {turn + 1} of {bench.rounds}")
        for name, how in list(costs) * 5:
            began = core_seconds(one.process.pid)
            with one.out_of_reach() if how == ALONE else nullcontext():
                costs[name, how].append(subjects[name]())
            asked += core_seconds(one.process.pid) - began if how == ASKED else 0.0
    answers = one.counts().answered - answered
    expected = bench.rounds * 5 * len(subjects)
    rows = [
        Row("forked checks that the resident has answered", f"{answers} of {expected}", "", "all", answers == expected)
    ]
    for name in subjects:
        (cpu, wall), (own_cpu, own_wall) = (_medians(costs[name, how]) for how in (ASKED, ALONE))
        said = f"{name}, {ASKED}"
        met = cpu <= MOST_CPU
        rows += [
            Row(f"CPU of one {said}", f"{cpu:.1f} ms", f"{ALONE} {own_cpu:.1f} ms", f"at most {MOST_CPU:g} ms", met),
            Row("the same, wall", f"{wall:.1f} ms", f"{own_wall:.1f} ms", f"at most {MOST_WALL:g} ms",
                wall <= MOST_WALL),
        ]  # fmt: skip
    each = 1000 * asked / expected
    return [*rows, Row("CPU of the resident for each of them, its reading too", f"{each:.1f} ms", "", "", met=True)]


def _medians(costs: list[tuple[float, float]]) -> tuple[float, float]:
    cpu, wall = (statistics.median(figures) for figures in zip(*costs))
    return cpu, wall


def _entering(host: Host) -> Callable[[], None]:
    """What a forked process does to be on the host: nsenter would be measured with it."""
    libc = ctypes.CDLL(None, use_errno=True)
    namespace = os.open(f"/proc/{host.pid}/ns/mnt", os.O_RDONLY)

    def enter() -> None:
        if libc.setns(namespace, 0):
            raise OSError(ctypes.get_errno(), "setns")

    return enter


def _cost_of_check(command: list[str], enter: Callable[[], None]) -> tuple[float, float]:
    began = _begin()
    subprocess.run(
        command,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        preexec_fn=enter,
    )
    return _end(began)


def _cost_of_probe(command: list[str], enter: Callable[[], None]) -> tuple[float, float]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
    with client:
        client.sendall(REQUEST)
        began = _begin()
        process = subprocess.Popen(
            command,
            env=ENVIRONMENT,
            stdin=accepted,
            stdout=accepted,
            stderr=accepted,
            preexec_fn=enter,  # noqa: PLW1509 - one thread
        )
        accepted.close()
        answer = b"".join(iter(lambda: client.recv(4096), b""))
        client.close()
        if process.wait() or b" 200 " not in answer[:20]:
            raise RuntimeError(f"{command[0]}: exit {process.returncode}, {answer!r}")
        return _end(began)


Moment = tuple[float, float]


def _begin() -> Moment:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime, time.monotonic()


def _end(began: Moment) -> tuple[float, float]:
    cpu, at = _begin()
    return (cpu - began[0]) * 1000, (at - began[1]) * 1000
